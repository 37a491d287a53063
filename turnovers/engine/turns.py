"""One turn of a run's page, in one short transaction: what a worker does with a run at a time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db import transaction

from releasemgr.workflow.perform import dispatch_on_commit
from turnovers import executors
from turnovers.engine import ending, ledger, standing, wake
from turnovers.engine.entries import now
from turnovers.engine.ledger import Opening, Passed
from turnovers.engine.plan import Plan
from turnovers.models import DeploymentTask, Run, Turnover
from turnovers.states import TaskState

if TYPE_CHECKING:
    from releasemgr.accounts.models import User
    from turnovers.engine.ledger import Claim
    from turnovers.engine.plan import Placed
    from turnovers.engine.standing import RunFacts
    from turnovers.executors import Following, Outcome

    #: A claim and how it ended or goes on elsewhere, if there is one to enter.
    Finished = tuple[Claim, Outcome | Following] | None

HINT = "turnovers.tasks.advance_run"
#: So many tasks are done in one turn where no other run waits.
MOST_ALONE = 50
#: How many workers are called at once.
MOST_CALLED = 16


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
    most: int = MOST_ALONE
    #: So many at the most where none of the run was begun before.
    most_first: int = MOST_ALONE
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
            run = standing.lock_run(self.pk, patiently=self.patiently)
            if run is None:
                return None
            self.run = run
            if finished is not None:
                self._enter(*finished)
                self.run = run = replace(run, stands=standing.balance(run))
            claim = self._follow() if run.is_on else None
            self._write_passed()
        # Outside: a run's end locks from the environment down, and here the run was locked first.
        if self.ending and self.ends_itself:
            ending.end(self.pk, self.ending, by=self.by)
        return claim

    def _enter(self, claim: Claim, ended: Outcome | Following) -> None:
        if isinstance(ended, executors.Following):
            ledger.leave(claim, ended, now=self.run.now)
        else:
            ledger.settle(claim, ended, now=self.run.now, by=self.by)

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
        found = standing.next_in_line(self.run) if self.most else None
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
        assert isinstance(outcome, executors.Outcome)  # noqa: S101 -- it touches nothing outside
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
        self.run = replace(self.run, now=now())
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
