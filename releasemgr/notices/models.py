"""What people are to be told, what they were told, the mails of it, and how each wants it.

What happens is noted in its own transaction: what was stored is told, and what was taken back is
not. A worker writes the notices of it, each with its mail beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.urls import reverse

from releasemgr.accounts.middleware import zone
from releasemgr.notices.events import EVENTS, Way
from releasemgr.notices.hours import DEFAULT_DIGEST, Hours
from releasemgr.notices.querysets import HappeningQuerySet, LetterQuerySet, NoticeQuerySet
from releasemgr.workflow.states import Status

if TYPE_CHECKING:
    import datetime as dt

    from releasemgr.accounts.models import User as Person
    from releasemgr.notices.events import Event

User = settings.AUTH_USER_MODEL


class LetterState(Status):
    """How far a mail is."""

    WAITING = "waiting", "wait", "wait", "To be sent at its time", "Waiting"
    SENDING = "sending", "run", "run", "A worker has it", "Being sent"
    SENT = "sent", "ok", "done", "The mail server has taken it", "Sent"
    DROPPED = "dropped", "mute", "skip", "No longer needed when its time came", "Dropped"
    GIVEN_UP = "given_up", "bad", "fail", "The mail server would not take it", "Given up"


class Letter(models.Model):
    """One mail to one person: of one notice, or the digest of a day.

    Taken by a worker for a lease before it is sent, so that it is sent once. Only a crash between
    the mail server's answer and our commit sends it again, under the same Message-ID.
    """

    State = LetterState

    person = models.ForeignKey(User, models.PROTECT, related_name="letters")
    #: The day of a digest on the person's calendar; none in a mail of a single notice.
    digest_day = models.DateField(null=True)
    subject = models.CharField(max_length=200)
    at = models.DateTimeField()
    not_before = models.DateTimeField()
    hinted_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)
    ended_at = models.DateTimeField(null=True)
    state = models.CharField(
        max_length=10, choices=LetterState.choices, default=LetterState.WAITING
    )

    objects = LetterQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "digest_day"],
                condition=models.Q(digest_day__isnull=False),
                name="one_digest_a_person_and_day",
            ),
            models.CheckConstraint(
                condition=models.Q(state="sending", lease_until__isnull=False)
                | (~models.Q(state="sending") & models.Q(lease_until__isnull=True)),
                name="letter_is_sent_under_a_lease",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=LetterState.values),
                name="letter_state_is_known",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "not_before"]),
            models.Index(fields=["at"]),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def status(self) -> LetterState:
        return LetterState(self.state)


class Happening(models.Model):
    """Something that people are to be told of, until a worker has told them: the outbox."""

    kind = models.CharField(max_length=60)
    row_id = models.BigIntegerField()
    step = models.CharField(max_length=50)
    version = models.PositiveIntegerField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    at = models.DateTimeField()

    objects = HappeningQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.step} of {self.kind} {self.row_id}"


class Notice(models.Model):
    """One thing that one person was told. What it is about is named by kind and id.

    The same is told once: ``occasion`` is what makes it another time, such as the round of an
    approval or the day of a reminder.
    """

    person = models.ForeignKey(User, models.PROTECT, related_name="notices")
    event = models.CharField(max_length=40)
    kind = models.CharField(max_length=60)
    row_id = models.BigIntegerField()
    occasion = models.CharField(max_length=60)
    ref = models.CharField(max_length=20, blank=True)
    title = models.CharField(max_length=300)
    words = models.TextField(blank=True)
    until = models.DateTimeField(null=True)
    until_day = models.DateField(null=True)
    url = models.CharField(max_length=300)
    at = models.DateTimeField()
    is_shown = models.BooleanField(default=True)
    read_at = models.DateTimeField(null=True)
    #: When the digest comes that this is for; none where it is for none.
    digest_at = models.DateTimeField(null=True)
    letter = models.ForeignKey(Letter, models.SET_NULL, null=True, related_name="notices")

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "kind", "row_id", "occasion", "person"], name="told_once"
            ),
        ]
        indexes = [
            models.Index(fields=["person", "-at", "-id"]),
            models.Index(
                fields=["person"],
                condition=models.Q(read_at__isnull=True, is_shown=True),
                name="notices_unread",
            ),
            models.Index(
                fields=["digest_at"],
                condition=models.Q(digest_at__isnull=False, letter__isnull=True),
                name="notices_for_digests",
            ),
            models.Index(fields=["at"]),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Leads on to what it is about, and counts as read."""
        return reverse("notices:open", args=[self.pk])

    @property
    def what(self) -> Event | None:
        """What kind of thing happened; None for what an older version knew."""
        return EVENTS.get(self.event)


def digest_default() -> dt.time:
    return DEFAULT_DIGEST


class Preferences(models.Model):
    """How somebody wants to be told; who has no row gets what their roles suggest."""

    person = models.OneToOneField(User, models.CASCADE, related_name="notice_preferences")
    #: Event -> way, only where it differs from what the roles suggest.
    ways = models.JSONField(default=dict)
    digest_hour = models.TimeField(default=digest_default)
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)
    urgent_always = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name_plural = "preferences"

    def __str__(self) -> str:
        return f"How {self.person} is told"

    @classmethod
    def of(cls, people: list[Person]) -> dict[int, Preferences]:
        """By person, with what is suggested where somebody has chosen nothing; one query."""
        chosen = {row.person_id: row for row in cls.objects.filter(person__in=people)}
        return {person.pk: chosen.get(person.pk) or cls(person=person) for person in people}

    def way(self, event: Event, person: Person) -> Way:
        """How this person is told of it."""
        chosen = self.ways.get(event.key)
        return Way(chosen) if chosen in Way.values else event.way_for(person.role_names)

    def hours(self, person: Person) -> Hours:
        return Hours(
            zone(person.time_zone),
            digest=self.digest_hour,
            quiet_from=self.quiet_from,
            quiet_until=self.quiet_until,
        )

    def soonest(self, event: Event | None, person: Person, now: dt.datetime) -> dt.datetime:
        """When a mail about it may come: now, or when the quiet hours end."""
        if event is not None and event.urgent and self.urgent_always:
            return now
        return self.hours(person).soonest(now)


def kind_of(row: Any) -> str:
    """The name of the row's table, as notices keep it."""
    return str(row._meta.label_lower)
