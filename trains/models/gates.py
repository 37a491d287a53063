"""Where stages end: gates with their exit criteria."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_fsm as fsm
from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from releasemgr.workflow.fields import StateField
from releasemgr.workflow.models import Recorded, Workflow, known_states
from releasemgr.workflow.rules import robot_only
from trains import rules
from trains.models.trains import Train
from trains.querysets import CriterionQuerySet
from trains.states import (
    STAGES,
    CheckOutcome,
    CriterionStanding,
    CriterionState,
    GateStage,
    GateStatus,
)

if TYPE_CHECKING:
    import datetime as dt

    from trains.models.checks import Watch

User = settings.AUTH_USER_MODEL


class Gate(Recorded):
    """Where a stage ends: a date, and the criteria that must be met to pass."""

    train = models.ForeignKey(Train, models.CASCADE, related_name="gates")
    stage = models.CharField(max_length=12, choices=GateStage.choices)
    date = models.DateField(
        null=True, blank=True, help_text="Empty: the date on which the stage ends."
    )

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["train", "stage"], name="one_gate_a_stage")]

    def __str__(self) -> str:
        return f"{self.get_stage_display()} gate"

    @property
    def number(self) -> int:
        """Its stage's place among the four, from 0."""
        return list(GateStage.values).index(self.stage)

    @property
    def day(self) -> dt.date | None:
        """Its own date, else the day on which its stage ends."""
        train = self.train
        ends = [train.scoping_end, train.construction_end, train.qa_end]
        return self.date or ends[self.number]

    @property
    def is_ahead(self) -> bool:
        """Whether the train has not passed it, nor waits for the decision that passes it."""
        state = self.train.state
        return state in [states[0] for _, states in STAGES[: self.number + 1]] or state in [
            states[1] for _, states in STAGES[: self.number]
        ]

    @property
    def is_passed(self) -> bool:
        """Whether nothing of it matters any more: the next stage runs, or the train is over."""
        return bool(self.train.is_over or self.train.stage_number > self.number)

    @property
    def status(self) -> GateStatus:
        """From the train's state and the criteria, which should be prefetched."""
        criteria = list(self.criteria.all())
        stage = self.train.stage_number
        if stage > self.number:
            waived = any(c.state == CriterionState.WAIVED for c in criteria)
            return GateStatus.WAIVED if waived else GateStatus.PASSED
        if stage < self.number:
            return GateStatus.NOT_REACHED
        if self.train.state == STAGES[self.number][1][1]:
            return GateStatus.APPROVAL
        if all(c.is_settled for c in criteria):
            return GateStatus.READY
        return GateStatus.ASSESSING


class CriterionManager(models.Manager["Criterion"]):
    """Criteria come with what their checks know: how one stands cannot be said without."""

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("watch")


