"""What a run waits for, and why: one sentence for everything that does not go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from releasemgr.ui.times import local, moment_in_words
from turnovers.states import TaskState

if TYPE_CHECKING:
    import datetime as dt

    from releasemgr.workflow.rules import Blocker
    from turnovers.models import DeploymentTask, Run, TaskRun
    from turnovers.progress import Line, Progress


def blockers_of(run: Run) -> list[Blocker]:
    """What the engine asks before it lets any task of the run begin, as far as it says no."""
    blockers: list[Blocker] = run.turnover.claim_blockers()
    return blockers


def reason(line: Line, shown: Progress, blockers: list[Blocker]) -> str:
    """Why a task that has come up does not go on; nothing where it does, or has ended."""
    row, task = line.task_run, line.task
    if row is None or not shown.run.is_on:
        return ""
    if row.state == TaskState.READY:
        who = task.owner_words or "somebody who may"
        return f"Waits for {who} {'to decide ' if task.is_point else ''}since {_at(row.ready_at)}."
    if row.state == TaskState.UNKNOWN:
        return "Whether it happened is not known. The run stands still until two people say."
    return _of_waiting(row, task, shown, blockers) if row.state == TaskState.WAITING else ""


def _of_waiting(
    row: TaskRun, task: DeploymentTask, shown: Progress, blockers: list[Blocker]
) -> str:
    """Why no worker has it."""
    at_once = sum(other.is_running for other in shown.lines)
    if task.not_before is not None and task.not_before > shown.now:
        why = f"It is not to begin before {moment_in_words(task.not_before)}."
    elif row.tries_again and row.ready_at > shown.now:
        nth, then = f"{row.fence} of {task.attempts}", _at(row.ready_at, seconds=True)
        why = f"Try {nth} did not succeed. The next begins at {then}."
    elif blockers:
        why = f"{blockers[0].title}."
    elif any(other.needs_people for other in shown.lines):
        why = "Another step has to be settled first."
    elif at_once >= shown.run.turnover.most_parallel:
        why = f"{at_once} tasks are running, and no more may at the same time."
    else:
        why = f"Waits for a worker since {_at(row.ready_at)}."
    return why


def _at(moment: dt.datetime, *, seconds: bool = False) -> str:
    return f"{local(moment):%H:%M:%S}" if seconds else f"{local(moment):%H:%M}"
