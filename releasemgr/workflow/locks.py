"""Rows are locked parents first, in one direction, so that no two transactions wait for each other.

On SQLite ``select_for_update`` does nothing; there every writing transaction is IMMEDIATE.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import OperationalError, transaction
from django.db.models.functions import Now

from releasemgr.workflow.refusals import TransitionRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from releasemgr.workflow.models import Recorded

R = TypeVar("R", bound="Recorded")

LOCK_NOT_AVAILABLE, DEADLOCK, SERIALIZATION = "55P03", "40P01", "40001"


@contextmanager
def one_transaction(row: Any) -> Iterator[None]:
    """A transaction in which losing a race for a lock is a refusal, not a crash."""
    try:
        with transaction.atomic():
            yield
    except OperationalError as error:
        cause = error.__cause__
        if getattr(cause, "pgcode", None) in {LOCK_NOT_AVAILABLE, DEADLOCK, SERIALIZATION} or (
            "database is locked" in str(error)
        ):
            raise TransitionRefused(
                f"Somebody else is changing {row} at this moment. Try again."
            ) from error
        raise


def lock(row: R) -> R:
    """Lock the parents the guards read, then the row; return it as it is now.

    ``locked_at`` on it is the database's clock: what is due does not depend on a machine's own.
    Raises ``TransitionRefused`` where the row is gone or has moved to other parents meanwhile.
    """
    parents = getattr(row, "lock_first", ())
    before = [_lock_parent(row, path) for path in parents]
    model = type(row)
    rows = model._base_manager.select_for_update(no_key=True).annotate(locked_at=Now())
    fresh = rows.filter(pk=row.pk).first()
    if fresh is None:
        raise TransitionRefused(f"{row} no longer exists.")
    if before != [_parent_pk(fresh, path) for path in parents]:
        raise TransitionRefused(f"{fresh} has just changed. Look again.")
    return fresh


def _lock_parent(row: Any, path: str) -> Any:
    model, pk = _parent(row, path)
    if pk is not None:
        list(model._base_manager.select_for_update(no_key=True).filter(pk=pk).values_list("pk"))
    return pk


def _parent_pk(row: Any, path: str) -> Any:
    return _parent(row, path)[1]


def _parent(row: Any, path: str) -> tuple[Any, Any]:
    """The model and the key at the end of the path, without reading the parent itself."""
    *hops, last = path.split(".")
    for relation in hops:
        row = getattr(row, relation) if row is not None else None
    if row is None:
        return None, None
    field = row._meta.get_field(last)
    return field.related_model, getattr(row, field.attname)
