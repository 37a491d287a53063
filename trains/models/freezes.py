"""Freezes: periods in which nothing is deployed somewhere, or a train carries what it carries."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import django_fsm as fsm
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils.formats import date_format

from releasemgr.accounts.models import check_time_zone
from releasemgr.ui.times import local
from releasemgr.workflow.fields import StateField
from releasemgr.workflow.imported import Imported
from releasemgr.workflow.models import Workflow, known_states
from trains import rules
from trains.freeze_querysets import FreezeQuerySet
from trains.models.catalogue import Application, Team
from trains.models.milestones import Milestone
from trains.models.trains import Train
from trains.occurrences import LONGEST, Recurring
from trains.states import FreezeScope, FreezeState, FreezeStops, Recurrence

if TYPE_CHECKING:
    from environments.models import Environment
    from trains.occurrences import Occurrence

#: Which column says what a scope is about.
TARGETS = {
    FreezeScope.KIND: "kind",
    FreezeScope.ENVIRONMENT: "environment",
    FreezeScope.APPLICATION: "application",
    FreezeScope.TRAIN: "train",
}


def _names_its_target() -> models.Q:
    """Exactly the target that the scope is about is named; a team besides only with a train."""
    found = models.Q()
    for scope in FreezeScope:
        named = models.Q(scope=scope)
        for other, column in TARGETS.items():
            unset = models.Q(kind="") if column == "kind" else models.Q(**{f"{column}": None})
            named &= ~unset if other == scope else unset
        found |= named if scope == FreezeScope.TRAIN else named & models.Q(team=None)
    return found


class Freeze(Imported, Workflow):
    """A period, or one that recurs, in which deployments or scope changes stop somewhere.

    It begins and ends at moments; the named zone says what its clock shows when it comes again.
    Without an end it lasts until it is lifted. One that has a milestone begins with its day, and
    moves with it.
    """

    State = FreezeState
    Scope = FreezeScope
    Stops = FreezeStops
    Recurrence = Recurrence

    name = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    scope = models.CharField(max_length=12, choices=FreezeScope.choices, default=FreezeScope.ALL)
    kind = models.CharField("kind of environment", max_length=60, blank=True, default="")
    environment = models.ForeignKey(
        "environments.Environment", models.CASCADE, null=True, blank=True, related_name="freezes"
    )
    application = models.ForeignKey(
        Application, models.CASCADE, null=True, blank=True, related_name="freezes"
    )
    train = models.ForeignKey(Train, models.CASCADE, null=True, blank=True, related_name="freezes")
    team = models.ForeignKey(
        Team,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="freezes",
        help_text="Of a train: then it counts for the applications of this team alone.",
    )
    stops = models.CharField(
        max_length=12, choices=FreezeStops.choices, default=FreezeStops.DEPLOYMENTS
    )
    begins = models.DateTimeField()
    ends = models.DateTimeField(
        null=True, blank=True, help_text="Empty: it lasts until somebody lifts it."
    )
    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_time_zone])
    recurrence = models.CharField(
        "comes again", max_length=8, choices=Recurrence.choices, default=Recurrence.NONE
    )
    recurs_until = models.DateTimeField(
        "comes again until", null=True, blank=True, help_text="From then on it is over."
    )
    milestone = models.ForeignKey(
        Milestone,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="freezes",
        help_text="Of the train: it begins with the milestone's day, and moves with it.",
    )
    state = StateField(
        choices=State.choices, default=State.IN_FORCE, protected=True, editable=False
    )

    objects = FreezeQuerySet.as_manager()

    class Meta:
        ordering = ["-begins", "-pk"]
        permissions = [("manage_freeze", "Can declare, change and lift freezes")]
        constraints = [
            *Imported.Meta.constraints,
            known_states(FreezeState, "freeze"),
            models.CheckConstraint(
                condition=models.Q(ends=None) | models.Q(ends__gt=models.F("begins")),
                name="freeze_ends_after_it_begins",
                violation_error_message="The end must be after the begin.",
            ),
            models.CheckConstraint(
                condition=_names_its_target(),
                name="freeze_names_its_target",
                violation_error_message="Name what the freeze is about, and nothing else.",
            ),
            models.CheckConstraint(
                condition=models.Q(stops="deployments") | models.Q(stops="scope", scope="train"),
                name="freeze_of_scope_is_of_a_train",
                violation_error_message="Only of a train can scope changes be stopped.",
            ),
            models.CheckConstraint(
                condition=models.Q(recurrence="none", recurs_until=None)
                | (
                    ~models.Q(recurrence="none")
                    & ~models.Q(ends=None)
                    & (models.Q(recurs_until=None) | models.Q(recurs_until__gt=models.F("begins")))
                ),
                name="freeze_that_recurs_has_a_length",
                violation_error_message="What comes again needs an end, and a later last day.",
            ),
        ]
        indexes = [models.Index(fields=["state", "begins"], name="freezes_by_begin")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("trains:freeze", args=[self.pk])

    @property
    def edit_url(self) -> str:
        return reverse("trains:freeze-edit", args=[self.pk])

    @property
    def ref(self) -> str:
        return f"FR-{self.pk}"

    @property
    def zone(self) -> ZoneInfo:
        """Its zone; UTC where the name is known no longer."""
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")

    @property
    def recurs(self) -> bool:
        return self.recurrence != Recurrence.NONE

    @property
    def periods(self) -> Recurring:
        """Its periods, for questions of time."""
        every = self.recurrence if self.recurs else ""
        return Recurring(self.begins, self.ends, self.zone, every, self.recurs_until)

    def occurrence_at(self, at: dt.datetime) -> Occurrence | None:
        """Its period at that moment, whether or not it has been lifted."""
        return self.periods.at(at)

    def occurrence_within(self, starts: dt.datetime, ends: dt.datetime) -> Occurrence | None:
        """Its first period that shares an instant with ``[starts, ends)``."""
        return self.periods.within(starts, ends)

    @property
    def is_in_force(self) -> bool:
        return bool(self.state == FreezeState.IN_FORCE)

    @property
    def target(self) -> Any:
        """What it is about; None where that is everything."""
        column = TARGETS.get(FreezeScope(self.scope))
        return getattr(self, column) if column else None

    def counts_in(self, environment: Environment) -> bool:
        """Whether it counts in the environment, whatever is deployed there."""
        return self.scope == FreezeScope.ALL or (
            self.kind == environment.kind
            if self.scope == FreezeScope.KIND
            else self.environment_id == environment.pk
        )

    @property
    def where_words(self) -> str:
        """What it is about: "Everything", "kind production", "Hibiscus, team Payments"."""
        if self.scope == FreezeScope.ALL:
            return "Everything"
        if self.scope == FreezeScope.KIND:
            return f"Environments of kind “{self.kind}”"
        return f"{self.target}, team {self.team}" if self.team_id else str(self.target)

    @property
    def period_words(self) -> str:
        """Its first period, and how it comes again, in the reader's time zone."""
        words = period_in_words(self.begins, self.ends)
        if not self.recurs:
            return words
        again = f"{words}, then {self.get_recurrence_display().lower()} ({self.time_zone})"
        return f"{again}, until {_moment(self.recurs_until)}" if self.recurs_until else again

    def clean(self) -> None:
        """Refuse what no clock can mean."""
        problems = self._problems_of_time()
        if self.milestone is not None:
            if self.train_id is None or self.milestone.train_id != self.train_id:
                problems["milestone"] = "Choose a milestone of the train that it is about."
            elif self.recurs:
                problems["milestone"] = "One that begins with a milestone does not come again."
        if self.stops == FreezeStops.SCOPE and self.scope != FreezeScope.TRAIN:
            problems["stops"] = "Only of a train can scope changes be stopped."
        if problems:
            raise ValidationError(problems)

    def _problems_of_time(self) -> dict[str, str]:
        """By field, what is wrong with its periods."""
        problems = {}
        if self.recurs_until and not self.recurs:
            problems["recurs_until"] = "This is for a freeze that comes again."
        begins: dt.datetime | None = self.begins  # a form leaves it out
        if begins is None:
            return problems
        if self.ends and self.ends <= begins:
            problems["ends"] = "The end must be after the begin."
        elif self.recurs and self.ends is None:
            problems["ends"] = "Say when it ends: only then can it come again."
        elif self.recurs and self.ends and self.ends - begins > LONGEST[self.recurrence]:
            days = LONGEST[self.recurrence].days
            problems["ends"] = f"One that comes again so often lasts {days} days at most."
        if self.recurs and self.recurs_until and self.recurs_until <= begins:
            problems["recurs_until"] = "This must be after the first begin."
        return problems

    def begin_of(self, day: dt.date) -> dt.datetime:
        """The begin of a day on its clock."""
        return dt.datetime.combine(day, dt.time(), self.zone).astimezone(dt.UTC)

    @fsm.transition(
        state,
        source=State.IN_FORCE,
        target=State.LIFTED,
        permission=rules.may_lift_freeze,
        custom={
            "label": "Lift",
            "question": "Lift {row}?",
            "explains": "It stops nothing any more; what waits goes on, in order. It cannot be put "
            "in force again: declare another one.",
            "needs_reason": True,
            "danger": True,
        },
    )
    def lift(self) -> None:
        """It stops nothing any more."""


def period_in_words(begins: dt.datetime, ends: dt.datetime | None) -> str:
    """A period in the reader's time zone."""
    if ends is None:
        return f"{_moment(begins)} until it is lifted"
    return f"{_moment(begins)} to {_moment(ends)}"


def _moment(moment: dt.datetime) -> str:
    return date_format(local(moment), "j F Y, H:i")
