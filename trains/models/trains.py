"""Release trains, their crew and their reservations."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import django_fsm as fsm
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils import timezone

from releasemgr.workflow.fields import InStateField, StateField
from releasemgr.workflow.imported import Imported
from releasemgr.workflow.models import Recorded, Workflow, known_states
from trains import journey, rules
from trains.contents import content_of
from trains.models.catalogue import ReleaseType
from trains.models.planning import Calendar, TemplateVersion
from trains.querysets import TrainQuerySet
from trains.states import OVER, STAGES, Health, TrainState
from trains.workdays import EVERY_DAY

if TYPE_CHECKING:
    import datetime as dt

    from releasemgr.workflow.models import StepView
    from trains.workdays import Workdays

User = settings.AUTH_USER_MODEL


class Train(Imported, Workflow):
    """A dated collection of application releases that go to production together."""

    State = TrainState
    untold = Workflow.untold | {"is_past"}
    lock_first = ("train_signoff", "development_signoff", "executive_signoff")

    name = models.CharField(max_length=200)
    version_name = models.CharField("version", max_length=100, blank=True)
    purpose = models.TextField(blank=True)
    release_type = models.ForeignKey(ReleaseType, models.PROTECT, related_name="trains")
    manager = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="managed_trains",
        verbose_name="release manager",
    )
    engineers: models.ManyToManyField[Any, Any] = models.ManyToManyField(
        User, through="TrainEngineer", blank=True, related_name="engineered_trains"
    )
    followers: models.ManyToManyField[Any, Any] = models.ManyToManyField(
        User, blank=True, related_name="followed_trains"
    )
    start = models.DateField("start", null=True, blank=True)
    scoping_end = models.DateField("scoping complete", null=True, blank=True)
    construction_end = models.DateField("construction complete", null=True, blank=True)
    qa_end = models.DateField("QA complete", null=True, blank=True)
    end = models.DateField("end", null=True, blank=True)
    needs_train_approval = models.BooleanField("train approval", default=True)
    needs_development_approval = models.BooleanField("development approval", default=True)
    needs_executive_approval = models.BooleanField("executive approval", default=True)
    train_signoff = models.OneToOneField(
        "approvals.Signoff", models.PROTECT, null=True, editable=False, related_name="+"
    )
    development_signoff = models.OneToOneField(
        "approvals.Signoff", models.PROTECT, null=True, editable=False, related_name="+"
    )
    executive_signoff = models.OneToOneField(
        "approvals.Signoff", models.PROTECT, null=True, editable=False, related_name="+"
    )
    calendar = models.ForeignKey(
        Calendar,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="trains",
        help_text="Which days are working days. Without one, all are.",
    )
    template = models.ForeignKey(
        TemplateVersion,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="trains",
        help_text="What it began with, as that was then.",
    )
    copied_from = models.ForeignKey(
        "self", models.SET_NULL, null=True, editable=False, related_name="copies"
    )
    consent_by = models.ForeignKey(
        User, models.PROTECT, null=True, editable=False, related_name="+"
    )
    consent_at = models.DateTimeField(null=True, editable=False)
    health_override = models.CharField(
        "status colour", max_length=10, choices=Health.choices, blank=True, default=""
    )
    health_note = models.CharField("note", max_length=300, blank=True)
    health_until = models.DateField(
        "until",
        null=True,
        blank=True,
        help_text="The last day on which it counts; then the computed status is shown again.",
    )
    source_status = models.CharField(max_length=60, blank=True, editable=False)
    state = StateField(choices=State.choices, default=State.SCOPING, protected=True, editable=False)

    is_past = InStateField(states=OVER)

    objects = TrainQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        permissions = [
            ("steer_train", "Can plan and steer trains"),
            ("consent_train", "Can consent to production"),
            ("close_train", "Can close trains"),
        ]
        constraints = [*Imported.Meta.constraints, known_states(TrainState, "train")]
        indexes = [
            models.Index(fields=["state", "end"]),
            models.Index(fields=["manager", "state"]),
            # Each order and each filter of the list, so that it costs the same after ten years.
            models.Index(fields=["is_past", "end", "id"], name="trains_by_end"),
            models.Index(fields=["is_past", "name", "id"], name="trains_by_name"),
            models.Index(fields=["is_past", "state", "end", "id"], name="trains_by_stage"),
            models.Index(fields=["manager", "is_past", "end", "id"], name="trains_of_manager"),
            models.Index(fields=["release_type", "is_past", "end", "id"], name="trains_of_type"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("trains:detail", args=[self.pk])

    def tab_url(self, tab: str) -> str:
        """One of the train's tabs: releases, turnovers, gates, approvals, …"""
        return reverse("trains:tab", args=[self.pk, tab])

    @property
    def versions_url(self) -> str:
        """The versions of its plan."""
        return reverse("trains:versions", args=[self.pk])

    @property
    def edit_url(self) -> str:
        return reverse("trains:edit", args=[self.pk])

    @property
    def ref(self) -> str:
        return f"RT-{self.pk}"

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    @property
    def stage_number(self) -> int:
        """Which of the four stages it is in, from 0; 4 when closed, -1 when cancelled."""
        for number, (_, states) in enumerate(STAGES):
            if self.state in states:
                return number
        return 4 if self.state == TrainState.CLOSED else -1

    @property
    def workdays(self) -> Workdays:
        """The days that count for it; without a calendar all do."""
        return self.calendar.workdays if self.calendar else EVERY_DAY

    @property
    def next_step(self) -> str:
        return journey.next_step(self)

    def towards(self, step: StepView) -> str:
        return journey.destination(self)

    @property
    def needed_dates(self) -> list[tuple[str, dt.date | None]]:
        """The dates that the schedule asks for, in their order; an emergency asks for two."""
        dates = [
            ("Start", self.start),
            ("Scoping complete", self.scoping_end),
            ("Construction complete", self.construction_end),
            ("QA complete", self.qa_end),
            ("End", self.end),
        ]
        if self.release_type.is_emergency:
            return [pair for pair in dates if pair[0] in {"Start", "End"} or pair[1] is not None]
        return dates

    @property
    def signoffs(self) -> list[tuple[str, Any]]:
        """Which approval, and its sheet or None, in the order they come."""
        return [
            ("train", self.train_signoff),
            ("development", self.development_signoff),
            ("executive", self.executive_signoff),
        ]

    def content_for(self, which: str, sheet: Any = None) -> dict[str, Any]:
        """What the approval ``which`` is bound to now, as its sheet says which parts count."""
        sheet = sheet if sheet is not None else getattr(self, f"{which}_signoff")
        if sheet is None:
            return content_of(self, which)
        return content_of(self, which, sheet.parts, sheet.requested_at)

    def clean(self) -> None:
        """Dates that are there must not run backwards."""
        pairs = [
            ("start", self.start),
            ("scoping_end", self.scoping_end),
            ("construction_end", self.construction_end),
            ("qa_end", self.qa_end),
            ("end", self.end),
        ]
        known = [(name, date) for name, date in pairs if date is not None]
        errors = {}
        for (before, first), (after, second) in pairwise(known):
            if second < first:
                label = self._meta.get_field(before).verbose_name  # type: ignore[union-attr]
                errors[after] = (
                    f"This is before “{str(label).capitalize()}” ({first:%-d %B %Y}). "
                    f"The earliest good date is that day."
                )
        if errors:
            raise ValidationError(errors)

    # --- Steps ------------------------------------------------------------------------------------

    @fsm.transition(
        state,
        source=State.SCOPING,
        target=State.AWAITING_TRAIN,
        conditions=[
            rules.it_is_not_held,
            rules.it_has_a_manager,
            rules.schedule_is_in_order,
            rules.scoping_criteria_are_met,
            rules.train_approval_is_defined,
        ],
        permission=rules.may_steer,
        custom={
            "label": "Request train approval",
            "primary": True,
            "also": ["trains.services.ask_for_train_approval"],
        },
    )
    def request_train_approval(self) -> None:
        """Scoping is done; the first level of the train approval is asked."""

    @fsm.transition(
        state,
        source=[State.SCOPING, State.AWAITING_TRAIN],
        target=State.CONSTRUCTION,
        conditions=[
            rules.it_is_not_held,
            rules.it_has_a_manager,
            rules.schedule_is_in_order,
            rules.scoping_criteria_are_met,
            rules.train_approval_is_given,
        ],
        permission=rules.may_advance,
        custom={
            "label": "Start construction",
            "primary": True,
            "also": ["trains.inheritance.copy_flagged_milestones"],
        },
    )
    def start_construction(self) -> None:
        """Flagged milestones are copied to every application release."""

    @fsm.transition(
        state,
        source=State.CONSTRUCTION,
        target=State.AWAITING_DEVELOPMENT,
        conditions=[
            rules.it_is_not_held,
            rules.somebody_is_aboard,
            rules.nobody_waits_to_board,
            rules.all_are_construction_complete,
            rules.construction_criteria_are_met,
            rules.development_approval_is_defined,
        ],
        permission=rules.may_steer,
        custom={
            "label": "Request development approval",
            "primary": True,
            "also": ["trains.services.ask_for_development_approval"],
        },
    )
    def request_development_approval(self) -> None:
        """Construction is done; the development approval is asked."""

    @fsm.transition(
        state,
        source=[State.CONSTRUCTION, State.AWAITING_DEVELOPMENT],
        target=State.VERIFICATION,
        conditions=[
            rules.it_is_not_held,
            rules.somebody_is_aboard,
            rules.nobody_waits_to_board,
            rules.all_are_construction_complete,
            rules.construction_criteria_are_met,
            rules.development_approval_is_given,
        ],
        permission=rules.may_advance,
        custom={"label": "Start verification", "primary": True},
    )
    def start_verification(self) -> None:
        """Tests begin; an earlier consent was for another state of things."""
        self.consent_by = None
        self.consent_at = None

    @fsm.transition(
        state,
        source=State.VERIFICATION,
        target=State.VERIFICATION,
        conditions=[rules.it_is_not_held],
        permission=rules.may_consent,
        custom={
            "label": "Give consent",
            "question": "Consent to {row} going to production?",
            "explains": "You say, as release engineer, that it can go to production. Your name "
            "is shown to the executives.",
            "confirm": True,
            "said": "Your consent to {row} is on record.",
        },
    )
    def give_consent(self) -> None:
        """The release engineer says it can go to production."""
        self.consent_by = self._history_user
        self.consent_at = timezone.now()

    @fsm.transition(
        state,
        source=State.VERIFICATION,
        target=State.AWAITING_EXECUTIVE,
        conditions=[
            rules.it_is_not_held,
            rules.qa_criteria_are_met,
            rules.engineer_has_consented,
            rules.executive_approval_is_defined,
        ],
        permission=rules.may_steer,
        custom={
            "label": "Request executive approval",
            "primary": True,
            "also": ["trains.services.ask_for_executive_approval"],
        },
    )
    def request_executive_approval(self) -> None:
        """Tests are done; the executive approval is asked."""

    @fsm.transition(
        state,
        source=[State.VERIFICATION, State.AWAITING_EXECUTIVE],
        target=State.DEPLOYMENT,
        conditions=[
            rules.it_is_not_held,
            rules.qa_criteria_are_met,
            rules.engineer_has_consented,
            rules.executive_approval_is_given,
        ],
        permission=rules.may_advance,
        custom={"label": "Start deployment", "primary": True},
    )
    def start_deployment(self) -> None:
        """It may go to production from now on."""

    _HAND_BACK: dict[str, Any] = {
        "question": "Return {row}?",
        "explains": "The train goes back to the stage before, and the approval asked for at this "
        "gate becomes void. Product owners can read why.",
        "needs_reason": True,
        "danger": True,
        "also": ["trains.services.void_open_approval"],
    }

    @fsm.transition(
        state,
        source=State.AWAITING_TRAIN,
        target=State.SCOPING,
        permission=rules.may_advance,
        custom={**_HAND_BACK, "label": "Return to Scoping"},
    )
    @fsm.transition(
        state,
        source=State.AWAITING_DEVELOPMENT,
        target=State.CONSTRUCTION,
        permission=rules.may_advance,
        custom={**_HAND_BACK, "label": "Return to Construction"},
    )
    @fsm.transition(
        state,
        source=State.AWAITING_EXECUTIVE,
        target=State.VERIFICATION,
        permission=rules.may_advance,
        custom={**_HAND_BACK, "label": "Return to Verification"},
    )
    def hand_back(self) -> None:
        """Back to the stage before; approvals of this gate are void."""

    @fsm.transition(
        state,
        source=State.DEPLOYMENT,
        target=State.CLOSED,
        conditions=[rules.it_is_not_held, rules.nothing_is_left_to_do],
        permission=rules.may_close,
        custom={
            "label": "Close train",
            "question": "Close {row}?",
            "explains": "It becomes read-only, its reservations are released and its application "
            "releases are closed. A closed train cannot be opened again.",
            "primary": True,
            "confirm": True,
            "also": [
                "trains.freezes.end_with_train",
                "trains.services.release_reservations",
                "trains.services.close_releases",
            ],
        },
    )
    def close(self) -> None:
        """Verified in production; read-only from now on."""

    @fsm.transition(
        state,
        source=[
            State.SCOPING,
            State.AWAITING_TRAIN,
            State.CONSTRUCTION,
            State.AWAITING_DEVELOPMENT,
            State.VERIFICATION,
            State.AWAITING_EXECUTIVE,
            State.DEPLOYMENT,
        ],
        target=State.CANCELLED,
        conditions=[rules.nothing_is_deploying],
        permission=rules.may_steer,
        custom={
            "label": "Cancel train",
            "question": "Cancel {row}?",
            "explains": "Its reservations and scheduled turnovers are released and its application "
            "releases are free to board another train. This cannot be undone.",
            "needs_reason": True,
            "danger": True,
            "also": [
                "trains.freezes.end_with_train",
                "trains.services.void_open_approval",
                "trains.services.release_reservations",
                "trains.services.free_releases",
            ],
        },
    )
    def cancel(self) -> None:
        """Stopped for good, with a reason."""


class TrainEngineer(Recorded):
    """A release engineer who works on a train."""

    train = models.ForeignKey(Train, models.CASCADE, related_name="crew")
    person = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["train", "person"], name="engineer_named_once")
        ]

    def __str__(self) -> str:
        return f"{self.person} on {self.train}"


class Reservation(Recorded):
    """An environment held for a train; owns the booking that holds it."""

    train = models.ForeignKey(Train, models.CASCADE, related_name="reservations")
    booking = models.OneToOneField("environments.Booking", models.PROTECT, related_name="+")

    class Meta:
        ordering = ["booking__starts", "pk"]

    def __str__(self) -> str:
        return str(self.booking)
