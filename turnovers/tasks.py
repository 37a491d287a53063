"""Celery entry points: hints with an id. The database is the only truth.

A hint that nobody took up for minutes is worth nothing: the scheduler has given others by then. Not
less, since senders and workers judge it by their own clocks. So whoever takes one up does whatever
is to be done: what it is about may have been done already.
A task may take as long as its own time-out says; the lease, not Celery, says when it is lost.
"""

from __future__ import annotations

from celery import shared_task

from turnovers import pulse  # noqa: F401 -- every worker that knows these tasks shows that it lives
from turnovers.engine import advance, following

STALE_SECONDS = 600
LONGEST_SECONDS = 26 * 60 * 60


@shared_task(expires=STALE_SECONDS, time_limit=LONGEST_SECONDS)
def advance_run(pk: int) -> None:
    """Carry a run forward; harmless when it is over, held or already being carried."""
    advance.advance(pk)
    following.ask_all()


@shared_task(expires=STALE_SECONDS, time_limit=LONGEST_SECONDS)
def advance_turnover(pk: int) -> None:
    """Carry the turnover's running run forward."""
    advance.advance_turnover(pk)


@shared_task(expires=STALE_SECONDS, time_limit=LONGEST_SECONDS)
def advance_task_run(pk: int) -> None:
    """Carry forward the run to which the task belongs."""
    advance.advance_task_run(pk)


@shared_task(expires=STALE_SECONDS, time_limit=LONGEST_SECONDS)
def drain(pk: int = 0) -> None:
    """Carry forward whatever can go on, and ask what goes on elsewhere; harmless where nothing."""
    advance.drain()
    following.ask_all()


@shared_task(expires=STALE_SECONDS, time_limit=LONGEST_SECONDS)
def look(pk: int = 0) -> None:
    """Call workers for everything that may go on, such as after a hold was lifted."""
    advance.look()
