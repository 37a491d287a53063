"""The book of who carries out which task: claims, attempts, outcomes.

Besides ``perform`` this is the only place that writes the state of a task run. Every entry is made
under the run's row lock, by the database's clock, and with a fence: a number that grows with each
claim, so that whoever lost a claim cannot write over the one who took it up.

A claim is committed before the outside is touched, and marked as sent right before: so of a worker
that died it is known whether anything can have happened.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.db import connection

from turnovers import life
from turnovers.engine import wake
from turnovers.engine.entries import ROW, THE_DETAIL, Story, ask, change, enter, now_sql
from turnovers.engine.entries import now as clock
from turnovers.models import Attempt, DeploymentTask, Followed, LateWord, TaskRun
from turnovers.states import TaskState

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from releasemgr.accounts.models import User
    from turnovers.engine.standing import RunFacts
    from turnovers.executors import Following, Outcome

logger = logging.getLogger(__name__)

#: What is kept of a task's output: its end, which says why.
MOST_OUTPUT = 64 * 1024
MOST_DETAIL = 1000
#: How long after its time, besides a lease, what was followed is left to those who ask.
AFTERWARDS = dt.timedelta(seconds=30)
FIRST_PAUSE, LONGEST_PAUSE = dt.timedelta(seconds=2), dt.timedelta(minutes=5)
#: A repeat-safe task whose calls end unclear is called so often before people are asked.
MOST_UNCLEAR = 5


@dataclass(frozen=True)
class Claim:
    """One worker's right to carry out one task, this time."""

    pk: int
    fence: int
    key: str
    task: DeploymentTask
    run: RunFacts

    def attempt(self) -> Attempt:
        """Its row."""
        return Attempt.objects.get(task_run=self.pk, fence=self.fence)


@dataclass(frozen=True)
class Opening:
    """A task whose turn has come, and the state in which it begins."""

    task: DeploymentTask
    order: int
    key: str
    state: TaskState
    ready_at: dt.datetime
    detail: str = ""


class Passed(NamedTuple):
    """A task of a run that touched nothing outside, and what its executor said."""

    run: RunFacts
    opening: Opening
    detail: str


# --- Claiming -------------------------------------------------------------------------------------

_NEW_ROW = "(1, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '', '', '', '', %s)"
_NEW_ROWS = """
INSERT INTO turnovers_taskrun (version, run_id, task_id, "order", key, fence, lease_until, worker,
    started_at, ended_at, ready_at, detail, output, evidence, verdict, verdict_reason, state)
VALUES {rows}
"""
_NEW = _NEW_ROWS.format(rows=_NEW_ROW)
_CLAIM = """
UPDATE turnovers_taskrun SET state = 'running', fence = fence + 1, lease_until = %s, worker = %s,
    started_at = COALESCE(started_at, %s), output = '', detail = '', version = version + 1
WHERE id = %s AND state = 'waiting'
"""
_ATTEMPT = f"""
INSERT INTO turnovers_attempt (task_run_id, fence, key, worker, claimed_at, outcome, detail)
SELECT id, fence, key, worker, %s, '', '' FROM {ROW}
"""  # noqa: S608
_DONE_ATTEMPT = f"""
INSERT INTO turnovers_attempt
    (task_run_id, fence, key, worker, claimed_at, ended_at, outcome, detail)
SELECT id, fence, key, worker, started_at, ended_at, 'succeeded', detail FROM {ROW}
"""  # noqa: S608


def open_task(run: RunFacts, opening: Opening, *, by: User) -> int:
    """Make the task run in the state in which it waits, or is passed over; return its id."""
    skipped = opening.state == TaskState.SKIPPED
    values = [
        *(run.pk, opening.task.pk, opening.order, opening.key, 0, None, "", None),
        *(run.now if skipped else None, opening.ready_at, opening.detail, opening.state.value),
    ]
    story = Story(by, "", run.now, opening.detail, is_new=True)
    entered = enter(_NEW, values, story)
    return entered[0] if entered else 0


