"""What workers did and said: attempts, late words, calls back and signs of life."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from turnovers.models.holds import Hold
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


class FollowedQuerySet(models.QuerySet["Followed"]):
    def to_be_asked(self) -> FollowedQuerySet:
        """Those whose time to be asked has come; and any that people want to end, at once.

        None that somebody asks about right now.
        """
        run = "attempt__task_run__run"
        holds: Any = Hold.objects.over_the_outer(f"{run}__turnover").filter(stops_running=True)
        stopped = ~models.Q(**{f"{run}__state": "running"}) | models.Exists(holds)
        free = models.Q(taken_until=None) | models.Q(taken_until__lte=Now())
        rows = self.filter(free, models.Q(ask_at__lte=Now()) | stopped, attempt__ended_at=None)
        return rows.order_by("ask_at", "pk")

    def being_asked(self) -> FollowedQuerySet:
        """Those that some worker has taken to ask about."""
        return self.filter(taken_until__gt=Now())


class Followed(models.Model):
    """What an attempt began and what goes on elsewhere: any worker asks now and then how it stands.

    The row goes with the attempt's end.
    """

    attempt = models.OneToOneField(Attempt, models.CASCADE, related_name="followed")
    #: What the executor has to know to ask, without secrets.
    handle = models.JSONField()
    ask_at = models.DateTimeField(db_index=True)
    #: When its time is over: it is asked once more, and then nobody knows.
    ends_at = models.DateTimeField()
    #: Which worker asks about it, and until when nobody else does.
    taken_by = models.CharField(max_length=200, blank=True)
    taken_until = models.DateTimeField(null=True)

    objects = FollowedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.attempt}, followed"


class Heartbeat(models.Model):
    """When each part of the engine last looked, by the database's clock."""

    part = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=20, default="scheduler")
    since = models.DateTimeField(default=timezone.now)
    at = models.DateTimeField()
    facts = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.part
