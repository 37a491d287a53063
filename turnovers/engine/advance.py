"""Carry runs forward, many of them with few workers: a turn of each, its tasks, its end.

Any number of workers may do so at once with the same run; the ledger decides who has which task.
"""

from __future__ import annotations

import logging
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError as BrokerError

from releasemgr.accounts.models import User
from releasemgr.workflow.perform import dispatch_on_commit
from turnovers.engine import ending, ledger, standing
from turnovers.engine.carry import carry_out
from turnovers.engine.entries import ask
from turnovers.engine.turns import MOST_ALONE, MOST_CALLED, Turn
from turnovers.models import Run, TaskRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from turnovers.engine.ledger import Claim
    from turnovers.engine.plan import Plan
    from turnovers.engine.turns import Finished

logger = logging.getLogger(__name__)

DRAIN = "turnovers.tasks.drain"
#: After so long a worker hands over to a new hint, so that other kinds of work get their turn.
SLICE_SECONDS = 2.0
#: So many tasks of a run are carried out before the worker looks at the others that wait.
SLICE_TASKS = 2
#: What touches nothing outside costs next to nothing: so many of a run are done in one turn while
#: others wait, but only one at its beginning, so that each has begun before any is far ahead.
SLICE_PASSED = 3
#: So many runs are looked up at once.
MOST_PICKED = 16
#: Seconds between the tries to enter an outcome.
PATIENCE = (0.2, 1, 3, 5)


def advance(pk: int) -> None:
    """Carry the run forward, and then whatever else waits, for a slice of time."""
    worker = Worker(time.monotonic() + SLICE_SECONDS, by=User.objects.robot())
    worker.carry(pk)
    worker.end()
    worker.drain()


def drain() -> None:
    """Carry forward whatever can go on, what has waited longest first; harmless if nothing can."""
    Worker(time.monotonic() + SLICE_SECONDS, by=User.objects.robot()).drain()


class Worker:
    """Carries runs forward, a few tasks of each in turn, for a slice of time.

    What is left at its end is left to another worker, who is called.
    """

    def __init__(self, until: float, *, by: User) -> None:
        self.until = until
        self.by = by
        #: What lies ahead of the runs, as far as it was read: plans are frozen by now.
        self._plans: dict[int, Plan | None] = {}
        #: Runs that have succeeded, and are to be ended together.
        self._at_end: list[int] = []

    def drain(self) -> None:
        """Carry forward whatever can go on, until nothing can or the time is over."""
        seen: set[int] = set()
        while True:
            picked, done = self._pass_together(seen)
            if not picked:
                return
            most = SLICE_TASKS if len(picked) > 1 else MOST_ALONE
            for pk in picked:
                if pk in done:
                    continue
                if time.monotonic() >= self.until:
                    break
                if not self._carry_picked(pk, most):
                    seen.add(pk)  # it can't go on, or somebody else has it
            self.end()
            if time.monotonic() >= self.until:
                dispatch_on_commit(DRAIN, 0)
                return

    def _carry_picked(self, pk: int, most: int) -> bool:
        """Carry it forward; one that cannot be, whatever the reason, stands in nobody's way."""
        try:
            return self.carry(pk, most, is_picked=True)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("Run %s could not be carried forward.", pk)
            return False

    def _pass_together(self, seen: set[int]) -> tuple[list[int], set[int]]:
        """Pick runs that can go on; do what touches nothing outside of them in one transaction.

        Returns the runs, and those of which something was done. The others get turns of their own,
        as does a run that waits alone. What came to its end is ``seen``: nothing is left to do.
        """
        picked: list[int] = []
        turns: dict[int, Turn] = {}
        try:
            with transaction.atomic():
                picked = _pick(seen)
                turns = self._turns_of(picked) if len(picked) > 1 else {}
                if passed := [one for turn in turns.values() for one in turn.passed]:
                    ledger.open_and_pass(passed, by=self.by)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("The runs %s take their turns one by one.", picked)
            return picked, set()
        for pk, turn in turns.items():
            self._plans[pk] = turn.plan
            if turn.ending:
                self._at_end.append(pk)
                seen.add(pk)
        return picked, set(turns)

    def _turns_of(self, picked: list[int]) -> dict[int, Turn]:
        """The turns of those of the locked runs in which something was done."""
        turns = {}
        for run in standing.mark(picked):
            plan = self._plans.get(run.pk)
            turn = Turn(run.pk, self.by, SLICE_PASSED, most_first=1, plan=plan)
            if turn.pass_ahead(run):
                turns[run.pk] = turn
        return turns

    def end(self) -> None:
        """End the runs that have succeeded meanwhile."""
        if self._at_end:
            ending.succeed_together(self._at_end, by=self.by)
            self._at_end = []

    def carry(
        self,
        pk: int,
        most: int = SLICE_TASKS,
        *,
        is_picked: bool = False,
        finished: Finished = None,
    ) -> bool:
        """Enter what is finished, and carry the run forward by ``most`` tasks; whether any were."""
        for count in range(most + 1):
            may_begin = count < most and (time.monotonic() < self.until or not count)
            turned = Turn(
                pk,
                by=self.by,
                most=max(most, SLICE_PASSED) if may_begin else 0,
                most_first=1 if most == SLICE_TASKS else most,
                patiently=bool(finished) or not is_picked,
                plan=self._plans.get(pk),
                ends_itself=False,
            )
            claim = _patiently(turned, finished)
            if turned.ending == ending.SUCCEED:
                self._at_end.append(pk)
            elif turned.ending:
                ending.end(pk, turned.ending, by=self.by)
            self._plans[pk] = turned.plan
            if claim is None:
                return finished is not None or turned.has_passed
            self.end()  # what is over does not wait for what may take long
            finished = (claim, carry_out(claim))
        return True


