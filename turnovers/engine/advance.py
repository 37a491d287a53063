"""Carry runs forward: open the next order, carry out what waits, end what is over.

Any number of workers may do so at once with the same run; the ledger decides who has which task.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError as BrokerError

from releasemgr.accounts.models import User
from releasemgr.workflow.perform import dispatch_on_commit
from turnovers import executors
from turnovers.engine import ending, ledger, wake
from turnovers.engine.carry import carry_out
from turnovers.engine.entries import ask, moment, now_sql
from turnovers.engine.ledger import Opening, Passed
from turnovers.engine.plan import Plan
from turnovers.models import DeploymentTask, Run, TaskRun, Turnover
from turnovers.states import TaskState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from turnovers.engine.ledger import Claim, RunFacts
    from turnovers.engine.plan import Placed
    from turnovers.executors import Outcome

    #: A claim and how it ended, if there is one to enter.
    Finished = tuple[Claim, Outcome] | None

logger = logging.getLogger(__name__)

HINT = "turnovers.tasks.advance_run"
DRAIN = "turnovers.tasks.drain"
#: After so long a worker hands over to a new hint, so that other kinds of work get their turn.
SLICE_SECONDS = 2.0
#: So many tasks of a run are carried out before the worker looks at the others that wait,
SLICE_TASKS = 2
#: and so many where no others wait.
SLICE_ALONE = 50
#: What touches nothing outside costs next to nothing: so many of a run are done in one turn while
#: others wait, but only one at its beginning, so that each has begun before any is far ahead.
SLICE_PASSED = 3
#: So many runs are looked up at once.
MOST_PICKED = 16
#: How many workers are called at once.
MOST_CALLED = 16
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
            most = SLICE_TASKS if len(picked) > 1 else SLICE_ALONE
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
        for run in ledger.mark(picked):
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

    def carry(self, pk: int, most: int = SLICE_TASKS, *, is_picked: bool = False) -> bool:
        """Carry one run forward by ``most`` tasks; say whether any were done."""
        finished: Finished = None
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


def turn(pk: int, finished: Finished = None, *, by: User) -> Claim | None:
    """Turn the page of a run once; see ``Turn``."""
    return Turn(pk, by=by).take(finished)


@dataclass
class Turn:
    """One turn of a run's page: enter what is finished, open what follows, take the next task.

    All of it is one short transaction, committed when ``take`` returns. A run that has nothing left
    is ended.
    """

    pk: int
    by: User
    #: So many tasks that touch nothing outside are done at once; with none, nothing is begun.
    most: int = SLICE_ALONE
    #: So many at the most where none of the run was begun before.
    most_first: int = SLICE_ALONE
    patiently: bool = True
    #: What lies ahead, as far as it was read; the next turn of the same worker goes on with it.
    plan: Plan | None = None
    #: Whether a run that is at its end is ended here; else whoever turns does so, for several.
    ends_itself: bool = True
    #: Whether anything was done that needs nobody outside.
    has_passed: bool = field(default=False, init=False)
    #: The step that ends the run, where it is at its end.
    ending: str = field(default="", init=False)
    #: What was passed and is not entered yet.
    passed: list[Passed] = field(default_factory=list, init=False)

    def take(self, finished: Finished = None) -> Claim | None:
        """Do it, and return the task that is now ours to carry out, if any."""
        self.ending, self.passed = "", []
        with transaction.atomic():
            run = ledger.lock_run(self.pk, patiently=self.patiently)
            if run is None:
                return None
            self.run = run
            if finished is not None:
                ledger.settle(*finished, now=run.now, by=self.by)
                self.run = run = replace(run, stands=ledger.balance(run))
            claim = self._follow() if run.is_on else None
            self._write_passed()
        # Outside: a run's end locks from the environment down, and here the run was locked first.
        if self.ending and self.ends_itself:
            ending.end(self.pk, self.ending, by=self.by)
        return claim

    def _follow(self) -> Claim | None:
        """The task that may begin, or the run's end where it is at it."""
        stands = self.run.stands
        if stands.unknown:
            return None
        if stands.failed:
            self.ending = "" if stands.running else ending.FAIL
            return None
        if stands.live:
            room = self.run.most_parallel - stands.running
            return self._take_waiting() if room > 0 else None
        return self._open_after(stands.last)

    def _take_waiting(self) -> Claim | None:
        found = ledger.next_in_line(self.run) if self.most else None
        if found is None or not self.may_go_on:
            return None
        pk, task, key = found
        return ledger.claim(pk, key, DeploymentTask.all_ever.get(pk=task), self.run, by=self.by)

    def pass_ahead(self, run: RunFacts) -> bool:
        """Pass what lies ahead of a locked run and touches nothing outside; say whether it did.

        Only where nothing of it is under way or asks for people or rules. Whoever locked the run
        enters what was ``passed``.
        """
        self.run, stands = run, run.stands
        if not (run.is_on and run.is_plain) or stands.failed or stands.unknown or stands.live:
            return False
        self._pass_from(stands.last)
        return self.has_passed or bool(self.ending)

    def _open_after(self, last: int) -> Claim | None:
        """Open orders until one has something that somebody has to carry out."""
        openings = self._pass_from(last)
        return self._open(openings) if openings else None

    def _pass_from(self, last: int) -> list[Opening]:
        """Pass what nobody has to carry out; return the first order that somebody has to."""
        self.plan = self.plan or Plan(self.run)
        most = self.most if last else min(self.most, self.most_first)
        count = 0
        while placed := self.plan.after(last):
            if not self.may_go_on or count >= most:
                return []
            openings = self._openings(placed)
            if not all(self._is_passed(opening) for opening in openings):
                return openings
            last = openings[0].order
            for opening in openings:
                self._pass(opening)
            count += len(openings)
        self.ending = ending.SUCCEED
        return []

    def _openings(self, placed: list[Placed]) -> list[Opening]:
        """How each task of an order begins in this run."""
        run = self.run
        tries = ledger.tries_before([task.pk for _, task in placed]) if run.number > 1 else {}
        return [
            Opening(
                task=task,
                order=order,
                key=f"{run.turnover}:{task.pk}:{tries.get(task.pk, 0) + 1}",
                state=self._opening_state(task),
                ready_at=_ready_at(task, run),
                detail=self._why_skipped if task.pk in run.skip else "",
            )
            for order, task in placed
        ]

    def _opening_state(self, task: DeploymentTask) -> TaskState:
        if task.pk in self.run.skip:
            return TaskState.SKIPPED
        return TaskState.READY if task.is_manual else TaskState.WAITING

    def _is_passed(self, opening: Opening) -> bool:
        """Whether nobody has to do anything for it: it is skipped, or touches nothing outside."""
        if opening.state == TaskState.SKIPPED:
            return True
        carrier = opening.task.carrier
        is_due = opening.ready_at <= self.run.now
        return (
            opening.state == TaskState.WAITING
            and is_due
            and carrier is not None
            and carrier.is_instant
        )

    def _pass(self, opening: Opening) -> None:
        self.has_passed = True
        if opening.state == TaskState.SKIPPED:
            self._write_passed()
            ledger.open_task(self.run, opening, by=self.by)
            return
        carrier = executors.get(opening.task.executor)
        outcome = carrier.run(executors.TaskContext(opening.task.parameters, opening.key, 1, 1, 1))
        self.passed.append(Passed(self.run, opening, outcome.detail))

    def _write_passed(self) -> None:
        """Enter what was passed, many tasks in one statement."""
        if self.passed:
            ledger.open_and_pass(self.passed, by=self.by)
            self.passed = []

    def _open(self, openings: list[Opening]) -> Claim | None:
        """Make the task runs, the first that is due as ours; call workers for the others."""
        self._write_passed()
        claim, called = None, 0
        for opening in openings:
            is_due = opening.state == TaskState.WAITING and opening.ready_at <= self.run.now
            if is_due and claim is None:
                claim = ledger.open_and_claim(self.run, opening, by=self.by)
                continue
            ledger.open_task(self.run, opening, by=self.by)
            called += is_due
            if opening.state == TaskState.WAITING and not is_due:
                wake.scheduler()
        for _ in range(min(called, MOST_CALLED, self.run.most_parallel - 1)):
            dispatch_on_commit(HINT, self.pk)
        return claim

    @cached_property
    def may_go_on(self) -> bool:
        """Whether nothing stands in the way; where something might, the rules are asked."""
        if self.run.is_plain:
            return True
        turnover: Any = Turnover.objects.with_page_facts().get(pk=self.run.turnover)
        turnover.locked_at = self.run.now  # what is due goes by the database's clock
        allowed = not turnover.claim_blockers()
        # What stood in the way when the run was locked may have gone since: what begins now begins
        # after that, and says so.
        self.run = replace(self.run, now=moment(ask(f"SELECT {now_sql()}")[0][0]))
        return allowed

    @cached_property
    def _why_skipped(self) -> str:
        run: Any = Run.objects.get(pk=self.pk)
        first = run.history.earliest()
        words = f"{run.started_by} passed over it in this run."
        return str(first.history_change_reason or words)


def _ready_at(task: DeploymentTask, run: RunFacts) -> Any:
    """When it may begin: not before its own time, nor before its executor's."""
    times = [run.now, task.not_before]
    if task.carrier is not None:
        times.append(task.carrier.begins_at(task.parameters, run.now))
    return max(moment for moment in times if moment is not None)


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
        transaction.on_commit(lambda: _call_workers(count), robust=True)


def _call_workers(count: int) -> None:
    """Send so many hints; a broker that is away is tried once, since each try takes seconds."""
    try:
        for _ in range(count):
            import_string(DRAIN).delay(0)
    except BrokerError:
        logger.warning("No worker can be called now: the broker is away.")
