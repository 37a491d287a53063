"""The one way to change plain fields: lock, compare versions, save with author and reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.db import transaction

from releasemgr.workflow.locks import lock, one_transaction
from releasemgr.workflow.models import Recorded, row_created, row_edited
from releasemgr.workflow.perform import record
from releasemgr.workflow.refusals import Conflict, TransitionRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from releasemgr.accounts.models import User
    from releasemgr.workflow.rules import Blocker

R = TypeVar("R", bound=Recorded)


def create(row: R, *, by: User | None, reason: str = "") -> R:
    """Store a new row with its author."""
    # No savepoint of its own: a row that is part of something larger fails with it.
    with transaction.atomic(savepoint=False):
        record(row, by=by, reason=reason)
        row_created.send(type(row), row=row, by=by, reason=reason)
    return row


def edit(
    row: R,
    *,
    by: User | None,
    version: int | None = None,
    reason: str = "",
    allowed: Callable[[R], Iterable[Blocker]] | None = None,
    values: Mapping[str, Any] | None = None,
    **changes: Any,
) -> R:
    """Set ``changes`` on the locked row and return it; a row that does not differ stays as it is.

    ``values`` are more changes, also of a field that is called as one of the arguments here.
    ``version`` is what the person saw; ``allowed`` is asked under the lock and lists what forbids
    the edit. Raises ``Conflict`` or ``TransitionRefused``; then nothing was changed.
    """
    changes |= values or {}
    with one_transaction(row):
        row = lock(row)
        if version is not None and version != row.version:
            raise Conflict(row)
        if allowed is not None and (found := list(allowed(row))):
            raise TransitionRefused(*found)
        changed = {name for name, value in changes.items() if getattr(row, name) != value}
        if changed:
            for name in changed:
                setattr(row, name, changes[name])
            record(row, by=by, reason=reason)
            row_edited.send(type(row), row=row, changed=changed, by=by, reason=reason)
    return row


def remove(
    row: R,
    *,
    by: User,
    reason: str = "",
    allowed: Callable[[R], Iterable[Blocker]] | None = None,
) -> None:
    """Delete the locked row; its history stays, and says who removed it."""
    with one_transaction(row):
        row = lock(row)
        if allowed is not None and (found := list(allowed(row))):
            raise TransitionRefused(*found)
        row._history_user, row._change_reason, row._transition = by, reason, "remove"
        row.delete()
