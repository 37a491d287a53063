"""What freezes stop of a turnover: one question for pages, for the start and for every claim."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.urls import reverse

from releasemgr.accounts.roles import DEVELOPER, RELEASE_ENGINEER, RELEASE_MANAGER
from releasemgr.workflow.rules import Blocker, Way, as_of, guard
from trains.models import Application, Freeze, Train
from trains.models.freezes import period_in_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from trains.occurrences import Occurrence
    from turnovers.models import Turnover

#: The shortest stretch in which something can start.
INSTANT = dt.timedelta(microseconds=1)


def freezes_of(turnover: Turnover) -> Any:
    """Those that count for it, whenever their periods are; one query, whatever it carries."""
    carried = Q(releases__contents__turnover=turnover.pk)
    riding = Q(pk=turnover.train_id)
    if turnover.release_id:
        carried |= Q(releases=turnover.release_id)
        riding |= Q(boardings__release=turnover.release_id, boardings__state="aboard")
    freezes: Any = Freeze.objects.stopping("deployments")
    return freezes.reaching(
        environment=turnover.environment,
        applications=Application.objects.filter(carried).values("pk"),
        trains=Train.objects.filter(riding).values("pk"),
    )


@guard
def no_freeze_covers_it(turnover: Turnover) -> Iterator[Blocker]:
    """At this moment; or each freeze that does has an exception for it."""
    at = as_of(turnover)
    freezes = freezes_of(turnover).covering(at)
    for freeze in _that_stop(turnover, freezes, at):
        period = freeze.occurrence_at(at)
        assert period is not None  # noqa: S101 -- they cover the moment
        yield _held_by(turnover, freeze, period)


@guard
def no_freeze_covers_its_window(turnover: Turnover) -> Iterator[Blocker]:
    """What lies ahead: periods of freezes in which it would wait, and perhaps expire."""
    at = as_of(turnover)
    earliest, latest = turnover.earliest, turnover.latest
    if earliest is None or latest is None or earliest <= at:
        return
    ends = latest + INSTANT
    for freeze in _that_stop(turnover, freezes_of(turnover).within(earliest, ends), earliest):
        period = freeze.occurrence_within(earliest, ends)
        if period is not None and not period.covers(at):
            yield _held_by(turnover, freeze, period, ahead=True)


def _that_stop(
    turnover: Turnover, freezes: Collection[Freeze], at: dt.datetime
) -> Iterator[Freeze]:
    """Those that have no exception for it at that moment."""
    if freezes:
        counting: Any = turnover.freeze_exceptions
        passed = set(counting.counting(at).values_list("freeze", flat=True))
        yield from (freeze for freeze in freezes if freeze.pk not in passed)


def _held_by(
    turnover: Turnover, freeze: Freeze, period: Occurrence, *, ahead: bool = False
) -> Blocker:
    words = period_in_words(period.begins, period.ends)
    return Blocker(
        f"Freeze “{freeze}” covers its window" if ahead else f"Held by freeze “{freeze}”",
        needed="A start outside the freeze, or an exception that somebody else grants.",
        now=f"{freeze.where_words}, {words}.",
        owner=RELEASE_MANAGER,
        action="Open the freeze",
        url=freeze.get_absolute_url(),
        clears_at=period.ends,
        waivable=True,
        ways=_ways(turnover, freeze),
        tone="warn",
        glyph="hold",
    )


def _ways(turnover: Turnover, freeze: Freeze) -> tuple[Way, ...]:
    """An exception; and another window, for as long as it has not begun."""
    who = turnover.author_id
    ask = reverse("turnovers:freeze-exception-new", args=[turnover.pk, freeze.pk])
    asks = Way(
        "Ask for an exception",
        ask,
        DEVELOPER,
        (RELEASE_ENGINEER, RELEASE_MANAGER),
        who,
    )
    if turnover.is_editable:
        others = (RELEASE_ENGINEER, RELEASE_MANAGER)
        return asks, Way("Choose a window after it", turnover.edit_url, DEVELOPER, others, who)
    if turnover.state == "ready":
        back = turnover.step_url("take_back")
        return asks, Way("Take it back to choose a window after it", back, RELEASE_ENGINEER)
    return (asks,)
