"""What workers left lying when they died or fell silent: taken over, or left to people."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from turnovers.engine.entries import ask, moment, now_sql
from turnovers.engine.ledger import Ending, enter_ending, pause_after
from turnovers.engine.standing import lock_run
from turnovers.models import Followed
from turnovers.states import TaskState

if TYPE_CHECKING:
    from releasemgr.accounts.models import User

logger = logging.getLogger(__name__)

#: A task whose workers have died so often is left to people: it may be what kills them.
MOST_LOST = 10

NOT_KNOWN = (
    "The worker that carried it out stopped before it could say how it ended. "
    "Whether it happened is not known."
)
RESUMED_UNSENT = "Its worker stopped before it had touched the outside."
RESUMED_SAFE = "Its worker stopped; it may be repeated, with the same idempotency key."
POISON = f"Its workers have stopped {MOST_LOST} times. It may be what stops them."

_CARRIED = """
SELECT x.id, x.run_id, x.fence, x.worker, x.lease_until, {now}
FROM turnovers_taskrun x WHERE x.state = 'running'
"""
_LEFT = """
SELECT p.repeat_safe, y.sent_at IS NOT NULL, (
    SELECT COUNT(*) FROM turnovers_attempt z WHERE z.task_run_id = x.id AND z.outcome = 'lost')
FROM turnovers_taskrun x
JOIN turnovers_deploymenttask p ON p.id = x.task_id
JOIN turnovers_attempt y ON y.task_run_id = x.id AND y.fence = x.fence AND y.ended_at IS NULL
WHERE x.id = %s AND x.fence = %s AND x.state = 'running'
"""


@dataclass(frozen=True)
class Carried:
    """A claim that some worker holds."""

    pk: int
    run: int
    fence: int
    worker: str
    #: How much of the lease is left.
    lease_left: float

    @property
    def is_over_lease(self) -> bool:
        return self.lease_left <= 0

    @property
    def silent_for(self) -> float:
        """Seconds since the worker last showed that it lives."""
        return float(settings.LEASE_SECONDS - self.lease_left)


def carried() -> list[Carried]:
    """Every claim that is held now."""
    return [
        Carried(pk, run, fence, worker, (moment(until) - moment(now)).total_seconds())
        for pk, run, fence, worker, until, now in ask(_CARRIED.format(now=now_sql()))
    ]


def take_over(left: Carried, *, by: User) -> TaskState | None:
    """End a claim whose worker is gone or silent; return what becomes of the task.

    It waits for another worker where nothing was sent or where it may be repeated. Otherwise
    whether it happened is not known, and it is never tried again without people.
    """
    with transaction.atomic():
        run = lock_run(left.run)
        rows = ask(_LEFT, [left.pk, left.fence])
        if run is None or not rows:
            return None
        repeat_safe, was_sent, lost = rows[0]
        ending = _ending_of_lost(bool(repeat_safe), bool(was_sent), lost)
        if not enter_ending(left.pk, left.fence, ending, now=run.now, by=by):
            return None
        Followed.objects.filter(attempt__task_run=left.pk, attempt__fence=left.fence).delete()
    logger.warning("Task run %s of run %s: %s", left.pk, left.run, ending.detail)
    return ending.state


def _ending_of_lost(repeat_safe: bool, was_sent: bool, lost: int) -> Ending:
    if lost >= MOST_LOST:
        detail = f"{POISON} {NOT_KNOWN}" if was_sent else POISON
        state = TaskState.UNKNOWN if was_sent else TaskState.FAILED
        return Ending(state, "lose", "unknown" if was_sent else "failed", detail)
    if was_sent and not repeat_safe:
        return Ending(TaskState.UNKNOWN, "lose", "unknown", NOT_KNOWN)
    detail = RESUMED_SAFE if was_sent else RESUMED_UNSENT
    pause = dt.timedelta() if lost < 2 else pause_after(lost - 1)  # noqa: PLR2004
    return Ending(TaskState.WAITING, "resume", "lost", detail, pause=pause)
