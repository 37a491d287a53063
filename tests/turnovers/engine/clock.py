"""The database's clock, in the hands of a test; the clock of the process is another one.

The engine goes by ``Now()`` and by what its own SQL calls the same. Both functions are replaced
for the session of the test: on SQLite by a function of Python's, on PostgreSQL by one that is found
before the server's own.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from typing import Any

from django.db import connection

#: Another session, in which the function is SQLite's own.
UNTOUCHED = sqlite3.connect(":memory:", check_same_thread=False)


def _real_strftime(form: str, moment: Any) -> Any:
    return UNTOUCHED.execute("SELECT STRFTIME(?, ?)", [form, moment]).fetchone()[0]


class DatabaseClock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = dt.datetime.now(dt.UTC)
        connection.ensure_connection()
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("CREATE SCHEMA lapse")
                cursor.execute("SET LOCAL search_path = lapse, public, pg_catalog")
        self.set(self.now)

    def set(self, moment: dt.datetime) -> None:
        self.now = moment
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "CREATE OR REPLACE FUNCTION lapse.statement_timestamp() RETURNS timestamptz "
                    f"LANGUAGE sql STABLE AS $$ SELECT '{moment.isoformat()}'::timestamptz $$"
                )
        else:
            connection.connection.create_function("STRFTIME", 2, self._strftime)

    def release(self) -> None:
        """Let SQLite's session ask its own clock again; PostgreSQL forgets with the transaction."""
        if connection.vendor != "postgresql":
            connection.connection.create_function("STRFTIME", 2, _real_strftime)

    def _strftime(self, form: str, moment: Any) -> str | None:
        assert moment == "NOW", moment
        text = self.now.astimezone(dt.UTC).strftime(form.replace("%f", "%S.%%f"))
        text = text.replace(":%S.", ":")
        return text.replace("%f", f"{self.now.microsecond // 1000:03d}")
