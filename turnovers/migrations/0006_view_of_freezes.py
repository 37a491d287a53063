"""Freezes, in a view of their own and in that of all changes; docs/views.md says what is in them."""

from importlib import import_module

from django.db import migrations

before = import_module("turnovers.migrations.0003_read_only_views")

V_FREEZE = """
CREATE VIEW v_freeze AS
SELECT
    period.id,
    period.name,
    period.state,
    period.version,
    period.scope,
    period.kind AS environment_kind,
    period.environment_id,
    period.application_id,
    period.train_id,
    period.team_id,
    period.stops,
    period.begins,
    period.ends,
    period.time_zone,
    period.recurrence,
    period.recurs_until,
    period.milestone_id,
    period.reason
FROM trains_freeze period
"""
V_EXCEPTION = """
CREATE VIEW v_freeze_exception AS
SELECT
    request.id,
    request.freeze_id,
    request.turnover_id,
    request.release_id,
    request.state,
    asker.username AS asked_by,
    request.asked_at,
    decider.username AS decided_by,
    request.decided_at,
    request.expires,
    request.reason,
    request.risk,
    request.rollback
FROM turnovers_freezeexception request
LEFT JOIN accounts_user asker ON asker.id = request.asked_by_id
LEFT JOIN accounts_user decider ON decider.id = request.decided_by_id
"""
MOVING = ["trains_freeze", "turnovers_freezeexception"]
V_AUDIT = "UNION ALL".join(
    [
        before.V_AUDIT,
        *(before.audit_part(name, before.STATE_BEFORE, "history.state") for name in MOVING),
    ]
)


def widen(apps, schema_editor):
    _make_audit(schema_editor, V_AUDIT)


def narrow(apps, schema_editor):
    _make_audit(schema_editor, before.V_AUDIT)


def _make_audit(schema_editor, sql):
    """PostgreSQL replaces it, and who was granted it keeps that."""
    if schema_editor.connection.vendor == "postgresql":
        sql = sql.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)
    else:
        schema_editor.execute("DROP VIEW IF EXISTS v_audit")
    schema_editor.execute(sql)


class Migration(migrations.Migration):
    dependencies = [("turnovers", "0005_freezes_are_kept")]
    operations = [
        migrations.RunSQL([V_FREEZE], ["DROP VIEW IF EXISTS v_freeze"]),
        migrations.RunSQL([V_EXCEPTION], ["DROP VIEW IF EXISTS v_freeze_exception"]),
        migrations.RunPython(widen, narrow),
    ]