def _pick(without: set[int]) -> list[int]:
    """Lock the runs to carry on next, but for those, and for those that somebody else has."""
    sql, values = _can_go_on()
    lock = " FOR NO KEY UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    rows = ask(f"{sql} LIMIT {MOST_PICKED + len(without)}{lock}", values)
    return [pk for (pk,) in rows if pk not in without][:MOST_PICKED]


@cache
def _can_go_on() -> tuple[str, Sequence[Any]]:
    """The statement behind the name: to make it anew costs more than to have it answered."""
    runs: Any = Run.objects.that_can_go_on().waiting_longest_first().values_list("pk")
    sql, values = runs.query.sql_with_params()
    return sql, values


def _patiently(turned: Turn, finished: Finished) -> Claim | None:
    """Turn the page, also where the database is away for a moment: an outcome comes only once."""
    for pause in PATIENCE if finished else ():
        try:
            return turned.take(finished)
        except (OperationalError, InterfaceError):
            logger.warning("What %s has finished is entered again.", turned.pk, exc_info=True)
            connection.close()
            time.sleep(pause)
    return turned.take(finished)


# --- Hints ----------------------------------------------------------------------------------------


def advance_turnover(pk: int) -> None:
    """Carry the turnover's present run forward."""
    for run_pk in Run.objects.running().filter(turnover=pk).values_list("pk", flat=True):
        advance(run_pk)


def advance_task_run(pk: int) -> None:
    """Carry the task's run forward."""
    for run_pk in TaskRun.objects.filter(pk=pk).values_list("run_id", flat=True):
        advance(run_pk)


def look() -> None:
    """Call workers for the runs that can go on, whether or not somebody was told."""
    sql, values = _can_go_on()
    if count := len(ask(f"{sql} LIMIT {MOST_CALLED}", values)):
        call_workers(count)


def call_workers(count: int) -> None:
    """Send so many hints once this is stored."""
    transaction.on_commit(lambda: _send(count), robust=True)


def _send(count: int) -> None:
    """A broker that is away is tried once, since each try takes seconds."""
    try:
        for _ in range(count):
            import_string(DRAIN).delay(0)
    except BrokerError:
        logger.warning("No worker can be called now: the broker is away.")
