"""Carry out a claimed task: show that we live, let people read along, touch the outside once."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils.functional import SimpleLazyObject

from turnovers import callbacks, executors, life
from turnovers.engine import ledger
from turnovers.executors import Following, Outcome, TaskContext
from turnovers.models import Run, Turnover
from turnovers.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from turnovers.engine.ledger import Claim

logger = logging.getLogger(__name__)

#: How often the output of a running task is written down for those who read along.
WRITE_SECONDS = 1.0
#: How often a long task asks whether people have stopped it.
ASK_SECONDS = 1.0
#: How often a worker shows that it lives, unless its lease is so short that it has to oftener.
RENEW_SECONDS = 3.0
#: An executor ends by itself at the task's timeout; if it has not so long after, its lease may end.
GRACE_SECONDS = 30
#: What cannot be asked because of an error of our own is asked again after so long.
LATER_SECONDS = 30.0


def carry_out(claim: Claim) -> Outcome | Following:
    """Let the task's executor do it; whatever goes wrong is an outcome, never an exception."""
    executor = executors.EXECUTORS.get(claim.task.executor)
    if executor is None:
        return Outcome(succeeded=False, detail=_nothing_for(claim))
    reader, vault = Reader(claim), Vault()
    context = _context(claim, vault, reader, StopWatch(claim))
    with nullcontext() if executor.is_instant else kept_alive(claim):
        try:
            ended = executor.run(context)
        except Exception:  # whatever an executor does, the run must come to an end
            logger.exception("%s failed inside its executor.", claim.task)
            ended = _broken(claim, executor.name, reader.text)
        ended = vault.redacted(ended)
        if isinstance(ended, Following):
            reader.show()
        elif not ended.output:
            ended = replace(ended, output=reader.text)
        return ended


def follow(claim: Claim, handle: dict[str, Any], left: float) -> Outcome | Following:
    """Ask once how what goes on elsewhere stands. What an executor does wrong then is no answer."""
    executor = executors.EXECUTORS.get(claim.task.executor)
    if executor is None:
        detail = f"{_nothing_for(claim)} Whether it happened is not known."
        return Outcome(succeeded=False, detail=detail, unknown=True)
    reader, vault = Reader(claim), Vault()
    watch = StopWatch(claim, asks_at_once=True)
    try:
        ended = executor.follow(replace(_context(claim, vault, reader, watch), left=left), handle)
    except (DatabaseError, InterfaceError):
        raise
    except Exception:
        logger.exception("%s cannot be followed.", claim.task)
        ended = Following(handle, LATER_SECONDS) if left > 0 else _broken(claim, executor.name, "")
    ended = vault.redacted(ended)
    reader.show()
    return ended


def _nothing_for(claim: Claim) -> str:
    return f"Nothing here carries out “{claim.task.executor}”."


def _context(claim: Claim, vault: Vault, reader: Reader, watch: StopWatch) -> TaskContext:
    return TaskContext(
        parameters=claim.task.parameters,
        key=claim.key,
        attempt=claim.fence,
        fence=claim.fence,
        timeout=claim.task.timeout_seconds,
        # Read from the database only where the executor asks for one of them.
        variables=cast("dict[str, str]", SimpleLazyObject(lambda: variables(claim))),
        still_ours=lambda: is_ours_to_send(claim),
        write=vault.guarded(reader.write),
        secrets=vault.value_for,
        callback_url=lambda: callbacks.open_callback(claim.attempt().pk),
        called_back=lambda: callbacks.answer_of(claim.attempt().pk),
        is_stopped=watch.is_stopped,
    )


def _broken(claim: Claim, name: str, output: str) -> Outcome:
    """An executor broke: if it had touched the outside before, nobody knows how that ended."""
    detail = f"{name} ended in an error of its own, which is in the worker's log."
    was_sent = claim.attempt().sent_at is not None
    if was_sent:
        detail = f"{detail} Whether it happened is not known."
    return Outcome(succeeded=False, detail=detail, output=output, unknown=was_sent)


