"""End what has come to its end: several runs in one transaction where nothing stands in the way.

A run that succeeded also finishes its turnover and gives back the slot: three steps, each with its
own locks and history. Runs for which one question to the database shows that no guard can object
go these steps together; the rows are the same as ``perform`` writes. All others, such as a run that
failed or one that undoes, go through ``perform`` one by one.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.db.models.functions import Now

from environments.models import Booking, BookingState, Environment
from releasemgr.workflow.locks import one_transaction
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from trains.models import ApplicationRelease, Train
from turnovers.engine import together
from turnovers.models import DeploymentTask, Run, TaskRun, Turnover
from turnovers.states import RunKind, RunState, TaskState, TurnoverState

if TYPE_CHECKING:
    from collections.abc import Collection

    from releasemgr.accounts.models import User

logger = logging.getLogger(__name__)

SUCCEED, FAIL = "succeed", "fail"


def end(pk: int, step: str, *, by: User) -> None:
    """Let the run take the step that ends it, if it still can."""
    if step == SUCCEED:
        succeed_together([pk], by=by)
    else:
        _end_alone(pk, step, by=by)


def succeed_together(pks: Collection[int], *, by: User) -> None:
    """End the runs, whose tasks are all complete; what somebody else has ended stays as it is."""
    try:
        with one_transaction("what is at its end"):
            ended = _succeed(pks, by=by)
    except TransitionRefused as refused:
        logger.info("They are ended one by one: %s", refused)
        ended = set()
    for pk in pks:
        if pk not in ended:
            _end_alone(pk, SUCCEED, by=by)


def _succeed(pks: Collection[int], *, by: User) -> set[int]:
    runs = _plain_and_locked(pks)
    ends = {"state": RunState.SUCCEEDED, "ended_at": runs[0].locked_at} if runs else {}
    together.move(runs, SUCCEED, ends, by=by, reason=lambda _: "")
    numbers = {run.turnover_id: run.number for run in runs}
    ends = {"state": TurnoverState.DEPLOYED, "deployed_at": runs[0].locked_at} if runs else {}
    finished = together.move(
        [run.turnover for run in runs],
        "finish",
        ends,
        by=by,
        reason=lambda turnover: f"Run {numbers[turnover.pk]} succeeded.",
    )
    _give_back_slots(finished, by=by)
    return {run.pk for run in runs}


def _plain_and_locked(pks: Collection[int]) -> list[Any]:
    """Lock parents and rows in the order in which every step locks them."""
    seen = Run.objects.filter(pk__in=pks).select_related("turnover")
    turnovers = {run.turnover_id: run.turnover for run in seen}
    together.lock_in_order(
        (Environment, [turnover.environment_id for turnover in turnovers.values()]),
        (Train, [turnover.train_id for turnover in turnovers.values()]),
        (ApplicationRelease, [turnover.release_id for turnover in turnovers.values()]),
    )
    rows: Any = Turnover._base_manager.select_for_update(no_key=True)
    locked = {row.pk: row for row in rows.filter(pk__in=turnovers).order_by("pk")}
    runs: Any = Run.objects.running().filter(pk__in=pks, kind=RunKind.DEPLOY).order_by("pk")
    plain = []
    for run in runs.select_for_update(no_key=True).annotate(locked_at=Now()):
        turnover, before = locked[run.turnover_id], turnovers[run.turnover_id]
        if turnover.state == TurnoverState.DEPLOYING and _parents(turnover) == _parents(before):
            turnover.locked_at = run.locked_at
            run.turnover = turnover
            plain.append(run)
    return _complete(plain)


def _complete(runs: list[Any]) -> list[Any]:
    """Those in which every task has succeeded or was skipped; a task has one row in a run."""
    complete = TaskRun.objects.complete_by_run([run.pk for run in runs])
    planned = DeploymentTask.objects.count_by_turnover([run.turnover_id for run in runs])
    return [run for run in runs if complete.get(run.pk, 0) == planned.get(run.turnover_id, 0)]


def _parents(turnover: Any) -> tuple[Any, ...]:
    return turnover.environment_id, turnover.train_id, turnover.release_id


def _give_back_slots(finished: list[Any], *, by: User) -> None:
    """Release their own slots; a train's reservation stays the train's."""
    held = {row.booking_id: row for row in finished if row.booking_id}
    if not held:
        return
    slots: Any = Booking.objects.live().of_turnovers().filter(pk__in=held).order_by("pk")
    locked = list(slots.select_for_update(no_key=True).annotate(locked_at=Now()))
    together.move(
        locked,
        "release",
        {"state": BookingState.RELEASED},
        by=by,
        reason=lambda slot: f"{held[slot.pk].ref} is {held[slot.pk].status.label.lower()}.",
    )


def _end_alone(pk: int, step: str, *, by: User) -> None:
    run = Run.objects.get(pk=pk)
    reason = _why_failed(run) if step == FAIL else ""
    try:
        perform(run, step, by=by, reason=reason)
    except TransitionRefused as refused:
        # Somebody aborted it, or another worker was first; if not, the scheduler comes back to it.
        logger.info("%s did not %s now: %s", run, step, refused)


def _why_failed(run: Run) -> str:
    failed = run.task_runs.filter(state=TaskState.FAILED).select_related("task")
    return " ".join(f"Task {row.task.order}, {row.task}: {row.detail}" for row in failed)
