"""Where software runs, and who holds it when."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import django_fsm as fsm
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import IntegrityError, models
from django.urls import reverse
from django.utils.formats import date_format

from environments import rules
from environments.querysets import BookingQuerySet, EnvironmentQuerySet
from releasemgr.ui.times import local
from releasemgr.workflow.fields import StateField
from releasemgr.workflow.imported import Imported
from releasemgr.workflow.models import Workflow, known_states
from releasemgr.workflow.refusals import TransitionRefused
from releasemgr.workflow.rules import Blocker
from releasemgr.workflow.states import Status

if TYPE_CHECKING:
    from datetime import datetime

#: PostgreSQL's code for a row that an exclusion constraint refuses.
EXCLUSION_VIOLATION = "23P01"


class EnvironmentState(Status):
    """Whether an environment can be used."""

    COMMISSIONED = "commissioned", "mute", "draft", "Known, not yet usable", "Commissioned"
    ONLINE = "online", "ok", "done", "Can be booked and deployed to", "Online"
    OFFLINE = "offline", "warn", "hold", "Out of use for a while", "Offline"
    DECOMMISSIONED = "decommissioned", "mute", "cancel", "Gone for good", "Decommissioned"


class Environment(Imported, Workflow):
    """A set of resources that turnovers are deployed to, owned by a release engineer."""

    State = EnvironmentState

    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=60, help_text="Such as test, staging or production.")
    description = models.TextField(blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    owner_name = models.CharField(
        "owner outside",
        max_length=200,
        blank=True,
        help_text="Where the owner has no account here.",
    )
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children"
    )
    is_production = models.BooleanField("production", default=False)
    most_deployments = models.PositiveSmallIntegerField(
        "deployments at once",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text="How many turnovers may deploy here at the same time; the others queue.",
    )
    is_restricted = models.BooleanField(
        "restricted",
        default=False,
        help_text="Bookings need a confirmation; only release managers promote into it.",
    )
    position = models.PositiveIntegerField(
        "order", default=0, help_text="The order of promotion; lowest first."
    )
    host = models.CharField(max_length=300, blank=True)
    services = models.JSONField(default=list, blank=True, editable=False)
    state = StateField(
        choices=State.choices, default=State.COMMISSIONED, protected=True, editable=False
    )

    objects = EnvironmentQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name", "pk"]
        permissions = [("manage_environment", "Can add, change and place environments online")]
        constraints = [
            *Imported.Meta.constraints,
            known_states(EnvironmentState, "environment"),
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(external_id=""),
                name="environment_name_is_unique",
                violation_error_message="There is an environment of this name already.",
            ),
        ]
        indexes = [models.Index(fields=["state", "position", "name"])]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("environments:detail", args=[self.pk])

    @property
    def is_online(self) -> bool:
        return bool(self.state == self.State.ONLINE)

    @property
    def owner_words(self) -> str:
        return str(self.owner) if self.owner else self.owner_name

    def next_free_slot(
        self,
        starts: datetime,
        ends: datetime,
        *,
        exclusive: bool,
        besides: Booking | None = None,
    ) -> Slot | None:
        """The first period as long as ``[starts, ends)``, not before it, that nobody holds.

        ``besides`` is a booking that would give way: the one that looks for another place.
        """
        held = self.bookings.holding().filter(ends__gt=starts)
        if not exclusive:
            held = held.filter(exclusive=True)
        if besides is not None:
            held = held.exclude(pk=besides.pk)
        length = ends - starts
        try:
            for begins, until in held.by_time().values_list("starts", "ends").iterator():
                if begins >= starts + length:
                    break
                starts = max(starts, until)
            return Slot(starts, starts + length)
        except OverflowError:  # held until the end of time
            return None

    @fsm.transition(
        state,
        source=[State.COMMISSIONED, State.OFFLINE],
        target=State.ONLINE,
        permission=rules.may_manage,
        custom={"label": "Place online", "primary": True},
    )
    def place_online(self) -> None:
        """From now on it can be booked and deployed to."""

    @fsm.transition(
        state,
        source=State.ONLINE,
        target=State.OFFLINE,
        conditions=[rules.nobody_needs_it],
        permission=rules.may_manage,
        custom={
            "label": "Take offline",
            "question": "Take {row} offline?",
            "explains": "Nothing can be booked there or start there until it is placed online "
            "again. Bookings are kept.",
            "needs_reason": True,
        },
    )
    def take_offline(self) -> None:
        """Out of use for a while."""

    @fsm.transition(
        state,
        source=[State.COMMISSIONED, State.ONLINE, State.OFFLINE],
        target=State.DECOMMISSIONED,
        conditions=[rules.nobody_needs_it, rules.no_booking_is_ahead],
        permission=rules.may_manage,
        custom={
            "label": "Decommission",
            "question": "Decommission {row}?",
            "explains": "It is gone for good: it cannot be placed online again. Its history stays.",
            "needs_reason": True,
            "danger": True,
        },
    )
    def decommission(self) -> None:
        """Gone for good."""


@dataclass(frozen=True)
class Slot:
    """A half-open period in which an environment can be had."""

    starts: datetime
    ends: datetime

    @property
    def words(self) -> str:
        """The period in the reader's time zone."""
        return f"{_words(self.starts)} to {_words(self.ends)}"


class BookingState(Status):
    """Whether a booking holds its environment."""

    REQUESTED = "requested", "wait", "wait", "Asked for, not confirmed", "Requested"
    CONFIRMED = "confirmed", "ok", "done", "Holds the environment", "Confirmed"
    DECLINED = "declined", "bad", "reject", "Refused with a reason", "Declined"
    RELEASED = "released", "mute", "cancel", "Given back", "Released"


