"""The records of approvals are kept like all others, and the read-only views tell of them."""

from importlib import import_module

from django.db import migrations

from releasemgr.workflow.keeping import forget, keep

views = import_module("turnovers.migrations.0003_read_only_views")

KEPT = [
    "accounts_historicaldeputy",
    "approvals_historicalcondition",
    "approvals_historicalpolicy",
]
V_APPROVAL = """
CREATE VIEW v_approval AS
SELECT
    signoff.title AS object,
    signoff.url AS object_url,
    decision.verdict AS kind,
    decision.person_name AS person,
    person.username AS person_login,
    decision.digest AS content_hash,
    decision.id AS seq,
    signoff.valid_until,
    decision.at,
    decision.comment,
    decision.level_number AS level,
    decision.round,
    signoff.id AS signoff_id,
    signoff.state AS signoff_state,
    CASE
        WHEN decision.round = signoff.round AND decision.digest = signoff.digest
            AND decision.recalls_id IS NULL AND recall.id IS NULL
            AND signoff.state IN ('ready', 'approved', 'rejected', 'postponed') THEN 1
        ELSE 0
    END AS counts,
    decision.on_behalf_name AS on_behalf_of,
    CASE WHEN decision.is_override THEN 1 ELSE 0 END AS is_override,
    decision.recalls_id AS recalls
FROM approvals_decision decision
JOIN approvals_signoff signoff ON signoff.id = decision.signoff_id
JOIN accounts_user person ON person.id = decision.person_id
LEFT JOIN approvals_decision recall ON recall.recalls_id = decision.id
"""
MOVING = [*views.MOVING, "approvals_condition"]
STILL = [*views.STILL, "accounts_deputy", "approvals_policy"]
V_AUDIT = "CREATE VIEW v_audit AS" + "UNION ALL".join(
    [views.audit_part(name, views.STATE_BEFORE, "history.state") for name in MOVING]
    + [views.audit_part(name, views.NOTHING, views.NOTHING) for name in STILL]
)


def anew(name, sql, before):
    """Make a view again; on the way back, as it was."""
    drop = f"DROP VIEW IF EXISTS {name}"
    return migrations.RunSQL([drop, sql], [drop, before])


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_deputies"),
        ("approvals", "0002_answers_and_policies"),
        ("turnovers", "0003_read_only_views"),
    ]
    operations = [
        migrations.RunPython(keep(KEPT), forget(KEPT)),
        anew("v_approval", V_APPROVAL, views.V_APPROVAL),
        anew("v_audit", V_AUDIT, views.V_AUDIT),
    ]
