"""The one way to change a state: lock, check, move, record, dispatch, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.module_loading import import_string

from releasemgr.workflow.locks import lock, one_transaction
from releasemgr.workflow.models import Workflow, step_taken
from releasemgr.workflow.refusals import Conflict, TransitionRefused
from releasemgr.workflow.rules import Blocker, blockers

if TYPE_CHECKING:
    from django_fsm import Transition

    from releasemgr.accounts.models import User

W = TypeVar("W", bound=Workflow)


class UnknownStep(LookupError):
    """The model declares no step of that name."""


def perform(
    row: W, name: str, *, by: User, reason: str = "", version: int | None = None, **data: Any
) -> W:
    """Take the step ``name`` and return the moved row, or raise and change nothing.

    ``version`` is the row's version that the person saw; ``data`` goes to the step's method and
    to the services named in its ``also``, which run in the same transaction.
    Raises ``UnknownStep``, ``PermissionDenied``, ``TransitionRefused`` or ``Conflict``.
    """
    with one_transaction(row):
        row = lock(row)
        _check_permission(row, name, by)
        step = _find(row, name)
        if version is not None and version != row.version:
            raise Conflict(row)
        if found := blockers(row, step):
            raise TransitionRefused(*found)
        if step.custom.get("needs_reason") and not reason.strip():
            raise TransitionRefused(Blocker("Say why", needed="A reason, kept in the history."))
        record(row, by=by, reason=reason, transition=name, move=lambda: getattr(row, name)(**data))
        for service in step.custom.get("also", ()):
            import_string(service)(row, by=by, reason=reason, **data)
        step_taken.send(type(row), row=row, name=name, by=by, reason=reason)
        for task in step.custom.get("then", ()):
            dispatch_on_commit(task, row.pk)
    return row


def record(
    row: Any, *, by: User | None, reason: str, transition: str = "", move: Any = None
) -> None:
    """Save ``row`` with its history row: author, reason and step belong to this save alone."""
    row._history_user, row._change_reason, row._transition = by, reason, transition
    try:
        if move is not None:
            move()
        if row.pk is not None:
            row.version += 1
        row.save()
    finally:
        # simple-history keeps reading these: the next plain save would be credited to this one.
        del row._history_user, row._change_reason, row._transition


def restate(row: W, state: str, *, by: User, reason: str) -> W:
    """Record a state that was reached elsewhere, as an import learns it.

    Only for rows that never took a step here: what people steer here, a file does not overrule.
    """
    with one_transaction(row):
        row = lock(row)
        if row.history.exclude(transition="").exists():
            raise TransitionRefused(f"{row} is steered here; a file does not change its state.")
        moved = type(row)(
            **{f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields}
            | {"state": state}
        )
        moved._state.adding = False
        record(moved, by=by, reason=reason)
    return moved


def dispatch_on_commit(task: str, pk: int) -> None:
    """Hand the row to Celery once it is stored; a dead broker is logged, not raised.

    No ``functools.partial`` here: with ``robust=True`` Django 5.2 fails to log one (#36487).
    """
    transaction.on_commit(lambda: import_string(task).delay(pk), robust=True)


def _check_permission(row: Workflow, name: str, by: User) -> None:
    steps = [step for step in row.get_all_state_transitions() if step.name == name]
    if not steps:
        raise UnknownStep(name)
    here = [step for step in steps if step.source == row.state] or steps
    if not any(step.has_perm(row, by) for step in here):
        rule: Any = here[0].permission
        raise PermissionDenied(rule.sentence)


def _find(row: Workflow, name: str) -> Transition:
    for step in row.get_all_state_transitions():
        if (step.name, step.source) == (name, row.state):
            return step
    words = row.label_of(name)
    raise TransitionRefused(
        Blocker(
            f"{row} is “{row.get_state_display()}”",
            needed=f"A state that allows “{words}”.",
            now="It has moved on since, or was never there.",
            action="Look again",
            url=row.get_absolute_url() if hasattr(row, "get_absolute_url") else "",
        )
    )