class BookingKind(models.TextChoices):
    """What an environment is held for."""

    TRAIN = "train", "Train reservation"
    TURNOVER = "turnover", "Turnover"
    MAINTENANCE = "maintenance", "Maintenance"
    OUTAGE = "outage", "Outage"
    OTHER = "other", "Other event"


class Booking(Imported, Workflow):
    """A half-open period ``[starts, ends)`` in which an environment is held.

    One table for train reservations, turnover slots, maintenance and other events. Confirmed
    bookings of one environment overlap only if both are shared; a request holds nothing yet.
    """

    State = BookingState
    Kind = BookingKind
    untold = Workflow.untold | {"share_key", "url", "zone"}
    lock_first = ("environment",)

    environment = models.ForeignKey(Environment, models.PROTECT, related_name="bookings")
    kind = models.CharField(max_length=12, choices=BookingKind.choices, default=BookingKind.OTHER)
    title = models.CharField(max_length=300)
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    zone = models.CharField(max_length=64, default="UTC", editable=False)
    exclusive = models.BooleanField(
        default=True, help_text="Nobody else may use the environment in this period."
    )
    share_key = models.BigIntegerField(default=0, editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="bookings",
        editable=False,
    )
    url = models.CharField(max_length=200, blank=True, editable=False)
    note = models.TextField(blank=True)
    state = StateField(
        choices=State.choices, default=State.REQUESTED, protected=True, editable=False
    )

    objects = BookingQuerySet.as_manager()

    class Meta:
        ordering = ["starts", "pk"]
        permissions = [
            ("book_environment", "Can book environments"),
            ("confirm_booking", "Can confirm and decline bookings"),
        ]
        constraints = [
            *Imported.Meta.constraints,
            known_states(BookingState, "booking"),
            models.CheckConstraint(
                condition=models.Q(ends__gt=models.F("starts")),
                name="booking_ends_after_it_starts",
                violation_error_message="The end must be after the start.",
            ),
        ]
        indexes = [
            models.Index(fields=["environment", "state", "starts"]),
            models.Index(fields=["state", "ends"]),
        ]

    def __str__(self) -> str:
        return f"{self.title} on {self.environment.name}"

    def get_absolute_url(self) -> str:
        return reverse("environments:booking", args=[self.pk])

    @property
    def edit_url(self) -> str:
        return reverse("environments:booking-edit", args=[self.pk])

    @property
    def ref(self) -> str:
        return f"EB-{self.pk}"

    @property
    def exclusive_word(self) -> str:
        return "Exclusive" if self.exclusive else "Shared"

    @property
    def period_words(self) -> str:
        """The period in the reader's time zone."""
        return Slot(self.starts, self.ends).words

    @property
    def next_step(self) -> str:
        return "confirm" if self.state == self.State.REQUESTED else ""

    def awaits(self) -> list[Blocker]:
        return [*rules.against_waiting(self)]

    @property
    def is_live(self) -> bool:
        """Whether it holds the environment, or asks for it."""
        return self.state in {self.State.REQUESTED, self.State.CONFIRMED}

    def covers(self, starts: datetime, ends: datetime) -> bool:
        return self.starts <= starts and ends <= self.ends

    def clean(self) -> None:
        if None not in {self.starts, self.ends} and self.ends <= self.starts:
            raise ValidationError({"ends": "The end must be after the start."})

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the key by which the database tells exclusive from shared.

        Raises ``SlotTaken`` where the database itself refuses a second holder.
        """
        self.share_key = (self.share_key or secrets.randbits(62) + 1) if self.exclusive else 0
        try:
            super().save(*args, **kwargs)
        except IntegrityError as error:
            if getattr(error.__cause__, "pgcode", None) != EXCLUSION_VIOLATION:
                raise
            raise SlotTaken(self) from error

    @fsm.transition(
        state,
        source=State.REQUESTED,
        target=State.CONFIRMED,
        conditions=[rules.environment_is_online, rules.nothing_clashes],
        permission=rules.may_confirm,
        custom={"label": "Confirm", "primary": True},
    )
    def confirm(self) -> None:
        """The environment is held."""

    @fsm.transition(
        state,
        source=State.REQUESTED,
        target=State.DECLINED,
        permission=rules.may_confirm,
        custom={
            "label": "Decline",
            "question": "Decline {row}?",
            "explains": "Whoever asked is told why, and may ask for another period.",
            "needs_reason": True,
            "danger": True,
        },
    )
    def decline(self) -> None:
        """Refused, with a reason."""

    @fsm.transition(
        state,
        source=[State.REQUESTED, State.CONFIRMED],
        target=State.RELEASED,
        permission=rules.may_release,
        custom={
            "label": "Release",
            "question": "Release {row}?",
            "explains": "Others can book the environment in this period at once.",
            "confirm": True,
        },
    )
    def release(self) -> None:
        """The environment is given back."""


class SlotTaken(TransitionRefused):
    """Somebody else stored a booking of the same time a moment before."""

    def __init__(self, booking: Booking) -> None:
        super().__init__(
            Blocker(
                f"{booking.environment.name} has just been booked by somebody else",
                needed=f"The environment free, {booking.period_words}.",
                now="Look again.",
                action="Open the environment",
                url=booking.environment.get_absolute_url(),
                glyph="fail",
            )
        )


def _words(moment: datetime) -> str:
    return date_format(local(moment), "j F Y, H:i")
