"""Copying a train onto other dates: what goes along, and onto which days."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from environments.models import Booking, BookingState
from releasemgr.workflow.edit import create
from releasemgr.workflow.locks import one_transaction
from trains.models import ApplicationRelease, Dependency, Milestone, Train
from trains.planning import counted_in, create_planned, dates_of, first_day, outline_of
from trains.services import create_release, reserve
from trains.states import GateStage

if TYPE_CHECKING:
    import datetime as dt

    from environments.models import Environment
    from releasemgr.accounts.models import User
    from trains.outline import Outline

#: A reservation names no more that stand in its way.
MOST_CLASHES = 5


@dataclass(frozen=True)
class Carried:
    """What of a train goes into its copy besides its schedule."""

    people: bool = True
    criteria: bool = True
    milestones: bool = True
    approvals: bool = True
    reservations: bool = False
    releases: bool = False


@dataclass(frozen=True)
class Moved:
    """A reservation as the copy would ask for it."""

    booking: Booking
    starts: dt.datetime
    ends: dt.datetime
    clashes: list[Booking]

    @property
    def environment(self) -> Environment:
        return self.booking.environment


def carried_outline(train: Train, copy: Train, carried: Carried) -> Outline:
    """What the copy begins with."""
    outline = outline_of(train, counted_in(train, copy.calendar))
    if not carried.criteria:
        outline = replace(outline, criteria=())
    if not carried.milestones:
        outline = replace(outline, milestones=())
    if not carried.approvals:
        outline = replace(outline, levels={})
    if not carried.people:
        outline = replace(
            outline,
            criteria=tuple(replace(one, owner=None) for one in outline.criteria),
            milestones=tuple(replace(one, owner=None) for one in outline.milestones),
        )
    return outline


def moved_reservations(origin: Train, copy: Train) -> list[Moved]:
    """The origin's reservations, as far into the copy as they were into the origin."""
    found = []
    counted = counted_in(origin, copy.calendar)
    for reservation in origin.reservations.select_related("booking__environment"):
        booking = reservation.booking
        if booking.state == BookingState.DECLINED:
            continue
        zone = ZoneInfo(booking.zone)
        day = booking.starts.astimezone(zone).date()
        moved = copy.workdays.add(first_day_of(copy), counted.between(first_day(origin), day))
        distance = moved - day
        starts, ends = (
            (moment.astimezone(zone).replace(tzinfo=None) + distance).replace(tzinfo=zone)
            for moment in (booking.starts, booking.ends)
        )
        clashes = Booking.objects.clashing(
            booking.environment, starts, ends, exclusive=booking.exclusive
        )
        found.append(Moved(booking, starts, ends, list(clashes[:MOST_CLASHES])))
    return found


def first_day_of(copy: Train) -> dt.date:
    """The start of a train to be."""
    assert copy.start is not None  # noqa: S101 -- the form of a copy asks for it
    return copy.start


def copy_train(origin: Train, copy: Train, carried: Carried, *, by: User) -> Train:
    """Store ``copy``, with its start and name set, and all of ``origin`` that is to be carried.

    Reservations that clash are kept as requests; of an environment that is not online there is
    none. Application releases are new ones of the same applications, which ask for a place.
    """
    outline = carried_outline(origin, copy, carried)
    crew = [place.person for place in origin.crew.select_related("person")]
    with one_transaction(origin):
        plan_copy(origin, copy, outline)
        copy.copied_from = origin
        criteria = {stage: outline.titles(stage) for stage in GateStage.values}
        engineers = [person for person in crew if person.is_active] if carried.people else []
        made = create_planned(copy, outline, by=by, engineers=engineers, criteria=criteria)
        if carried.reservations:
            for moved in moved_reservations(origin, made):
                if moved.environment.is_online:
                    reserve(
                        made,
                        moved.environment,
                        moved.starts,
                        moved.ends,
                        exclusive=moved.booking.exclusive,
                        anyway=True,
                        by=by,
                    )
        if carried.releases:
            _copy_releases(origin, made, carried, by)
    return Train.objects.get(pk=made.pk)


def plan_copy(origin: Train, copy: Train, outline: Outline) -> None:
    """Set the copy's type, approvals and dates; nothing is stored."""
    copy.release_type = origin.release_type
    copy.purpose = copy.purpose or origin.purpose
    for which, needed in outline.needs.items():
        setattr(copy, f"needs_{which}_approval", needed)
    is_short = origin.release_type.is_emergency and origin.scoping_end is None
    dates = dates_of(outline, first_day_of(copy), copy.workdays, is_short=is_short)
    for name, day in dates.items():
        setattr(copy, name, day)


def _copy_releases(origin: Train, copy: Train, carried: Carried, by: User) -> None:
    first, workdays = first_day(origin), counted_in(origin, copy.calendar)
    made: dict[int, ApplicationRelease] = {}

    def moved(day: dt.date) -> dt.date:
        return copy.workdays.add(first_day_of(copy), workdays.between(first, day))

    places = origin.boardings.aboard().select_related("release__application", "release__owner")
    for place in places.order_by("pk"):
        old = place.release
        new = ApplicationRelease(
            application=old.application,
            version_name=copy.version_name,
            owner=old.owner if old.owner and old.owner.is_active else None,
            criticality=old.criticality,
        )
        for name in ("start", "construction_end", "end"):
            if (day := getattr(old, name)) is not None:
                setattr(new, name, moved(day))
        create_release(new, by=by, train=copy)
        made[old.pk] = new
    for needed in Dependency.objects.filter(release__in=made, needs__in=made):
        release, needs = made[needed.release_id], made[needed.needs_id]
        create(Dependency(release=release, needs=needs, kind=needed.kind), by=by)
    if carried.milestones:
        # Those that were inherited are inherited again, from the copies of the train's own.
        own = Milestone.objects.filter(release__in=made, origin=None).select_related("owner")
        for old_one in own.order_by("pk"):
            owner = old_one.owner if carried.people else None
            milestone = Milestone(
                release=made[old_one.release_id],
                title=old_one.title,
                due=moved(old_one.due),
                baseline=moved(old_one.due),
                owner=owner if owner and owner.is_active else None,
                same_role=old_one.same_role,
            )
            create(milestone, by=by)
