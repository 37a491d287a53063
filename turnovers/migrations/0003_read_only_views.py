"""Views for auditors and for checks from outside; docs/views.md says what each column means.

Their names and columns stay as they are from version to version: columns are added at the end. A
migration that changes a column which a view shows drops the view first and makes it again.
"""

from django.db import migrations

V_TURNOVER = """
CREATE VIEW v_turnover AS
SELECT
    turnover.id,
    turnover.id AS number,
    turnover.title,
    turnover.state,
    turnover.version,
    turnover.delivered_digest AS content_hash,
    (
        SELECT MIN(step."order")
        FROM turnovers_taskrun step
        JOIN turnovers_run run ON run.id = step.run_id
        WHERE run.turnover_id = turnover.id
            AND run.state = 'running'
            AND step.state IN ('waiting', 'ready', 'running', 'unknown')
    ) AS current_position,
    turnover.train_id,
    turnover.release_id,
    turnover.environment_id,
    environment.name AS environment,
    author.username AS author,
    turnover.earliest,
    turnover.latest,
    turnover.booking_id AS reservation_id,
    turnover.delivered_at,
    turnover.deployed_at
FROM turnovers_turnover turnover
JOIN environments_environment environment ON environment.id = turnover.environment_id
LEFT JOIN accounts_user author ON author.id = turnover.author_id
"""

V_STEP = """
CREATE VIEW v_step AS
SELECT
    task.turnover_id,
    COALESCE(step."order", task."order") AS position,
    COALESCE(step.state, 'planned') AS state,
    task.repeat_safe,
    task.id AS task_id,
    task.title,
    task.executor,
    task.undoes_id AS undoes,
    run.id AS run_id,
    run.number AS run,
    run.kind AS run_kind,
    step.id AS step_id,
    step.key AS idempotency_key,
    step.fence,
    step.worker,
    step.started_at,
    step.ended_at,
    person.username AS done_by
FROM turnovers_deploymenttask task
LEFT JOIN turnovers_run run
    ON run.turnover_id = task.turnover_id
    AND run.number = (
        SELECT MAX(latest.number) FROM turnovers_run latest
        WHERE latest.turnover_id = task.turnover_id
    )
LEFT JOIN turnovers_taskrun step ON step.run_id = run.id AND step.task_id = task.id
LEFT JOIN accounts_user person ON person.id = step.done_by_id
WHERE task.removed_at IS NULL
"""

V_ATTEMPT = """
CREATE VIEW v_attempt AS
SELECT
    run.turnover_id,
    step."order" AS position,
    ROW_NUMBER() OVER (PARTITION BY attempt.task_run_id ORDER BY attempt.fence) AS n,
    attempt.fence,
    attempt.claimed_at,
    attempt.sent_at,
    attempt.ended_at,
    attempt.outcome,
    attempt.key AS idempotency_key,
    attempt.worker,
    attempt.detail,
    attempt.id AS attempt_id,
    step.id AS step_id,
    step.task_id,
    run.id AS run_id,
    run.number AS run
FROM turnovers_attempt attempt
JOIN turnovers_taskrun step ON step.id = attempt.task_run_id
JOIN turnovers_run run ON run.id = step.run_id
"""

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

V_RESERVATION = """
CREATE VIEW v_reservation AS
SELECT
    booking.id,
    booking.environment_id,
    environment.name AS environment,
    booking.kind,
    booking.title,
    booking.state,
    booking.exclusive,
    booking.starts,
    booking.ends,
    booking.zone,
    requester.username AS requested_by,
    reservation.train_id
FROM environments_booking booking
JOIN environments_environment environment ON environment.id = booking.environment_id
LEFT JOIN accounts_user requester ON requester.id = booking.requested_by_id
LEFT JOIN trains_reservation reservation ON reservation.booking_id = booking.id
"""

V_HEALTH = """
CREATE VIEW v_health AS
SELECT part AS component, kind, since, at AS last_seen
FROM turnovers_heartbeat
"""

#: What has a state; the rest of what is recorded has none.
MOVING = [
    "approvals_condition",
    "approvals_signoff",
    "environments_booking",
    "environments_environment",
    "trains_applicationrelease",
    "trains_boarding",
    "trains_cadence",
    "trains_criterion",
    "trains_milestone",
    "trains_train",
    "trains_waiver",
    "trains_workitem",
    "turnovers_hold",
    "turnovers_run",
    "turnovers_taskrun",
    "turnovers_turnover",
]
STILL = [
    "accounts_deputy",
    "approvals_level",
    "approvals_policy",
    "approvals_rule",
    "trains_application",
    "trains_cadencetrain",
    "trains_calendar",
    "trains_dependency",
    "trains_evidence",
    "trains_gate",
    "trains_holiday",
    "trains_librarycriterion",
    "trains_releasetype",
    "trains_reservation",
    "trains_team",
    "trains_template",
    "trains_templateversion",
    "trains_trainengineer",
    "turnovers_allowedcommand",
    "turnovers_content",
    "turnovers_deploymenttask",
    "turnovers_reviewaction",
    "turnovers_secret",
    "turnovers_turnoverwork",
]
AUDIT_PART = """
SELECT
    history.history_id AS seq,
    history.history_date AS at,
    history.actor,
    person.username AS person,
    CASE
        WHEN history.transition <> '' THEN history.transition
        WHEN history.history_type = '+' THEN 'create'
        WHEN history.history_type = '-' THEN 'remove'
        ELSE 'edit'
    END AS action,
    '{kind}' AS object_type,
    history.id AS object_id,
    {before} AS before,
    {after} AS after,
    history.history_change_reason AS reason,
    history.version,
    CAST(NULL AS VARCHAR(64)) AS prev_hash,
    CAST(NULL AS VARCHAR(64)) AS hash
FROM {table} history
LEFT JOIN accounts_user person ON person.id = history.history_user_id
"""
NOTHING = "CAST(NULL AS VARCHAR(20))"
STATE_BEFORE = (
    "LAG(history.state) OVER (PARTITION BY history.id ORDER BY history.version, history.history_id)"
)


def audit_part(name, before, after):
    app, model = name.split("_")
    kind, table = f"{app}.{model}", f"{app}_historical{model}"
    return AUDIT_PART.format(kind=kind, table=table, before=before, after=after)


V_AUDIT = "CREATE VIEW v_audit AS" + "UNION ALL".join(
    [audit_part(name, STATE_BEFORE, "history.state") for name in MOVING]
    + [audit_part(name, NOTHING, NOTHING) for name in STILL]
)

VIEWS = {
    "v_turnover": V_TURNOVER,
    "v_step": V_STEP,
    "v_attempt": V_ATTEMPT,
    "v_approval": V_APPROVAL,
    "v_audit": V_AUDIT,
    "v_reservation": V_RESERVATION,
    "v_health": V_HEALTH,
}


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("approvals", "0001_initial"),
        ("environments", "0002_confirmed_bookings_do_not_overlap"),
        ("trains", "0001_initial"),
        ("turnovers", "0002_history_is_kept"),
    ]
    operations = [
        migrations.RunSQL([sql], [f"DROP VIEW IF EXISTS {name}"]) for name, sql in VIEWS.items()
    ]
