"""What the plan of a train says now, as plain data that stays readable for years.

``{part: {key: {"name": …, fact: value}}}``. The key is that of the row, so that what was renamed or
moved is still known to be the same. A value is a text, or ``{"day": …}`` or ``{"at": …}`` in ISO
8601, of which it can be said by how many days it moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from environments.models import Booking
from trains.models import (
    ApplicationRelease,
    Boarding,
    Criterion,
    Gate,
    Milestone,
    Reservation,
    Train,
    TrainEngineer,
)
from trains.states import CriterionState, GateStage

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    Item = tuple[object, dict[str, Any]]
    Plan = dict[str, dict[str, dict[str, Any]]]


@dataclass(frozen=True, eq=False)  # each is the only one of its kind
class Part:
    """One kind of thing in a plan: what there is of it, and where its history tells who did what.

    ``facts`` names each fact in words and the column of the history that holds it, if one does.
    ``history`` are the rows of a train's things, each told apart by the column ``key``; ``places``
    those that say whether a thing belongs to the plan, where that is not its own existence.
    """

    name: str
    words: str
    items: Callable[[Train], Iterator[Item]]
    facts: dict[str, tuple[str, str]]
    history: Callable[[int], Any]
    key: str = "id"
    places: Callable[[int], Any] | None = None
    place_key: str = "id"


#: The parts of the apps above, which plug in from ``ready()``.
parts_above: list[Part] = []


def parts() -> list[Part]:
    """All parts of a plan, in the order in which people read them."""
    return [*OWN_PARTS, *parts_above]


def plan_of(train: Train) -> Plan:
    """What the plan says now, in a constant number of queries."""
    return {part.name: {str(key): facts for key, facts in part.items(train)} for part in parts()}


def day(value: dt.date | None) -> Any:
    return {"day": value.isoformat()} if value else ""


def moment(value: dt.datetime | None) -> Any:
    return {"at": value.isoformat(timespec="minutes")} if value else ""


def words(value: object) -> str:
    """A text; nothing for nobody."""
    return "" if value is None else str(value)


def _train(train: Train) -> Iterator[Item]:
    yield (
        "",
        {
            "name": train.name,
            "start": day(train.start),
            "scoping_end": day(train.scoping_end),
            "construction_end": day(train.construction_end),
            "qa_end": day(train.qa_end),
            "end": day(train.end),
            "version": train.version_name,
            "purpose": train.purpose,
            "type": words(train.release_type),
            "manager": words(train.manager),
            "train_approval": _needed(needed=train.needs_train_approval),
            "development_approval": _needed(needed=train.needs_development_approval),
            "executive_approval": _needed(needed=train.needs_executive_approval),
        },
    )


def _needed(*, needed: bool) -> str:
    return "needed" if needed else "not needed"


def _engineers(train: Train) -> Iterator[Item]:
    for engineer in train.crew.select_related("person").order_by("pk"):
        yield engineer.person_id, {"name": str(engineer.person)}


def _gates(train: Train) -> Iterator[Item]:
    for gate in train.gates.order_by("pk"):
        gate.train = train
        yield gate.pk, {"name": gate.get_stage_display(), "day": day(gate.day)}


def _criteria(train: Train) -> Iterator[Item]:
    rows = Criterion.objects.filter(gate__train=train).order_by("pk")
    for criterion in rows.select_related("gate", "owner", "environment"):
        yield (
            criterion.pk,
            {
                "name": criterion.title,
                "gate": GateStage(criterion.gate.stage).label,
                "owner": words(criterion.owner),
                "due": day(criterion.own_due),
                "environment": words(criterion.environment),
                "state": CriterionState(criterion.state).label,
            },
        )


def _milestones(train: Train) -> Iterator[Item]:
    for milestone in train.milestones.select_related("owner").order_by("pk"):
        yield (
            milestone.pk,
            {
                "name": milestone.title,
                "due": day(milestone.due),
                "owner": words(milestone.owner),
                "for_all": "yes" if milestone.for_all else "no",
                "state": milestone.status.label,
            },
        )


def _reservations(train: Train) -> Iterator[Item]:
    live = [Booking.State.REQUESTED, Booking.State.CONFIRMED]
    bookings = Booking.objects.filter(
        pk__in=train.reservations.order_by().values("booking"), state__in=live
    )
    for booking in bookings.select_related("environment").order_by("pk"):
        yield (
            booking.pk,
            {
                "name": booking.environment.name,
                "starts": moment(booking.starts),
                "ends": moment(booking.ends),
                "use": booking.exclusive_word,
                "state": booking.status.label,
            },
        )


def _releases(train: Train) -> Iterator[Item]:
    aboard: Any = ApplicationRelease.objects.aboard(train)
    for release in aboard.select_related("application", "owner").order_by("pk"):
        yield (
            release.pk,
            {
                "name": release.application.name,
                "version": release.version_name,
                "owner": words(release.owner),
                "criticality": release.get_criticality_display(),
                "start": day(release.start),
                "construction_end": day(release.construction_end),
                "end": day(release.end),
                "state": release.status.label,
            },
        )


def _reserved(train: int) -> Any:
    owned: Any = Reservation.history.filter(train_id=train)
    return Booking.history.filter(id__in=owned.order_by().values("booking_id"))


def _carried(train: int) -> Any:
    places: Any = Boarding.history.filter(train_id=train)
    return ApplicationRelease.history.filter(id__in=places.order_by().values("release_id"))


OWN_PARTS = [
    Part(
        name="train",
        words="Train",
        items=_train,
        facts={
            "name": ("Name", "name"),
            "start": ("Start", "start"),
            "scoping_end": ("Scoping complete", "scoping_end"),
            "construction_end": ("Construction complete", "construction_end"),
            "qa_end": ("QA complete", "qa_end"),
            "end": ("End", "end"),
            "version": ("Version", "version_name"),
            "purpose": ("Purpose", "purpose"),
            "type": ("Release type", "release_type_id"),
            "manager": ("Release manager", "manager_id"),
            "train_approval": ("Train approval", "needs_train_approval"),
            "development_approval": ("Development approval", "needs_development_approval"),
            "executive_approval": ("Executive approval", "needs_executive_approval"),
        },
        history=lambda train: Train.history.filter(id=train),
    ),
    Part(
        name="engineers",
        words="Release engineer",
        items=_engineers,
        facts={},
        history=lambda train: TrainEngineer.history.filter(train_id=train),
        key="person_id",
    ),
    Part(
        name="gates",
        words="Gate",
        items=_gates,
        facts={"day": ("Date", "date")},
        history=lambda train: Gate.history.filter(train_id=train),
    ),
    Part(
        name="criteria",
        words="Exit criterion",
        items=_criteria,
        facts={
            "name": ("Title", "title"),
            "gate": ("Gate", "gate_id"),
            "owner": ("Owner", "owner_id"),
            "due": ("Due", "own_due"),
            "environment": ("Environment", "environment_id"),
            "state": ("State", "state"),
        },
        history=lambda train: Criterion.history.filter(
            gate_id__in=Gate.objects.filter(train=train).order_by().values("pk")
        ),
    ),
    Part(
        name="milestones",
        words="Milestone",
        items=_milestones,
        facts={
            "name": ("Title", "title"),
            "due": ("Due", "due"),
            "owner": ("Owner", "owner_id"),
            "for_all": ("For all application releases", "for_all"),
            "state": ("State", "state"),
        },
        history=lambda train: Milestone.history.filter(train_id=train),
    ),
    Part(
        name="reservations",
        words="Reservation",
        items=_reservations,
        facts={
            "name": ("Environment", "environment_id"),
            "starts": ("From", "starts"),
            "ends": ("To", "ends"),
            "use": ("Use", "exclusive"),
            "state": ("State", "state"),
        },
        history=_reserved,
    ),
    Part(
        name="releases",
        words="Application release",
        items=_releases,
        facts={
            "name": ("Application", "application_id"),
            "version": ("Version", "version_name"),
            "owner": ("Product owner", "owner_id"),
            "criticality": ("Criticality", "criticality"),
            "start": ("Start", "start"),
            "construction_end": ("Construction complete", "construction_end"),
            "end": ("End", "end"),
            "state": ("State", "state"),
        },
        history=_carried,
        places=lambda train: Boarding.history.filter(train_id=train),
        place_key="release_id",
    ),
]
