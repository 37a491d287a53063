"""How one thing that waits for a person is told: in words, with its one verb and where it leads."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone

from releasemgr.ui.times import local, moment_in_words
from trains import journey
from trains.states import TrainState
from turnovers.states import TurnoverState, Verdict

if TYPE_CHECKING:
    from approvals.models import Condition, Signoff
    from environments.models import Booking
    from trains.models import ApplicationRelease, Boarding, Criterion, Milestone, Train, Waiver
    from turnovers.models import FreezeException, ReviewAction, TaskRun, Turnover

DECIDE, DO = "decide", "do"
#: The address of a train, to which an approval of it leads.
A_TRAIN = re.compile(r"/(RT-(\d{1,9}))/$")


@dataclass(frozen=True)
class Waiting:
    """One thing that waits for the reader: what, since when, until when, and its one verb."""

    title: str
    url: str
    verb: str
    act_url: str
    icon: str
    kind: str
    ref: str = ""
    meta: str = ""
    due: dt.datetime | dt.date | None = None
    tone: str = ""
    #: The number of the train about which it is decided, where that can be done with others.
    train: int = 0

    @property
    def due_day(self) -> dt.date | None:
        """The day it is due on the reader's clock."""
        return local(self.due).date() if isinstance(self.due, dt.datetime) else self.due

    @property
    def is_overdue(self) -> bool:
        if isinstance(self.due, dt.datetime):
            return self.due < timezone.now()
        return self.due is not None and self.due < timezone.localdate()


def tell_approval(signoff: Signoff) -> Waiting:
    asked = signoff.requested_at
    asker = f", asked by {signoff.requested_by}" if signoff.requested_by else ""
    when = f" {_ago(asked)}" if asked else ""
    about = A_TRAIN.search(signoff.url)
    return Waiting(
        title=signoff.question or signoff.title,
        url=signoff.get_absolute_url(),
        verb="Decide",
        act_url=signoff.get_absolute_url(),
        icon="stamp",
        kind=DECIDE,
        ref=about[1] if about else "",
        meta=f"{signoff.title}{asker}{when}. Level {signoff.open_level}.",
        due=signoff.due,
        train=int(about[2]) if about else 0,
    )


def tell_condition(condition: Condition) -> Waiting:
    return Waiting(
        title=f"Is your condition met? {condition}",
        url=condition.get_absolute_url(),
        verb="Answer",
        act_url=condition.step_url("confirm"),
        icon="stamp",
        kind=DECIDE,
        meta=f"{condition.signoff.title} is approved, but does not count before.",
    )


def tell_task(task_run: TaskRun) -> Waiting:
    turnover, since = task_run.run.turnover, _ago(task_run.ready_at)
    title, verb, kind, icon, tone = task_run.task.title, "Open task", DO, "hand", "you"
    if task_run.is_unknown:
        said = f": {Verdict(task_run.verdict).label.lower()}?" if task_run.verdict else ""
        title = f"Did it happen? {title}" if not said else f"Confirm what became of {title}{said}"
        verb, kind, icon, tone = "Settle it", DECIDE, "triangle-alert", "bad"
    elif task_run.task.is_point:
        title, verb, kind, icon = f"Go or no-go: {title}", "Decide", DECIDE, "flag"
    return Waiting(
        title=title,
        url=task_run.get_absolute_url(),
        verb=verb,
        act_url=task_run.get_absolute_url(),
        icon=icon,
        kind=kind,
        ref=turnover.ref,
        meta=f"{turnover} is deploying in {turnover.environment.name} and waits for you since "
        f"{since}.",
        due=timezone.localdate(),
        tone=tone,
    )


def tell_action(action: ReviewAction) -> Waiting:
    turnover = action.run.turnover
    return Waiting(
        title=action.words,
        url=action.get_absolute_url(),
        verb="Open",
        act_url=action.get_absolute_url(),
        icon="list-checks",
        kind=DO,
        ref=turnover.ref,
        meta=f"From the review of run {action.run.number} of {turnover}.",
        due=action.due,
    )


def tell_turnover(turnover: Turnover) -> Waiting:
    words, verb, kind, tone, due = {
        TurnoverState.DELIVERED: (
            "Accept or return",
            "Review",
            DECIDE,
            "",
            turnover.earliest,
        ),
        TurnoverState.DEPLOYED: ("Verify", "Verify", DO, "", None),
        TurnoverState.FAILED: (
            "Mend the deployment of",
            "Look into it",
            DO,
            "bad",
            timezone.localdate(),
        ),
        TurnoverState.DRAFT: ("Revise", "Revise", DO, "warn", turnover.earliest),
    }[TurnoverState(turnover.state)]
    return Waiting(
        title=f"{words} {turnover}",
        url=turnover.get_absolute_url(),
        verb=verb,
        act_url=turnover.get_absolute_url(),
        icon="rocket",
        kind=kind,
        ref=turnover.ref,
        meta=f"{turnover.environment.name}. {_story_of(turnover)}",
        due=due,
        tone=tone,
    )


