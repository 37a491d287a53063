"""The seven roles, as Django groups, each with explicit permissions, and the robot's own.

Made once, when the database is migrated; afterwards administrators may change a group in the
admin and are not overruled. Nobody's role lets them accept, approve or consent to their own work:
that rule is in the ``rules`` of each app.
"""

from __future__ import annotations

RELEASE_MANAGER = "Release manager"
RELEASE_ENGINEER = "Release engineer"
PRODUCT_OWNER = "Product owner"
DEVELOPER = "Developer"
APPROVER = "Approver"
STAKEHOLDER = "Stakeholder"
ADMINISTRATOR = "Administrator"
ROBOT = "Robot"

LOOK = frozenset(
    {
        "approvals.view_signoff",
        "environments.view_environment",
        "environments.view_booking",
        "trains.view_application",
        "trains.view_applicationrelease",
        "trains.view_boarding",
        "trains.view_criterion",
        "trains.view_milestone",
        "trains.view_train",
        "trains.view_workitem",
        "turnovers.view_hold",
        "turnovers.view_run",
        "turnovers.view_taskrun",
        "turnovers.view_turnover",
    }
)
WRITE_TURNOVERS = frozenset({"turnovers.write_turnover", "trains.edit_work"})
OWN_RELEASES = frozenset({"trains.own_release", "trains.edit_work", "trains.edit_application"})
RUN_ENVIRONMENTS = frozenset(
    {
        "environments.manage_environment",
        "environments.book_environment",
        "environments.confirm_booking",
    }
)
STOP_THE_LINE = frozenset({"turnovers.hold_line", "turnovers.settle_unknown"})

ROLES: dict[str, frozenset[str]] = {
    RELEASE_MANAGER: LOOK
    | OWN_RELEASES
    | WRITE_TURNOVERS
    | RUN_ENVIRONMENTS
    | STOP_THE_LINE
    | {
        "approvals.request_signoff",
        "exchange.import_data",
        "exchange.export_data",
        "trains.close_train",
        "trains.decide_criterion",
        "trains.manage_freeze",
        "trains.steer_train",
        "trains.waive_criterion",
        "turnovers.decide_exception",
        "turnovers.promote_restricted",
        "turnovers.promote_turnover",
        "turnovers.start_early",
    },
    RELEASE_ENGINEER: LOOK
    | WRITE_TURNOVERS
    | RUN_ENVIRONMENTS
    | STOP_THE_LINE
    | {
        "exchange.export_data",
        "trains.close_train",
        "trains.consent_train",
        "turnovers.judge_turnover",
        "turnovers.promote_turnover",
        "turnovers.run_turnover",
        "turnovers.verify_turnover",
    },
    PRODUCT_OWNER: LOOK | OWN_RELEASES | {"exchange.export_data"},
    DEVELOPER: LOOK | WRITE_TURNOVERS,
    APPROVER: LOOK,
    STAKEHOLDER: LOOK,
    ADMINISTRATOR: LOOK
    | {
        "accounts.add_user",
        "accounts.change_user",
        "accounts.view_deputy",
        "accounts.view_user",
        "approvals.add_policy",
        "approvals.change_policy",
        "approvals.view_policy",
        "auth.add_group",
        "auth.change_group",
        "auth.view_group",
        "exchange.export_data",
        "exchange.import_data",
        "trains.add_application",
        "trains.add_calendar",
        "trains.add_holiday",
        "trains.add_librarycriterion",
        "trains.add_releasetype",
        "trains.add_team",
        "trains.change_application",
        "trains.change_calendar",
        "trains.change_holiday",
        "trains.change_librarycriterion",
        "trains.change_releasetype",
        "trains.change_team",
        "trains.delete_holiday",
        "trains.manage_freeze",
        "trains.view_cadence",
        "trains.view_calendar",
        "trains.view_freeze",
        "trains.view_holiday",
        "trains.view_librarycriterion",
        "trains.view_releasetype",
        "trains.view_team",
        "trains.view_template",
        "trains.view_waiver",
        "turnovers.add_allowedcommand",
        "turnovers.add_secret",
        "turnovers.change_secret",
        "turnovers.delete_secret",
        "turnovers.view_freezeexception",
        "turnovers.view_secret",
        "turnovers.change_allowedcommand",
        "turnovers.delete_allowedcommand",
        "turnovers.view_allowedcommand",
    },
    ROBOT: LOOK,
}

#: What being a superuser opens: administration and looking, never a step of the work itself.
ADMINISTERED_APPS = frozenset({"accounts", "auth", "admin", "contenttypes", "sessions"})


def opens_to_superusers(perm: str) -> bool:
    """Whether ``perm`` (``app.codename``) comes with ``is_superuser``."""
    app, _, codename = perm.partition(".")
    return app in ADMINISTERED_APPS or codename.startswith("view_") or perm in ROLES[ADMINISTRATOR]
