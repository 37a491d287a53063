"""V1 and V2: attempts against outcomes, and the order of claims.

The order goes by the numbers of the history rows, not by clocks: whatever moves a task run holds
its run's lock, so these numbers grow in the order in which things happened.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, F, Min, OuterRef, Q

from releasemgr.operations.verify.violation import Violation
from turnovers.models import Attempt, DeploymentTask, Run, TaskRun, Turnover
from turnovers.states import COMPLETE_TASK, RunKind, RunState, TaskState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Task runs of which only the end was told, such as those of the demo's past; not carried out here.
TOLD = Q(version=1, state__in=[TaskState.SUCCEEDED, TaskState.FAILED])
WON = Q(tries__outcome=TaskState.SUCCEEDED)


def attempts_fit_outcomes() -> Iterator[Violation]:
    """V1."""
    yield from _outcomes()
    yield from _claims_without_attempts()
    yield from _attempts_without_claims()
    yield from _open_attempts()
    for key in (
        Attempt.objects.filter(outcome=TaskState.SUCCEEDED)
        .order_by()
        .values("key")
        .annotate(count=Count("pk"))
        .filter(count__gt=1)
        .values_list("key", flat=True)
    ):
        yield Violation("More than one attempt succeeded with this key.", f"key {key}")


def _outcomes() -> Iterator[Violation]:
    by_engine = Q(state=TaskState.SUCCEEDED, done_by=None)
    rows: Any = TaskRun.objects.exclude(TOLD).annotate(wins=Count("tries", filter=WON))
    wrong = rows.filter((by_engine & ~Q(wins=1)) | (~by_engine & Q(wins__gt=0)))
    for pk, run, state, wins in wrong.values_list("pk", "run", "state", "wins").iterator():
        who = "" if state != TaskState.SUCCEEDED else " by the engine" if wins != 1 else " by hand"
        yield task_run(pk, run, f"It is {state}{who}, with {wins} attempts that succeeded.")


def _attempts_without_claims() -> Iterator[Violation]:
    claims = _history().filter(
        id=OuterRef("task_run"), fence=OuterRef("fence"), state=TaskState.RUNNING
    )
    attempts: Any = Attempt.objects.exclude(
        task_run__in=TaskRun.objects.filter(TOLD, tries__isnull=False).values("pk")
    )
    for row in attempts.filter(~Exists(claims)).values_list("task_run", "task_run__run", "fence"):
        yield task_run(row[0], row[1], f"Its history knows no claim for attempt {row[2]}.")


def _claims_without_attempts() -> Iterator[Violation]:
    attempts = Attempt.objects.filter(task_run=OuterRef("id"), fence=OuterRef("fence"))
    claims = _history().filter(~Exists(attempts), state=TaskState.RUNNING)
    for row in claims.order_by("id", "fence").values_list("id", "run_id", "fence").distinct():
        yield task_run(row[0], row[1], f"Claim {row[2]} in its history has no attempt.")


def _open_attempts() -> Iterator[Violation]:
    carried = Q(task_run__state=TaskState.RUNNING, task_run__fence=F("fence"))
    rows = Attempt.objects.filter(ended_at=None).exclude(carried)
    for pk, run, fence in rows.values_list("task_run", "task_run__run", "fence").iterator():
        yield task_run(pk, run, f"Attempt {fence} is open, and nobody carries it.")
    opened = Attempt.objects.filter(task_run=OuterRef("pk"), fence=OuterRef("fence"), ended_at=None)
    running = TaskRun.objects.filter(~Exists(opened), state=TaskState.RUNNING)
    for pk, run in running.values_list("pk", "run").iterator():
        yield task_run(pk, run, "It is running without an open attempt.")
    half = Attempt.objects.filter(
        Q(ended_at=None) & ~Q(outcome="") | Q(ended_at__isnull=False, outcome="")
    )
    for pk, run, fence in half.values_list("task_run", "task_run__run", "fence").iterator():
        yield task_run(pk, run, f"Attempt {fence} has an end without an outcome, or the reverse.")


def orders_follow_each_other() -> Iterator[Violation]:
    """V2."""
    begun = [TaskState.RUNNING, TaskState.READY]
    rows = (
        _history()
        .order_by("run_id", "order", "id")
        .values("run_id", "order", "id")
        .annotate(
            begun=Min("history_id", filter=Q(state__in=begun)),
            done=Min("history_id", filter=Q(state__in=COMPLETE_TASK)),
        )
    )
    for run, tasks in groupby(rows.iterator(), itemgetter("run_id")):
        yield from _out_of_order(run, tasks)
    yield from _passed_over()
    yield from _two_at_once()


def _out_of_order(run: int, tasks: Iterable[dict[str, Any]]) -> Iterator[Violation]:
    """What began before something of a lower order of the run was complete."""
    unfinished, last_done = None, 0
    for _, same_order in groupby(tasks, itemgetter("order")):
        rows = list(same_order)
        for row in rows:
            if row["begun"] is None:
                continue
            if unfinished is not None:
                yield task_run(row["id"], run, f"It began, and task run {unfinished} is not over.")
            elif row["begun"] < last_done:
                yield task_run(row["id"], run, "It began before what is of a lower order ended.")
        for row in rows:
            if row["done"] is None:
                unfinished = row["id"]
            else:
                last_done = max(last_done, row["done"])


def _passed_over() -> Iterator[Violation]:
    """Tasks of the plan that a running run has left behind without opening them."""
    run = Run.objects.filter(
        turnover=OuterRef("turnover"), state=RunState.RUNNING, kind=RunKind.DEPLOY
    )
    mine = Q(run__turnover=OuterRef("turnover"), run__state=RunState.RUNNING)
    opened = TaskRun.objects.filter(mine, task=OuterRef("pk"))
    later = TaskRun.objects.filter(mine, order__gt=OuterRef("order"))
    left: Any = DeploymentTask.objects.filter(Exists(run), Exists(later), ~Exists(opened))
    for pk, turnover in left.values_list("pk", "turnover").iterator():
        yield Violation(
            f"The running run of turnover {turnover} went past it.",
            f"turnovers.deploymenttask {pk}",
            Turnover(pk=turnover).get_absolute_url(),
        )


def _two_at_once() -> Iterator[Violation]:
    """What the database's own constraints forbid; asked again in case somebody dropped one."""
    attempts: Any = Attempt.objects.filter(ended_at=None).order_by().values("task_run")
    for row in attempts.annotate(count=Count("pk")).filter(count__gt=1):
        yield Violation("It has two open attempts.", f"turnovers.taskrun {row['task_run']}")
    runs: Any = Run.objects.running().order_by().values("turnover")
    for row in runs.annotate(count=Count("pk")).filter(count__gt=1):
        yield Violation("It has two running runs.", f"turnovers.turnover {row['turnover']}")


def task_run(pk: int, run: int, what: str) -> Violation:
    """Something about a task run, with its place on its run's page."""
    return Violation(what, f"turnovers.taskrun {pk}", f"{Run(pk=run).get_absolute_url()}#task-{pk}")


def _history() -> Any:
    history: Any = TaskRun.history
    return history.exclude(history_type="-")
