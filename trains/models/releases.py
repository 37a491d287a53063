"""Application releases, their places on trains, what they need and the work in them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import django_fsm as fsm
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse

from releasemgr.workflow.fields import StateField
from releasemgr.workflow.imported import Imported
from releasemgr.workflow.models import Recorded, Workflow, known_states
from trains import rules
from trains.models.catalogue import Application
from trains.models.trains import Train
from trains.querysets import BoardingQuerySet, ReleaseQuerySet, WorkItemQuerySet
from trains.states import (
    BoardingState,
    Criticality,
    MilestoneState,
    ReleaseState,
    WorkKind,
    WorkState,
)

if TYPE_CHECKING:
    from trains.models.milestones import Milestone

User = settings.AUTH_USER_MODEL
#: The step that takes an application release on, by the state it is in.
NEXT_STEP = {
    ReleaseState.PLANNING: "begin_work",
    ReleaseState.EXECUTING: "complete_construction",
    ReleaseState.COMPLETE: "close",
}


class ApplicationRelease(Imported, Workflow):
    """One version of one application, with the work in it; rides at most one train at a time."""

    State = ReleaseState

    application = models.ForeignKey(Application, models.PROTECT, related_name="releases")
    version_name = models.CharField("version", max_length=100, blank=True)
    description = models.TextField(blank=True)
    owner = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="owned_releases",
        verbose_name="product owner",
    )
    criticality = models.CharField(
        max_length=10, choices=Criticality.choices, default=Criticality.REQUIRED
    )
    start = models.DateField(null=True, blank=True)
    construction_end = models.DateField("construction complete", null=True, blank=True)
    end = models.DateField(null=True, blank=True)
    source_status = models.CharField(max_length=60, blank=True, editable=False)
    state = StateField(
        choices=State.choices, default=State.PLANNING, protected=True, editable=False
    )

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        ordering = ["application__name", "version_name", "pk"]
        permissions = [("own_release", "Can plan and move application releases of their own")]
        constraints = [*Imported.Meta.constraints, known_states(ReleaseState, "release")]
        indexes = [models.Index(fields=["owner", "state"])]

    def __str__(self) -> str:
        return f"{self.application.name} {self.version_name}".strip()

    def get_absolute_url(self) -> str:
        return reverse("trains:release", args=[self.pk])

    def tab_url(self, tab: str) -> str:
        """One of the release's tabs: work, milestones, dependencies, turnovers, history."""
        return reverse("trains:release-tab", args=[self.pk, tab])

    @property
    def ref(self) -> str:
        return f"AR-{self.pk}"

    @property
    def is_over(self) -> bool:
        return self.state in {ReleaseState.CLOSED, ReleaseState.CANCELLED}

    @property
    def place(self) -> Boarding | None:
        """Its place aboard a train, if it rides one."""
        return self.boardings.aboard().select_related("train__manager").first()

    @property
    def next_step(self) -> str:
        return NEXT_STEP.get(self.state, "")

    @property
    def work_percent(self) -> int:
        """How much of its work is settled; needs ``with_work_counts``."""
        counted: Any = self
        return (counted.work_done or 0) * 100 // counted.work_count if counted.work_count else 0

    @property
    def next_milestone(self) -> Milestone | None:
        """The first open one, from what is prefetched."""
        return next((m for m in self.milestones.all() if m.state == MilestoneState.OPEN), None)

    def clean(self) -> None:
        known = [
            (n, d)
            for n, d in [
                ("start", self.start),
                ("construction_end", self.construction_end),
                ("end", self.end),
            ]
            if d is not None
        ]
        for (_, first), (after, second) in pairwise(known):
            if second < first:
                raise ValidationError({after: f"This is before {first:%-d %B %Y}."})

    @fsm.transition(
        state,
        source=State.PLANNING,
        target=State.EXECUTING,
        conditions=[rules.its_train_is_in_construction],
        permission=rules.may_own,
        custom={"label": "Begin work", "primary": True},
    )
    def begin_work(self) -> None:
        """Building starts; turnovers can be made from now on."""

    @fsm.transition(
        state,
        source=State.EXECUTING,
        target=State.COMPLETE,
        conditions=[rules.its_work_is_done],
        permission=rules.may_own,
        custom={"label": "Complete construction", "primary": True},
    )
    def complete_construction(self) -> None:
        """Nothing is added any more."""

    @fsm.transition(
        state,
        source=State.COMPLETE,
        target=State.EXECUTING,
        permission=rules.may_own,
        custom={"label": "Resume work", "needs_reason": True},
    )
    def resume_work(self) -> None:
        """Something has to be built after all."""

    @fsm.transition(
        state,
        source=State.COMPLETE,
        target=State.CLOSED,
        conditions=[rules.its_train_has_arrived, rules.its_deployment_is_settled],
        permission=rules.may_close_release,
        custom={"label": "Close", "confirm": True, "question": "Close {row}?"},
    )
    def close(self) -> None:
        """Done."""

    @fsm.transition(
        state,
        source=[State.PLANNING, State.EXECUTING, State.COMPLETE],
        target=State.CANCELLED,
        conditions=[rules.it_is_off_the_train, rules.its_deployment_is_settled],
        permission=rules.may_own,
        custom={
            "label": "Cancel release",
            "question": "Cancel {row}?",
            "explains": "It will not be released. This cannot be undone.",
            "needs_reason": True,
            "danger": True,
        },
    )
    def cancel(self) -> None:
        """It will not be released."""


