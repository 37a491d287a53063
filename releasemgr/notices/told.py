"""Of which step what is told, and of which nothing, and why not.

Every step that a model declares has a line in one of the two; ``tests/notices`` sees to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from approvals.models import Condition, Signoff
from environments.models import Booking, BookingKind, Environment
from releasemgr.accounts.models import Deputy
from releasemgr.notices.news import approvals, environments, freezes, gates, trains, turnovers
from trains.models import (
    ApplicationRelease,
    Boarding,
    Cadence,
    CadenceTrain,
    Criterion,
    Freeze,
    Milestone,
    Train,
    Waiver,
)
from turnovers.models import FreezeException, Hold, Run, TaskRun, Turnover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from releasemgr.accounts.models import User
    from releasemgr.notices.services import News

#: Model -> step -> what is told of it, given the row, who took it and why.
TOLD: dict[Any, dict[str, Callable[[Any, User, str], Iterable[News]]]] = {
    Signoff: {
        "request": approvals.approval_asked,
        "approve": approvals.approval_went_on,
        "approve_if": approvals.approval_went_on,
        "override": approvals.approval_went_on,
        "add_approver": approvals.approval_went_on,
        "remove_approver": approvals.approval_went_on,
        "recall": approvals.approval_recalled,
        "escalate": approvals.approval_escalated,
        "remind": approvals.approval_due,
        "reject": approvals.approval_refused,
        "postpone": approvals.approval_postponed,
        "void": approvals.approval_void,
        "expire": approvals.approval_expired,
    },
    Condition: {
        "confirm": approvals.condition_settled,
        "waive": approvals.condition_settled,
    },
    Train: {
        "start_construction": trains.construction_started,
        "give_consent": trains.consent_given,
        "hand_back": trains.train_returned,
        "cancel": trains.train_cancelled,
    },
    Cadence: {"pause": trains.cadence_paused},
    ApplicationRelease: {"resume_work": trains.release_back, "cancel": trains.release_back},
    Boarding: {
        "accept": trains.boarding_answered,
        "reject": trains.boarding_answered,
        "leave": trains.boarding_answered,
        "postpone": trains.boarding_answered,
    },
    Criterion: {
        "reject": gates.criterion_rejected,
        "reopen": gates.criterion_reopened,
        "fail_check": gates.check_failed,
    },
    Waiver: {
        "grant": gates.waiver_answered,
        "refuse": gates.waiver_answered,
        "revoke": gates.waiver_ended,
        "expire": gates.waiver_ended,
    },
    Milestone: {"miss": gates.milestone_missed},
    Turnover: {
        "deliver": turnovers.turnover_delivered,
        "return_to_author": turnovers.turnover_returned,
        "take_back": turnovers.turnover_returned,
        "expire": turnovers.turnover_returned,
        "back_to_draft": turnovers.turnover_returned,
        "send_back": turnovers.turnover_returned,
        "cancel": turnovers.turnover_cancelled,
        "give_up": turnovers.turnover_cancelled,
        "finish": turnovers.turnover_deployed,
        "fail": turnovers.turnover_failed,
        "undone": turnovers.turnover_failed,
    },
    Hold: {"lift": turnovers.hold_lifted},
    Freeze: {"lift": freezes.freeze_lifted},
    FreezeException: {
        "grant": freezes.exception_answered,
        "refuse": freezes.exception_answered,
        "revoke": freezes.exception_answered,
    },
    Environment: {
        "take_offline": environments.environment_offline,
        "decommission": environments.environment_offline,
    },
    Booking: {
        "confirm": environments.booking_answered,
        "decline": environments.booking_answered,
        "release": environments.booking_answered,
    },
}

#: Model -> what is told of a new row.
NEW: dict[Any, Callable[[Any, User | None, str], Iterable[News]]] = {
    Deputy: approvals.deputy_named,
    Condition: approvals.condition_asked,
    CadenceTrain: trains.train_made,
    Boarding: trains.boarding_asked,
    Waiver: gates.waiver_asked,
    Milestone: gates.milestone_given,
    Turnover: turnovers.turnover_promoted,
    Hold: turnovers.hold_placed,
    Freeze: freezes.freeze_declared,
    FreezeException: freezes.exception_asked,
    Booking: environments.booking_asked,
}

#: What a freeze is called, and why, changes for nobody what they may do.
_OF_NO_EFFECT = frozenset({"name", "reason"})
#: Model -> whether a change of these fields is of interest, and what is told of that edit.
EDITED: dict[
    Any, tuple[Callable[[set[str]], bool], Callable[[Any, User | None, str], Iterable[News]]]
] = {
    Milestone: (lambda changed: {"due", "origin_due"} <= changed, gates.milestone_moved),
    Freeze: (lambda changed: bool(changed - _OF_NO_EFFECT), freezes.freeze_changed),
}

#: Model -> whether a new row is of interest, as far as the row itself can tell.
NEW_IF: dict[Any, Callable[[Any], bool]] = {
    Boarding: lambda place: place.state == Boarding.State.REQUESTED,
    Milestone: lambda milestone: milestone.origin_id is not None,
    Turnover: lambda turnover: turnover.promoted_from_id is not None,
    Hold: lambda hold: hold.state == Hold.State.ACTIVE,
    Freeze: lambda freeze: freeze.is_in_force,
    FreezeException: lambda row: row.is_open,
    # The slot of a turnover comes and goes with it: nobody is asked for it.
    Booking: lambda booking: (
        booking.kind != BookingKind.TURNOVER and booking.state == Booking.State.REQUESTED
    ),
}
#: Model -> whether a step is of interest, as far as the row itself can tell.
TOLD_IF: dict[Any, Callable[[Any], bool]] = {
    Booking: lambda booking: booking.kind != BookingKind.TURNOVER,
}

_NOTHING_TO_DO = "nobody has anything to do about it"
_WITH_APPROVAL = "the approval itself is told to those who decide"
_ENDS = "it is over, and asks for nothing"
_WITH_TURNOVER = "the step of its turnover is told"
_BY_SOURCE = "what waits for people in a run is looked for, also where a worker brought it about"
#: Model -> step -> why nobody is told of it.
UNTOLD: dict[Any, dict[str, str]] = {
    Train: {
        "request_train_approval": _WITH_APPROVAL,
        "request_development_approval": _WITH_APPROVAL,
        "request_executive_approval": _WITH_APPROVAL,
        "start_verification": "who is to consent is told once the criteria are settled",
        "start_deployment": "turnovers start at their own times; who asked is told of the approval",
        "close": _ENDS,
    },
    Cadence: {
        "resume": _NOTHING_TO_DO,
        "end": _ENDS,
    },
    ApplicationRelease: {
        "begin_work": _NOTHING_TO_DO,
        "complete_construction": _NOTHING_TO_DO,
        "close": _ENDS,
    },
    Criterion: {
        "meet": _NOTHING_TO_DO,
        "pass_check": _NOTHING_TO_DO,
        "waive": "the granted waiver is told",
        "lapse": "the end of its waiver is told",
    },
    Waiver: {"withdraw": _ENDS},
    FreezeException: {"withdraw": _ENDS},
    Milestone: {
        "complete": _NOTHING_TO_DO,
        "reopen": "who is to reach it is told by its date",
    },
    Turnover: {
        "accept": "it starts at its time; who would have to hear is told where it does not",
        "start": _NOTHING_TO_DO,
        "start_early": _NOTHING_TO_DO,
        "extend": _NOTHING_TO_DO,
        "retry": _NOTHING_TO_DO,
        "undo": _NOTHING_TO_DO,
        "verify": _NOTHING_TO_DO,
        "promote": "the new turnover is told to its author",
        "close": _ENDS,
    },
    Run: {
        "succeed": _WITH_TURNOVER,
        "fail": _WITH_TURNOVER,
        "abort": _WITH_TURNOVER,
    },
    TaskRun: {
        "complete": _NOTHING_TO_DO,
        "go": _NOTHING_TO_DO,
        "no_go": "the run that fails by it is told",
        "report_problem": "the run that fails by it is told",
        "skip": _NOTHING_TO_DO,
        "cancel": "its run is over, and that is told",
        "judge": _BY_SOURCE,
        "confirm_happened": _BY_SOURCE,
        "confirm_again": _BY_SOURCE,
        "confirm_failed": "the run that fails by it is told",
    },
    Environment: {"place_online": "what waits for it starts by itself"},
}

#: What a row in the outbox says where no step was taken; no step can be called so.
NEW_ROW, EDITED_ROW = "new row", "edited row"


def what_of(model: Any, step: str) -> Callable[[Any, Any, str], Iterable[News]]:
    """What is told of a step, of a new row, or of an edited one. Raises ``KeyError``."""
    if step == NEW_ROW:
        return NEW[model]
    if step == EDITED_ROW:
        return EDITED[model][1]
    return TOLD[model][step]