def open_and_claim(run: RunFacts, opening: Opening, *, by: User) -> Claim:
    """Make the task run as one that this worker carries out."""
    values = [
        *(run.pk, opening.task.pk, opening.order, opening.key, 1, run.now + _lease(), life.name()),
        *(run.now, None, opening.ready_at, "", TaskState.RUNNING.value),
    ]
    story = Story(by, "claim", run.now, is_new=True)
    entered = enter(_NEW, values, story, [(_ATTEMPT, [run.now])])
    assert entered is not None  # noqa: S101 -- an insert makes its row
    return Claim(entered[0], entered[1], opening.key, opening.task, run)


def open_and_pass(passed: Sequence[Passed], *, by: User) -> None:
    """Make the task runs of what touches nothing outside: done at once, each with its detail."""
    values = [
        value
        for run, opening, detail in passed
        for value in (
            *(run.pk, opening.task.pk, opening.order, opening.key, 1, None, life.name(), run.now),
            *(run.now, opening.ready_at, detail, TaskState.SUCCEEDED.value),
        )
    ]
    rows = ", ".join([_NEW_ROW] * len(passed))
    now = max(run.now for run, _, _ in passed)
    story = Story(by, "settle", now, THE_DETAIL, is_new=True)
    enter(_NEW_ROWS.format(rows=rows), values, story, [(_DONE_ATTEMPT, [])])


def claim(pk: int, key: str, task: DeploymentTask, run: RunFacts, *, by: User) -> Claim | None:
    """Take a waiting task of the locked run; None where it waits no longer."""
    values = [run.now + _lease(), life.name(), run.now, pk]
    entered = enter(_CLAIM, values, Story(by, "claim", run.now), [(_ATTEMPT, [run.now])])
    return None if entered is None else Claim(pk, entered[1], key, task, run)


def is_ours_to_send(claim: Claim) -> bool:
    """Mark the claim as sent if it is still ours, its run on and its lease running.

    Asked right before every touch of the outside. Whoever was fenced out meanwhile is told so.
    """
    now = now_sql()
    sql = f"""
    UPDATE turnovers_attempt SET sent_at = COALESCE(sent_at, {now})
    WHERE task_run_id = %s AND fence = %s AND ended_at IS NULL AND EXISTS (
        SELECT 1 FROM turnovers_taskrun x JOIN turnovers_run r ON r.id = x.run_id
        WHERE x.id = %s AND x.fence = %s AND x.state = 'running' AND x.lease_until > {now}
            AND r.state = 'running')
    """  # noqa: S608
    return change(sql, [claim.pk, claim.fence, claim.pk, claim.fence]) == 1


def renew(claim: Claim) -> bool:
    """Show that the worker lives; False where the claim is lost."""
    sql = """
    UPDATE turnovers_taskrun SET lease_until = %s WHERE id = %s AND fence = %s AND state = 'running'
    """
    return change(sql, [clock() + _lease(), claim.pk, claim.fence]) == 1


def write_output(claim: Claim, text: str) -> None:
    """Let people read along: add to the output of the running task."""
    longer = "RIGHT" if connection.vendor == "postgresql" else "SUBSTR"
    end = MOST_OUTPUT if longer == "RIGHT" else -MOST_OUTPUT
    sql = f"""
    UPDATE turnovers_taskrun SET output = {longer}(output || %s, {end})
    WHERE id = %s AND fence = %s AND state = 'running'
    """  # noqa: S608
    change(sql, [clean(text), claim.pk, claim.fence])


_LEAVE = """
UPDATE turnovers_taskrun SET worker = '', lease_until = %s
WHERE id = %s AND fence = %s AND state = 'running'
"""


def leave(claim: Claim, following: Following, *, now: dt.datetime) -> None:
    """Let go of what goes on elsewhere: no worker has it any more, and any may ask how it stands.

    The run is locked. The claim, its fence and its attempt stay; the lease lasts until nobody can
    be expected to ask any more.
    """
    attempt = claim.attempt()
    ends_at = attempt.claimed_at + dt.timedelta(seconds=claim.task.timeout_seconds)
    if not change(_LEAVE, [ends_at + _lease() + AFTERWARDS, claim.pk, claim.fence]):
        logger.warning("%s goes on elsewhere after its claim %s.", claim.task, claim.fence)
        return
    ask_at = min(now + dt.timedelta(seconds=following.again_in), ends_at)
    # Again where the database was lost right at the commit, and has it already.
    Followed.objects.get_or_create(
        attempt=attempt,
        defaults={"handle": following.handle, "ask_at": ask_at, "ends_at": ends_at},
    )
    wake.scheduler()


