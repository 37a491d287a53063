"""When a turnover may be delivered, accepted, started, and go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from environments.models import Booking
from environments.rules import clashes_of
from releasemgr.accounts.roles import DEVELOPER, RELEASE_ENGINEER, RELEASE_MANAGER
from releasemgr.workflow.rules import Blocker, Way, as_of, guard
from trains.rules import executive_approval_is_given
from turnovers import executors
from turnovers.rules.freezes import no_freeze_covers_it
from turnovers.states import IfLate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from turnovers.models import Turnover

#: A refusal names no more rows than this: a page of them helps nobody.
MOST_NAMED = 20


@guard
def it_has_tasks(turnover: Turnover) -> Iterator[Blocker]:
    if not turnover.tasks.exists():
        yield Blocker(
            f"{turnover} has no deployment tasks",
            needed="At least one.",
            owner=str(turnover.author or DEVELOPER),
            owner_id=turnover.author_id,
            action="Add a task",
            url=turnover.get_absolute_url(),
        )


@guard
def it_is_being_defined(turnover: Turnover) -> Iterator[Blocker]:
    """Asked before every change of the plan: once delivered, it is frozen."""
    if not turnover.is_editable:
        ways_out = {"delivered": "return_to_author", "ready": "take_back"}
        step = ways_out.get(turnover.state)
        yield Blocker(
            f"The plan of {turnover} is frozen",
            needed="A turnover that is being defined.",
            now=f"It is “{turnover.status.label}”.",
            owner=RELEASE_ENGINEER if step else "",
            action="Return it" if step else "Look at it",
            url=turnover.step_url(step) if step else turnover.get_absolute_url(),
        )


@guard
def its_tasks_are_valid(turnover: Turnover) -> Iterator[Blocker]:
    """Manual tasks name who does them; automated ones have what their executor needs."""
    for task in turnover.whole_plan().select_related("owner", "owner_group"):
        what = "What undoes task" if task.undoes_id else "Task"
        for problem in executors.problems(task):
            yield Blocker(
                f"{what} {task.order}, {task.title}",
                needed=problem,
                owner=str(turnover.author or DEVELOPER),
                owner_id=turnover.author_id,
                action="Edit the task",
                url=task.get_absolute_url(),
            )


@guard
def it_has_a_window(turnover: Turnover) -> Iterator[Blocker]:
    if turnover.earliest is None or turnover.latest is None:
        yield Blocker(
            f"{turnover} has no window",
            needed="The earliest and the latest start.",
            owner=str(turnover.author or DEVELOPER),
            owner_id=turnover.author_id,
            action="Set the window",
            url=turnover.edit_url,
        )
    elif turnover.latest <= as_of(turnover):
        yield Blocker(
            f"The window of {turnover} has passed",
            needed="A latest start that is ahead.",
            owner=str(turnover.author or DEVELOPER),
            owner_id=turnover.author_id,
            action="Set the window",
            url=turnover.edit_url,
        )


@guard
def its_environment_is_online(turnover: Turnover) -> Iterator[Blocker]:
    environment = turnover.environment
    if not environment.is_online:
        yield Blocker(
            f"{environment.name} is {environment.get_state_display().lower()}",
            needed="An environment that is online.",
            owner=environment.owner_words or RELEASE_ENGINEER,
            owner_id=environment.owner_id,
            action="Open the environment",
            url=environment.get_absolute_url(),
        )


@guard
def its_item_allows_it(turnover: Turnover) -> Iterator[Blocker]:
    """The train is being built, tested or deployed; the application release is being worked on."""
    release, train = turnover.release, turnover.riding
    if release is not None and release.state not in {"executing", "complete"}:
        yield Blocker(
            f"{release} is {release.status.label.lower()}",
            needed="An application release whose work has begun and is not over.",
            owner=str(release.owner or "Product owner"),
            owner_id=release.owner_id,
            action="Open the release",
            url=release.get_absolute_url(),
        )
    if train is not None and train.stage_number not in {1, 2, 3}:
        yield Blocker(
            f"{train} is in {train.status.label}",
            needed="A train in Construction, Verification or Deployment.",
            owner=str(train.manager or RELEASE_MANAGER),
            owner_id=train.manager_id,
            action="Open the train",
            url=train.get_absolute_url(),
        )


@guard
def train_lets_it_start(turnover: Turnover) -> Iterator[Blocker]:
    """Production is only for a train that has reached Deployment, with every approval."""
    train = turnover.riding
    if train is None or not turnover.environment.is_production:
        return
    if train.stage_number != 3:  # noqa: PLR2004 -- Deployment, the fourth stage
        yield Blocker(
            f"{train} is in {train.status.label}",
            needed="A train in Deployment, with its approvals.",
            owner=str(train.manager or RELEASE_MANAGER),
            owner_id=train.manager_id,
            action="Open the train",
            url=train.get_absolute_url(),
        )


@guard
def plan_is_as_delivered(turnover: Turnover) -> Iterator[Blocker]:
    if turnover.delivered_digest != turnover.plan_digest():
        yield Blocker(
            f"The plan of {turnover} has changed since it was delivered",
            needed="The plan that was delivered.",
            owner=str(turnover.author or DEVELOPER),
            owner_id=turnover.author_id,
            action="Return it",
            url=turnover.get_absolute_url(),
        )


@guard
def slot_is_free(turnover: Turnover) -> Iterator[Blocker]:
    """Its environment can be held for it, or is held already by a reservation of its train."""
    if turnover.covering_reservation() is None and (slot := turnover.slot()) is not None:
        yield from clashes_of(slot)


@guard
def window_is_open(turnover: Turnover) -> Iterator[Blocker]:
    now = as_of(turnover)
    if turnover.earliest is not None and now < turnover.earliest:
        yield Blocker(
            f"The window of {turnover} has not opened",
            needed=f"Its earliest start, {turnover.window_words}.",
            owner=RELEASE_MANAGER,
            action="Start early",
            url=turnover.step_url("start_early"),
            clears_at=turnover.earliest,
            ways=(Way("Start early", turnover.step_url("start_early"), RELEASE_MANAGER),),
            tone="wait",
            glyph="wait",
        )
    yield from window_has_not_passed.blockers(turnover)


@guard
def window_has_not_passed(turnover: Turnover) -> Iterator[Blocker]:
    if turnover.if_late == IfLate.WAIT:
        return
    if turnover.latest is not None and as_of(turnover) > turnover.latest:
        yield Blocker(
            f"The window of {turnover} has passed",
            needed=f"A start by its latest time, {turnover.window_words}.",
            owner=RELEASE_ENGINEER,
            action="Take it back to set a new window",
            url=turnover.step_url("take_back"),
        )


@guard
def booking_is_held(turnover: Turnover) -> Iterator[Blocker]:
    booking = turnover.booking
    if booking is None or booking.state != Booking.State.CONFIRMED:
        yield Blocker(
            f"{turnover.environment.name} is not held for {turnover}",
            needed="A confirmed booking.",
            now=f"{booking.status.label}." if booking else "None.",
            owner=RELEASE_ENGINEER,
            action="Take it back to book again",
            url=turnover.step_url("take_back"),
        )


@guard
def slot_still_holds(turnover: Turnover) -> Iterator[Blocker]:
    """Asked while it deploys: its environment is still held for it."""
    booking = turnover.booking
    if booking is None:
        return
    if booking.state != Booking.State.CONFIRMED:
        yield from booking_is_held.blockers(turnover)
    elif booking.ends <= as_of(turnover):
        yield Blocker(
            f"The slot of {turnover} has ended",
            needed=f"{turnover.environment.name} held for as long as it takes.",
            now="The tasks that are left do not begin.",
            owner=RELEASE_ENGINEER,
            action="Extend its slot",
            url=turnover.step_url("extend"),
        )


@guard
def production_is_approved(turnover: Turnover) -> Iterator[Blocker]:
    """Production needs the train's executive approval, given for exactly what the train is now."""
    train = turnover.riding
    if train is not None and turnover.environment.is_production:
        yield from executive_approval_is_given.blockers(train)


