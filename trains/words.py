"""Finding words: in columns, and for trains on SQLite by an index; PostgreSQL has one of its own.

It is a table of trigrams beside the table of trains, which triggers keep. A migration that changes
that table makes it anew and loses the triggers, so they are looked after whenever migrations ran.
"""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.models import Q

SHORTEST = 3
#: Of so many it is quicker to look at each; a word in more is found soon on the way through them.
FEW = 1000
GONE = """
INSERT INTO trains_words(trains_words, rowid, name, version_name, purpose)
VALUES ('delete', old.id, old.name, old.version_name, old.purpose);
"""
CAME = """
INSERT INTO trains_words(rowid, name, version_name, purpose)
VALUES (new.id, new.name, new.version_name, new.purpose);
"""
CHANGED = "AFTER UPDATE OF name, version_name, purpose"
TRIGGERS = {
    "trains_words_added": f"AFTER INSERT ON trains_train BEGIN {CAME} END",
    "trains_words_removed": f"AFTER DELETE ON trains_train BEGIN {GONE} END",
    "trains_words_changed": f"{CHANGED} ON trains_train BEGIN {GONE} {CAME} END",
}
TABLE = """
CREATE VIRTUAL TABLE IF NOT EXISTS trains_words USING fts5(
    name, version_name, purpose, content='trains_train', content_rowid='id', tokenize='trigram'
)
"""
THERE = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'trains_words_%'"
HOLDING = "SELECT rowid FROM trains_words WHERE trains_words MATCH %s LIMIT %s"


def look_after(using: str, **_: Any) -> None:
    """Make the index and its triggers where they are missing; called after migrations."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        if "trains_train" not in connection.introspection.table_names(cursor):
            return
        cursor.execute(THERE)
        if cursor.fetchone()[0] == len(TRIGGERS):
            return
        cursor.execute(TABLE)
        for name, what in TRIGGERS.items():
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            cursor.execute(f"CREATE TRIGGER {name} {what}")
        cursor.execute("INSERT INTO trains_words(trains_words) VALUES ('rebuild')")


def few_that_hold(word: str, using: str) -> list[int] | None:
    """The keys of the trains that hold the word; ``None`` where they are many, or it is short."""
    connection = connections[using]
    if connection.vendor != "sqlite" or len(word) < SHORTEST:
        return None
    quoted = '"' + word.replace('"', '""') + '"'
    with connection.cursor() as cursor:
        cursor.execute(HOLDING, [quoted, FEW + 1])
        keys = [key for (key,) in cursor.fetchall()]
    return keys if len(keys) <= FEW else None


def that_hold(rows: Any, words: str, *columns: str) -> Any:
    """The rows of which every word, up to eight of them, stands in one of the columns."""
    for word in words.split()[:8]:
        said = Q()
        for column in columns:
            said |= Q(**{f"{column}__icontains": word})
        rows = rows.filter(said)
    return rows
