"""Who looks on while runs go on, and how they learn within a second that something has changed.

One thread in each web process asks the database for all runs that are looked at there, together;
every open page waits for its answer. It says only *that* something changed: the page fetches what
its reader may see. When nobody looks on, the thread ends and gives its connection back.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Count, Max, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce, Length, Right

from turnovers.models import Hold, LateWord, Note, Run, TaskRun
from turnovers.states import TaskState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Self

logger = logging.getLogger(__name__)

#: How often the database is asked, and how often an open page looks whether it has to end.
LOOK_SECONDS = 0.5
WAIT_SECONDS = 1.0
#: After so long an open page is asked to come again, so that none is kept for ever.
STREAM_SECONDS = 60.0
#: A word now and then, or whatever is in between takes the line for dead.
HEARTBEAT_SECONDS = 15.0
#: So many last characters of what a task prints tell whether it has printed more.
TAIL = 80


def marks(pks: Collection[int]) -> dict[int, str]:
    """For each of the runs a text that changes with everything that its page shows."""
    versions = _per_run(TaskRun.objects.all(), "run", Sum("version"))
    notes = _per_run(Note.objects.all(), "run", Max("pk"))
    late = _per_run(
        LateWord.objects.all(), "attempt__task_run__run", Count("pk"), of="attempt__task_run__run"
    )
    runs: Any = Run.objects.filter(pk__in=pks)
    runs = runs.annotate(versions=versions, last_note=notes, late=late)
    held = Hold.objects.aggregate(last=Max("pk"), versions=Sum("version"))
    facts = runs.values_list("pk", "version", "turnover__version", "versions", "last_note", "late")
    printed: dict[int, list[Any]] = {pk: [] for pk in pks}
    running = TaskRun.objects.filter(run__in=pks, state=TaskState.RUNNING).order_by("pk")
    for pk, *tail in running.values_list("run", Length("output"), Right("output", TAIL)):
        printed[pk].append(tail)
    return {pk: _short([seen, held, printed[pk]]) for pk, *seen in facts}


def _per_run(rows: Any, to_run: str, what: Any, of: str = "run") -> Coalesce:
    """One number for each run, out of the rows that belong to it."""
    mine = rows.filter(**{to_run: OuterRef("pk")}).order_by().values(of)
    return Coalesce(Subquery(mine.annotate(found=what).values("found")), 0)


def _short(seen: object) -> str:
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]


class Watcher:
    """The thread that looks, and those who wait for what it sees."""

    def __init__(self, look_seconds: float = LOOK_SECONDS) -> None:
        self._seconds = look_seconds
        self._changed = threading.Condition()
        self._watched: Counter[int] = Counter()
        self._marks: dict[int, str] = {}
        self._thread: threading.Thread | None = None

    def join(self, pk: int, most: int) -> bool:
        """Begin to look at the run; False where as many look on already as may."""
        with self._changed:
            if self._watched.total() >= most:
                return False
            self._watched[pk] += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="watcher", daemon=True)
                self._thread.start()
            return True

    def leave(self, pk: int) -> None:
        """Look at it no longer."""
        with self._changed:
            self._watched[pk] -= 1
            if self._watched[pk] <= 0:
                del self._watched[pk]
                self._marks.pop(pk, None)

    def wait(self, pk: int, seen: str, seconds: float) -> str:
        """The run's mark as soon as it is not ``seen``, or after so long whatever it is."""
        with self._changed:
            self._changed.wait_for(lambda: self._marks.get(pk, seen) != seen, timeout=seconds)
            return self._marks.get(pk, seen)

    def _look(self) -> None:
        try:
            while pks := self._wanted():
                try:
                    found = marks(pks)
                except (DatabaseError, InterfaceError):
                    logger.warning("Whether runs have changed is not known now.", exc_info=True)
                    connection.close()
                else:
                    with self._changed:
                        self._marks = {pk: m for pk, m in found.items() if pk in self._watched}
                        self._changed.notify_all()
                time.sleep(self._seconds)
        finally:
            connection.close()

    def _wanted(self) -> list[int]:
        """The runs that somebody looks at; where there are none, the thread is over."""
        with self._changed:
            if not self._watched:
                self._thread = None
            return list(self._watched)


watcher = Watcher()
#: Whether this process is about to end; the web server's own configuration says so.
is_leaving: Callable[[], bool] = lambda: False  # noqa: E731 -- replaced as a whole


class Stream:
    """What an open page is told: that something changed, and that we are still there.

    Not a generator: one that was never begun would not give its place back when it is closed.
    """

    def __init__(self, pk: int, seen: str = "") -> None:
        self._pk = pk
        self._seen = seen
        self._end = time.monotonic() + STREAM_SECONDS
        self._spoke = 0.0
        self._is_open = True

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        while self._is_open and time.monotonic() < self._end and not is_leaving():
            if not self._spoke:
                return self._say("retry: 1000\n\n")
            mark = watcher.wait(self._pk, self._seen, WAIT_SECONDS)
            if mark != self._seen:
                self._seen = mark
                return self._say(f"id: {mark}\nevent: step\ndata: changed\n\n")
            if time.monotonic() - self._spoke > HEARTBEAT_SECONDS:
                return self._say(": still here\n\n")
        raise StopIteration

    def close(self) -> None:
        """Give the place to the next."""
        if self._is_open:
            self._is_open = False
            watcher.leave(self._pk)

    def _say(self, words: str) -> str:
        self._spoke = time.monotonic()
        return words


def open_stream(pk: int, seen: str = "") -> Stream | None:
    """Look on at a run; None where the threads that are left are needed for pages."""
    return Stream(pk, seen) if watcher.join(pk, settings.WEB_THREADS // 2) else None
