"""Signs of life: each worker and scheduler keeps one row that says since when it runs and lives.

A worker's row is written by its parent process, which carries out no task and so is never busy.
Its thread has a connection of its own, which is closed after each beat and never open at a fork.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from celery.signals import (
    before_task_publish,
    task_received,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)
from django.db import DatabaseError, InterfaceError, connection
from django.db.models.functions import Now
from django.utils import timezone

from releasemgr.version import VERSION
from turnovers.models import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
#: How long the row of a process that is gone is kept, for whoever looks for it.
KEPT = dt.timedelta(days=1)
BEATS_BETWEEN_CLEANING = 720
#: The header in which a hint says when it was sent.
SENT_AT = "sent_at"


class Pulse:
    """The heartbeat of this process; ``beat`` may be called as often as one likes."""

    def __init__(self, kind: str, facts: Callable[[], dict[str, Any]] = dict) -> None:
        self.part = f"{kind}:{socket.gethostname()}:{os.getpid()}"
        self.kind = kind
        self.facts = facts
        self.since = timezone.now()
        self._beats = 0
        self._next = 0.0

    def beat(self) -> None:
        """Say that we live, unless we have just said so."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + BEAT_SECONDS * 0.9
        rows = Heartbeat.objects.filter(part=self.part)
        row = {"at": Now(), "since": self.since, "kind": self.kind}
        row["facts"] = {"version": VERSION, **self.facts()}
        if not rows.update(**row):
            Heartbeat.objects.create(part=self.part, **row)
        if self._beats % BEATS_BETWEEN_CLEANING == 0:
            Heartbeat.objects.filter(at__lt=Now() - KEPT).delete()
        self._beats += 1

    def end(self) -> None:
        """Take the row away: whoever stops in good order is not missed."""
        Heartbeat.objects.filter(part=self.part).delete()


class WorkerPulse:
    """Beats for a worker from a thread, also while it waits for its last tasks to end."""

    def __init__(self, concurrency: int) -> None:
        self.facts: dict[str, Any] = {"concurrency": concurrency, "hints": 0, "hint_lag": None}
        self.pulse = Pulse("worker", lambda: self.facts)
        self._done = threading.Event()
        self._beating = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True, name="pulse")

    def start(self) -> None:
        # A child is forked while no beat is under way, so it inherits neither locks nor sockets.
        os.register_at_fork(
            before=self._beating.acquire,
            after_in_parent=self._beating.release,
            after_in_child=self._beating.release,
        )
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join(BEAT_SECONDS)

    def take_in(self, headers: dict[str, Any]) -> None:
        """Note how long the newest hint was under way, by the clocks of both machines."""
        sent_at = headers.get(SENT_AT)
        if isinstance(sent_at, int | float):
            self.facts["hints"] += 1
            self.facts["hint_lag"] = round(max(0.0, time.time() - sent_at), 3)

    def _run(self) -> None:
        while not self._done.is_set():
            self._quietly(self.pulse.beat)
            self._done.wait(BEAT_SECONDS)
        self._quietly(self.pulse.end)

    def _quietly(self, say: Callable[[], None]) -> None:
        """A sign of life is not worth a worker's."""
        with self._beating:
            try:
                say()
            except (DatabaseError, InterfaceError):
                logger.warning("The heartbeat was not written.", exc_info=True)
            finally:
                connection.close()


_worker: WorkerPulse | None = None


@before_task_publish.connect(weak=False)
def _say_when_sent(headers: dict[str, Any] | None = None, **_: Any) -> None:
    if headers is not None:
        headers[SENT_AT] = time.time()


@worker_ready.connect(weak=False)
def _begin(sender: Any, **_: Any) -> None:
    global _worker  # noqa: PLW0603 -- one a process
    _worker = WorkerPulse(getattr(sender.controller, "concurrency", 1))
    _worker.start()


@task_received.connect(weak=False)
def _take_in(request: Any, **_: Any) -> None:
    if _worker is not None:
        _worker.take_in(request.request_dict)


@worker_shutting_down.connect(weak=False)
def _say_that_it_stops(**_: Any) -> None:
    if _worker is not None:
        _worker.facts["stopping"] = True


@worker_shutdown.connect(weak=False)
def _end(**_: Any) -> None:
    if _worker is not None:
        _worker.stop()
