"""Whether the parts of an installation answer, and since when they have been seen.

A web process by itself can be ready: a scheduler or worker that was never seen makes it degraded.
One that was seen and has gone silent, with no other of its kind, makes it not ready.
"""

from __future__ import annotations

import datetime as dt
import logging
import shutil
from dataclasses import dataclass, field
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models.functions import Now
from kombu.exceptions import OperationalError

from turnovers.models import Heartbeat

logger = logging.getLogger(__name__)

SILENT_SECONDS = 30.0
MEGABYTE = 1024 * 1024
KINDS = ("scheduler", "worker")


@dataclass(frozen=True)
class Part:
    """One thing that we depend on: a word for its state, and whether we can do without it."""

    name: str
    word: str
    is_ready: bool
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Beat:
    """A worker or scheduler as it was seen last, by the database's clock."""

    part: str
    kind: str
    since: dt.datetime
    at: dt.datetime
    age: float
    facts: dict[str, Any]

    @property
    def is_silent(self) -> bool:
        return self.age > silent_after()

    @property
    def ago(self) -> dt.timedelta:
        return dt.timedelta(seconds=int(self.age))

    @property
    def host(self) -> str:
        """On which machine it runs, and as which process, where the part says so."""
        return " ".join(self.part.split(":")[1:]) or "–"


def silent_after() -> float:
    """Seconds without a sign of life after which somebody should look."""
    return float(max(SILENT_SECONDS, 6 * settings.TICK_SECONDS))


def heartbeats() -> list[Beat]:
    """Every worker and scheduler, the last seen first of its kind."""
    rows: Any = Heartbeat.objects.annotate(now=Now()).order_by("kind", "-at")
    return [
        Beat(
            part=row.part,
            kind=row.kind,
            since=row.since,
            at=row.at,
            age=round(max(0.0, (row.now - row.at).total_seconds()), 3),
            facts=row.facts,
        )
        for row in rows
    ]


def parts() -> list[Part]:
    """All that this installation needs, the database first."""
    database = database_answers()
    found = [
        _answer("database", answers=database),
        _answer("broker", answers=broker_answers()),
    ]
    beats: list[Beat] | None = None
    if database:
        try:
            beats = heartbeats()
        except (DatabaseError, InterfaceError):  # such as before the first migration
            logger.warning("The heartbeats cannot be read.", exc_info=True)
    return [*found, *(_of_kind(kind, beats) for kind in KINDS), disk()]


def is_ready(found: list[Part]) -> bool:
    return all(part.is_ready for part in found)


def database_answers() -> bool:
    """Whether the database takes a query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        logger.warning("The database does not answer.", exc_info=True)
        return False
    return True


def broker_answers() -> bool:
    """Whether the broker takes a connection; tried once, for the probe will come again."""
    try:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=2)
    except (OperationalError, OSError):
        logger.warning("The broker does not answer.", exc_info=True)
        return False
    return True


def disk() -> Part:
    """Whether there is room where this process writes."""
    free = shutil.disk_usage(settings.VAR_DIR).free // MEGABYTE
    enough = free >= settings.DISK_FREE_MB
    return Part("disk", "ok" if enough else "full", enough, {"free_mb": free})


def _answer(name: str, *, answers: bool) -> Part:
    return Part(name, "ok" if answers else "no answer", answers)


def _of_kind(kind: str, beats: list[Beat] | None) -> Part:
    if beats is None:
        return Part(kind, "not known", is_ready=False)
    mine = [beat for beat in beats if beat.kind == kind]
    if not mine:
        return Part(kind, "not seen", kind not in settings.READY_NEEDS)
    detail = {"age_seconds": mine[0].age, "running": sum(not beat.is_silent for beat in mine)}
    silent = mine[0].is_silent
    return Part(kind, "silent" if silent else "ok", not silent, detail)
