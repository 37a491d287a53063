"""The versions of a train's plan: what it said when it was asked about, decided upon and passed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from trains.models.trains import Train
from trains.planning_querysets import PlanVersionQuerySet
from trains.states import TrainState

User = settings.AUTH_USER_MODEL


class PlanContent(models.Model):
    """What a plan said, kept once however many versions say the same. Never changed or deleted."""

    train = models.ForeignKey(Train, models.PROTECT, related_name="plan_contents")
    digest = models.CharField(max_length=64)
    facts = models.JSONField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["train", "digest"], name="plan_content_is_kept_once")
        ]

    def __str__(self) -> str:
        return f"{self.train}, {self.digest[:12]}"


class PlanVersion(models.Model):
    """The plan of a train at one moment, taken by itself. Never changed or deleted."""

    train = models.ForeignKey(Train, models.PROTECT, related_name="plan_versions")
    number = models.PositiveIntegerField()
    content = models.ForeignKey(PlanContent, models.PROTECT, related_name="versions")
    occasion = models.CharField(max_length=200)
    state = models.CharField(max_length=50)  # of the train, then
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    by_name = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    changes = models.PositiveIntegerField(null=True)  # against the version before; null: none was
    slip = models.IntegerField(default=0)  # days by which the end is later than in that version
    at = models.DateTimeField(default=timezone.now)

    objects = PlanVersionQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["train", "number"], name="plan_version_is_numbered_once"
            )
        ]

    def __str__(self) -> str:
        return f"Version {self.number}"

    def get_absolute_url(self) -> str:
        """What has changed since."""
        return f"{reverse('trains:plan-changes', args=[self.train_id])}?from={self.number}"

    @property
    def status(self) -> TrainState:
        """Where the train was."""
        return TrainState(self.state)
