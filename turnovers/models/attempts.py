"""What workers did and said: attempts, late words, calls back and signs of life."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from turnovers.models.task_runs import TaskRun


class Attempt(models.Model):
    """A worker's claim on a task and how it ended. Rows are added and ended, never changed."""

    task_run = models.ForeignKey(TaskRun, models.PROTECT, related_name="tries")
    fence = models.PositiveIntegerField()
    key = models.CharField(max_length=100)
    worker = models.CharField(max_length=200)
    claimed_at = models.DateTimeField()
    #: When the worker last found the claim to be its own, right before it touched the outside.
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=20, blank=True)
    detail = models.TextField(blank=True)

    class Meta:
        ordering = ["task_run", "fence"]
        constraints = [
            models.UniqueConstraint(fields=["task_run", "fence"], name="one_attempt_a_fence"),
            models.UniqueConstraint(
                fields=["task_run"],
                condition=models.Q(ended_at__isnull=True),
                name="one_open_attempt_a_task",
            ),
        ]
        indexes = [models.Index(fields=["claimed_at"])]

    def __str__(self) -> str:
        return f"Attempt {self.fence} of {self.task_run}"


class LateWord(models.Model):
    """What a worker said of an attempt that was no longer its own. Rows are added, never changed.

    It changes nothing; whoever settles an unknown ending reads it.
    """

    attempt = models.ForeignKey(Attempt, models.PROTECT, related_name="late_words")
    at = models.DateTimeField()
    succeeded = models.BooleanField()
    detail = models.TextField(blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.detail


class Callback(models.Model):
    """The address that a receiver calls when it has finished: for one attempt, once."""

    attempt = models.OneToOneField(Attempt, models.CASCADE, related_name="callback")
    #: SHA-256 of the token in the address; the token itself is not kept.
    token_digest = models.CharField(max_length=64, unique=True)
    received_at = models.DateTimeField(null=True)
    succeeded = models.BooleanField(null=True)
    body = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"Callback of {self.attempt}"


class Heartbeat(models.Model):
    """When each part of the engine last looked, by the database's clock."""

    part = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=20, default="scheduler")
    since = models.DateTimeField(default=timezone.now)
    at = models.DateTimeField()
    facts = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.part
