"""What is known of criteria that are checked by themselves, and every answer that a check gave."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from trains.gate_querysets import WatchQuerySet
from trains.models.gates import Criterion
from trains.states import CheckOutcome

User = settings.AUTH_USER_MODEL


class Watch(models.Model):
    """What the check of a criterion last found, when it runs next, and who runs it now.

    Not recorded: it changes with every look. What follows from it for the criterion is a step of
    the criterion, and each look has a row of its own.
    """

    criterion = models.OneToOneField(
        Criterion, models.CASCADE, primary_key=True, related_name="watch"
    )
    next_at = models.DateTimeField(null=True, blank=True, db_index=True)
    #: Until then no second hint is sent to the workers.
    hinted_until = models.DateTimeField(null=True, blank=True)
    #: Grows with each claim and with each change of the check: only the newest may say anything.
    claim = models.PositiveBigIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    #: The last answer; a look that came to nothing leaves it and says so in ``trouble``.
    outcome = models.CharField(max_length=10, choices=CheckOutcome.choices, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    trouble = models.CharField(max_length=500, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    fresh_until = models.DateTimeField(null=True, blank=True)
    green_since = models.DateTimeField(null=True, blank=True)
    holds_at = models.DateTimeField(
        null=True, blank=True, help_text="When it has been green for as long as is asked."
    )

    objects = WatchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "watches"

    def __str__(self) -> str:
        return f"Check of {self.criterion}"


class CheckResult(models.Model):
    """One look: when, what it found, and who asked for it; nobody, where its time had come."""

    criterion = models.ForeignKey(Criterion, models.CASCADE, related_name="results")
    claim = models.PositiveBigIntegerField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=CheckOutcome.choices)
    detail = models.CharField(max_length=500, blank=True)
    #: Other than the one before: such a row is kept for good.
    is_change = models.BooleanField(default=False)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["criterion", "-id"], name="results_of_a_criterion")]
        constraints = [
            models.UniqueConstraint(fields=["criterion", "claim"], name="one_result_a_claim")
        ]

    def __str__(self) -> str:
        return f"{self.status.label}: {self.criterion}"

    @property
    def status(self) -> CheckOutcome:
        return CheckOutcome(self.outcome)
