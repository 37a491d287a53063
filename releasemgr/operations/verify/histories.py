"""V3 and V4: each history leads to the present, by declared steps, without a gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import connection
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q

from releasemgr.operations.verify.violation import Violation
from releasemgr.workflow.models import Recorded, Workflow
from turnovers.models import Run, TaskRun, Turnover
from turnovers.states import TaskState

if TYPE_CHECKING:
    from collections.abc import Iterator

    Edge = tuple[str, str]

#: What the ledger of the engine writes besides ``perform``, whatever it calls it.
ENGINE_EDGES: frozenset[Edge] = frozenset(
    {
        (TaskState.WAITING, TaskState.RUNNING),  # claim
        (TaskState.RUNNING, TaskState.SUCCEEDED),  # settle
        (TaskState.RUNNING, TaskState.FAILED),  # settle
        (TaskState.RUNNING, TaskState.UNKNOWN),  # settle, lose
        (TaskState.RUNNING, TaskState.WAITING),  # try again, resume
    }
)
#: In which states these begin; the task runs of the demo's past are told with their ends.
BEGINNINGS: dict[type[Workflow], frozenset[str]] = {
    Run: frozenset({"running"}),
    TaskRun: frozenset({"waiting", "ready", "running", "skipped", "succeeded", "failed"}),
    Turnover: frozenset({"draft"}),
}

#: Every history row with the state before it, and whether a step was taken before it.
TOLD = """
SELECT id, state, transition,
    LAG(state) OVER (PARTITION BY id ORDER BY version, history_id) AS before,
    COALESCE(MAX(transition) OVER (
        PARTITION BY id ORDER BY version, history_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), '') <> '' AS is_steered
FROM {history}
WHERE history_type <> '-'
"""
KINDS = """
SELECT before, transition, state, is_steered FROM ({told}) told
GROUP BY before, transition, state, is_steered
"""
ROWS = """
SELECT DISTINCT id FROM ({told}) told
WHERE COALESCE(before, '') = %s AND transition = %s AND state = %s AND is_steered = %s
ORDER BY id
"""


def states_are_reached() -> Iterator[Violation]:
    """V3."""
    for model in _models(Workflow):
        yield from _undeclared(model)
        same = _history(model).filter(
            id=OuterRef("pk"), version=OuterRef("version"), state=OuterRef("state")
        )
        for pk in model._base_manager.filter(~Exists(same)).values_list("pk", flat=True).iterator():
            yield about(model, pk, "Its state and version are not those of its history.")


def _undeclared(model: Any) -> Iterator[Violation]:
    """Changes of state that nothing declares; first by kind, then the rows of the bad kinds."""
    told = TOLD.format(history=_history(model).model._meta.db_table)
    allowed = _edges(model)
    with connection.cursor() as cursor:
        cursor.execute(KINDS.format(told=told))
        bad = [kind for kind in cursor.fetchall() if not _is_declared(model, allowed, *kind)]
        for before, transition, state, is_steered in bad:
            cursor.execute(ROWS.format(told=told), [before or "", transition, state, is_steered])
            for (pk,) in cursor.fetchall():
                step = f"“{transition}”" if transition else "an edit"
                yield about(model, pk, f"{step} led from {before or 'nothing'} to {state}.")


def _is_declared(
    model: Any, allowed: set[tuple[str, Edge]], before: Any, step: str, state: str, steered: Any
) -> bool:
    if before is None:
        beginnings = BEGINNINGS.get(model)
        # An import brings turnovers in whatever state they have elsewhere.
        return beginnings is None or state in beginnings or (model is Turnover and not step)
    if not step:
        # An import may restate what has not been steered here.
        return before == state or not steered
    names = {name for name, _ in allowed}
    if model is TaskRun and step not in names:
        return (before, state) in ENGINE_EDGES
    return (step, (before, state)) in allowed


def _edges(model: Any) -> set[tuple[str, Edge]]:
    """Each declared step with where it leads from and to."""
    edges = set()
    for step in model().get_all_state_transitions():
        targets = getattr(step.target, "allowed_states", None) or [step.target]
        edges |= {(step.name, (str(step.source), str(target))) for target in targets}
    return edges


def versions_are_whole() -> Iterator[Violation]:
    """V4."""
    for model in _models(Recorded):
        counted = (
            _history(model)
            .order_by("id")
            .values("id")
            .annotate(
                rows=Count("history_id"),
                versions=Count("version", distinct=True),
                first=Min("version"),
                last=Max("version"),
            )
        )
        whole = Q(first=1, last=F("rows"), versions=F("rows"))
        for row in counted.exclude(whole).iterator():
            what = f"{row['rows']} rows of history for versions {row['first']} to {row['last']}."
            yield about(model, row["id"], what)
        kept = _history(model).filter(id=OuterRef("pk"), version=OuterRef("version"))
        for pk in model._base_manager.filter(~Exists(kept)).values_list("pk", flat=True).iterator():
            yield about(model, pk, "Its present version is not in its history.")


def about(model: Any, pk: int, what: str) -> Violation:
    """Something about a row, with its page where it has one."""
    return Violation(what, f"{model._meta.label_lower} {pk}", _address(model, pk))


def _address(model: Any, pk: int) -> str:
    row = model._base_manager.filter(pk=pk).first()
    return row.get_absolute_url() if hasattr(row, "get_absolute_url") else ""


def _models(kind: Any) -> list[Any]:
    return [model for model in apps.get_models() if issubclass(model, kind)]


def _history(model: Any) -> Any:
    return model.history.exclude(history_type="-")
