"""Runs: each is one attempt to carry out a turnover."""

from __future__ import annotations

import django_fsm as fsm
from django.db import models
from django.urls import reverse
from django.utils import timezone

from releasemgr.workflow.fields import StateField
from releasemgr.workflow.models import Workflow, known_states
from releasemgr.workflow.rules import as_of, robot_only
from turnovers import rules
from turnovers.models.turnovers import Turnover
from turnovers.querysets import RunQuerySet
from turnovers.states import RunKind, RunState


class Run(Workflow):
    """One attempt to carry out a turnover."""

    State = RunState
    # The end of a run is also a step of its turnover, which locks all of these.
    lock_first = ("turnover.environment", "turnover.train", "turnover.release", "turnover")

    turnover = models.ForeignKey(Turnover, models.PROTECT, related_name="runs")
    number = models.PositiveIntegerField()
    kind = models.CharField(
        max_length=10, choices=RunKind.choices, default=RunKind.DEPLOY, editable=False
    )
    started_by = models.CharField(max_length=200, editable=False)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    skip = models.JSONField(default=list, editable=False)
    #: When a worker last carried it forward, so that many runs share few workers fairly.
    turned_at = models.DateTimeField(null=True, editable=False)
    reason = models.TextField(blank=True, editable=False)
    state = StateField(choices=State.choices, default=State.RUNNING, protected=True, editable=False)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            known_states(RunState, "run"),
            models.UniqueConstraint(fields=["turnover", "number"], name="run_number_is_unique"),
            models.UniqueConstraint(
                fields=["turnover"],
                condition=models.Q(state="running"),
                name="one_run_a_turnover_at_a_time",
            ),
        ]
        indexes = [models.Index(fields=["state", "turned_at"])]

    def __str__(self) -> str:
        return f"Run {self.number} of {self.turnover}"

    def get_absolute_url(self) -> str:
        return reverse("turnovers:run", args=[self.pk])

    @property
    def is_on(self) -> bool:
        return bool(self.state == RunState.RUNNING)

    @fsm.transition(
        state,
        source=State.RUNNING,
        target=State.SUCCEEDED,
        conditions=[rules.every_task_is_complete],
        permission=robot_only,
        custom={"label": "Succeed", "also": ["turnovers.services.finish_turnover"]},
    )
    def succeed(self) -> None:
        """Every task is complete."""
        self.ended_at = as_of(self)

    @fsm.transition(
        state,
        source=State.RUNNING,
        target=State.FAILED,
        conditions=[rules.nothing_of_it_runs],
        permission=robot_only,
        custom={
            "label": "Fail",
            "also": ["turnovers.services.cancel_open_tasks", "turnovers.services.fail_turnover"],
        },
    )
    def fail(self) -> None:
        """A task failed and nothing of it runs any more."""
        self.ended_at = as_of(self)
        self.reason = self._change_reason or ""

    @fsm.transition(
        state,
        source=State.RUNNING,
        target=State.ABORTED,
        permission=rules.may_abort,
        custom={
            "label": "Abort",
            "question": "Abort {row}?",
            "explains": "No further task starts. An automated task that is running is not "
            "interrupted, but nothing follows it. What was done is not undone.",
            "needs_reason": True,
            "danger": True,
            "also": ["turnovers.services.cancel_open_tasks", "turnovers.services.fail_turnover"],
        },
    )
    def abort(self) -> None:
        """A person stops it, for a reason."""
        self.ended_at = as_of(self)
        self.reason = self._change_reason or ""