def is_ours_to_send(claim: Claim) -> bool:
    """Whether the outside may be touched; not where the database cannot say so."""
    try:
        return ledger.is_ours_to_send(claim)
    except (DatabaseError, InterfaceError):
        logger.warning("%s is not sent: the database is away.", claim.task, exc_info=True)
        connection.close()
        return False


def variables(claim: Claim) -> dict[str, str]:
    """What the parameters of a task may refer to in braces."""
    turnover = Turnover.objects.select_related("environment", "train", "release__application").get(
        pk=claim.run.turnover
    )
    versions = [content.version_name for content in turnover.contents.all() if content.version_name]
    return {
        "turnover": turnover.ref,
        "title": turnover.title,
        "item": str(turnover.item),
        "environment": turnover.environment.name,
        "version": ", ".join(versions),
        "run": str(claim.run.number),
        "task": claim.task.title,
        "order": str(claim.task.order),
        "key": claim.key,
        "attempt": str(claim.fence),
    }


class StopWatch:
    """Whether people have stopped the task: its run is over, or a hold stops what is running."""

    def __init__(self, claim: Claim, *, asks_at_once: bool = False) -> None:
        self.claim = claim
        self._said = False
        self._asked_at = time.monotonic() - (ASK_SECONDS if asks_at_once else 0)

    def is_stopped(self) -> bool:
        if not self._said and time.monotonic() - self._asked_at >= ASK_SECONDS:
            self._asked_at = time.monotonic()
            self._said = self._ask()
        return self._said

    def _ask(self) -> bool:
        run = self.claim.run
        try:
            if not Run.objects.running().filter(pk=run.pk).exists():
                return True
            turnover = Turnover.objects.get(pk=run.turnover)
            return bool(turnover.holds_that_stop_running().exists())
        except (DatabaseError, InterfaceError):
            logger.warning("Nobody can say if %s is stopped.", self.claim.task, exc_info=True)
            connection.close()
            return False


class Reader:
    """Collects what a task prints, and writes it down now and then while it runs."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.text = ""
        self._unwritten = ""
        self._written_at = time.monotonic()

    def write(self, text: str) -> None:
        self.text = (self.text + text)[-ledger.MOST_OUTPUT :]
        self._unwritten = (self._unwritten + text)[-ledger.MOST_OUTPUT :]
        if time.monotonic() - self._written_at >= WRITE_SECONDS:
            self.show()

    def show(self) -> None:
        """Reading along is a comfort: where it fails, the task goes on."""
        if not self._unwritten:
            return
        try:
            ledger.write_output(self.claim, self._unwritten)
        except (DatabaseError, InterfaceError):
            logger.warning("The output of %s is not shown now.", self.claim.task, exc_info=True)
            connection.close()
        self._unwritten = ""
        self._written_at = time.monotonic()


@contextmanager
def kept_alive(claim: Claim) -> Iterator[None]:
    """Renew the lease for as long as the task may take, so that a dead worker shows soon.

    The process ends with its lease: one that was paused does nothing more when it wakes.
    """
    done = threading.Event()
    thread = threading.Thread(target=_renew, args=[claim, done], daemon=True)
    life.end_in(settings.LEASE_SECONDS)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        life.end_in(None)


def _renew(claim: Claim, done: threading.Event) -> None:
    end = time.monotonic() + claim.task.timeout_seconds + GRACE_SECONDS
    try:
        while (
            not done.wait(min(RENEW_SECONDS, settings.LEASE_SECONDS / 3)) and time.monotonic() < end
        ):
            asked_at = time.monotonic()
            try:
                if not ledger.renew(claim):
                    return
            except (DatabaseError, InterfaceError):
                logger.warning("The lease of %s could not be renewed.", claim.task, exc_info=True)
                connection.close()
            else:
                life.end_in(settings.LEASE_SECONDS - (time.monotonic() - asked_at))
    finally:
        connection.close()