def _story_of(turnover: Turnover) -> str:
    who = f" from {turnover.author}" if turnover.author else ""
    if turnover.state == TurnoverState.DELIVERED and turnover.delivered_at:
        return f"Delivered{who} {_ago(turnover.delivered_at)}."
    if turnover.state == TurnoverState.DEPLOYED and turnover.deployed_at:
        return f"Deployed {_ago(turnover.deployed_at)}; check that it works."
    if turnover.state == TurnoverState.DRAFT:
        return "It came back to you; the reason is in its history."
    return f"{turnover.status.meaning}."


def tell_criterion(criterion: Criterion) -> Waiting:
    train = criterion.gate.train
    return Waiting(
        title=f"Is it met? {criterion}",
        url=criterion.get_absolute_url(),
        verb="Answer",
        act_url=criterion.step_url("meet"),
        icon="scale",
        kind=DECIDE,
        ref=train.ref,
        meta=f"{train}, {criterion.gate.get_stage_display()} gate.",
        due=criterion.due,
        train=train.pk,
    )


def tell_waiver(waiver: Waiver) -> Waiting:
    train = waiver.criterion.gate.train
    return Waiting(
        title=f"Grant it? {waiver}",
        url=waiver.get_absolute_url(),
        verb="Decide",
        act_url=waiver.get_absolute_url(),
        icon="scale",
        kind=DECIDE,
        ref=train.ref,
        meta=f"{train}. Asked for by {waiver.asked_by}.",
    )


def tell_exception(row: FreezeException) -> Waiting:
    return Waiting(
        title=f"Grant it? {row}",
        url=row.get_absolute_url(),
        verb="Decide",
        act_url=row.get_absolute_url(),
        icon="scale",
        kind=DECIDE,
        ref=row.freeze.ref,
        meta=f"Asked for by {row.asked_by}.",
    )


def tell_milestone(milestone: Milestone) -> Waiting:
    return Waiting(
        title=f"Reach the milestone “{milestone}”",
        url=milestone.get_absolute_url(),
        verb="Complete",
        act_url=milestone.step_url("complete"),
        icon="flag",
        kind=DO,
        ref=milestone.holder.ref if milestone.holder else "",
        meta=f"{milestone.holder}.",
        due=milestone.due,
    )


def tell_place(place: Boarding) -> Waiting:
    asker = f"{place.requested_by} asks for it. " if place.requested_by else ""
    return Waiting(
        title=f"Give {place.release} a place on {place.train}",
        url=place.get_absolute_url(),
        verb="Decide",
        act_url=place.get_absolute_url(),
        icon="train-front",
        kind=DECIDE,
        ref=place.train.ref,
        meta=f"{asker}{place.train} is in {place.train.status.label}.",
        due=place.train.scoping_end,
        train=place.train_id,
    )


def tell_release(release: ApplicationRelease) -> Waiting:
    begins = release.state == release.State.PLANNING
    step = "begin_work" if begins else "complete_construction"
    return Waiting(
        title=f"Begin work on {release}" if begins else f"Complete construction of {release}",
        url=release.get_absolute_url(),
        verb="Begin work" if begins else "Complete",
        act_url=release.step_url(step),
        icon="package",
        kind=DO,
        ref=release.ref,
        meta="Its train is in Construction." if begins else "Every work item is done or deferred.",
        due=release.start if begins else release.construction_end,
    )


def tell_booking(booking: Booking) -> Waiting:
    asker = f"{booking.requested_by} asks for it, " if booking.requested_by else ""
    return Waiting(
        title=f"Confirm or decline {booking.title} on {booking.environment.name}",
        url=booking.get_absolute_url(),
        verb="Decide",
        act_url=booking.get_absolute_url(),
        icon="server",
        kind=DECIDE,
        ref=booking.ref,
        meta=f"{asker}{booking.period_words}.",
        due=booking.starts,
    )


def _consent(train: Train) -> Waiting:
    return Waiting(
        title=f"Consent to {train} going to production",
        url=train.get_absolute_url(),
        verb="Consent",
        act_url=train.step_url("give_consent"),
        icon="user-check",
        kind=DECIDE,
        ref=train.ref,
        meta="Its QA criteria are settled; you are its release engineer.",
        due=train.qa_end,
    )


def tell_train(train: Train) -> Waiting:
    if train.state == TrainState.VERIFICATION and train.consent_by_id is None:
        return _consent(train)
    ends = [train.scoping_end, train.construction_end, train.qa_end, train.end]
    return Waiting(
        title=f"Take {train} on to {journey.destination(train)}",
        url=train.get_absolute_url(),
        verb="Move on",
        act_url=train.step_url(journey.next_step(train)),
        icon="train-front",
        kind=DO,
        ref=train.ref,
        meta="Everything that its next step asks for is there.",
        due=ends[train.stage_number],
    )


def _ago(moment: dt.datetime) -> str:
    """The moment in the middle of a sentence: "today 23:00", but "Wednesday 22:00"."""
    words = moment_in_words(moment)
    near = words.startswith(("Today", "Tomorrow", "Yesterday"))
    return words[0].lower() + words[1:] if near else words
