"""The rounds: criteria that are checked by themselves are looked at when their time has come.

The row of a criterion's watch is the only truth. A look is claimed in it, under its lock and with
a lease longer than a look may take, before anything is asked; only the newest claim may say what
it found. So a criterion is never looked at twice at once, a worker that dies holds nothing up for
longer than its lease, and a lost message costs one tick of the scheduler.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, transaction
from django.db.models.functions import Now

from releasemgr.accounts.models import User
from releasemgr.workflow.edit import edit
from releasemgr.workflow.locks import lock, one_transaction
from releasemgr.workflow.perform import dispatch_on_commit, perform
from trains import checking, rules
from trains.checking.base import LOOK_SECONDS
from trains.models import CheckResult, Criterion, Watch
from trains.states import CheckOutcome, CriterionState

if TYPE_CHECKING:
    from trains.checking import Finding

logger = logging.getLogger(__name__)

CHECK = "trains.tasks.check_criterion"
#: Celery ends a look after so many seconds, and nobody else begins before its lease is over.
LOOK_LIMIT = int(LOOK_SECONDS) + 30
LEASE = dt.timedelta(seconds=LOOK_LIMIT + 30)
#: A hint that no worker took up for so long is sent again.
HINT = dt.timedelta(seconds=10)
#: What could not be found out is tried again after so long at the latest.
SOON = dt.timedelta(minutes=5)
#: So many hints go out with one pass of the scheduler, so that no flood holds deployments up.
MOST_HINTS = 50
#: So many looks of a criterion are kept, and every change besides.
MOST_RESULTS = 500
MOST_WORDS = 500


@dataclass(frozen=True)
class Claim:
    """A look that this worker, and nobody else, may make."""

    criterion: Criterion
    number: int
    began_at: dt.datetime


def set_check(criterion: Criterion, *, by: User, version: int | None, **changes: Any) -> Criterion:
    """Say what finds out whether it is true, or that people do; what was found before is void.

    Raises ``Conflict`` or ``TransitionRefused``.
    """
    with one_transaction(criterion):
        row = edit(criterion, by=by, version=version, allowed=rules.gate_is_ahead.check, **changes)
        if row.version == criterion.version:
            return row
        if row.state in {CriterionState.MET, CriterionState.REJECTED}:
            words = "It is checked by itself from now on." if row.is_automatic else "People decide."
            return perform(row, "reopen", by=by, reason=words)
        begin_anew(row, by=by)
    return row


def begin_anew(criterion: Criterion, *, by: User, **_: Any) -> None:
    """Forget what was found, as of another check, and look at once; nothing where people decide.

    A look that is under way says nothing any more. To be called under the criterion's lock.
    """
    if not criterion.is_automatic:
        Watch.objects.filter(pk=criterion.pk).delete()
        return
    number = Watch.objects.filter(pk=criterion.pk).values_list("claim", flat=True).first() or 0
    last = criterion.results.values_list("claim", flat=True).first() or 0
    fresh = Watch(criterion=criterion, claim=max(number, last) + 1, next_at=Now())
    Watch.objects.filter(pk=criterion.pk).delete()
    fresh.save(force_insert=True)
    dispatch_on_commit(CHECK, criterion.pk)


def ask(criterion: Criterion) -> bool:
    """Have it looked at now; False where a look is under way already."""
    idle = Watch.objects.filter(pk=criterion.pk).exclude(lease_until__gt=Now())
    with transaction.atomic():
        if not idle.update(next_at=Now(), hinted_until=None):
            return False
        dispatch_on_commit(CHECK, criterion.pk)
    return True


def remind_workers() -> None:
    """Send hints for all that is due, as the scheduler does with every pass."""
    due = Watch.objects.due().unhinted().order_by("next_at").values_list("pk", flat=True)
    for pk in list(due[:MOST_HINTS]):
        with transaction.atomic():
            Watch.objects.filter(pk=pk).update(hinted_until=Now() + HINT)
            dispatch_on_commit(CHECK, pk)


def look(pk: int) -> None:
    """Look whether the criterion is true and keep what was found; harmless where it is not due."""
    claim = _claim(pk)
    if claim is None:
        return
    criterion = claim.criterion
    check = checking.get(criterion.checked_by)
    if check is None:
        found = checking.unknown(f"There is no check “{criterion.checked_by}” here any more.")
    else:
        try:
            found = check.look(criterion, criterion.gate.train, criterion.parameters)
        except DatabaseError:
            raise
        except Exception:  # what one check does wrong is said, and stops no other
            logger.exception("The check of criterion %s failed.", pk)
            found = checking.unknown("The check itself went wrong; the worker's log says how.")
    _keep(claim, found)


def _claim(pk: int) -> Claim | None:
    with transaction.atomic():
        due = Watch.objects.due().filter(pk=pk).values("pk")
        rows = Watch.objects.select_for_update(of=("self",)).annotate(now=Now())
        watch = rows.filter(pk__in=due).first()
        # Asked again under the lock: who waited for it saw the row as it was before.
        if watch is None or not Watch.objects.due().filter(pk=pk).exists():
            return None
        criterion = Criterion.objects.select_related("gate__train").get(pk=pk)
        if watch.lease_until is not None and watch.claimed_at is not None:
            lost = checking.unknown("The worker that looked was lost before it had an answer.")
            _write(Claim(criterion, watch.claim, watch.claimed_at), lost, watch.now, change=True)
        claim = Claim(criterion, watch.claim + 1, watch.now)
        Watch.objects.filter(pk=pk).update(
            claim=claim.number, claimed_at=watch.now, lease_until=watch.now + LEASE
        )
    return claim


def _keep(claim: Claim, found: Finding) -> None:
    """Enter what was found, and take the step that follows from it; nothing for an old claim."""
    with one_transaction(claim.criterion):
        criterion = lock(claim.criterion)
        at: dt.datetime = criterion.locked_at  # type: ignore[attr-defined]  # set by lock()
        watch = Watch.objects.select_for_update().filter(pk=criterion.pk, claim=claim.number)
        row = watch.first()
        if row is None:
            return
        answered = found.outcome != CheckOutcome.UNKNOWN
        is_change = (found.outcome != row.outcome) if answered else not row.trouble
        _write(claim, found, at, change=is_change)
        if answered:
            _answer(row, criterion, found, at)
        row.trouble = "" if answered else found.detail[:MOST_WORDS]
        row.lease_until = row.hinted_until = None
        row.next_at = _next(row, criterion, at, answered=answered)
        row.save()
        criterion.watch = row
        _follow(criterion, row, at)
    _prune(criterion)


def _answer(row: Watch, criterion: Criterion, found: Finding, at: dt.datetime) -> None:
    """An answer replaces the one before; green lasts through answers that follow in time."""
    if found.outcome != CheckOutcome.PASSED:
        row.green_since = row.holds_at = None
    elif row.green_since is None or row.fresh_until is None or row.fresh_until < at:
        row.green_since = at
    if row.green_since is not None:
        row.holds_at = row.green_since + dt.timedelta(minutes=criterion.green_for)
    row.outcome, row.detail = found.outcome, found.detail[:MOST_WORDS]
    row.checked_at = at
    row.fresh_until = at + dt.timedelta(minutes=criterion.good_for)


def _next(
    row: Watch, criterion: Criterion, at: dt.datetime, *, answered: bool
) -> dt.datetime | None:
    """When to look again: at its time, or when it will have been true for long enough."""
    if criterion.gate.is_passed:
        return None
    every = dt.timedelta(minutes=criterion.check_every)
    due = at + (every if answered else min(every, SOON))
    if row.holds_at is not None and row.holds_at > at:
        due = min(due, row.holds_at)
    return due


def _follow(criterion: Criterion, row: Watch, at: dt.datetime) -> None:
    """The criterion's own step; none where it is waived, passed, or stands as it should."""
    if criterion.gate.is_passed:
        return
    holds = row.holds_at is not None and row.holds_at <= at
    robot = User.objects.robot()
    if row.outcome == CheckOutcome.FAILED and criterion.state == CriterionState.MET:
        perform(criterion, "fail_check", by=robot, reason=row.detail, evidence=row.detail)
    elif (
        row.outcome == CheckOutcome.PASSED
        and holds
        and criterion.state in {CriterionState.OPEN, CriterionState.REJECTED}
    ):
        perform(criterion, "pass_check", by=robot, reason=row.detail, evidence=row.detail)


def _write(claim: Claim, found: Finding, at: dt.datetime, *, change: bool) -> None:
    CheckResult.objects.create(
        criterion=claim.criterion,
        claim=claim.number,
        began_at=claim.began_at,
        ended_at=at,
        outcome=found.outcome,
        detail=found.detail[:MOST_WORDS],
        is_change=change,
    )


def _prune(criterion: Criterion) -> None:
    """Forget the oldest looks that found what the one before them had found."""
    kept = criterion.results.order_by("-pk").values_list("pk", flat=True)
    oldest = kept[MOST_RESULTS - 1 : MOST_RESULTS].first()
    if oldest is not None:
        criterion.results.filter(pk__lt=oldest, is_change=False).delete()
