"""What trains do when a lower app's record takes a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models.signals import post_migrate
from django.utils import timezone
from django.utils.formats import date_format

from approvals import rules as approval_rules
from approvals.models import Condition, Signoff
from environments import panels as environment_panels
from releasemgr.accounts.models import User
from releasemgr.accounts.roles import RELEASE_MANAGER
from releasemgr.ui import navigation
from releasemgr.workflow.edit import edit
from releasemgr.workflow.models import row_edited, step_taken
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from releasemgr.workflow.rules import Blocker
from trains import freezes, rules, words
from trains.facts import evidence_for, facts_for
from trains.models import Calendar, Milestone, ReleaseType, Train
from trains.plan import baselines
from trains.states import TrainState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from approvals.models import Signoff as SignoffRow

MOST_FOLLOWED = 10

#: Which step a complete approval takes by itself, and from where.
ADVANCES = {
    "train": (TrainState.AWAITING_TRAIN, "start_construction"),
    "development": (TrainState.AWAITING_DEVELOPMENT, "start_verification"),
    "executive": (TrainState.AWAITING_EXECUTIVE, "start_deployment"),
}


#: Name, the approvals it asks for, and whether it is an emergency.
FIRST_TYPES: tuple[tuple[str, set[str], bool], ...] = (
    ("Major", {"train", "development", "executive"}, False),
    ("Minor", {"train", "development", "executive"}, False),
    ("Patch", {"development", "executive"}, False),
    ("Emergency", {"executive"}, True),
)


def connect() -> None:
    """Plug trains into approvals; called once, when all apps are ready."""
    baselines.connect()
    environment_panels.freezes.append(freezes.frozen_in)
    row_edited.connect(
        freezes.follow_milestone, sender=Milestone, dispatch_uid="trains.follow_milestone"
    )
    step_taken.connect(follow_signoff, sender=Signoff, dispatch_uid="trains.follow_signoff")
    step_taken.connect(settle_approvals, sender=Train, dispatch_uid="trains.settle_approvals")
    step_taken.connect(follow_condition, sender=Condition, dispatch_uid="trains.follow_condition")
    approval_rules.current_content.append(content_of_sheet)
    approval_rules.evidence_questions.append(evidence_of_sheet)
    approval_rules.recall_questions.append(against_taking_back)
    approval_rules.decision_questions.append(holds_over_sheet)
    navigation.following.append(followed_by)
    approval_rules.current_facts.append(facts_of_sheet)
    post_migrate.connect(
        words.look_after,
        sender=apps.get_app_config("trains"),
        dispatch_uid="trains.look_after_words",
    )
    post_migrate.connect(
        make_release_types,
        sender=apps.get_app_config("trains"),
        dispatch_uid="trains.make_release_types",
    )


def make_release_types(sender: Any, using: str, **kwargs: Any) -> None:
    """The types and the calendar that every installation begins with, unless there are others."""
    try:
        kwargs["apps"].get_model("trains", "Calendar")
    except LookupError:
        return  # on the way back to before there were trains
    if not Calendar.objects.using(using).exists():
        Calendar.objects.using(using).create(name="Monday to Friday", is_default=True)
    if ReleaseType.objects.using(using).exists():
        return
    for position, (name, approvals, is_emergency) in enumerate(FIRST_TYPES):
        ReleaseType.objects.using(using).create(
            name=name,
            needs_train_approval="train" in approvals,
            needs_development_approval="development" in approvals,
            needs_executive_approval="executive" in approvals,
            is_emergency=is_emergency,
            position=position,
        )


def owner_of(signoff: SignoffRow) -> tuple[Train, str] | None:
    """The train a sheet belongs to, and as which approval."""
    return Train.objects.select_related("release_type", "manager").of_sheet(signoff)


def content_of_sheet(signoff: SignoffRow) -> dict[str, Any] | None:
    """What the sheet would be bound to now, or None where it is not a train's."""
    owned = owner_of(signoff)
    return owned[0].content_for(owned[1], signoff) if owned else None


def facts_of_sheet(signoff: SignoffRow) -> list[list[str]] | None:
    """What its decision page would show now, or None where it is not a train's."""
    owned = owner_of(signoff)
    return facts_for(*owned) if owned else None


def evidence_of_sheet(signoff: SignoffRow) -> Iterator[tuple[str, str, str]]:
    """Where whoever decides upon a train can look; nothing for the sheets of others."""
    owned = owner_of(signoff)
    if owned is not None:
        yield from evidence_for(*owned)