class Boarding(Workflow):
    """An application release's place on a train, asked for and given."""

    State = BoardingState
    lock_first = ("train", "release")

    train = models.ForeignKey(Train, models.PROTECT, related_name="boardings")
    release = models.ForeignKey(ApplicationRelease, models.PROTECT, related_name="boardings")
    requested_by = models.ForeignKey(
        User, models.PROTECT, null=True, editable=False, related_name="+"
    )
    postponed_from = models.ForeignKey(
        "self", models.SET_NULL, null=True, editable=False, related_name="postponed_to"
    )
    state = StateField(
        choices=State.choices, default=State.REQUESTED, protected=True, editable=False
    )

    objects = BoardingQuerySet.as_manager()

    class Meta:
        ordering = ["release__application__name", "pk"]
        constraints = [
            known_states(BoardingState, "boarding"),
            models.UniqueConstraint(
                fields=["release"],
                condition=models.Q(state__in=["requested", "aboard"]),
                name="one_live_place_a_release",
            ),
        ]
        indexes = [models.Index(fields=["train", "state"])]

    def __str__(self) -> str:
        return f"{self.release} on {self.train}"

    def get_absolute_url(self) -> str:
        return f"{self.train.tab_url('releases')}#boarding-{self.pk}"

    @property
    def is_live(self) -> bool:
        return self.state in {BoardingState.REQUESTED, BoardingState.ABOARD}

    @fsm.transition(
        state,
        source=State.REQUESTED,
        target=State.ABOARD,
        conditions=[
            rules.train_still_boards,
            rules.release_is_open,
            rules.its_scope_is_not_frozen,
        ],
        permission=rules.may_judge_boarding,
        custom={
            "label": "Accept",
            "primary": True,
            "also": ["trains.inheritance.give_train_milestones"],
        },
    )
    def accept(self) -> None:
        """It rides the train from now on."""

    @fsm.transition(
        state,
        source=State.REQUESTED,
        target=State.REJECTED,
        permission=rules.may_judge_boarding,
        custom={
            "label": "Reject",
            "question": "Reject {row}?",
            "explains": "Its product owner is told why, and may ask again.",
            "needs_reason": True,
            "danger": True,
        },
    )
    def reject(self) -> None:
        """Not taken aboard, with a reason."""

    @fsm.transition(
        state,
        source=[State.REQUESTED, State.ABOARD],
        target=State.LEFT,
        conditions=[rules.train_can_be_left, rules.nobody_leaves_in_a_freeze],
        permission=rules.may_leave,
        custom={
            "label": "Take off",
            "question": "Take {row} off?",
            "explains": "It may ask again, here or on another train.",
            "needs_reason": True,
            "danger": True,
        },
    )
    def leave(self) -> None:
        """It no longer rides the train."""

    @fsm.transition(
        state,
        source=[State.REQUESTED, State.ABOARD],
        target=State.LEFT,
        conditions=[rules.train_can_be_left, rules.nobody_leaves_in_a_freeze],
        permission=rules.may_leave,
        custom={
            "label": "Postpone",
            "question": "Postpone {row} to a later train?",
            "explains": "It leaves this train and asks to board the other one; its history goes "
            "with it.",
            "needs_reason": True,
            "form": "trains.forms.PostponeForm",
            "also": ["trains.services.board_later_train"],
        },
    )
    def postpone(self, train: Train) -> None:
        """It leaves this train and asks to board ``train``."""


class Dependency(Recorded):
    """``release`` needs ``needs``; together they form a graph without cycles."""

    release = models.ForeignKey(ApplicationRelease, models.CASCADE, related_name="dependencies")
    needs = models.ForeignKey(ApplicationRelease, models.PROTECT, related_name="dependents")
    kind = models.CharField(max_length=20, default="runtime")
    extra = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "dependencies"
        constraints = [
            models.UniqueConstraint(fields=["release", "needs", "kind"], name="dependency_once"),
            models.CheckConstraint(
                condition=~models.Q(release=models.F("needs")), name="no_dependency_on_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.release} needs {self.needs}"


class WorkItem(Imported, Recorded):
    """A business request, development task or defect in an application release or on a train."""

    State = WorkState
    lock_first = ("train", "release")

    train = models.ForeignKey(
        Train, models.CASCADE, null=True, blank=True, related_name="work_items"
    )
    release = models.ForeignKey(
        ApplicationRelease, models.CASCADE, null=True, blank=True, related_name="work_items"
    )
    kind = models.CharField(max_length=10, choices=WorkKind.choices, default=WorkKind.TASK)
    key = models.CharField("reference", max_length=200, blank=True)
    title = models.CharField(max_length=1000)
    url = models.URLField("link", max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=WorkState.choices, default=WorkState.PROPOSED)

    objects = WorkItemQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        permissions = [("edit_work", "Can add and change work items")]
        constraints = [
            known_states(WorkState, "workitem"),
            models.CheckConstraint(
                condition=models.Q(train__isnull=True) ^ models.Q(release__isnull=True),
                name="work_of_a_train_or_a_release",
            ),
        ]
        indexes = [models.Index(fields=["release", "state"])]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        holder = self.release or self.train
        assert holder is not None  # noqa: S101 -- the database's own constraint
        return f"{holder.tab_url('work')}#work-{self.pk}"

    @property
    def edit_url(self) -> str:
        return reverse("trains:work-edit", args=[self.pk])

    @property
    def remove_url(self) -> str:
        return reverse("trains:work-remove", args=[self.pk])

    @property
    def status(self) -> WorkState:
        return WorkState(self.state)
