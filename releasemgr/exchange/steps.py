"""The tasks of turnovers, and what undoes them: read from the file, and written back."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from releasemgr.exchange.held import (
    Held,
    Unfit,
    fitted,
    moment,
    number,
    same,
    text,
    values_of,
    with_changes,
)
from releasemgr.exchange.shape import in_order
from turnovers.executors import EXECUTORS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from releasemgr.exchange.places import Object
    from turnovers.models import DeploymentTask

MOST_MINUTES = 100_000
MOST_SECONDS = 86_400
MOST_ATTEMPTS = 20


def instructions(raw: Object) -> str:
    lines = [f"Only if: {raw['condition']}"] if raw.get("condition") else []
    return "\n".join([*lines, *raw.get("commands", [])])


def executor(raw: Object) -> str:
    """What carries it out, where it is known here and takes the parameters; else a person does."""
    carried_out(raw)
    return str(raw.get("executor", ""))


def parameters(raw: Object) -> Object:
    try:
        return carried_out(raw)
    except Unfit:  # told once, with the executor
        return {}


def carried_out(raw: Object) -> Object:
    """The parameters as the executor's own form takes them. Raises ``Unfit``."""
    key = raw.get("executor", "")
    if not key:
        return {}
    if key not in EXECUTORS:
        raise Unfit(f"{key[:30]} is not known here: a person does it", "")
    said = raw.get("parameters", {})
    form = EXECUTORS[key].form(said if isinstance(said, dict) else {})
    with timezone.override(dt.UTC):  # what a form fills in depends on nobody's zone
        is_valid = form.is_valid()
    if not is_valid:
        raise Unfit(f"{EXECUTORS[key].name} refuses its parameters: a person does it", "")
    return dict(form.cleaned_data)


_TITLE = Held(
    "title",
    lambda raw: fitted(raw["title"] or "Task without a title", 500),
    lambda value, raw: {"title": value},
)
_INSTRUCTIONS = Held(
    "instructions",
    instructions,
    lambda value, raw: {"commands": value.splitlines()} if value else {},
)
_CARRIED_OUT = (
    Held("executor", executor, lambda value, raw: {"executor": value} if value else {}),
    Held("parameters", parameters, lambda value, raw: {"parameters": value} if value else {}),
    number("timeout_seconds", range(1, MOST_SECONDS + 1), 300),
    number("attempts", range(1, MOST_ATTEMPTS + 1), 1),
    same("repeat_safe", empty=False),
)


def _estimate(raw: Object) -> int:
    minutes = int(raw.get("duration_minutes", 5))
    if not 0 <= minutes <= MOST_MINUTES:
        raise Unfit(f"not from 0 to {MOST_MINUTES:,} minutes: 5 stand there", 5)
    return minutes


_ESTIMATE = Held("estimate_minutes", _estimate, lambda value, raw: {"duration_minutes": value})
TASK_FIELDS: tuple[Held, ...] = (
    Held("order", lambda raw: raw["order"]),
    _TITLE,
    Held(
        "section",
        lambda raw: fitted(raw.get("section", ""), 200),
        lambda value, raw: {"section": value} if value else {},
    ),
    _INSTRUCTIONS,
    _ESTIMATE,
    *_CARRIED_OUT,
    moment("not_before", "not_before"),
    text("undo", 100_000),
)
UNDO_FIELDS: tuple[Held, ...] = (_TITLE, _INSTRUCTIONS, _ESTIMATE, *_CARRIED_OUT)


# --- Reading --------------------------------------------------------------------------------------


def ticked_tasks(raw: Object) -> dict[int, tuple[Object, Object]]:
    """The tasks of a turnover that somebody does, by order: as written, and with their phase.

    A heading is no task; it names the phase of what is under it.
    """
    tasks = raw.get("tasks", [])
    headings = {task["order"]: task["title"] for task in tasks if task.get("group")}
    found = {}
    for task in tasks:
        if not task.get("group"):
            phase = headings.get(task.get("parent", 0)) or task.get("section")
            found[task["order"]] = (task, task | ({"section": phase} if phase else {}))
    return found


def unfit_tasks(raw: Object) -> Iterator[tuple[str, str]]:
    """(field, why) of what of the tasks could not be taken as it is."""
    for order, (_, seen) in ticked_tasks(raw).items():
        for attr, why in values_of(TASK_FIELDS, seen)[1]:
            yield f"task {order} {attr}", why
        if "undone_by" in seen:
            for attr, why in values_of(UNDO_FIELDS, seen["undone_by"])[1]:
                yield f"what undoes task {order} {attr}", why


def undo_of(task: DeploymentTask) -> Object | None:
    """What the file says undoes an imported task, if it says so."""
    said: Object | None = task.extra.get("undone_by")
    return said


def undo_values(raw: Object) -> dict[str, Any]:
    """Our fields of a task that undoes another."""
    return values_of(UNDO_FIELDS, raw)[0]


# --- Writing --------------------------------------------------------------------------------------


def task_said(
    row: DeploymentTask, undo: DeploymentTask | None, task: Object, seen: Object
) -> Object:
    """A task as it is now: ``task`` is how the file had it, ``seen`` the same with its phase."""
    if task:
        changed = with_changes(TASK_FIELDS, seen, _values(TASK_FIELDS, row))
        said = {
            name: task.get(name, value) if changed.get(name) == seen.get(name) else value
            for name, value in changed.items()
            if name in task or changed.get(name) != seen.get(name)
        }
    else:
        said = {"order": 0}  # renumbered with the others
        for held in TASK_FIELDS:
            said |= held.write(getattr(row, held.attr), {})
    said |= _owner(row)
    said.pop("undone_by", None)
    return said | ({"undone_by": _undo_said(undo)} if undo is not None else {})


def _undo_said(row: DeploymentTask) -> Object:
    if row.extra:
        said = with_changes(UNDO_FIELDS, row.extra, _values(UNDO_FIELDS, row))
    else:
        said = {}
        for held in UNDO_FIELDS:
            said |= held.write(getattr(row, held.attr), {})
    return in_order("undo_task", said | _owner(row))


def _values(held: tuple[Held, ...], row: DeploymentTask) -> dict[str, Any]:
    return {one.attr: getattr(row, one.attr) for one in held}


def _owner(row: DeploymentTask) -> Object:
    """The name of whoever has it here, in words."""
    return {"owner": row.owner_words} if row.owner_words else {}
