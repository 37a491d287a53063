"""What goes on elsewhere is asked how it stands, by whichever worker has time; none waits for it.

That it was begun, and where it is to be asked, is a row: so it outlives every worker, and what has
ended while all of them were away is found by the next one that asks.
"""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from releasemgr.accounts.models import User
from releasemgr.workflow.perform import dispatch_on_commit
from turnovers import life
from turnovers.engine import carry, wake
from turnovers.engine.advance import DRAIN, SLICE_SECONDS, Worker, call_workers
from turnovers.engine.entries import now
from turnovers.engine.ledger import Claim
from turnovers.engine.standing import lock_run
from turnovers.engine.turns import MOST_CALLED
from turnovers.executors import Following
from turnovers.models import Followed

if TYPE_CHECKING:
    from collections.abc import Collection

#: So long a question and its answer may take before somebody else asks, too.
TAKEN = dt.timedelta(seconds=60)


def ask_all() -> None:
    """Ask about whatever is to be asked, for a slice of time; what is left is left to others."""
    if not Followed.objects.exists():
        return
    until, seen = time.monotonic() + SLICE_SECONDS, set[int]()
    by = User.objects.robot()
    while (row := _take(seen)) is not None:
        seen.add(row.pk)
        _ask(row, until, by=by)
        if time.monotonic() >= until:
            if Followed.objects.to_be_asked().exclude(pk__in=seen).exists():
                dispatch_on_commit(DRAIN, 0)
            return


def look() -> None:
    """Call workers for what is to be asked, also where who asked about it is gone."""
    if not Followed.objects.exists():
        return
    taken = Followed.objects.being_asked()
    askers = set(taken.values_list("taken_by", flat=True))
    if gone := askers - life.living(askers):
        taken.filter(taken_by__in=gone).update(taken_until=None)
    if count := Followed.objects.to_be_asked()[:MOST_CALLED].count():
        call_workers(count)


def _take(without: Collection[int]) -> Followed | None:
    """The one that waits longest to be asked, as ours for a while."""
    with transaction.atomic():
        rows: Any = Followed.objects.to_be_asked().exclude(pk__in=without)
        rows = rows.select_related("attempt__task_run__task")
        row: Followed | None = rows.select_for_update(of=("self",), skip_locked=True).first()
        if row is not None:
            row.taken_by, row.taken_until = life.name(), now() + TAKEN
            row.save(update_fields=["taken_by", "taken_until"])
    return row


def _ask(row: Followed, until: float, *, by: User) -> None:
    """Ask once, and enter what comes of it."""
    attempt = row.attempt
    run_pk = attempt.task_run.run_id
    with transaction.atomic():
        run = lock_run(run_pk)
    if run is None:
        return
    claim = Claim(attempt.task_run_id, attempt.fence, attempt.key, attempt.task_run.task, run)
    ended = carry.follow(claim, row.handle, (row.ends_at - run.now).total_seconds())
    if isinstance(ended, Following):
        _leave(row, ended)
        return
    worker = Worker(until, by=by)
    worker.carry(run_pk, finished=(claim, ended))
    worker.end()
    row.delete()


def _leave(row: Followed, following: Following) -> None:
    """Until it is asked again; a call back that came meanwhile has set an earlier time."""
    with transaction.atomic():
        at = now()
        ask_at = min(at + dt.timedelta(seconds=following.again_in), max(row.ends_at, at))
        rows = Followed.objects.filter(pk=row.pk)
        rows.update(handle=following.handle, taken_until=None)
        rows.filter(ask_at=row.ask_at).update(ask_at=ask_at)
        if following.again_in < settings.TICK_SECONDS:
            wake.scheduler()
