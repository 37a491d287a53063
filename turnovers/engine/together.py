"""Move many rows by one step at once: the rows that ``perform`` would write, in a few statements.

For the engine alone, and only where one question to the database, asked with all locks in hand, has
shown that no guard of the step can object. All else goes through ``perform`` row by row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import F

from releasemgr.workflow.models import step_taken

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from releasemgr.accounts.models import User


def lock_in_order(*wanted: tuple[Any, Iterable[int | None]]) -> None:
    """Lock rows of each model in turn, as every step does: parents first, the lowest key first."""
    for model, keys in wanted:
        pks = {pk for pk in keys if pk is not None}
        if pks:
            found = model._base_manager.filter(pk__in=pks).order_by("pk")
            list(found.select_for_update(no_key=True).values_list("pk", flat=True))


def move(
    rows: Collection[Any],
    step: str,
    entries: dict[str, Any],
    *,
    by: User,
    reason: Callable[[Any], str],
) -> list[Any]:
    """Write ``entries``, the new state among them, into locked rows; return them as they are then.

    Each row says in ``locked_at`` when that was, by the database's clock.
    """
    if not rows:
        return []
    model = type(next(iter(rows)))
    model._base_manager.filter(pk__in=[row.pk for row in rows]).update(
        version=F("version") + 1, **entries
    )
    moved = [_as_moved(row, entries) for row in rows]
    for row in moved:
        row._change_reason = reason(row)
    tell(moved, by=by, transition=step)
    for row in moved:
        step_taken.send(model, row=row, name=step, by=by, reason=row._change_reason)
        del row._change_reason
    return moved


def tell(
    rows: Collection[Any], *, by: User, transition: str = "", reason: str = "", is_new: bool = False
) -> None:
    """Write the history of rows that were made or moved; a row may have a reason of its own."""
    if rows:
        next(iter(rows)).__class__.history.bulk_history_create(
            rows,
            update=not is_new,
            default_user=by,
            default_change_reason=reason,
            custom_historical_attrs={"transition": transition, "actor": str(by)},
        )


def _as_moved(row: Any, entries: dict[str, Any]) -> Any:
    """The row anew: a state that is protected cannot be set on the old one."""
    columns = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    moved = type(row)(**columns | entries | {"version": row.version + 1})
    for name, parent in row._state.fields_cache.items():
        moved._state.fields_cache[name] = parent
    moved.locked_at = row.locked_at
    moved._state.adding = False
    return moved
