"""Moves of the demo's people: each is what a person would do on a page."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import Group
from django.utils import timezone

from approvals.models import Level, Rule, Signoff
from environments.models import Booking, BookingKind
from releasemgr.accounts.models import User
from releasemgr.workflow.edit import create, edit
from releasemgr.workflow.perform import perform
from trains.models import (
    ApplicationRelease,
    Boarding,
    Criterion,
    Dependency,
    Gate,
    Milestone,
    ReleaseType,
    Reservation,
    Train,
    TrainEngineer,
    WorkItem,
)
from trains.services import ask_to_board
from trains.states import GateStage, WorkState
from turnovers.models import Content, DeploymentTask, Turnover, TurnoverWork
from turnovers.models.plans import BY_PEOPLE
from turnovers.services import title_for

if TYPE_CHECKING:
    from environments.models import Environment
    from trains.models import Application

NIGHT = ZoneInfo("Europe/London")

#: How long each stage takes, in days: scoping, construction, QA, deployment.
STAGE_DAYS = (14, 35, 21, 7)

#: Each sheet's levels: (how many, of whom); a person by user name, else a group.
BOARD_LEVELS = {
    "train": [("1", "Change advisory board")],
    "development": [("1", "pavel"), ("1", "Change advisory board")],
    "executive": [("1", "Security"), ("1", "Executives")],
}
CRITERIA = {
    "scoping": ["Scope agreed with every product owner", "Risk assessment signed"],
    "construction": ["Static analysis without new findings", "Release notes drafted"],
    "qa": ["Regression suite green on test-2", "Load within 5 % of the last release"],
}


@dataclass
class Story:
    """The organisation, and what its people do to a train."""

    people: dict[str, User]
    environments: dict[str, Environment]
    applications: dict[str, Application]
    types: dict[str, ReleaseType] = field(default_factory=dict)
    today: dt.date = field(default_factory=timezone.localdate)

    def __post_init__(self) -> None:
        self.types = {kind.name: kind for kind in ReleaseType.objects.all()}
        self.robot = User.objects.robot()

    # --- Planning ---------------------------------------------------------------------------------

    def plan(
        self,
        name: str,
        purpose: str,
        *,
        kind: str = "Minor",
        manager: str = "ines",
        start_in: int,
        stages: tuple[int, ...] = STAGE_DAYS,
        criteria: dict[str, list[str]] | None = None,
    ) -> Train:
        """A train with its schedule, gates, criteria and sheets. ``start_in`` days from today."""
        dates = [self.today + dt.timedelta(days=start_in)]
        for length in stages:
            dates.append(dates[-1] + dt.timedelta(days=length))
        by, release_type = self.people[manager], self.types[kind]
        train = Train(
            name=name,
            version_name=name.rsplit(" ", 1)[-1],
            purpose=purpose,
            release_type=release_type,
            manager=by,
            start=dates[0],
            scoping_end=dates[1],
            construction_end=dates[2],
            qa_end=dates[3],
            end=dates[4],
            needs_train_approval=release_type.needs_train_approval,
            needs_development_approval=release_type.needs_development_approval,
            needs_executive_approval=release_type.needs_executive_approval,
        )
        for which in ("train", "development", "executive"):
            if getattr(train, f"needs_{which}_approval"):
                setattr(train, f"{which}_signoff", self.sheet(train, which, by))
        create(train, by=by)
        create(TrainEngineer(train=train, person=self.people["tomas"]), by=by)
        for stage in GateStage.values:
            gate = create(Gate(train=train, stage=stage), by=by)
            for title in (CRITERIA if criteria is None else criteria).get(stage, []):
                owner = self.people["noor" if stage == "qa" else "mika"]
                create(Criterion(gate=gate, title=title, owner=owner), by=by)
        checks = (
            ("Scope frozen", dates[1], False),
            ("Feature freeze", dates[2] - dt.timedelta(days=7), True),
            ("Release candidate", dates[3] - dt.timedelta(days=10), True),
        )
        for title, day, for_all in () if release_type.is_emergency else checks:
            milestone = Milestone(train=train, title=title, due=day, owner=by, for_all=for_all)
            create(milestone, by=by)
        return train

    def sheet(self, train: Train, which: str, by: User) -> Signoff:
        """An approval with its levels."""
        title = f"{which.capitalize()} approval of {train.name}"
        policy = train.release_type.approval_policy
        signoff = create(Signoff(title=title, policy=policy, allows_override=True), by=by)
        for number, (needed, whom) in enumerate(BOARD_LEVELS[which], start=1):
            level = create(Level(signoff=signoff, number=number), by=by)
            rule = Rule(level=level, needed=int(needed))
            if whom in self.people:
                rule.person = self.people[whom]
            else:
                rule.group = Group.objects.get(name=whom)
            create(rule, by=by)
        return signoff

    def board(
        self, train: Train, application: str, version: str, *, items: int = 4, done: int = 0
    ) -> ApplicationRelease:
        """An application release with its work, taken aboard."""
        owner = self.applications[application].owner
        assert owner is not None  # noqa: S101 -- the demo gives every application one
        release = ApplicationRelease(
            application=self.applications[application],
            version_name=version,
            owner=owner,
            start=train.start,
            construction_end=train.construction_end,
            end=train.end,
        )
        create(release, by=owner)
        for number in range(items):
            item = WorkItem(
                release=release,
                kind=["request", "task", "task", "defect"][number % 4],
                key=f"{application[:3].upper()}-{release.pk * 10 + number}",
                title=WORK[(release.pk * 3 + number) % len(WORK)],
                state=WorkState.DONE if number < done else WorkState.PROGRESS,
            )
            create(item, by=owner)
        boarding = ask_to_board(train, release, by=owner)
        assert train.manager is not None  # noqa: S101 -- plan() names one
        perform(boarding, "accept", by=train.manager)
        return release

    def ask_only(self, train: Train, application: str, version: str) -> Boarding:
        """An application release that waits for a place."""
        owner = self.applications[application].owner
        release = ApplicationRelease(
            application=self.applications[application], version_name=version, owner=owner
        )
        create(release, by=owner)
        assert owner is not None  # noqa: S101 -- the demo gives every application one
        return ask_to_board(train, release, by=owner)

    def needs(self, release: ApplicationRelease, other: ApplicationRelease) -> None:
        create(Dependency(release=release, needs=other), by=release.owner)

    def reserve(
        self, train: Train, environment: str, first: dt.date, last: dt.date, *, held: bool = True
    ) -> Booking:
        """The environment for the train, from the first to the last day; asked for if not held."""
        booking = Booking(
            environment=self.environments[environment],
            kind=BookingKind.TRAIN,
            title=train.name,
            starts=dt.datetime.combine(first, dt.time(7), NIGHT),
            ends=dt.datetime.combine(last, dt.time(19), NIGHT),
            zone=str(NIGHT),
            requested_by=train.manager,
            url=train.get_absolute_url(),
        )
        create(booking, by=train.manager)
        if held:
            booking = perform(booking, "confirm", by=self.people["tomas"])
        create(Reservation(train=train, booking=booking), by=train.manager)
        return booking

    # --- Steering ---------------------------------------------------------------------------------

    def meet(self, train: Train, stage: str) -> None:
        """Every criterion of the gate, by its owner."""
        for criterion in Criterion.objects.filter(gate__train=train, gate__stage=stage):
            owner = criterion.owner
            assert owner is not None  # noqa: S101 -- plan() names one
            perform(criterion, "meet", by=owner, evidence="Report filed with the release.")

    def approve(self, train: Train, which: str) -> Train:
        """Everybody asked says yes, level by level."""
        while True:
            signoff = Signoff.objects.get(pk=getattr(train, f"{which}_signoff_id"))
            if signoff.state != Signoff.State.READY:
                return self.again(train)
            person = next(p for p in self.people.values() if signoff.waits_for(p))
            perform(signoff, "approve", by=person)

    def first_level(self, train: Train, which: str, condition: str = "") -> None:
        """Those on the first level say yes, or on a condition; the next has not looked yet."""
        answer = "approve_if" if condition else "approve"
        signoff = Signoff.objects.get(pk=getattr(train, f"{which}_signoff_id"))
        first = signoff.open_level
        while signoff.open_level == first:
            person = next(p for p in self.people.values() if signoff.waits_for(p))
            signoff = perform(signoff, answer, by=person, reason=condition)

    def again(self, train: Train) -> Train:
        return Train.objects.get(pk=train.pk)

    def step(self, train: Train, name: str, **more: Any) -> Train:
        assert train.manager is not None  # noqa: S101 -- plan() names one
        return perform(self.again(train), name, by=train.manager, **more)

    def to_construction(self, train: Train) -> Train:
        self.meet(train, "scoping")
        if train.needs_train_approval:
            self.step(train, "request_train_approval")
            return self.approve(train, "train")
        return self.step(train, "start_construction")

    def build(self, train: Train, *, complete: bool = True) -> Train:
        """Work begins on everything aboard, and ends where it is to be complete."""
        for place in train.boardings.aboard().select_related("release__owner"):
            owner = place.release.owner
            assert owner is not None  # noqa: S101 -- board() names one
            release = perform(place.release, "begin_work", by=owner)
            if complete:
                for item in release.work_items.unfinished():
                    edit(item, by=owner, state=WorkState.DONE)
                perform(release, "complete_construction", by=owner)
        if complete:
            self.meet(train, "construction")
        return self.again(train)

    def to_verification(self, train: Train) -> Train:
        self.build(self.to_construction(train))
        if train.needs_development_approval:
            self.step(train, "request_development_approval")
            return self.approve(train, "development")
        return self.step(train, "start_verification")

    def ask_executives(self, train: Train) -> Train:
        self.meet(train, "qa")
        perform(self.again(train), "give_consent", by=self.people["tomas"])
        return self.step(train, "request_executive_approval")

    def to_deployment(self, train: Train) -> Train:
        self.ask_executives(self.to_verification(train))
        return self.approve(train, "executive")

    def reach_milestones(self) -> None:
        """Whatever was due by now, on the trains that are not late."""
        late = ["Gorse 27.2"]
        due = Milestone.objects.open().filter(due__lt=self.today)
        for milestone in due.exclude(train__name__in=late).exclude(train__state="cancelled"):
            holder, owner = milestone.holder, milestone.owner
            if holder and owner and not holder.is_over:
                perform(milestone, "complete", by=owner)

    # --- Turnovers --------------------------------------------------------------------------------

    def turnover(
        self,
        item: Train | ApplicationRelease,
        environment: str,
        earliest: dt.datetime | None,
        *,
        author: str = "devi",
        hours: float = 4,
        tasks: tuple[dict[str, Any], ...],
    ) -> Turnover:
        """A draft with its contents, finished work and tasks."""
        by, where = self.people[author], self.environments[environment]
        turnover = Turnover(
            title=title_for(item, where),
            train=item if isinstance(item, Train) else None,
            release=None if isinstance(item, Train) else item,
            environment=where,
            author=by,
            earliest=earliest,
            latest=earliest + dt.timedelta(hours=hours) if earliest else None,
            zone=str(NIGHT),
        )
        create(turnover, by=by)
        releases = (
            [p.release for p in item.boardings.aboard().select_related("release")]
            if isinstance(item, Train)
            else [item]
        )
        for position, release in enumerate(releases):
            content = Content(
                turnover=turnover,
                release=release,
                version_name=release.version_name,
                position=position,
            )
            create(content, by=by)
            for work in WorkItem.objects.finished().filter(release=release):
                create(TurnoverWork(turnover=turnover, item=work), by=by)
        for number, task in enumerate(tasks, start=1):
            values = {"order": number, **task}
            undo = values.pop("undone_by", None)
            added = self._add_task(turnover, values, by=by)
            if undo is not None:
                again = {"order": added.order, "undoes": added, **undo}
                self._add_task(turnover, again, by=by)
        return turnover

    def _add_task(self, turnover: Turnover, values: dict[str, Any], *, by: User) -> DeploymentTask:
        """A task; what people do has an owner."""
        if values.get("executor", "") in BY_PEOPLE:
            values = {"owner": self.people["tomas"], **values}
        return create(DeploymentTask(turnover=turnover, **values), by=by)

    def deliver(self, turnover: Turnover) -> Turnover:
        assert turnover.author is not None  # noqa: S101 -- turnover() names one
        return perform(turnover, "deliver", by=turnover.author)

    def accept(self, turnover: Turnover, by: str = "noor") -> Turnover:
        return perform(self.deliver(turnover), "accept", by=self.people[by])


WORK = (
    "Show the reason when a claim is refused",
    "Keep a draft quote for thirty days",
    "Send the renewal letter in the customer’s language",
    "Rounding of monthly premiums",
    "Let brokers see their own commissions",
    "Upload of photographs larger than 10 MB",
    "Sign in with a passkey",
    "Export the ledger in the new tax format",
    "Second payment attempt after three days",
    "Accessible date fields",
    "Archive documents after ten years",
    "Faster search by policy number",
)
