"""Whom and what a train would meet on its dates: other trains, bookings, freezes, its own plan."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format

from environments.models import Booking, Environment
from trains.bands import bands_of
from trains.models import Boarding, Criterion, Freeze, Milestone, Reservation, Train

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from releasemgr.accounts.models import User
    from trains.outline import Outline
    from trains.workdays import Workdays

#: A warning names no more rows than this.
MOST_NAMED = 5


@dataclass(frozen=True)
class Note:
    """Something that a planner should know about these dates; nothing of it forbids them."""

    sentence: str
    url: str = ""


@dataclass(frozen=True)
class Wanted:
    """A train as it is being planned: its dates, and what it would carry where."""

    dates: dict[str, dt.date | None]
    train: Train | None
    applications: Collection[int]
    environments: Sequence[Environment]

    @property
    def start(self) -> dt.date:
        assert self.dates["start"] is not None  # noqa: S101 -- asked before
        return self.dates["start"]

    @property
    def end(self) -> dt.date:
        assert self.dates["end"] is not None  # noqa: S101 -- asked before
        return self.dates["end"]

    @property
    def key(self) -> int | None:
        return self.train.pk if self.train else None


def wanted(
    dates: dict[str, dt.date | None],
    train: Train | None,
    outline: Outline | None,
    origin: Train | None,
) -> Wanted:
    """What a train, stored or to be, would carry where.

    A new one goes where the criteria of its outline are checked; a copy carries what its origin
    carries.
    """
    of = train if train is not None and train.pk else origin
    places = {one.environment for one in outline.criteria if one.environment} if outline else set()
    if of is None:
        found: Any = Environment.objects.filter(pk__in=places) if places else ()
        return Wanted(dates, train, (), list(found))
    booked = of.reservations.values("booking__environment")
    checked = Criterion.objects.filter(gate__train=of).values("environment")
    environments: Any = Environment.objects.filter(
        Q(pk__in=places) | Q(pk__in=booked) | Q(pk__in=checked)
    )
    aboard = of.boardings.aboard().values_list("release__application", flat=True)
    return Wanted(dates, train, set(aboard), list(environments))


def clashes_of(wanted: Wanted, user: User) -> list[Note]:
    """Everything that these dates meet, in the order in which it matters."""
    found = _at_the_same_time(wanted, user)
    found += _same_applications(wanted, user)
    found += _booked(wanted)
    found += _frozen(wanted)
    return found


def _first(notes: list[Note], more: str) -> list[Note]:
    """The first few of one kind, and that there are more."""
    return [*notes[:MOST_NAMED], Note(more)] if len(notes) > MOST_NAMED else notes


def _others(wanted: Wanted, user: User) -> Any:
    return Train.objects.visible_to(user).open().exclude(pk=wanted.key)


def _at_the_same_time(wanted: Wanted, user: User) -> list[Note]:
    """Other trains that go to production at the same time."""
    first = wanted.dates["qa_end"] or wanted.end
    others = _others(wanted, user).in_production_between(first, wanted.end)
    notes = [
        Note(
            f"{other} ({other.ref}) goes to production then as well: "
            f"{span(other.qa_end or other.end, other.end)}.",
            other.get_absolute_url(),
        )
        for other in others.order_by("end", "pk")[: MOST_NAMED + 1]
    ]
    return _first(notes, "And more trains besides these.")


def _same_applications(wanted: Wanted, user: User) -> list[Note]:
    """Other trains that change the same applications meanwhile."""
    if not wanted.applications:
        return []
    others = _others(wanted, user).under_way_between(wanted.start, wanted.end)
    places: Any = Boarding.objects.aboard().filter(
        train__in=others, release__application__in=wanted.applications
    )
    shared: dict[Train, list[str]] = {}
    for place in places.select_related("train", "release__application").order_by("pk"):
        shared.setdefault(place.train, []).append(place.release.application.name)
    notes = [
        Note(
            f"{other} ({other.ref}) carries {', '.join(sorted(set(names))[:MOST_NAMED])} as well: "
            f"{span(other.start, other.end)}.",
            other.get_absolute_url(),
        )
        for other, names in list(shared.items())[: MOST_NAMED + 1]
    ]
    return _first(notes, "And more trains carry the same applications.")


def _booked(wanted: Wanted) -> list[Note]:
    """Bookings by others that take the environments of the plan for themselves."""
    if not wanted.environments:
        return []
    starts, ends = (
        timezone.make_aware(dt.datetime.combine(day, dt.time()))
        for day in (wanted.start, wanted.end + dt.timedelta(days=1))
    )
    taken = Booking.objects.holding().filter(
        exclusive=True, environment__in=[place.pk for place in wanted.environments]
    )
    own = Reservation.objects.filter(train=wanted.key).values("booking")
    others: Any = taken.overlapping(starts, ends).exclude(pk__in=own)
    notes = [
        Note(
            f"{booking.environment} is held by {booking.title} alone, {booking.period_words}.",
            booking.get_absolute_url(),
        )
        for booking in others.select_related("environment").by_time()[: MOST_NAMED + 1]
    ]
    return _first(notes, "And more bookings besides these.")


def _frozen(wanted: Wanted) -> list[Note]:
    """Freezes in which deployments to production, or elsewhere where it goes, would stand still."""
    train = wanted.train if wanted.key else Train()
    production = list(Environment.objects.in_use().filter(is_production=True))
    assert train is not None  # noqa: S101 -- one that is stored, or an empty one
    freezes = Freeze.objects.along(
        train, wanted.applications, [*wanted.environments, *production]
    ).stopping("deployments")
    first = wanted.dates["qa_end"] or wanted.end
    bands = bands_of(freezes, first, wanted.end + dt.timedelta(days=1))
    notes: list[Note] = []
    for band in {band.freeze.pk: band for band in reversed(bands)}.values():
        again = " and again" if sum(one.freeze == band.freeze for one in bands) > 1 else ""
        words = f"Deployment lies in the freeze “{band.freeze}” ({band.freeze.where_words}): "
        notes.insert(0, Note(f"{words}{band.words}{again}.", band.freeze.get_absolute_url()))
    return _first(notes, "And more freezes besides these.")


def plan_of(train: Train, dates: dict[str, dt.date | None], workdays: Workdays) -> list[Note]:
    """What of the train's own plan these dates leave outside, or on a day off."""
    start, end = dates["start"], dates["end"]
    own: list[tuple[str, dt.date, str]] = [
        (f"The milestone “{one}”", one.due, train.tab_url("milestones"))
        for one in Milestone.objects.filter(train=train, state="open").order_by("due", "pk")
    ]
    own += [
        (f"The {gate}", gate.date, train.tab_url("gates"))
        for gate in train.gates.all()
        if gate.date is not None
    ]
    return plan_notes(own, start, end, workdays)


