"""Which workers live: each process that claims tasks holds a lock for as long as it exists.

On PostgreSQL it is a lock of the session, which the server releases when the process is gone, and
which a process that is only paused keeps. On SQLite it is a lock on a file, which the kernel
releases in the same way. A lease alone cannot tell a dead worker from one that sleeps.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import signal
import socket
from typing import TYPE_CHECKING, Any

from celery.signals import worker_process_init
from django.conf import settings
from django.db import connection
from django.db.backends.signals import connection_created
from django.dispatch import receiver

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: The first half of the key of our locks; the second is the worker's own number.
LOCK_CLASS = 0x52_4D_57  # "RMW"
HELD_LOCKS = """
SELECT objid::bigint FROM pg_locks
WHERE locktype = 'advisory' AND classid = %s AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
#: Taken off the lease, so that the process has ended before anybody may take its task over.
MARGIN_SECONDS = 0.5


class _Life:
    """This process as a worker: made anew after a fork."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.number = secrets.randbits(31)
        self.name = f"{socket.gethostname()}:{self.pid}:{self.number:08x}"
        self.file: Any = None


_life: _Life | None = None
#: Whether the process may be ended by its own timer: a child of a pool, which is replaced.
_is_expendable = False


def name() -> str:
    """Who we are, with our lock held; for claims, and for whoever looks for our log."""
    global _life  # noqa: PLW0603 -- one a process
    if _life is None or _life.pid != os.getpid():
        _life = _Life()
        _hold(_life)
    return _life.name


def living(names: Iterable[str]) -> set[str]:
    """Those of the workers whose processes still exist, asleep or not."""
    numbers = {who: _number_of(who) for who in names}
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(HELD_LOCKS, [LOCK_CLASS])
            held = {row[0] for row in cursor.fetchall()}
        return {who for who, number in numbers.items() if number in held}
    return {who for who, number in numbers.items() if number is not None and _is_held(number)}


def end_in(seconds: float | None) -> None:
    """Have the kernel end this process then, even if it sleeps until long after; None calls off.

    The signal's default action is the end: no instruction of ours runs first. Only children of a
    worker's pool end so, since their parent replaces them.
    """
    if _is_expendable:
        left = 0.0 if seconds is None else max(0.01, seconds - MARGIN_SECONDS)
        signal.setitimer(signal.ITIMER_REAL, left)


@worker_process_init.connect(weak=False)
def _become_expendable(**_: Any) -> None:
    global _is_expendable  # noqa: PLW0603 -- one a process
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _is_expendable = True


@receiver(connection_created)
def _hold_again(connection: Any, **_: Any) -> None:
    """A new session knows nothing of the lock that the last one held. Threads share it."""
    life = _life
    if life is not None and life.pid == os.getpid():
        _hold(life, connection)


def _hold(life: _Life, session: Any = None) -> None:
    session = session or connection
    if session.vendor == "postgresql":
        with session.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock_shared(%s, %s)", [LOCK_CLASS, life.number])
    elif life.file is None:
        life.file = _path(life.number).open("w")
        fcntl.flock(life.file, fcntl.LOCK_EX)


def _number_of(worker: str) -> int | None:
    try:
        return int(worker.rpartition(":")[2], 16)
    except ValueError:
        return None


def _path(number: int) -> Path:
    folder: Path = settings.VAR_DIR / "workers"
    folder.mkdir(exist_ok=True)
    return folder / f"{number:08x}"


def _is_held(number: int) -> bool:
    """Whether some process holds the file's lock; the file of one that is gone is cleared away."""
    path = _path(number)
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    path.unlink(missing_ok=True)
    return False
