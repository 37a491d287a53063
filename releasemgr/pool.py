"""Celery's pool of processes, in which one that is killed takes no lock with it.

With the embedded broker the processes of a worker read their tasks from one pipe, each in its turn,
under a semaphore. If the one whose turn it is gets killed, the semaphore stays taken, and no other
reads a task any more: the worker lives, and does nothing. A lock on a file the kernel releases with
its holder. (With Redis each process has a pipe of its own, and none of this is used.)
"""

from __future__ import annotations

import fcntl
import tempfile
from typing import Any

from billiard.pool import Pool as BlockingPool
from celery.concurrency.prefork import TaskPool


class FileLock:
    """For one process at a time; in the place of billiard's ``Lock``, between forked processes."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 -- open for as long as the pool is

    def acquire(self) -> bool:
        """Wait until nobody has it, and take it."""
        fcntl.lockf(self._file, fcntl.LOCK_EX)
        return True

    def release(self) -> None:
        """Let the next one have it."""
        fcntl.lockf(self._file, fcntl.LOCK_UN)

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class _Pool(BlockingPool):
    def _setup_queues(self) -> None:
        super()._setup_queues()  # type: ignore[misc]  # billiard has few types
        queues: Any = self
        queues._inqueue._rlock = FileLock()  # noqa: SLF001 -- billiard offers no other way
        queues._outqueue._wlock = FileLock()  # noqa: SLF001


class Pool(TaskPool):
    """``CELERY_WORKER_POOL``: the usual pool of processes, with these locks."""

    BlockingPool = _Pool
