"""What is told of which step, in the step's own transaction.

A notice that cannot be written is logged, and does not stop the step: deployments matter more.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.db import OperationalError, transaction

from approvals.models import Signoff
from environments.models import Booking
from releasemgr.notices import errands, news, reminders, sources
from releasemgr.notices.services import tell
from releasemgr.workflow.models import row_created, step_taken
from releasemgr.workflow.rules import as_of
from trains.models import Boarding, Criterion, Train
from turnovers.engine import scheduler
from turnovers.models import Hold, Turnover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from releasemgr.accounts.models import User
    from releasemgr.notices.services import News

logger = logging.getLogger(__name__)

#: Model -> step -> what is told of it, given the row, who took it and why.
TOLD: dict[Any, dict[str, Callable[[Any, User, str], Iterable[News]]]] = {
    Signoff: {
        "request": news.approval_asked,
        "approve": news.approval_went_on,
        "reject": news.approval_refused,
        "void": news.approval_void,
    },
    Train: {"hand_back": news.train_returned, "cancel": news.train_cancelled},
    Criterion: {"reject": news.criterion_rejected},
    Boarding: {
        "accept": news.boarding_answered,
        "reject": news.boarding_answered,
        "leave": news.boarding_answered,
        "postpone": news.boarding_answered,
    },
    Turnover: {
        "deliver": news.turnover_delivered,
        "return_to_author": news.turnover_returned,
        "take_back": news.turnover_returned,
        "expire": news.turnover_returned,
        "back_to_draft": news.turnover_returned,
        "send_back": news.turnover_returned,
        "cancel": news.turnover_cancelled,
        "give_up": news.turnover_cancelled,
        "finish": news.turnover_deployed,
        "fail": news.turnover_failed,
        "undone": news.turnover_failed,
    },
    Hold: {"lift": news.hold_lifted},
    Booking: {
        "confirm": news.booking_answered,
        "decline": news.booking_answered,
        "release": news.booking_answered,
    },
}
#: Model -> what is told of a new row.
NEW: dict[Any, Callable[[Any, User | None, str], Iterable[News]]] = {
    Boarding: news.boarding_asked,
    Hold: news.hold_placed,
    Booking: news.booking_asked,
}


def connect() -> None:
    """Plug notices into the events of the apps below; called once, when all apps are ready."""
    for model in TOLD:
        step_taken.connect(tell_of_step, sender=model, dispatch_uid=f"notices.step.{model}")
    for model in NEW:
        row_created.connect(tell_of_new, sender=model, dispatch_uid=f"notices.new.{model}")
    reminders.sources.extend(sources.ALL)
    scheduler.errands.append(errands.call_workers)


def tell_of_step(sender: Any, row: Any, name: str, by: User, reason: str, **_: Any) -> None:
    """Tell those whom the step concerns."""
    if name in TOLD[sender]:
        _tell(TOLD[sender][name], row, by, reason)


def tell_of_new(sender: Any, row: Any, by: User | None, reason: str, **_: Any) -> None:
    """Tell those whom the new row concerns."""
    _tell(NEW[sender], row, by, reason)


def _tell(of: Callable[..., Iterable[News]], row: Any, by: User | None, reason: str) -> None:
    try:
        with transaction.atomic():
            for item in of(row, by, reason):
                tell(item, by=by, now=as_of(row))
    except OperationalError:
        # Such as a lock that was lost: the whole step fails then, and its notices with it.
        raise
    except Exception:
        logger.exception("Nobody was told of %s.", row)
