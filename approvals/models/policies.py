"""What an organisation asks of its approvals: how many levels, how soon, and bound to what."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from releasemgr.workflow.models import Recorded, RecordedQuerySet

#: How many levels a sheet has at most where no policy says otherwise.
DEFAULT_LEVELS = 4
#: How many a policy can allow; also what the database allows.
MOST_LEVELS = 12
MOST_HOURS = 24 * 365
MOST_DAYS = 3650


class Part(models.TextChoices):
    """What of a thing an approval is bound to."""

    PURPOSE = "purpose", "Purpose"
    SCHEDULE = "schedule", "Schedule"
    SCOPE = "scope", "Scope: which applications"
    VERSIONS = "versions", "Versions"
    CRITERIA = "criteria", "Results of the exit criteria"
    CONSENT = "consent", "Consent of release engineering"
    PLAN = "plan", "Deployment plans handed over for production when it was asked for"
    WINDOW = "window", "Windows of those plans"


def default_parts() -> list[str]:
    """Everything counts."""
    return [str(part) for part in Part]


def check_parts(parts: object) -> None:
    """Refuse what is no list of parts."""
    if not isinstance(parts, list) or not set(map(str, parts)) <= set(Part.values):
        raise ValidationError(f"Name parts of this list: {', '.join(Part.values)}.")


class Policy(Recorded):
    """What a release type asks of its approvals; a sheet keeps a copy of it from when it is asked.

    Hours and days that are empty mean that nothing happens by itself.
    """

    name = models.CharField(max_length=100, unique=True)
    most_levels = models.PositiveSmallIntegerField(
        "levels at most",
        default=DEFAULT_LEVELS,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_LEVELS)],
    )
    overrides = models.BooleanField(
        "overrides can be allowed",
        default=True,
        help_text="Whether a sheet can say that release managers, who have no part in it, may "
        "decide for somebody absent and change the approvers while it is being decided.",
    )
    asks_password = models.BooleanField(
        "the password again",
        default=False,
        help_text="Whoever decides gives their password with each decision.",
    )
    answer_hours = models.PositiveIntegerField(
        "hours to answer",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_HOURS)],
        help_text="From when a level opens until its decisions are due.",
    )
    remind_hours = models.PositiveIntegerField(
        "hours between reminders",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_HOURS)],
    )
    escalate_hours = models.PositiveIntegerField(
        "hours until escalation",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_HOURS)],
        help_text="From when a level opens until somebody may decide in place of who is missing.",
    )
    escalate_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    lapse_days = models.PositiveIntegerField(
        "days until an unanswered question lapses",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)],
    )
    valid_days = models.PositiveIntegerField(
        "days that an approval counts",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)],
    )
    parts = models.JSONField("bound to", default=default_parts, validators=[check_parts])

    objects = RecordedQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """An escalation needs somebody to go to, and somebody a time to come."""
        if (self.escalate_hours is None) != (self.escalate_to_id is None):
            missing = "escalate_to" if self.escalate_to_id is None else "escalate_hours"
            raise ValidationError({missing: "Give both, the hours and the person, or neither."})
