"""What new trains are made from: calendars, templates with their versions, and cadences."""

from __future__ import annotations

import calendar as months
import datetime as dt
from typing import TYPE_CHECKING

import django_fsm as fsm
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone

from releasemgr.workflow.fields import StateField
from releasemgr.workflow.models import Recorded, RecordedQuerySet, Workflow, known_states
from trains import rules
from trains.models.catalogue import ReleaseType
from trains.outline import Outline
from trains.planning_querysets import CadenceQuerySet, TemplateQuerySet
from trains.states import CadenceState
from trains.workdays import WEEK, Workdays

if TYPE_CHECKING:
    from collections.abc import Iterator

User = settings.AUTH_USER_MODEL
DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = 12
#: No cadence looks further ahead for a start than this many turns at once.
MOST_TURNS = 1000


class Calendar(Recorded):
    """The days on which people work; administrators keep them, trains are planned by one."""

    name = models.CharField(max_length=100, unique=True)
    monday = models.BooleanField(default=True)
    tuesday = models.BooleanField(default=True)
    wednesday = models.BooleanField(default=True)
    thursday = models.BooleanField(default=True)
    friday = models.BooleanField(default=True)
    saturday = models.BooleanField(default=False)
    sunday = models.BooleanField(default=False)
    is_default = models.BooleanField("proposed for new trains", default=False)

    objects = RecordedQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=models.Q(is_default=True),
                name="one_calendar_is_proposed",
                violation_error_message="Another calendar is proposed for new trains already.",
            ),
            models.CheckConstraint(
                condition=models.Q(monday=True)
                | models.Q(tuesday=True)
                | models.Q(wednesday=True)
                | models.Q(thursday=True)
                | models.Q(friday=True)
                | models.Q(saturday=True)
                | models.Q(sunday=True),
                name="calendar_has_a_working_day",
                violation_error_message="Choose at least one day on which people work.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def workdays(self) -> Workdays:
        """Its days for counting; reads its holidays."""
        weekdays = frozenset(n for n, name in enumerate(DAY_NAMES) if getattr(self, name))
        return Workdays(weekdays, frozenset(holiday.day for holiday in self.holidays.all()))


class Holiday(Recorded):
    """A day of a calendar on which nobody works, whatever weekday it is."""

    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="holidays")
    day = models.DateField()
    name = models.CharField(max_length=100)

    class Meta:
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(fields=["calendar", "day"], name="holiday_named_once")
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.day:%-d %B %Y}"


class Template(Recorded):
    """What trains of one kind begin with; its versions say it, and the latest is offered."""

    name = models.CharField(max_length=100, unique=True)
    description = models.CharField(max_length=300, blank=True)
    release_type = models.ForeignKey(ReleaseType, models.PROTECT, related_name="templates")
    is_standard = models.BooleanField(
        "standard of its type",
        default=False,
        help_text="A new train of this release type begins with it unless another is chosen.",
    )
    is_active = models.BooleanField("offered for new trains", default=True)

    objects = TemplateQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["release_type"],
                condition=models.Q(is_standard=True),
                name="one_standard_template_a_type",
                violation_error_message="This release type has a standard template already.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("trains:template", args=[self.pk])

    @property
    def latest(self) -> TemplateVersion:
        """Its newest version, from what is prefetched."""
        return max(self.versions.all(), key=lambda version: version.number)


