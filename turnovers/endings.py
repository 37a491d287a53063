"""A task whose ending is not known: what is known of it, and what two people can make of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from releasemgr.ui.times import local
from turnovers import life
from turnovers.callbacks import told_too_late
from turnovers.states import TaskState, Verdict

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Iterator

    from releasemgr.accounts.models import User
    from releasemgr.workflow.models import StepView
    from turnovers.models import TaskRun

#: What each answer leads to.
CONSEQUENCES = {
    Verdict.HAPPENED: "It counts as done, and the run goes on with what follows.",
    Verdict.AGAIN: "It is carried out once more, with a new idempotency key. If it did happen, it "
    "happens twice.",
    Verdict.FAILED: "The run stops, and release engineering decides how it goes on.",
}
STEP_OF = {
    Verdict.HAPPENED: "confirm_happened",
    Verdict.AGAIN: "confirm_again",
    Verdict.FAILED: "confirm_failed",
}


@dataclass(frozen=True)
class Ending:
    """An unknown ending, for one reader."""

    task_run: TaskRun
    known: list[str]
    steps: dict[str, StepView]

    @property
    def options(self) -> list[tuple[str, str]]:
        """Each answer with what it leads to."""
        return [(str(verdict.label), CONSEQUENCES[verdict]) for verdict in Verdict]

    @property
    def verdict(self) -> str:
        """What the first person said; nothing while nobody has."""
        said = self.task_run.verdict
        return str(Verdict(said).label) if said else ""

    @property
    def consequence(self) -> str:
        said = self.task_run.verdict
        return CONSEQUENCES[Verdict(said)] if said else ""

    @property
    def judge(self) -> StepView | None:
        """Where the reader says what happened, if they may."""
        return self.steps.get("judge")

    @property
    def confirm(self) -> StepView | None:
        """Where the reader confirms what the first person said, if they are the second."""
        said = self.task_run.verdict
        return self.steps.get(STEP_OF[Verdict(said)]) if said else None


def unknown_endings(task_runs: Iterable[TaskRun], reader: User) -> list[Ending]:
    """Those that wait for people. The rows come ``with_log``."""
    rows = [row for row in task_runs if row.state == TaskState.UNKNOWN]
    workers = {row.worker for row in rows if row.worker}
    living = life.living(workers) if workers else set()
    return [
        Ending(row, list(known(row, living)), {step.name: step for step in row.steps(reader)})
        for row in rows
    ]


def known(row: TaskRun, living: Collection[str]) -> Iterator[str]:
    """What the ledger knows of its last try, in sentences; ``living`` are workers still there."""
    tries = list(row.tries.all())
    if not tries:
        return
    last = tries[-1]
    yield f"{last.worker} took it at {_at(last.claimed_at)}, as try {last.fence}."
    if last.sent_at is None:
        yield "Nothing was sent: it had not yet asked whether its claim still holds."
    else:
        yield f"Its request was sent at {_at(last.sent_at)}, or was about to be."
    if last.ended_at is not None:
        yield f"It was given up for lost at {_at(last.ended_at)}."
    for attempt in tries:
        for word in attempt.late_words.all():
            said = "it succeeded" if word.succeeded else "it did not succeed"
            detail = f": {word.detail}" if word.detail else "."
            when = f"At {_at(word.at)} the worker of try {attempt.fence} came too late"
            yield f"{when} with: {said}{detail}"
        if told := told_too_late(attempt):
            yield f"At {_at(told[0])}, after try {attempt.fence}: {told[1]}"
    if row.worker in living:
        yield f"{row.worker} still lives and may yet carry it out. It ends by itself when it wakes."


def _at(moment: dt.datetime) -> str:
    return f"{local(moment):%H:%M:%S}"
