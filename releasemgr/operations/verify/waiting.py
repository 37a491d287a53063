"""V7: everything that is not over has something or somebody that moves it on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import Exists, OuterRef

from releasemgr.operations.verify.claims import task_run
from releasemgr.operations.verify.violation import Violation
from releasemgr.workflow.models import Workflow
from turnovers.models import Run, TaskRun, Turnover
from turnovers.states import LIVE_TASK, RunState, TaskState, TurnoverState

if TYPE_CHECKING:
    from collections.abc import Iterator


def somebody_moves_it() -> Iterator[Violation]:
    """V7."""
    yield from _states_without_a_word()
    yield from _deployments_without_runs()
    yield from _runs_that_nobody_ends()
    stopped = [TaskState.WAITING, TaskState.READY]
    left = TaskRun.objects.filter(state__in=stopped).exclude(run__state=RunState.RUNNING)
    for pk, run in left.values_list("pk", "run").iterator():
        yield task_run(pk, run, "Its run is over, and it still waits.")
    silent = TaskRun.objects.filter(state__in=[TaskState.UNKNOWN, TaskState.FAILED], detail="")
    for pk, run, state in silent.values_list("pk", "run", "state").iterator():
        yield task_run(pk, run, f"It is {state} and does not say why.")


def _states_without_a_word() -> Iterator[Violation]:
    """States that are in use without a meaning, or without anybody who may take a step."""
    for model in apps.get_models():
        if not issubclass(model, Workflow):
            continue
        manager: Any = model._base_manager
        steps: dict[str, set[str]] = {}
        for step in model().get_all_state_transitions():
            rule: Any = step.permission
            steps.setdefault(str(step.source), set()).add(rule.sentence)
        for state in manager.order_by().values_list("state", flat=True).distinct():
            where = f"{model._meta.label_lower} in state {state}"
            if not model.State(state).meaning:
                yield Violation("The state has no meaning in words.", where)
            if not all(steps.get(state, {"over"})):
                yield Violation("A step out of it does not say who may take it.", where)


def _deployments_without_runs() -> Iterator[Violation]:
    on = Run.objects.running().filter(turnover=OuterRef("pk"))
    idle = Turnover.objects.filter(~Exists(on), state=TurnoverState.DEPLOYING)
    for pk in idle.values_list("pk", flat=True).iterator():
        yield Violation(
            "It is deploying, and no run of it is on.",
            f"turnovers.turnover {pk}",
            Turnover(pk=pk).get_absolute_url(),
        )


def _runs_that_nobody_ends() -> Iterator[Violation]:
    stray = Run.objects.running().exclude(turnover__state=TurnoverState.DEPLOYING)
    for pk in stray.values_list("pk", flat=True).iterator():
        yield _about(pk, "It is running, and its turnover is not deploying.")
    live = TaskRun.objects.filter(run=OuterRef("pk"), state__in=LIVE_TASK)
    stuck = (
        Run.objects.running()
        .filter(~Exists(live))
        .exclude(pk__in=Run.objects.that_can_go_on().values("pk"))
    )
    for pk in stuck.values_list("pk", flat=True).iterator():
        yield _about(pk, "Nothing of it is live, and no scheduler would come back to it.")


def _about(pk: int, what: str) -> Violation:
    return Violation(what, f"turnovers.run {pk}", Run(pk=pk).get_absolute_url())
