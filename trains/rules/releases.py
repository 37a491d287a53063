"""What must hold for application releases and their places on trains to move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from releasemgr.accounts.roles import RELEASE_MANAGER
from releasemgr.workflow.rules import Blocker, Way, guard
from trains.rules.freezes import release_is_not_frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from trains.models import ApplicationRelease, Boarding


#: What upper apps know that keeps an application release from closing.
release_questions: list[Callable[[ApplicationRelease], Iterable[Blocker]]] = []


@guard
def its_train_is_in_construction(release: ApplicationRelease) -> Iterator[Blocker]:
    """Work on what rides a train begins when the train has reached construction."""
    boarding = release.place
    if boarding is not None and boarding.train.state in {"scoping", "awaiting_train"}:
        train = boarding.train
        yield Blocker(
            f"{train} is still in {train.status.label}",
            needed="A train in Construction.",
            owner=str(train.manager or RELEASE_MANAGER),
            owner_id=train.manager_id,
            action="Open the train",
            url=train.get_absolute_url(),
        )


@guard
def its_work_is_done(release: ApplicationRelease) -> Iterator[Blocker]:
    items = release.work_items.unfinished().by_key()
    for item in items[:50]:
        yield Blocker(
            item.title,
            needed="Done or deferred.",
            now=f"{item.status.label}.",
            owner=str(release.owner or "Product owner"),
            owner_id=release.owner_id,
            action="Open the work items",
            url=release.tab_url("work"),
            expected=release.construction_end,
            ways=(Way("Defer it", item.edit_url, RELEASE_MANAGER),),
        )


@guard
def its_train_has_arrived(release: ApplicationRelease) -> Iterator[Blocker]:
    """What rides a train is closed with it, when it is verified in production."""
    boarding = release.place
    if boarding is not None and not boarding.train.is_over:
        train = boarding.train
        yield Blocker(
            f"{release} rides {train}",
            needed="The train closed, which closes what is aboard, or the release taken off.",
            now=f"{train} is in {train.status.label}.",
            owner=str(train.manager or RELEASE_MANAGER),
            owner_id=train.manager_id,
            action="Open the train",
            url=train.get_absolute_url(),
        )


@guard
def its_deployment_is_settled(release: ApplicationRelease) -> Iterator[Blocker]:
    for question in release_questions:
        yield from question(release)


@guard
def it_is_off_the_train(release: ApplicationRelease) -> Iterator[Blocker]:
    boarding = release.place
    if boarding is not None:
        yield Blocker(
            f"{release} rides {boarding.train}",
            needed="Taken off the train first.",
            owner=str(boarding.train.manager or RELEASE_MANAGER),
            owner_id=boarding.train.manager_id,
            action="Take it off",
            url=boarding.train.tab_url("releases"),
        )


@guard
def train_still_boards(boarding: Boarding) -> Iterator[Blocker]:
    train = boarding.train
    if train.state not in {"scoping", "awaiting_train", "construction"}:
        yield Blocker(
            f"{train} is in {train.status.label}",
            needed="A train in Scoping or Construction.",
            now="Nobody boards it any more. Choose a later train.",
            action="Open the train",
            url=train.get_absolute_url(),
        )


@guard
def release_is_open(boarding: Boarding) -> Iterator[Blocker]:
    release = boarding.release
    if release.is_over:
        yield Blocker(
            f"{release} is {release.status.label.lower()}",
            needed="An application release that is open.",
            url=release.get_absolute_url(),
            action="Open the release",
        )


@guard
def train_can_be_left(boarding: Boarding) -> Iterator[Blocker]:
    """A closed train is history. A cancelled one frees what it carried."""
    train = boarding.train
    if train.state == "closed":
        yield Blocker(f"{train} is {train.status.label.lower()}", now="It is read-only.")


def it_is_on_no_train(release: ApplicationRelease) -> Iterator[Blocker]:
    """A release rides, or asks for a place on, one train at a time."""
    for place in release.boardings.live().select_related("train__manager"):
        yield Blocker(
            f"{release} has a place on {place.train}"
            if place.state == "aboard"
            else f"{release} waits for a place on {place.train}",
            needed="No other place: one train at a time.",
            action="Open the train",
            url=place.get_absolute_url(),
        )


def release_can_change(release: ApplicationRelease) -> Iterator[Blocker]:
    """What stops an edit of the plan: an application release that is over is read-only."""
    if release.is_over:
        yield Blocker(
            f"{release} is {release.status.label.lower()}",
            needed="An application release that is open.",
            now="What is over is read-only.",
            action="Open the release",
            url=release.get_absolute_url(),
        )


def work_can_change(release: ApplicationRelease) -> Iterator[Blocker]:
    """What stops a change of the work: nothing is added once construction is complete."""
    if release.state not in {"planning", "executing"}:
        yield Blocker(
            f"{release} is {release.status.label.lower()}",
            needed="An application release that is being planned or built.",
            now="Nothing is added any more.",
            owner=str(release.owner or "Product owner"),
            owner_id=release.owner_id,
            action="Resume work" if release.state == "complete" else "Open the release",
            url=release.step_url("resume_work")
            if release.state == "complete"
            else release.get_absolute_url(),
        )


def work_can_be_added(release: ApplicationRelease) -> Iterator[Blocker]:
    """What stops work from being added or taken away, a freeze of its train among it."""
    yield from work_can_change(release)
    yield from release_is_not_frozen(release)