@guard
def environment_is_free(turnover: Turnover) -> Iterator[Blocker]:
    """No more turnovers at a time deploy to an environment than it allows."""
    others = (
        type(turnover)
        .objects.filter(environment=turnover.environment_id, state="deploying")
        .exclude(pk=turnover.pk)
        .order_by("pk")
    )
    if others.count() < turnover.environment.most_deployments:
        return
    for other in others[:MOST_NAMED]:
        yield Blocker(
            f"{other.ref} {other} is deploying to {turnover.environment.name}",
            needed="The environment free.",
            owner=RELEASE_ENGINEER,
            action="Watch it",
            url=other.get_absolute_url(),
            tone="run",
            glyph="run",
        )


@guard
def something_can_be_undone(turnover: Turnover) -> Iterator[Blocker]:
    if not turnover.tasks_to_undo():
        yield Blocker(
            f"Nothing that {turnover} has done can be undone",
            needed="A task that was carried out, with another that undoes it.",
            owner=RELEASE_ENGINEER,
            action="Open the turnover",
            url=turnover.get_absolute_url(),
        )


@guard
def predecessors_are_deployed(turnover: Turnover) -> Iterator[Blocker]:
    """What its application releases need is in that environment already, or comes with it."""
    carried = {content.release_id for content in turnover.contents.all()}
    for missing in turnover.missing_predecessors(carried):
        yield Blocker(
            f"{missing} is not in {turnover.environment.name}",
            needed="What an application release needs is deployed there first.",
            owner=str(missing.owner or "Product owner"),
            owner_id=missing.owner_id,
            action="Open the release",
            url=missing.get_absolute_url(),
            expected=missing.end,
        )


@guard
def line_is_not_held(turnover: Turnover) -> Iterator[Blocker]:
    for hold in turnover.active_holds():
        yield Blocker(
            f"{hold} is held",
            needed="The hold lifted.",
            now=hold.reason,
            owner=str(hold.placed_by),
            owner_id=hold.placed_by_id,
            action="Open the hold",
            url=hold.get_absolute_url(),
            glyph="hold",
        )


#: What is asked again whenever a task of a run is to begin.
AT_EVERY_CLAIM = (
    line_is_not_held,
    no_freeze_covers_it,
    its_environment_is_online,
    slot_still_holds,
    its_item_allows_it,
    train_lets_it_start,
    production_is_approved,
)
