"""How a run goes: every task with its plan, what happened, and what is still to come."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from turnovers.states import RunKind, RunState, TaskState, TurnoverState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from turnovers.models import DeploymentTask, Run, TaskRun

#: Where the plan can still be what this run was to carry out.
SAME_PLAN = frozenset(TurnoverState) - {TurnoverState.DRAFT, TurnoverState.DELIVERED}
ENDED = frozenset({TaskState.SUCCEEDED, TaskState.FAILED, TaskState.SKIPPED, TaskState.CANCELLED})
STOPPED = frozenset({RunState.FAILED, RunState.ABORTED})
STUCK = frozenset({TaskState.UNKNOWN, TaskState.FAILED})
NOTHING = dt.timedelta()
OVER_PLAN = "warn"
#: Plans are in minutes; what is less than half of one over them is not.
TOLERANCE = dt.timedelta(seconds=30)
FAR = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Span:
    """From one moment to another."""

    begin: dt.datetime
    end: dt.datetime

    @property
    def length(self) -> dt.timedelta:
        return self.end - self.begin


@dataclass(frozen=True)
class Line:
    """A task of the run, as a row of its page."""

    task: DeploymentTask
    task_run: TaskRun | None
    plan: Span
    actual: Span | None
    forecast: Span | None
    is_parallel: bool
    phase: str = ""

    @property
    def is_over_plan(self) -> bool:
        return self.actual is not None and self.actual.length > self.plan.length + TOLERANCE

    @property
    def is_now(self) -> bool:
        return self.task_run is not None and self.task_run.state in {
            TaskState.RUNNING,
            TaskState.READY,
            TaskState.UNKNOWN,
        }

    @property
    def is_running(self) -> bool:
        """Whether a worker carries it now."""
        return self.task_run is not None and self.task_run.state == TaskState.RUNNING

    @property
    def needs_people(self) -> bool:
        """Whether it stands still until somebody decides."""
        return self.task_run is not None and self.task_run.state in STUCK

    @property
    def is_mine(self) -> bool:
        """Whether a person is carrying it out."""
        return self.is_now and self.task.is_manual

    @property
    def over(self) -> dt.timedelta:
        """By how much it took longer than planned, in whole minutes."""
        return _whole_minutes(self.actual.length - self.plan.length) if self.actual else NOTHING

    @property
    def tone(self) -> str:
        """The colour of its bar: how it ended, unless it only took longer than planned."""
        if self.task_run is None:
            return "mute"
        tone = self.task_run.status.tone
        return OVER_PLAN if self.is_over_plan and tone in {"ok", "run", "wait"} else tone


@dataclass(frozen=True)
class Progress:
    """A run at one moment."""

    run: Run
    lines: list[Line]
    now: dt.datetime

    @property
    def total(self) -> int:
        return len(self.lines)

    @property
    def done(self) -> int:
        return sum(line.task_run is not None and line.task_run.is_complete for line in self.lines)

    @property
    def under_way(self) -> int:
        return sum(line.is_now for line in self.lines)

    @property
    def left(self) -> int:
        return self.total - self.done - self.under_way

    @property
    def elapsed(self) -> dt.timedelta:
        return (self.run.ended_at or self.now) - self.run.started_at

    @property
    def planned_end(self) -> dt.datetime:
        return max((line.plan.end for line in self.lines), default=self.run.started_at)

    @property
    def expected_end(self) -> dt.datetime:
        """When it ended, or will if the rest goes as estimated."""
        if self.run.ended_at is not None:
            return self.run.ended_at
        ends = (line.forecast or line.actual for line in self.lines)
        return max((span.end for span in ends if span), default=self.now)

    @property
    def slip(self) -> dt.timedelta:
        """By how much the end moves against the plan, in whole minutes; none if it stopped."""
        if self.run.state in STOPPED:
            return dt.timedelta()
        return _whole_minutes(self.expected_end - self.planned_end)

    @property
    def gain(self) -> dt.timedelta:
        """By how much it is earlier than planned."""
        return -self.slip

    @property
    def end_of_slot(self) -> dt.datetime | None:
        """Until when the environment is held for it."""
        booking = self.run.turnover.booking
        return booking.ends if booking else None

    @property
    def spare(self) -> dt.timedelta:
        """What is left between the expected end and the end of the slot; negative if too little."""
        end = self.end_of_slot
        return dt.timedelta() if end is None else _whole_minutes(end - self.expected_end)

    @property
    def excess(self) -> dt.timedelta:
        """By how much it is expected to go on after the end of the slot."""
        return -self.spare

    @property
    def span(self) -> Span:
        """What the time line shows."""
        end = max(
            self.planned_end, self.expected_end, self.run.started_at + dt.timedelta(minutes=1)
        )
        return Span(self.run.started_at, end)


def progress(
    run: Run, tasks: Iterable[DeploymentTask], task_runs: Sequence[TaskRun], now: dt.datetime
) -> Progress:
    """Lay the run out. ``tasks`` are all that the turnover ever had, in their order."""
    carried = {task_run.task_id: task_run for task_run in task_runs}
    shown = _of_run(run, list(tasks), carried)
    lines: list[Line] = []
    planned, expected = run.started_at, run.started_at
    for _, members in groupby(shown, key=lambda task: task.order):
        group = list(members)
        rows = [
            _line(run, task, carried.get(task.pk), planned, expected, now, len(group) > 1)
            for task in group
        ]
        planned = max(row.plan.end for row in rows)
        expected = max((row.forecast or row.actual or row.plan).end for row in rows)
        lines += rows
    return Progress(run, _with_phases(lines), now)


def _of_run(
    run: Run, tasks: list[DeploymentTask], carried: dict[int, TaskRun]
) -> list[DeploymentTask]:
    """The tasks that the run carried out or is still to carry out, in its order.

    What undoes is done the other way round: the last task first.
    """
    if run.kind == RunKind.UNDO:
        to_come = {task.pk for task in run.turnover.tasks_to_undo()} if run.is_on else set()
        places: dict[int | None, tuple[int, int]] = {t.pk: (t.order, t.pk) for t in tasks}
        shown = [task for task in tasks if task.pk in carried or task.pk in to_come]
        return sorted(shown, key=lambda t: places.get(t.undoes_id, (0, 0)), reverse=True)
    return [task for task in tasks if task.pk in carried or _is_to_come(run, task)]


def _is_to_come(run: Run, task: DeploymentTask) -> bool:
    """Whether a task that has no task run in this run belongs to its plan all the same."""
    of_plan = task.removed_at is None and task.undoes_id is None
    return of_plan and (run.is_on or run.turnover.state in SAME_PLAN)


def _line(
    run: Run,
    task: DeploymentTask,
    task_run: TaskRun | None,
    planned: dt.datetime,
    expected: dt.datetime,
    now: dt.datetime,
    is_parallel: bool,
) -> Line:
    estimate = dt.timedelta(minutes=task.estimate_minutes)
    plan = Span(planned, _later(planned, estimate))
    actual = _actual(task_run, now)
    forecast = None
    if run.is_on and (task_run is None or task_run.state not in ENDED):
        if task.pk in run.skip:
            estimate = dt.timedelta()
        begin = actual.begin if actual else max(expected, now)
        forecast = Span(max(begin, now), max(now, _later(begin, estimate)))
    return Line(task, task_run, plan, actual, forecast, is_parallel)


def _actual(task_run: TaskRun | None, now: dt.datetime) -> Span | None:
    """When it was under way; a manual task is from when its turn came."""
    if task_run is None or task_run.state in {TaskState.WAITING, TaskState.CANCELLED}:
        return None
    begin = task_run.started_at or task_run.ready_at
    if task_run.state == TaskState.SKIPPED:
        return Span(begin, begin)
    return Span(begin, max(begin, task_run.ended_at or now))


def _with_phases(lines: list[Line]) -> list[Line]:
    """Name the phase on the first line of each."""
    before = ""
    named = []
    for line in lines:
        section = line.task.section
        named.append(replace(line, phase=section if section != before else ""))
        before = section
    return named


def _whole_minutes(length: dt.timedelta) -> dt.timedelta:
    return dt.timedelta(minutes=round(length.total_seconds() / 60))


def rest_of(lines: Sequence[Line], first: Line) -> dt.timedelta:
    """How long it takes from ``first`` on if all goes as estimated."""
    longest: dict[int, int] = {}
    for line in lines[lines.index(first) :]:
        task = line.task
        longest[task.order] = max(longest.get(task.order, 0), task.estimate_minutes)
    return dt.timedelta(minutes=sum(longest.values()))


def _later(moment: dt.datetime, length: dt.timedelta) -> dt.datetime:
    """That much later, within any calendar: estimates can add up to more than there is."""
    return moment + min(length, max(FAR - moment, dt.timedelta()))
