"""How the ledger writes: an entry, its history row and its attempt, in one statement.

The engine's path is hot, and every statement costs a journey to the database, so it speaks SQL.
PostgreSQL takes an entry with all that follows from it as one statement; SQLite takes the same
parts one after the other, in the same transaction.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from django.db import connection

from turnovers.models import TaskRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from releasemgr.accounts.models import User

TABLE = "turnovers_taskrun"
#: The row that was written, for what follows from it.
ROW = "{row}"
#: The reason of a history row that says what the row itself says of how it went.
THE_DETAIL = "{detail}"


@dataclass(frozen=True)
class Story:
    """What the history row says besides the row itself."""

    by: User
    transition: str
    now: dt.datetime
    reason: str = ""
    is_new: bool = False


def now_sql() -> str:
    """The database's clock, as it is while the statement runs."""
    if connection.vendor == "postgresql":
        return "STATEMENT_TIMESTAMP()"
    return "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')"


def moment(value: Any) -> dt.datetime:
    """A time as the database gave it; SQLite gives text, or a time without a zone, in UTC."""
    found = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def now() -> dt.datetime:
    """What the database's clock says."""
    return moment(ask(f"SELECT {now_sql()}")[0][0])


def stored(value: Any) -> Any:
    """A value as the database takes it."""
    if isinstance(value, dt.datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value


def ask(sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run one statement and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, [stored(value) for value in values])
        return list(cursor.fetchall()) if cursor.description else []


def change(sql: str, values: Sequence[Any]) -> int:
    """Run one statement and return how many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(sql, [stored(value) for value in values])
        return int(cursor.rowcount)


def enter(
    sql: str,
    values: Sequence[Any],
    story: Story,
    after: Sequence[tuple[str, Sequence[Any]]] = (),
) -> tuple[int, int] | None:
    """Write task runs by ``sql``, their history rows, and what comes ``after``, such as attempts.

    Returns the first row's id and fence, or None where ``sql`` found no row to write: then nothing
    was written at all.
    """
    parts = [(_told(by_detail=story.reason == THE_DETAIL), _told_values(story)), *after]
    if connection.vendor == "postgresql":
        rows = _at_once(sql, values, parts)
    else:
        rows = ask(f"{sql} RETURNING id, fence", values)
        if rows:
            ids = ", ".join(str(int(pk)) for pk, _ in sorted(rows))
            written = f"(SELECT * FROM {TABLE} WHERE id IN ({ids}) ORDER BY id) AS one"  # noqa: S608
            for part, its_values in parts:
                change(part.replace(ROW, written), its_values)
    return (rows[0][0], rows[0][1]) if rows else None


def _at_once(
    sql: str, values: Sequence[Any], parts: Sequence[tuple[str, Sequence[Any]]]
) -> list[tuple[Any, ...]]:
    named = ", ".join(
        f"part{number} AS ({part.replace(ROW, 'one')})" for number, (part, _) in enumerate(parts)
    )
    whole = f"WITH one AS ({sql} RETURNING *), {named} SELECT id, fence FROM one"  # noqa: S608
    return ask(whole, [*values, *(value for _, its in parts for value in its)])


@cache
def _told(*, by_detail: bool) -> str:
    """The statement that copies rows into their history, with a reason, or each with its detail."""
    reason = "detail" if by_detail else "%s"
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in TaskRun._meta.concrete_fields)
    return (
        f"INSERT INTO turnovers_historicaltaskrun ({columns}, history_date, history_user_id, "  # noqa: S608
        f"history_type, history_change_reason, transition, actor) "
        f"SELECT {columns}, %s, %s, %s, {reason}, %s, %s FROM {ROW}"
    )


def _told_values(story: Story) -> list[Any]:
    kind = "+" if story.is_new else "~"
    by = story.by
    reason = [] if story.reason == THE_DETAIL else [story.reason]
    return [story.now, by.pk, kind, *reason, story.transition, str(by)]
