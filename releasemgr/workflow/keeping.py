"""Tables whose rows PostgreSQL itself keeps: nothing that was recorded is changed or deleted.

``TRUNCATE`` stays possible for whoever owns the tables, as tests and new installations need it.
SQLite has no such guard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

FUNCTION = """
CREATE OR REPLACE FUNCTION releasemgr_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What was recorded is never rewritten: % refuses %.', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$
"""
KEEP = """
CREATE TRIGGER rows_are_kept BEFORE DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION releasemgr_keep();
CREATE TRIGGER rows_stay_as_they_are BEFORE UPDATE ON {table}
    FOR EACH ROW {when} EXECUTE FUNCTION releasemgr_keep()
"""
FORGET = """
DROP TRIGGER rows_are_kept ON {table};
DROP TRIGGER rows_stay_as_they_are ON {table}
"""


def keep(tables: Iterable[str], once: str = "") -> Callable[[Any, Any], None]:
    """For a migration: refuse to change or delete rows of ``tables``.

    With ``once``, the name of a column, a row may be changed for as long as that is empty.
    """
    when = f"WHEN (OLD.{once} IS NOT NULL)" if once else ""

    def forwards(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(FUNCTION, params=None)  # it holds per cent signs
            for table in tables:
                schema_editor.execute(KEEP.format(table=table, when=when))

    return forwards


def forget(tables: Iterable[str]) -> Callable[[Any, Any], None]:
    """The way back from ``keep``. The function stays: other tables may use it."""

    def backwards(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            for table in tables:
                schema_editor.execute(FORGET.format(table=table))

    return backwards
