"""V5: what was true at the instants of the claims.

Claims are stamped by the database's clock and steps by that of the process that took them, so a
difference of ``TOLERANCE`` proves nothing. It is also the time within which a hold must stop.
"""

from __future__ import annotations

import datetime as dt
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from django.db.models import F, Max, Min, Q

from environments.models import Booking, BookingState
from releasemgr.operations.verify.claims import TOLD, task_run
from releasemgr.operations.verify.violation import Violation
from trains.models import Boarding
from turnovers.models import Attempt, Hold, Run, TaskRun, Turnover
from turnovers.states import HoldScope, RunKind, TurnoverState

if TYPE_CHECKING:
    from collections.abc import Iterator

TOLERANCE = dt.timedelta(seconds=1)
#: Bookings are looked up for so many runs at a time.
PART = 500


def claims_were_allowed() -> Iterator[Violation]:
    """V5."""
    yield from _while_not_deploying()
    yield from _under_holds()
    early: Any = Turnover.history.filter(
        transition="start", earliest__gt=F("history_date") + TOLERANCE
    )
    for pk in early.values_list("id", flat=True).iterator():
        what = "The scheduler started it before its window."
        yield Violation(what, f"turnovers.turnover {pk}", Turnover(pk=pk).get_absolute_url())


def _while_not_deploying() -> Iterator[Violation]:
    """Runs that claimed while their turnover was not deploying, or without a booking."""
    turnovers: Any = Turnover.history.exclude(history_type="-")
    told = turnovers.filter(id__in=carried().values("task_run__run__turnover"))
    stories = groupby(
        told.order_by("id", "version", "history_id")
        .values_list("id", "history_date", "state", "booking_id")
        .iterator(),
        itemgetter(0),
    )
    story: list[Any] = []
    of_turnover = 0
    held: list[tuple[dict[str, Any], int | None]] = []
    for run in _runs_with_claims():
        while of_turnover < run["turnover"]:
            of_turnover, rows = next(stories)
            story = list(rows)
        is_deploying, booking = _stood(story, run["first"], run["last"])
        if not is_deploying:
            yield _about(run, "Tasks were claimed while its turnover was not deploying.")
        elif run["kind"] == RunKind.DEPLOY:
            held.append((run, booking))
        if len(held) >= PART:
            yield from _without_booking(held)
            held = []
    yield from _without_booking(held)


def _runs_with_claims() -> Any:
    claims = carried().order_by("task_run__run__turnover_id", "task_run__run_id")
    return (
        claims.values(
            turnover=F("task_run__run__turnover"),
            run=F("task_run__run"),
            kind=F("task_run__run__kind"),
        )
        .annotate(first=Min("claimed_at"), last=Max("claimed_at"))
        .iterator()
    )


def _stood(story: list[Any], first: dt.datetime, last: dt.datetime) -> tuple[bool, int | None]:
    """Whether one spell of deploying held all the claims, and the booking at the last of them."""
    begin, booking = None, None
    for _, at, state, booked in story:
        if state == TurnoverState.DEPLOYING:
            begin = begin or at
            booking = booked if at <= last + TOLERANCE else booking
        elif begin is not None:
            if begin <= first + TOLERANCE and last - TOLERANCE <= at:
                return True, booking
            begin = None
    return begin is not None and begin <= first + TOLERANCE, booking


def _without_booking(held: list[tuple[dict[str, Any], int | None]]) -> Iterator[Violation]:
    history: Any = Booking.history.filter(id__in={pk for _, pk in held if pk is not None})
    stories: dict[int, list[tuple[dt.datetime, str]]] = {}
    for pk, at, state in history.order_by("id", "version", "history_id").values_list(
        "id", "history_date", "state"
    ):
        stories.setdefault(pk, []).append((at, state))
    for run, booking in held:
        story = stories.get(booking or 0, [])
        before = [state for at, state in story if at <= run["last"] - TOLERANCE]
        around = {
            state for at, state in story if run["last"] - TOLERANCE < at <= run["last"] + TOLERANCE
        }
        if BookingState.CONFIRMED not in {*before[-1:], *around}:
            yield _about(run, "Tasks were claimed without a confirmed booking.")


def _under_holds() -> Iterator[Violation]:
    """Claims later than the hold took to be seen, and before it was lifted."""
    history: Any = Hold.history
    lifts = dict(
        history.filter(transition="lift")
        .order_by()
        .values_list("id")
        .annotate(at=Max("history_date"))
    )
    for hold in Hold.objects.all().iterator():
        claims = carried().filter(claimed_at__gt=hold.placed_at + TOLERANCE)
        if hold.pk in lifts:
            claims = claims.filter(claimed_at__lt=lifts[hold.pk])
        for pk, run, release, at in claims.filter(_scope(hold)).values_list(
            "task_run", "task_run__run", "task_run__run__turnover__release", "claimed_at"
        ):
            if hold.scope != HoldScope.TRAIN or _rode(hold, pk, release, at):
                yield task_run(pk, run, f"It was claimed under hold {hold.pk}.")


def _scope(hold: Hold) -> Q:
    turnover = "task_run__run__turnover"
    if hold.scope == HoldScope.TURNOVER:
        return Q(**{turnover: hold.turnover_id})
    if hold.scope == HoldScope.ENVIRONMENT:
        return Q(**{f"{turnover}__environment": hold.environment_id})
    if hold.scope == HoldScope.TRAIN:
        aboard = Boarding.objects.filter(train=hold.train_id).values("release")
        return Q(**{f"{turnover}__train": hold.train_id}) | Q(
            **{f"{turnover}__release__in": aboard}
        )
    return Q()


def _rode(hold: Hold, pk: int, release: int | None, at: dt.datetime) -> bool:
    """Whether the train was the turnover's own, or its release was aboard at that instant."""
    if release is None:
        return True
    history: Any = Boarding.history
    rows = history.filter(train_id=hold.train_id, release_id=release, history_date__lte=at)
    latest: dict[int, str] = dict(rows.order_by("version", "history_id").values_list("id", "state"))
    return "aboard" in latest.values()


def carried() -> Any:
    """Attempts that were made here."""
    told = TaskRun.objects.filter(TOLD, tries__isnull=False)
    return Attempt.objects.exclude(task_run__in=told.values("pk"))


def _about(run: dict[str, Any], what: str) -> Violation:
    pk = run["run"]
    return Violation(what, f"turnovers.run {pk}", Run(pk=pk).get_absolute_url())
