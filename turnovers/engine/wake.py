"""Waking the scheduler when something changes that it sleeps for.

PostgreSQL carries the call at the commit. On SQLite, which is for one machine, whoever calls gives
a file a new time after the commit, and the scheduler watches that. Both only save time: it looks by
itself after a tick.
"""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection, transaction

if TYPE_CHECKING:
    import threading
    from pathlib import Path

CHANNEL = "releasemgr_scheduler"
#: How often a sleeper looks whether it was asked to stop, and on SQLite whether somebody called.
LOOK_SECONDS = 0.2


def scheduler() -> None:
    """Wake it, once this transaction is stored."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")
    else:
        transaction.on_commit(_call, robust=True)


def _file() -> Path:
    folder: Path = settings.VAR_DIR
    return folder / "scheduler.call"


def _call() -> None:
    path, now = _file(), time.time_ns()
    path.touch()
    os.utime(path, ns=(now, now))  # finer than the file system's own time


def _called_at() -> int:
    try:
        return _file().stat().st_mtime_ns
    except FileNotFoundError:
        return 0


class Sleeper:
    """Sleeps until a time has passed, until somebody calls, or until it is asked to stop."""

    def __init__(self, asked_to_stop: threading.Event) -> None:
        self.asked_to_stop = asked_to_stop
        self._session: Any = None
        self._seen = 0

    def ready(self) -> None:
        """Begin to listen; what changes from now on ends the next sleep."""
        connection.ensure_connection()
        if connection.vendor == "postgresql":
            if self._session is not connection.connection:
                self._session = connection.connection
                with connection.cursor() as cursor:
                    cursor.execute(f"LISTEN {CHANNEL}")
            self._session.notifies.clear()
        else:
            self._seen = _called_at()

    def sleep(self, seconds: float) -> None:
        """Sleep as long at the most."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self.asked_to_stop.is_set():
            if connection.vendor == "postgresql":
                if self._is_called(min(left, 1.0)):
                    return
            else:
                self.asked_to_stop.wait(min(left, LOOK_SECONDS))
                if _called_at() != self._seen:
                    return

    def _is_called(self, seconds: float) -> bool:
        if connection.connection is None:
            return not self.asked_to_stop.wait(seconds)
        select.select([connection.connection], [], [], seconds)
        connection.connection.poll()
        return bool(connection.connection.notifies)