class Criterion(Workflow):
    """What must be true for a train to pass a gate; people say so with evidence, or a check does.

    ``state`` is what was said last. Whether that counts now, ``standing`` says.
    """

    State = CriterionState
    lock_first = ("gate.train",)

    gate = models.ForeignKey(Gate, models.CASCADE, related_name="criteria")
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    owner = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    own_due = models.DateField(
        "due", null=True, blank=True, help_text="Empty: the gate's date, and follows it."
    )
    environment = models.ForeignKey(
        "environments.Environment", models.PROTECT, null=True, blank=True, related_name="+"
    )
    evidence = models.TextField(blank=True, help_text="What shows it: a sentence, a figure.")
    evidence_url = models.URLField("link", max_length=500, blank=True)
    checked_by = models.CharField(
        max_length=30, blank=True, help_text="Which check says so; empty: people do."
    )
    parameters = models.JSONField(default=dict, blank=True)
    check_every = models.PositiveIntegerField("check every (minutes)", default=15)
    good_for = models.PositiveIntegerField(
        "an answer is good for (minutes)",
        default=60,
        help_text="An older one is stale and does not count.",
    )
    green_for = models.PositiveIntegerField(
        "must be true for (minutes)",
        default=0,
        help_text="0: once is enough.",
    )
    waived_until = models.DateField(null=True, blank=True, editable=False)
    state = StateField(choices=State.choices, default=State.OPEN, protected=True, editable=False)

    objects = CriterionManager.from_queryset(CriterionQuerySet)()

    class Meta:
        ordering = ["gate", "pk"]
        permissions = [
            ("decide_criterion", "Can decide any criterion"),
            ("waive_criterion", "Can waive criteria"),
        ]
        constraints = [known_states(CriterionState, "criterion")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return f"{self.gate.train.tab_url('gates')}#criterion-{self.pk}"

    @property
    def check_url(self) -> str:
        """The page of its check: what it asks, what it found, when it runs."""
        return reverse("trains:check", args=[self.pk])

    @property
    def due(self) -> dt.date | None:
        return self.own_due or self.gate.day

    @property
    def is_automatic(self) -> bool:
        return bool(self.checked_by)

    @property
    def known(self) -> Watch | None:
        """What its check found so far; nothing where it has none."""
        return getattr(self, "watch", None) if self.is_automatic else None

    @property
    def status(self) -> CriterionStanding:
        """What people see, now."""
        return self.standing(timezone.now())

    def standing(self, at: dt.datetime) -> CriterionStanding:
        """How it stands at a moment: a waiver may have run out, an answer be too old to count."""
        if self.state == CriterionState.WAIVED:
            is_over = self.waived_until is not None and timezone.localdate(at) > self.waived_until
            return CriterionStanding.EXPIRED if is_over else CriterionStanding.WAIVED
        if not self.is_automatic:
            return CriterionStanding(self.state)
        watch = self.known
        is_running = watch is not None and watch.lease_until is not None and watch.lease_until > at
        if watch is None or watch.fresh_until is None:
            return CriterionStanding.RUNNING if is_running else CriterionStanding.NOT_RUN
        if watch.fresh_until <= at:
            return CriterionStanding.RUNNING if is_running else CriterionStanding.STALE
        if watch.outcome == CheckOutcome.FAILED:
            return CriterionStanding.FAILED
        holds = watch.holds_at is not None and watch.holds_at <= at
        return (
            CriterionStanding.MET
            if holds and self.state == CriterionState.MET
            else CriterionStanding.HOLDING
        )

    @property
    def is_settled(self) -> bool:
        return self.settles(timezone.now())

    def settles(self, at: dt.datetime) -> bool:
        """Whether the gate can be passed with it at that moment."""
        return self.standing(at) in {CriterionStanding.MET, CriterionStanding.WAIVED}

    @fsm.transition(
        state,
        source=[State.OPEN, State.REJECTED],
        target=State.MET,
        conditions=[rules.gate_is_ahead, rules.people_decide_it],
        permission=rules.may_decide_criterion,
        custom={
            "label": "Mark met",
            "question": "Is it met? {row}",
            "primary": True,
            "form": "trains.forms.EvidenceForm",
        },
    )
    def meet(self, evidence: str = "", evidence_url: str = "") -> None:
        """It is true; the evidence says what shows it."""
        self.evidence, self.evidence_url = evidence, evidence_url

    @fsm.transition(
        state,
        source=[State.OPEN, State.MET],
        target=State.REJECTED,
        conditions=[rules.gate_is_ahead, rules.people_decide_it],
        permission=rules.may_decide_criterion,
        custom={"label": "Reject", "needs_reason": True, "danger": True},
    )
    def reject(self) -> None:
        """Found not to be true; the train cannot pass."""

    @fsm.transition(
        state,
        source=[State.OPEN, State.MET, State.REJECTED],
        target=State.WAIVED,
        conditions=[rules.gate_is_ahead, rules.a_waiver_is_granted],
        permission=rules.may_waive,
        custom={
            "label": "Waive",
            "question": "Pass without it? {row}",
            "explains": "The waiver, its reason and your name are shown to every later approver.",
            "needs_reason": True,
        },
    )
    def waive(self, until: dt.date | None = None) -> None:
        """Not needed, for a reason, until a day; the waiver that was granted says both."""
        self.waived_until = until

    @fsm.transition(
        state,
        source=[State.MET, State.REJECTED, State.WAIVED],
        target=State.OPEN,
        conditions=[rules.gate_is_ahead],
        permission=rules.may_decide_criterion,
        custom={
            "label": "Open again",
            "needs_reason": True,
            "also": ["trains.waivers.end_waiver", "trains.rounds.begin_anew"],
        },
    )
    def reopen(self) -> None:
        """It has to be decided again."""
        self.waived_until = None

    @fsm.transition(
        state,
        source=State.WAIVED,
        target=State.OPEN,
        conditions=[rules.gate_is_not_passed],
        permission=robot_only,
        custom={"label": "Waiver ended"},
    )
    def lapse(self) -> None:
        """Its waiver has run out, or was taken back."""
        self.waived_until = None

    @fsm.transition(
        state,
        source=[State.OPEN, State.REJECTED],
        target=State.MET,
        conditions=[rules.gate_is_not_passed, rules.its_check_decides_it],
        permission=robot_only,
        custom={"label": "Found true"},
    )
    def pass_check(self, evidence: str = "") -> None:
        """Its check says that it is true, and has said so for long enough."""
        self.evidence = evidence

    @fsm.transition(
        state,
        source=State.MET,
        target=State.OPEN,
        conditions=[rules.gate_is_not_passed, rules.its_check_decides_it],
        permission=robot_only,
        custom={"label": "Found not true any more"},
    )
    def fail_check(self, evidence: str = "") -> None:
        """Its check says that it is not true any more."""
        self.evidence = evidence
