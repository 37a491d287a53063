"""The read-only views (docs/views.md) on SQLite, which rebuilds a table to change it.

It refuses to rename the rebuilt table while a view still speaks of the old one, so the views are
put aside for the length of every migration. PostgreSQL needs none of this.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

_aside: dict[str, dict[str, str]] = {}


def put_aside(sender: Any, using: str, plan: list[Any], **_: Any) -> None:
    """Before migrations: take the views away, and remember how they were made."""
    connection = connections[using]
    if connection.vendor != "sqlite" or not plan:
        return
    with connection.cursor() as cursor:
        found = _views(cursor)
        for name in found:
            cursor.execute(f'DROP VIEW "{name}"')
    _aside[using] = found


def put_back(sender: Any, using: str, plan: Any = (), **_: Any) -> None:
    """After migrations: make those again that no migration has made anew or gone back before."""
    for_this = _aside.pop(using, {})
    goes_back = any(back and migration.app_label == "turnovers" for migration, back in plan)
    if not for_this or goes_back:
        return
    with connections[using].cursor() as cursor:
        present = _views(cursor)
        for name, sql in for_this.items():
            if name not in present:
                cursor.execute(sql)


def _views(cursor: Any) -> dict[str, str]:
    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'view'")
    return dict(cursor.fetchall())