def against_taking_back(signoff: SignoffRow) -> Iterator[Blocker]:
    """A decision is taken back before anything was done upon it, not while it is, or after."""
    owned = owner_of(signoff)
    if owned is None:
        return
    train, which = owned
    yield from rules.train_is_open(train)
    yield from rules.nothing_is_deploying.blockers(train)
    if rules.is_used_up(train, which):
        yield Blocker(
            f"{train} has gone on with it",
            needed="A train that has not passed the gate for which it was given.",
            now=f"It is in {train.get_state_display()}; what was approved then is history.",
            owner=str(train.manager or RELEASE_MANAGER),
            owner_id=train.manager_id,
            action="Open the train",
            url=train.get_absolute_url(),
        )


def holds_over_sheet(signoff: SignoffRow) -> Iterator[Blocker]:
    """Nobody approves for a train that is held; to reject stays possible."""
    owned = owner_of(signoff)
    if owned is not None:
        yield from rules.it_is_not_held.blockers(owned[0])


def follow_signoff(sender: Any, row: Signoff, name: str, by: User, reason: str, **_: Any) -> None:
    """The last approval moves the train on; a rejection sends it back. In the same transaction."""
    owned = owner_of(row)
    if owned is None:
        return
    train, which = owned
    if name == "request":
        bar_own_work(row, train, which, by)
        return
    if train.state != ADVANCES[which][0]:
        return
    robot = User.objects.robot()
    if name == "reject":
        perform(train, "hand_back", by=robot, reason=f"{by} rejected: {reason}")
    elif name == "postpone":
        said = f"{by} postponed it to {slot_of(row)}: {reason}"
        perform(train, "hand_back", by=robot, reason=said)
    elif row.state == Signoff.State.APPROVED:
        go_on_with(train, which, f"{row.title} is complete.")


def follow_condition(sender: Any, row: Condition, **_: Any) -> None:
    """The last condition that is met lets the train go on, where it waited for nothing else."""
    owned = owner_of(row.signoff)
    if owned is not None and row.signoff.state == Signoff.State.APPROVED:
        train, which = owned
        if train.state == ADVANCES[which][0]:
            go_on_with(train, which, f"{row.signoff.title} counts: its conditions are settled.")


#: Which approvals have done their part after a step of the train, and expire no more.
SETTLED_BY = {
    "start_construction": ("train",),
    "start_verification": ("development",),
    "close": tuple(ADVANCES),
    "cancel": tuple(ADVANCES),
}


def settle_approvals(sender: Any, row: Train, name: str, **_: Any) -> None:
    """An approval that was used stays what it was: given, however long ago."""
    for which in SETTLED_BY.get(name, ()):
        sheet = getattr(row, f"{which}_signoff")
        if sheet is not None and sheet.state == Signoff.State.APPROVED:
            reason = f"It has done its part: {row} is “{row.get_state_display()}”."
            edit(sheet, by=User.objects.robot(), reason=reason, valid_until=None)


def go_on_with(train: Train, which: str, reason: str) -> None:
    """Take the step that an approval opens, unless something else is in the way.

    The vote stands all the same: what is in the way is on the train's page, with its owner.
    """
    try:
        perform(train, ADVANCES[which][1], by=User.objects.robot(), reason=reason)
    except TransitionRefused:
        return


def slot_of(signoff: Signoff) -> str:
    """The slot in which whoever postponed it wants it."""
    given = next((d for d in reversed(signoff.standing) if d.slot_starts), None)
    if given is None or given.slot_starts is None or given.slot_ends is None:
        return "another slot"
    first, last = timezone.localtime(given.slot_starts), timezone.localtime(given.slot_ends)
    return f"{date_format(first, 'j F Y, H:i')} to {date_format(last, 'j F Y, H:i')}"


def bar_own_work(signoff: Signoff, train: Train, which: str, by: User) -> None:
    """Nobody decides upon their own work, however it was asked for."""
    signoff.barred.set(rules.whose_work_it_is(train, which, by))
    if found := approval_rules.a_quorum_can_exist.blockers(signoff):
        raise TransitionRefused(*found)


def followed_by(user: User) -> list[Train]:
    """The trains on their way that a person follows, for the sidebar."""
    return list(Train.objects.open().filter(followers=user).order_by("end", "pk")[:MOST_FOLLOWED])