def plan_notes(
    own: Iterable[tuple[str, dt.date, str]],
    start: dt.date | None,
    end: dt.date | None,
    workdays: Workdays,
) -> list[Note]:
    """Of dated things, those outside the dates and those on a day off."""
    notes = []
    for what, due, url in own:
        if (start and due < start) or (end and due > end):
            notes.append(Note(f"{what}, {day_of(due)}, lies outside these dates.", url))
        elif not workdays.is_working(due):
            notes.append(Note(f"{what}, {day_of(due)}, is on a day off.", url))
    return _first(notes, "And more of its plan.")


def outside(train: Train, start: dt.date, end: dt.date) -> list[Note]:
    """The train's own reservations that these dates leave outside."""
    found = []
    booked = train.reservations.filter(booking__state__in=["requested", "confirmed"])
    for reservation in booked.select_related("booking__environment"):
        booking = reservation.booking
        first, last = (timezone.localtime(m).date() for m in (booking.starts, booking.ends))
        if first < start or last > end + dt.timedelta(days=1):
            sentence = (
                f"{booking.environment.name} is reserved outside these dates: {span(first, last)}."
            )
            found.append(Note(sentence, booking.get_absolute_url()))
    return found[:MOST_NAMED]


def span(first: dt.date | None, last: dt.date | None) -> str:
    if first is None or last is None or first == last:
        return day_of(last or first)
    return f"{day_of(first)} to {day_of(last)}"


def day_of(day: dt.date | None) -> str:
    return date_format(day, "D j F Y") if day else "no date yet"