class TemplateVersion(Recorded):
    """A template as it was at one time. It never changes: trains say which one they began with."""

    template = models.ForeignKey(Template, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    content = models.JSONField(default=dict)
    made_from = models.ForeignKey(
        "trains.Train", models.PROTECT, null=True, blank=True, related_name="+"
    )
    made_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["template", "number"], name="template_version_numbered_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.template}, version {self.number}"

    @property
    def outline(self) -> Outline:
        return Outline.from_json(self.content)


class Cadence(Workflow):
    """Makes the next train by itself, so many days before it starts, from a template."""

    State = CadenceState

    class Unit(models.TextChoices):
        WEEKS = "weeks", "weeks"
        MONTHS = "months", "months"

    name = models.CharField(max_length=100, unique=True)
    template = models.ForeignKey(Template, models.PROTECT, related_name="cadences")
    manager = models.ForeignKey(
        User, models.PROTECT, related_name="+", verbose_name="release manager"
    )
    calendar = models.ForeignKey(Calendar, models.PROTECT, null=True, blank=True, related_name="+")
    train_name = models.CharField(
        "name of each train",
        max_length=150,
        help_text="{number}, {year}, {month} and {quarter} are replaced: “Portal {year}.{number}”.",
    )
    first_start = models.DateField(
        "first start",
        help_text="Of number 1; the others follow. A day off gives way to the next working day.",
    )
    every = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(104)]
    )
    unit = models.CharField(max_length=6, choices=Unit.choices, default=Unit.MONTHS)
    days_ahead = models.PositiveSmallIntegerField(
        "made so many days ahead",
        default=30,
        validators=[MaxValueValidator(730)],
        help_text="How long before its start each train is made.",
    )
    next_number = models.PositiveIntegerField(default=1, editable=False)
    problem = models.CharField(max_length=300, blank=True, editable=False)
    state = StateField(choices=State.choices, default=State.ACTIVE, protected=True, editable=False)

    objects = CadenceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            known_states(CadenceState, "cadence"),
            models.CheckConstraint(condition=models.Q(every__gte=1), name="cadence_goes_on"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("trains:cadence", args=[self.pk])

    @property
    def workdays(self) -> Workdays:
        return self.calendar.workdays if self.calendar else Workdays()

    def start_of(self, number: int) -> dt.date:
        """The day on which the train of this number starts, by rule; the first has number 1."""
        turns = (number - 1) * self.every
        if self.unit == self.Unit.WEEKS:
            return self.first_start + dt.timedelta(days=WEEK * turns)
        month = self.first_start.month - 1 + turns
        year, month = self.first_start.year + month // MONTHS, month % MONTHS + 1
        last = months.monthrange(year, month)[1]
        return dt.date(year, month, min(self.first_start.day, last))

    def coming(self, today: dt.date) -> Iterator[tuple[int, dt.date]]:
        """The trains that are still to be made, first first: their numbers and starts.

        Those whose start has passed, as after a pause, are left out: they are not made late.
        """
        workdays = self.workdays
        for number in range(self.next_number, self.next_number + MOST_TURNS):
            start = workdays.forward(self.start_of(number))
            if start >= today:
                yield number, start

    def name_of(self, number: int, start: dt.date) -> str:
        """What the train of this number is called."""
        words = {
            "{number}": number,
            "{year}": start.year,
            "{month}": f"{start.month:02}",
            "{quarter}": (start.month + 2) // 3,
        }
        name = self.train_name
        for word, value in words.items():
            name = name.replace(word, str(value))
        return name

    def clean(self) -> None:
        """Two trains of one cadence should not be called the same."""
        if not any(word in self.train_name for word in ("{number}", "{month}", "{quarter}")):
            raise ValidationError(
                {"train_name": "Every train would be called this. Put {number} somewhere in it."}
            )

    @fsm.transition(
        state,
        source=State.ACTIVE,
        target=State.PAUSED,
        permission=rules.may_advance,
        custom={"label": "Pause", "needs_reason": True},
    )
    def pause(self) -> None:
        """No train is made until it is resumed."""

    @fsm.transition(
        state,
        source=State.PAUSED,
        target=State.ACTIVE,
        conditions=[rules.its_template_is_offered],
        permission=rules.may_steer,
        custom={
            "label": "Resume",
            "primary": True,
            "explains": "Trains whose start has passed meanwhile are not made.",
            "confirm": True,
        },
    )
    def resume(self) -> None:
        """Trains are made again, each in its time."""
        self.problem = ""

    @fsm.transition(
        state,
        source=[State.ACTIVE, State.PAUSED],
        target=State.ENDED,
        permission=rules.may_steer,
        custom={
            "label": "End",
            "explains": "No more trains are made; those that were made stay. It cannot be undone.",
            "needs_reason": True,
            "danger": True,
        },
    )
    def end(self) -> None:
        """No more trains."""


class CadenceTrain(Recorded):
    """A train that a cadence made, as which of its turns; the database lets each be made once."""

    cadence = models.ForeignKey(Cadence, models.PROTECT, related_name="turns")
    number = models.PositiveIntegerField()
    train = models.OneToOneField("trains.Train", models.CASCADE, related_name="turn")

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["cadence", "number"], name="cadence_makes_each_train_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.cadence}, {self.number}"
