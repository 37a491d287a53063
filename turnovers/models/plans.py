"""What a turnover carries and does: contents, work, tasks, and each delivery of the plan."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse

from releasemgr.workflow.models import Recorded
from turnovers import executors
from turnovers.models.turnovers import Turnover
from turnovers.querysets import ContentQuerySet, TaskQuerySet

User = settings.AUTH_USER_MODEL
#: A task that nothing but a person's "go" completes.
GO_POINT = "go"
#: What stands for "executor" where a person carries it out.
BY_PEOPLE = frozenset({"", GO_POINT})


class Delivery(models.Model):
    """The plan as it was delivered, version by version. Rows are added, never changed."""

    turnover = models.ForeignKey(Turnover, models.CASCADE, related_name="deliveries")
    number = models.PositiveIntegerField()
    plan = models.JSONField()
    delivered_by = models.CharField(max_length=200)
    delivered_at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["turnover", "number"], name="delivery_number_is_unique")
        ]

    def __str__(self) -> str:
        return f"Version {self.number} of {self.turnover}"


class Content(Recorded):
    """An application release, in its version, that a turnover deploys."""

    lock_first = ("turnover",)

    turnover = models.ForeignKey(Turnover, models.CASCADE, related_name="contents")
    release = models.ForeignKey(
        "trains.ApplicationRelease", models.PROTECT, related_name="contents"
    )
    version_name = models.CharField("version", max_length=100, blank=True)
    position = models.PositiveIntegerField(default=0)

    objects = ContentQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        constraints = [models.UniqueConstraint(fields=["turnover", "release"], name="content_once")]

    def __str__(self) -> str:
        return f"{self.release.application.name} {self.version_name}".strip()


class TurnoverWork(Recorded):
    """A finished work item that a turnover delivers."""

    lock_first = ("turnover",)

    turnover = models.ForeignKey(Turnover, models.CASCADE, related_name="work_links")
    item = models.ForeignKey("trains.WorkItem", models.PROTECT, related_name="turnover_links")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["turnover", "item"], name="work_once")]

    def __str__(self) -> str:
        return str(self.item)


class LiveTasks(models.Manager.from_queryset(TaskQuerySet)):  # type: ignore[misc]
    """The tasks of the way forward as it is: not those that were taken out, nor those that undo."""

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(removed_at=None, undoes=None)


class DeploymentTask(Recorded):
    """One step of the plan. Equal orders run in parallel; the next waits for all before it.

    A task that is taken out stays as a row: runs that carried it out refer to it, and it can be
    put back. ``objects`` and ``turnover.tasks`` do not show it; ``all_ever`` does.
    """

    lock_first = ("turnover",)

    turnover = models.ForeignKey(Turnover, models.CASCADE, related_name="tasks")
    order = models.PositiveIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(100_000)]
    )
    section = models.CharField("phase", max_length=200, blank=True)
    title = models.CharField(max_length=500)
    instructions = models.TextField(blank=True)
    executor = models.CharField("carried out by", max_length=30, blank=True, default="")
    parameters = models.JSONField(default=dict, blank=True)
    owner = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    owner_group = models.ForeignKey(
        "auth.Group", models.PROTECT, null=True, blank=True, related_name="+"
    )
    estimate_minutes = models.PositiveIntegerField(
        "estimate (minutes)", default=5, validators=[MaxValueValidator(100_000)]
    )
    timeout_seconds = models.PositiveIntegerField(
        "timeout (seconds)",
        default=300,
        validators=[MinValueValidator(1), MaxValueValidator(86_400)],
    )
    attempts = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
        help_text="How often it is tried before it counts as failed.",
    )
    repeat_safe = models.BooleanField(
        "may be repeated",
        default=False,
        help_text="Doing it twice does no harm, or its receiver honours the Idempotency-Key: if "
        "its worker dies, it is resumed by itself. Otherwise it is done once only, and people "
        "settle what is not known.",
    )
    not_before = models.DateTimeField(
        null=True, blank=True, help_text="It does not begin earlier, even if its turn has come."
    )
    undo = models.TextField("what undoes it", blank=True)
    #: The task that this one undoes; then it is not part of the way forward.
    undoes = models.ForeignKey(
        "self", models.PROTECT, null=True, editable=False, related_name="undone_by"
    )
    extra = models.JSONField(default=dict, blank=True, editable=False)
    removed_at = models.DateTimeField(null=True, editable=False)

    objects = LiveTasks()
    all_ever = TaskQuerySet.as_manager()

    class Meta:
        ordering = ["order", "pk"]
        indexes = [models.Index(fields=["turnover", "order"])]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("turnovers:task", args=[self.turnover_id, self.pk])

    @property
    def is_manual(self) -> bool:
        """Whether a person carries it out."""
        return self.executor in BY_PEOPLE

    @property
    def is_point(self) -> bool:
        """Whether somebody decides there if the run goes on."""
        return self.executor == GO_POINT

    @property
    def icon(self) -> str:
        """Who or what carries it out, as a drawing."""
        if self.carrier is not None:
            return self.carrier.icon
        return "bot" if self.executor else "hand"

    @property
    def carrier(self) -> executors.Executor | None:
        return executors.EXECUTORS.get(self.executor)

    @property
    def summary(self) -> str:
        """How it is done, in a line."""
        if self.is_manual:
            return "Go or no-go" if self.is_point else "Manual"
        return self.carrier.summary(self.parameters) if self.carrier else self.executor

    @property
    def owner_words(self) -> str:
        return str(self.owner or self.owner_group or "")

    def plan(self) -> dict[str, Any]:
        """What of it is delivered and accepted."""
        return {
            "id": self.pk,
            "order": self.order,
            "section": self.section,
            "title": self.title,
            "instructions": self.instructions,
            "executor": self.executor,
            "parameters": self.parameters,
            "owner": self.owner_words,
            "estimate": self.estimate_minutes,
            "timeout": self.timeout_seconds,
            "attempts": self.attempts,
            "undo": self.undo,
            **self._plan_of_newer_fields(),
        }

    def _plan_of_newer_fields(self) -> dict[str, Any]:
        """Only what was chosen, so that plans delivered before there was a choice still match."""
        chosen = {
            "repeat_safe": self.repeat_safe,
            "not_before": self.not_before.isoformat() if self.not_before else "",
            "undoes": self.undoes_id,
        }
        return {name: value for name, value in chosen.items() if value}
