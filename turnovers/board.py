"""A run as its pages show it: fetched in a constant number of queries, laid out for one reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from turnovers import rules, waits
from turnovers.models import DeploymentTask, TaskRun
from turnovers.progress import Progress, progress
from turnovers.states import TaskState

if TYPE_CHECKING:
    import datetime as dt

    from releasemgr.accounts.models import User
    from releasemgr.workflow.rules import Blocker
    from turnovers.models import Run
    from turnovers.progress import Line

#: A run of more steps is shown in parts of so many: a browser has to draw each of them again and
#: again while the run is on.
STEPS_IN_PART = 150
#: The output of so many tasks is shown at once; each has a page of its own besides.
MOST_PRINTS = 8


@dataclass(frozen=True)
class Turn:
    """A manual task or a go/no-go point, for somebody who may say how it went."""

    task_run: TaskRun
    is_mine: bool
    may_skip: bool

    @property
    def done_url(self) -> str:
        return self.task_run.step_url("complete")

    @property
    def problem_url(self) -> str:
        return self.task_run.step_url("report_problem")

    @property
    def skip_url(self) -> str:
        return self.task_run.step_url("skip")

    @property
    def go_url(self) -> str:
        return self.task_run.step_url("go")

    @property
    def no_go_url(self) -> str:
        return self.task_run.step_url("no_go")


@dataclass(frozen=True)
class Part:
    """Those of the steps that a page shows, where there are too many for one."""

    lines: list[Line]
    number: int
    total: int

    @property
    def is_whole(self) -> bool:
        return len(self.lines) == self.total

    @property
    def first(self) -> int:
        return (self.number - 1) * STEPS_IN_PART + 1

    @property
    def last(self) -> int:
        return self.first + len(self.lines) - 1

    @property
    def before(self) -> int:
        """The number of the part before; 0 where there is none."""
        return self.number - 1

    @property
    def after(self) -> int:
        """The number of the part after; 0 where there is none."""
        return self.number + 1 if self.last < self.total else 0


@dataclass(frozen=True)
class Board:
    """Everything that the pages of a run have in common."""

    run: Run
    tasks: dict[int, DeploymentTask]
    task_runs: list[TaskRun]
    progress: Progress
    blockers: list[Blocker]
    now: dt.datetime

    @property
    def whys(self) -> dict[int, str]:
        """For each task that has come up and does not go on, why; by the task's key."""
        told = {
            line.task.pk: waits.reason(line, self.progress, self.blockers)
            for line in self.progress.lines
        }
        return {pk: words for pk, words in told.items() if words}

    def part(self, asked: int | None) -> Part:
        """The steps that were asked for; else those around what happens now."""
        lines = self.progress.lines
        parts = max(1, -(-len(lines) // STEPS_IN_PART))
        number = asked or self._place_of_now() // STEPS_IN_PART + 1
        number = max(1, min(parts, number))
        begin = (number - 1) * STEPS_IN_PART
        return Part(lines[begin : begin + STEPS_IN_PART], number, len(lines))

    def _place_of_now(self) -> int:
        """How far down the first step is that is not done; the first, where all are."""
        for place, line in enumerate(self.progress.lines):
            if line.task_run is None or not line.task_run.is_complete:
                return place
        return 0

    def turns(self, reader: User) -> list[Turn]:
        """What this person may say something to now, their own first."""
        turns = [
            Turn(row, rules.is_owner(row, reader), rules.may_skip(row, reader))
            for row in self.task_runs
            if self.run.is_on and row.state == TaskState.READY and _may_do(row, reader)
        ]
        return sorted(turns, key=lambda turn: not turn.is_mine)

    def loud(self) -> list[TaskRun]:
        """What runs by itself now, failed or is unknown, with all that it printed and tried."""
        wanted = {TaskState.RUNNING, TaskState.FAILED, TaskState.UNKNOWN}
        keys = [row.pk for row in self.task_runs if row.state in wanted or row.tries_again]
        if not keys:
            return []
        rows: Any = TaskRun.objects.filter(pk__in=keys[:MOST_PRINTS]).with_log()
        loud = list(rows.order_by("order", "task_id"))
        for row in loud:
            row.run, row.task = self.run, self.tasks[row.task_id]
        return loud


def board(run: Run) -> Board:
    """Lay the run out as it is now. The run comes ``with_page_facts``."""
    task_runs = list(run.task_runs.with_page_facts())
    found = DeploymentTask.all_ever.filter(turnover=run.turnover).in_order()
    tasks = {task.pk: task for task in found.select_related("owner", "owner_group")}
    for row in task_runs:
        row.run, row.task = run, tasks[row.task_id]
    now = timezone.now()
    shown = progress(run, tasks.values(), task_runs, now)
    blockers = waits.blockers_of(run) if run.is_on else []
    return Board(run, tasks, task_runs, shown, blockers, now)


def _may_do(row: TaskRun, reader: User) -> bool:
    return bool(rules.may_do_task(row, reader) or rules.may_decide_point(row, reader))
