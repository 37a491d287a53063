"""When a run and its tasks may go on, end, or be followed by another run."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.conf import settings

from releasemgr.accounts.roles import RELEASE_ENGINEER
from releasemgr.workflow.rules import Blocker, as_of, guard
from turnovers import life
from turnovers.states import COMPLETE_TASK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from turnovers.models import Run, TaskRun, Turnover

#: A refusal names no more rows than this.
MOST_NAMED = 20


@guard
def every_ending_is_known(turnover: Turnover) -> Iterator[Blocker]:
    """What two people have to settle, one does not settle by another run."""
    last = turnover.runs.order_by("-number").first()
    unknown = last.task_runs.filter(state="unknown").select_related("task") if last else []
    for task_run in unknown:
        yield Blocker(
            f"Whether “{task_run}” happened is not known",
            needed="Two people who say what became of it.",
            owner=RELEASE_ENGINEER,
            action="Say what happened",
            url=task_run.step_url("judge"),
        )


@guard
def its_run_is_on(task_run: TaskRun) -> Iterator[Blocker]:
    if task_run.run.state != "running":
        yield Blocker(
            f"The run is {task_run.run.status.label.lower()}",
            needed="A run that is on.",
            action="Open the run",
            url=task_run.run.get_absolute_url(),
        )


def people_it_waits_for(task_run: TaskRun) -> Iterator[Blocker]:
    """Whose turn it is with a task that is ready, or whose ending is unknown."""
    task = task_run.task
    if task_run.state == "ready":
        yield Blocker(
            f"“{task_run}” is not done yet",
            needed="A decision, go or no go." if task.is_point else "Somebody who does it.",
            now="It is ready.",
            owner=task.owner_words or RELEASE_ENGINEER,
            owner_id=task.owner_id,
            action="Open the run",
            url=task_run.get_absolute_url(),
            tone="wait",
            glyph="wait",
        )
    elif task_run.state == "unknown":
        yield Blocker(
            f"Whether “{task_run}” happened is not known",
            needed="A second person who confirms it."
            if task_run.verdict
            else "Two people who say what became of it.",
            now="The run stands still.",
            owner=RELEASE_ENGINEER,
            action="Open the run",
            url=task_run.get_absolute_url(),
        )


def what_it_waits_for(task_run: TaskRun) -> Iterator[Blocker]:
    """What a task that has come up waits for before a worker takes it, besides the rules."""
    now, task = as_of(task_run), task_run.task
    moments = [task.not_before, task_run.ready_at if task_run.tries_again else None]
    ahead = [moment for moment in moments if moment is not None and moment > now]
    if ahead:
        yield Blocker(
            f"The time of “{task_run}” has not come",
            needed="Its next try." if task_run.tries_again else "The moment that its plan names.",
            clears_at=max(ahead),
            action="Open the run",
            url=task_run.get_absolute_url(),
            tone="wait",
            glyph="wait",
        )
    stuck = task_run.run.task_runs.filter(state__in=["unknown", "failed"]).exclude(pk=task_run.pk)
    for other in stuck.select_related("task")[:MOST_NAMED]:
        yield Blocker(
            f"“{other}” is {other.status.label.lower()}",
            needed="People who settle it.",
            owner=RELEASE_ENGINEER,
            action="Open the run",
            url=other.get_absolute_url(),
        )


@guard
def its_worker_is_gone(task_run: TaskRun) -> Iterator[Blocker]:
    """A worker that only sleeps might still do it: nothing is repeated until it cannot.

    One that said itself how it ended is not in the way. Any other ends with its lease at the
    latest, even if it sleeps; the lock says so only while the database was not restarted.
    """
    if not task_run.was_taken_over or task_run.ended_at is None:
        return
    certain_at = task_run.ended_at + dt.timedelta(seconds=settings.LEASE_SECONDS)
    lives = task_run.worker in life.living([task_run.worker])
    if lives or as_of(task_run) < certain_at:
        yield Blocker(
            f"Worker {task_run.worker} may yet carry out “{task_run}”",
            needed="Its end. It ends by itself with its lease; else stop it on its machine.",
            now="It is silent and holds its lock." if lives else "Its lease has just ended.",
            owner=RELEASE_ENGINEER,
            action="Look again",
            url=task_run.get_absolute_url(),
            clears_at=None if lives else certain_at,
            tone="warn",
            glyph="warn",
        )


@guard
def every_task_is_complete(run: Run) -> Iterator[Blocker]:
    """A run succeeds when each task of the plan has succeeded or was skipped in it."""
    complete = run.task_runs.filter(state__in=COMPLETE_TASK).values("task")
    if run.kind == "undo":
        planned = [task for task in run.turnover.tasks_to_undo() if task.pk not in set(complete)]
    else:
        planned = run.turnover.tasks.in_order().exclude(pk__in=complete)
    for task in planned[:MOST_NAMED]:
        yield Blocker(
            f"Task {task.order}, {task.title}, is not complete",
            needed="Every task succeeded or skipped.",
            action="Watch the run",
            url=run.get_absolute_url(),
        )


@guard
def nothing_of_it_runs(run: Run) -> Iterator[Blocker]:
    """The engine's own check: a run ends only when no worker carries a task of it."""
    open_ones = run.task_runs.filter(state__in=["running", "unknown"]).select_related("task")
    for task_run in open_ones:
        yield Blocker(
            f"{task_run.task.title} is {task_run.status.label.lower()}", tone="run", glyph="run"
        )


@guard
def no_worker_carries_it(turnover: Turnover) -> Iterator[Blocker]:
    """What an aborted run had begun comes to its end before the next run begins."""
    carried = turnover.runs.filter(task_runs__state="running").order_by()
    for title in carried.values_list("task_runs__task__title", flat=True):
        yield Blocker(
            f"{title} is still running",
            needed="Its end; it began before the run was stopped.",
            action="Look at the turnover",
            url=turnover.get_absolute_url(),
            tone="run",
            glyph="run",
        )
