from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils import timezone

from releasemgr.http import number
from releasemgr.workflow.forms import StepForm
from turnovers.states import RunKind, TaskState
from turnovers.timetable import length_of

if TYPE_CHECKING:
    from turnovers.models import DeploymentTask, TaskRun

AGAIN, SKIP = "again", "skip"


@dataclass(frozen=True)
class Row:
    """A task as the form shows it: what became of it, and what is to become of it now."""

    task: DeploymentTask
    last: TaskRun | None
    is_complete: bool
    is_skipped: bool
    is_first: bool

    @property
    def name(self) -> str:
        return f"task_{self.task.pk}"

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """Value, word and whether it is chosen, of each of the two."""
        again = "Run again" if self.last is not None else "Run"
        return [(AGAIN, again, not self.is_skipped), (SKIP, "Skip", self.is_skipped)]

    @property
    def needs_reason(self) -> bool:
        """Whether it is passed over though it did not succeed."""
        return self.is_skipped and not self.is_complete


class RetryForm(StepForm):
    """For each task of the plan: run it again, or pass over it.

    ``from`` names the task to resume from: what comes before it is passed over, it and all that
    follow run again. ``skip`` names one that is passed over besides what has succeeded.
    """

    page: ClassVar[str] = "turnovers/run_retry.html"
    presets: ClassVar[tuple[str, ...]] = ("from", "skip")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        turnover = self.step.record
        self.tasks: list[DeploymentTask] = list(turnover.tasks.in_order())
        self.last, self.complete = _how_it_stands(turnover)
        self.first = self._asked_for("from")
        skipped = self._preset()
        for task in self.tasks:
            self.fields[f"task_{task.pk}"] = forms.ChoiceField(
                choices=[(AGAIN, AGAIN), (SKIP, SKIP)],
                initial=SKIP if task.pk in skipped else AGAIN,
            )
        reason = self.fields.pop("reason")
        self.fields["reason"] = reason

    def _asked_for(self, name: str) -> DeploymentTask | None:
        pk = number(self.asked[name])
        return next((task for task in self.tasks if task.pk == pk), None)

    def _preset(self) -> set[int]:
        """Which tasks are passed over unless the person says otherwise."""
        first, skipped = self.first, self._asked_for("skip")
        if first is not None:
            before = {task.pk for task in self.tasks if task.order < first.order}
            beside = {task.pk for task in self.tasks if task.order == first.order}
            return before | ((beside & self.complete) - {first.pk})
        return self.complete | ({skipped.pk} if skipped else set())

    @property
    def rows(self) -> list[Row]:
        """The tasks in their order, as they are chosen now."""
        chosen = {task.pk: self[f"task_{task.pk}"].value() == SKIP for task in self.tasks}
        return [
            Row(
                task,
                self.last.get(task.pk),
                task.pk in self.complete,
                chosen[task.pk],
                task == self.first,
            )
            for task in self.tasks
        ]

    @property
    def preview(self) -> dict[str, Any]:
        """How much runs again, how much is passed over, and when it would end."""
        rows = self.rows
        again = [row.task for row in rows if not row.is_skipped]
        length = length_of(again)
        return {
            "again": len(again),
            "skipped": len(rows) - len(again),
            "unfinished": sum(row.needs_reason for row in rows),
            "length": length,
            "ends": timezone.now() + min(length, LONGEST),
        }

    def clean(self) -> dict[str, Any]:
        """Tasks to skip, and a reason wherever one is passed over that did not succeed."""
        cleaned = super().clean() or {}
        chosen = {task.pk: cleaned.pop(f"task_{task.pk}", None) for task in self.tasks}
        skip = [pk for pk, choice in chosen.items() if choice == SKIP]
        if set(skip) - self.complete and not cleaned.get("reason"):
            self.add_error("reason", "Say why a task that did not succeed is passed over.")
        return {**cleaned, "skip": skip}


#: Estimates can add up to more than any calendar has.
LONGEST = dt.timedelta(days=365)


def _how_it_stands(turnover: Any) -> tuple[dict[int, TaskRun], set[int]]:
    """Each task's run in the last deployment, and which are complete and were not undone since."""
    last = turnover.runs.filter(kind=RunKind.DEPLOY).order_by("-number").first()
    if last is None:
        return {}, set()
    ran = {row.task_id: row for row in last.task_runs.defer("output")}
    undone = set(
        turnover.runs.filter(kind=RunKind.UNDO, number__gt=last.number)
        .filter(task_runs__state=TaskState.SUCCEEDED)
        .values_list("task_runs__task__undoes", flat=True)
    )
    complete = {pk for pk, row in ran.items() if row.is_complete}
    return ran, complete - undone
