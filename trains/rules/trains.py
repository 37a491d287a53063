"""What must hold for trains, their gates and their milestones to move."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from approvals.content import differences
from approvals.models import Signoff
from approvals.rules import against_counting
from releasemgr.accounts.roles import RELEASE_ENGINEER, RELEASE_MANAGER
from releasemgr.ui.times import local
from releasemgr.workflow.rules import Blocker, Way, guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from trains.models import Milestone, Train


#: The state in which a train waits for each of its approvals.
WAITS_FOR = {
    "train": "awaiting_train",
    "development": "awaiting_development",
    "executive": "awaiting_executive",
}
#: Those that must still count after their gate: every start in production asks for them. The
#: others have done their part once their gate is passed.
RELIED_ON_AFTER = frozenset({"executive"})


#: What upper apps know that keeps a train from closing, such as "not verified in production".
completion_questions: list[Callable[[Train], Iterable[Blocker]]] = []


#: What upper apps know that keeps a train from being cancelled, such as "is deploying".
cancellation_questions: list[Callable[[Train], Iterable[Blocker]]] = []


@guard
def it_has_a_manager(train: Train) -> Iterator[Blocker]:
    if train.manager_id is None:
        yield Blocker(
            f"{train} has no release manager",
            needed="A person who steers it.",
            owner=RELEASE_MANAGER,
            action="Name one",
            url=train.edit_url,
        )


@guard
def schedule_is_in_order(train: Train) -> Iterator[Blocker]:
    """Every date is there, and none lies before the one it follows."""
    needed = train.needed_dates
    for label, date in needed:
        if date is None:
            yield Blocker(
                f"No date for “{label}”",
                needed="A schedule with every date.",
                owner=str(train.manager or RELEASE_MANAGER),
                owner_id=train.manager_id,
                action="Set the dates",
                url=train.edit_url,
            )
    known = [(label, date) for label, date in needed if date is not None]
    for (before, first), (after, second) in pairwise(known):
        if second < first:
            yield Blocker(
                f"“{after}” is before “{before}”",
                needed="Each date on or after the one before it.",
                now=f"{second:%-d %B %Y} is before {first:%-d %B %Y}.",
                owner=str(train.manager or RELEASE_MANAGER),
                owner_id=train.manager_id,
                action="Set the dates",
                url=train.edit_url,
            )


def _approval(train: Train, which: str) -> Iterator[Blocker]:
    """What is missing of the approval ``which``, if the train needs it."""
    if not getattr(train, f"needs_{which}_approval"):
        return
    signoff = getattr(train, f"{which}_signoff")
    words = f"{which.capitalize()} approval"
    if signoff is None:
        yield Blocker(
            f"{words} is not defined",
            needed="A sheet with its approvers, or no such approval for this train.",
            owner=RELEASE_MANAGER,
            action="Define it",
            url=train.tab_url("approvals"),
        )
    elif signoff.state != Signoff.State.APPROVED:
        yield Blocker(
            f"{words} is not given",
            needed="Every level complete.",
            now=f"{signoff.status.label}.",
            owner=RELEASE_MANAGER if signoff.state != Signoff.State.READY else "Approvers",
            action="Open the approval",
            url=signoff.get_absolute_url(),
            expected=signoff.due and local(signoff.due).date(),
            tone="wait" if signoff.state == Signoff.State.READY else "bad",
            glyph="wait" if signoff.state == Signoff.State.READY else "todo",
        )
    else:
        for change in differences(signoff.content, train.content_for(which)):
            yield Blocker(
                f"{words} was given for other content",
                needed="The same content, or approval of the new one.",
                now=f"{change.sentence}.",
                owner=RELEASE_MANAGER,
                action="Ask again",
                url=signoff.get_absolute_url(),
                tone="warn",
                glyph="undo",
            )
        yield from against_counting(signoff)


def _defined(train: Train, which: str) -> Iterator[Blocker]:
    """A sheet that can be asked: named levels that people can fill."""
    signoff = getattr(train, f"{which}_signoff")
    if signoff is None:
        yield Blocker(
            f"{which.capitalize()} approval is not defined",
            needed="A sheet with 1 to 4 levels of approvers.",
            owner=RELEASE_MANAGER,
            action="Define it",
            url=train.tab_url("approvals"),
        )
        return
    yield from signoff.step_blockers("request")


@guard
def train_approval_is_defined(train: Train) -> Iterator[Blocker]:
    yield from _defined(train, "train")


@guard
def development_approval_is_defined(train: Train) -> Iterator[Blocker]:
    yield from _defined(train, "development")


@guard
def executive_approval_is_defined(train: Train) -> Iterator[Blocker]:
    yield from _defined(train, "executive")


@guard
def train_approval_is_given(train: Train) -> Iterator[Blocker]:
    yield from _approval(train, "train")


@guard
def development_approval_is_given(train: Train) -> Iterator[Blocker]:
    yield from _approval(train, "development")


@guard
def executive_approval_is_given(train: Train) -> Iterator[Blocker]:
    yield from _approval(train, "executive")


def waits_for_approval(train: Train, which: str) -> Iterator[Blocker]:
    """What stops an approval from being asked for again: the train must need it now.

    It waits for it; or it is in Deployment on an executive approval that counts no longer, because
    the content has changed, it has expired or somebody has taken their decision back.
    """
    signoff = getattr(train, f"{which}_signoff")
    if signoff is None or (train.state != WAITS_FOR[which] and not _has_lost(train, which)):
        yield Blocker(
            f"{train} does not wait for the {which} approval",
            needed="A train that waits for it, or whose approval counts no longer.",
            now=f"{train} is “{train.status.label}”.",
            action="Open the train",
            url=train.get_absolute_url(),
        )


def is_relied_on(train: Train, which: str) -> bool:
    """Whether the train has passed the gate of this approval, and it must still count."""
    return _is_behind(train, which) and which in RELIED_ON_AFTER


def _is_behind(train: Train, which: str) -> bool:
    """Whether the train has passed the gate of this approval, and is not over."""
    return train.stage_number > list(WAITS_FOR).index(which) and not train.is_over


def is_used_up(train: Train, which: str) -> bool:
    """Whether the approval has done its part, so that what was decided stands."""
    return _is_behind(train, which) and which not in RELIED_ON_AFTER


def _has_lost(train: Train, which: str) -> bool:
    return is_relied_on(train, which) and any(True for _ in _approval(train, which))


@guard
def somebody_is_aboard(train: Train) -> Iterator[Blocker]:
    if not train.boardings.aboard().exists():
        yield Blocker(
            f"No application release is aboard {train}",
            needed="At least one.",
            owner="Product owner",
            action="Add one",
            url=train.tab_url("releases"),
        )


@guard
def nobody_waits_to_board(train: Train) -> Iterator[Blocker]:
    for boarding in train.boardings.filter(state="requested").select_related(
        "release__application"
    ):
        yield Blocker(
            f"{boarding.release} asks to board",
            needed="Accepted or rejected.",
            owner=str(train.manager or RELEASE_MANAGER),
            owner_id=train.manager_id,
            action="Decide",
            url=train.tab_url("releases"),
            tone="wait",
            glyph="wait",
        )


@guard
def all_are_construction_complete(train: Train) -> Iterator[Blocker]:
    for boarding in train.boardings.aboard().select_related(
        "release__application", "release__owner"
    ):
        release = boarding.release
        if release.state not in {"complete", "closed"}:
            yield Blocker(
                f"{release} is not construction-complete",
                needed="Every application release aboard has completed construction.",
                now=f"{release.status.label}.",
                owner=str(release.owner or "Product owner"),
                owner_id=release.owner_id,
                action="Open the release",
                url=release.get_absolute_url(),
                expected=release.construction_end,
                ways=(
                    Way("Postpone it", boarding.step_url("postpone"), RELEASE_MANAGER),
                    Way("Take it off", boarding.step_url("leave"), RELEASE_MANAGER),
                ),
                tone="bad",
                glyph=release.status.glyph,
            )


@guard
def engineer_has_consented(train: Train) -> Iterator[Blocker]:
    if train.consent_by_id is None:
        yield Blocker(
            "A release engineer has not consented",
            needed="Consent of a release engineer who does not manage the train.",
            owner=RELEASE_ENGINEER,
            barred_id=train.manager_id,
            action="Give consent",
            url=train.step_url("give_consent"),
        )


@guard
def nothing_is_left_to_do(train: Train) -> Iterator[Blocker]:
    """What the upper apps know: every application release is verified in production."""
    for question in completion_questions:
        yield from question(train)


@guard
def nothing_is_deploying(train: Train) -> Iterator[Blocker]:
    for question in cancellation_questions:
        yield from question(train)


def train_is_open(train: Train) -> Iterator[Blocker]:
    """What stops an edit of the plan: a train that is over is read-only."""
    if train.is_over:
        yield Blocker(
            f"{train} is {train.status.label.lower()}",
            needed="A train that is on its way.",
            now="What is over is read-only.",
        )


@guard
def its_work_is_open(milestone: Milestone) -> Iterator[Blocker]:
    holder = milestone.train or milestone.release
    if holder is not None and holder.is_over:
        yield Blocker(
            f"{holder} is {holder.status.label.lower()}",
            now="What is over is read-only.",
            action="Open it",
            url=holder.get_absolute_url(),
        )