# --- Settling -------------------------------------------------------------------------------------

_SETTLE = """
UPDATE turnovers_taskrun SET state = %s, lease_until = NULL, ended_at = %s, ready_at = {ready},
    detail = %s, output = CASE WHEN %s = '' THEN output ELSE %s END, version = version + 1
WHERE id = %s AND fence = %s AND state = 'running'
"""
_ENDED = f"""
UPDATE turnovers_attempt SET ended_at = %s, outcome = %s, detail = %s
WHERE ended_at IS NULL AND task_run_id = (SELECT id FROM {ROW})
"""  # noqa: S608


@dataclass(frozen=True)
class Ending:
    """How an attempt ended, and what becomes of its task."""

    state: TaskState
    transition: str
    outcome: str
    detail: str
    output: str = ""
    pause: dt.timedelta | None = field(default=None)


def settle(claim: Claim, outcome: Outcome, *, now: dt.datetime, by: User) -> bool:
    """Enter how it ended, if the claim still holds.

    The run is locked. Returns False where somebody else has settled it meanwhile: a late word
    changes nothing, and is kept for whoever looks into it.
    """
    ending = _ending_of(claim, outcome)
    if enter_ending(claim.pk, claim.fence, ending, now=now, by=by):
        return True
    logger.warning("%s ended (%s) after its claim %s.", claim.task, outcome, claim.fence)
    LateWord.objects.create(
        attempt=claim.attempt(), at=now, succeeded=outcome.succeeded, detail=ending.detail
    )
    return False


def _ending_of(claim: Claim, outcome: Outcome) -> Ending:
    task, detail = claim.task, clean(outcome.detail)[:MOST_DETAIL]
    output = clean(outcome.output)[-MOST_OUTPUT:]
    if outcome.succeeded:
        return Ending(TaskState.SUCCEEDED, "settle", "succeeded", detail, output)
    name = "unknown" if outcome.unknown else "failed"
    tries = max(task.attempts, MOST_UNCLEAR) if outcome.unknown else task.attempts
    if (task.repeat_safe or not outcome.unknown) and _tries_of(claim) < tries:
        pause = pause_after(claim.fence)
        return Ending(TaskState.WAITING, "try_again", name, detail, output, pause)
    state = TaskState.UNKNOWN if outcome.unknown else TaskState.FAILED
    return Ending(state, "settle", name, detail, output)


def _tries_of(claim: Claim) -> int:
    """How often it was tried in this run; what only lost its worker does not count."""
    sql = "SELECT COUNT(*) FROM turnovers_attempt WHERE task_run_id = %s AND outcome <> 'lost'"
    return int(ask(sql, [claim.pk])[0][0])


def enter_ending(pk: int, fence: int, ending: Ending, *, now: dt.datetime, by: User) -> bool:
    ready = "ready_at" if ending.pause is None else "%s"
    over = None if ending.pause is not None else now
    values = [
        *(ending.state.value, over, *([] if ending.pause is None else [now + ending.pause])),
        *(ending.detail, ending.output, ending.output, pk, fence),
    ]
    story = Story(by, ending.transition, now, ending.detail)
    ended = (_ENDED, [now, ending.outcome, ending.detail])
    return enter(_SETTLE.format(ready=ready), values, story, [ended]) is not None


def pause_after(attempts: int) -> dt.timedelta:
    """How long to wait before the next try: twice as long each time, within reason."""
    return min(FIRST_PAUSE * (1 << min(attempts - 1, 10)), LONGEST_PAUSE)


def clean(text: str) -> str:
    """Text as every database takes it: PostgreSQL has no NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def tries_before(tasks: Collection[int]) -> dict[int, int]:
    """The number in the last idempotency key of each task that was ever begun."""
    rows = TaskRun.objects.filter(task__in=tasks, started_at__isnull=False).values_list(
        "task", "key"
    )
    last: dict[int, int] = {}
    for task, key in rows:
        number = int(key.rpartition(":")[2]) if key.rpartition(":")[2].isdecimal() else 1
        last[task] = max(last.get(task, 0), number)
    return last


def _lease() -> dt.timedelta:
    return dt.timedelta(seconds=settings.LEASE_SECONDS)
