"""What the steps of trains, of what rides them and of cadences have to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from releasemgr.accounts.models import User
from releasemgr.notices.news.words import because
from releasemgr.notices.services import News, people_in
from trains.models import ApplicationRelease, Boarding, Cadence, CadenceTrain, Train
from trains.states import ReleaseState

if TYPE_CHECKING:
    from collections.abc import Iterator


def train_returned(train: Train, by: User, reason: str) -> Iterator[News]:
    aboard = train.boardings.aboard().values_list("release__owner", flat=True)
    yield News(
        "train_returned",
        train,
        people_in([train.manager_id, *aboard]),
        f"{train} is back in {train.status.label}",
        because(by, "returned it", reason),
    )


def train_cancelled(train: Train, by: User, reason: str) -> Iterator[News]:
    """To those who ran it; who rode it is told that its place is gone."""
    yield News(
        "train_cancelled",
        train,
        people_in([train.manager_id, *train.crew.values_list("person", flat=True)]),
        f"{train} was cancelled",
        because(by, "cancelled it", reason),
    )


def construction_started(train: Train, by: User, reason: str) -> Iterator[News]:
    """To the owners of what is aboard and not begun."""
    places = train.boardings.aboard().filter(release__state=ReleaseState.PLANNING)
    for place in places.select_related("release__application", "release__owner"):
        release = place.release
        yield News(
            "release_begins",
            release,
            [release.owner] if release.owner else [],
            f"Begin work on {release}",
            f"{train} is in {train.status.label}.",
            occasion=train.ref,
            until=release.start,
        )


def consent_given(train: Train, by: User, reason: str) -> Iterator[News]:
    yield News(
        "consent_given",
        train,
        people_in([train.manager_id]),
        f"{train} has the consent of release engineering",
        because(by, "gave it", reason),
    )


def boarding_asked(boarding: Boarding, by: User | None, reason: str) -> Iterator[News]:
    asker = f"{boarding.requested_by} asks for it." if boarding.requested_by else ""
    yield News(
        "boarding_asked",
        boarding,
        people_in([boarding.train.manager_id]),
        f"Give {boarding.release} a place on {boarding.train}",
        f"{asker} {reason}",
        ref=boarding.train.ref,
    )


def boarding_answered(boarding: Boarding, by: User, reason: str) -> Iterator[News]:
    """To who asked and the owner; what leaves a train is told to its manager, too."""
    says = {
        Boarding.State.ABOARD: "is aboard",
        Boarding.State.REJECTED: "gets no place on",
        Boarding.State.LEFT: "was taken off",
    }.get(boarding.state)
    if says is None:
        return
    has_left = boarding.state == Boarding.State.LEFT and not boarding.train.is_over
    manager = boarding.train.manager_id if has_left else None
    yield News(
        "boarding_answered",
        boarding,
        people_in([boarding.requested_by_id, boarding.release.owner_id, manager]),
        f"{boarding.release} {says} {boarding.train}",
        because(by, "decided so", reason),
        ref=boarding.train.ref,
    )


def release_back(release: ApplicationRelease, by: User, reason: str) -> Iterator[News]:
    """To the managers of the open trains it rides, or was taken off from with this step."""
    places = release.boardings.exclude(train__state__in=["closed", "cancelled"])
    managers = places.filter(state__in=["aboard", "left"]).values_list("train__manager", flat=True)
    is_cancelled = release.state == ReleaseState.CANCELLED
    yield News(
        "release_back",
        release,
        people_in(managers),
        f"{release} was cancelled" if is_cancelled else f"{release} is built anew",
        because(by, "decided so", reason),
    )


# --- Cadences -------------------------------------------------------------------------------------


def train_made(turn: CadenceTrain, by: User | None, reason: str) -> Iterator[News]:
    train = turn.train
    yield News(
        "train_made",
        train,
        people_in([train.manager_id]),
        f"Plan {train}",
        f"The cadence {turn.cadence} has made it.",
        occasion="made",
        until=train.start,
    )


def cadence_paused(cadence: Cadence, by: User, reason: str) -> Iterator[News]:
    """To who manages its trains; to everybody who may steer where that person is gone."""
    people = people_in([cadence.manager_id])
    if not any(person.is_active for person in people):
        people = list(User.objects.who_may("trains.steer_train"))
    cannot = by.is_robot
    yield News(
        "cadence_paused",
        cadence,
        people,
        f"{cadence} could not make its next train" if cannot else f"{cadence} is paused",
        reason if cannot else because(by, "paused it", reason),
    )
