"""The bridge of a run: who is there, what they say to everybody, and what happens meanwhile."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, transaction
from django.db.models import Q

from releasemgr.ui.times import span_in_words
from turnovers.models import Hold, Note, Presence, Run, TaskRun
from turnovers.states import TaskState, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from releasemgr.accounts.models import User
    from turnovers.models import DeploymentTask

logger = logging.getLogger(__name__)

#: How long somebody whose page has gone silent still counts as present, and how often it is noted.
GONE_AFTER = dt.timedelta(seconds=60)
NOTED_EVERY = dt.timedelta(seconds=20)
#: As many lines as the page of a run shows.
LINES_ON_PAGE = 20
LONGEST_NOTE = 2000
#: A longer title is left out of a line: the number finds the step as well.
LONG = 80
#: The row that a run is created with is as old as its start.
SOON = dt.timedelta(minutes=1)
TOLD = ("transition", "actor", "state", "history_date", "history_change_reason", "history_id")
OF_TASK = (*TOLD, "task_id", "started_at", "ended_at", "ready_at", "detail", "verdict")
ENDINGS = {"succeed": "ended well", "fail": "stopped", "abort": "was aborted"}

#: What people do at a task, in words that follow their name.
PEOPLES = {
    "complete": "did step {step} in {took}",
    "report_problem": "reported a problem with step {step}: {why}",
    "skip": "skipped step {step}: {why}",
    "go": "said go at step {step}",
    "no_go": "said no go at step {step}: {why}",
    "judge": "says of step {step}, whose ending is unknown: “{verdict}”. {why}",
    "confirm_happened": "confirmed that step {step} happened",
    "confirm_again": "confirmed that step {step} is to run again",
    "confirm_failed": "confirmed that step {step} failed",
}
HAPPENED = {
    TaskState.READY: "Step {step} waits for {owner}.",
    TaskState.SUCCEEDED: "Step {step} took {took}{over}.",
    TaskState.FAILED: "Step {step} failed: {why}",
    TaskState.UNKNOWN: "Step {step}: whether it happened is not known.",
    TaskState.SKIPPED: "Step {step} was passed over.",
    TaskState.WAITING: "Step {step} did not succeed and is tried again: {why}",
}


@dataclass(frozen=True)
class Entry:
    """A line of the bridge: what somebody said or did, or what happened by itself."""

    at: dt.datetime
    words: str
    who: str = ""
    is_note: bool = False

    def __str__(self) -> str:
        between = ": " if self.is_note else " "
        return f"{self.who}{between}{self.words}" if self.who else self.words


# --- Who is there ---------------------------------------------------------------------------------


def present(run: Run, reader: User, now: dt.datetime) -> list[User]:
    """Those who have the run's page open, ``reader`` among them, who is noted down now and then."""
    rows = run.present.filter(seen_at__gt=now - GONE_AFTER).select_related("person")
    seen = {row.person_id: row for row in rows.order_by("pk")}
    mine = seen.get(reader.pk)
    if mine is None or mine.seen_at < now - NOTED_EVERY:
        _note_presence(run, reader, now)
    people = [row.person for row in seen.values()]
    return people if mine is not None else [*people, reader]


def _note_presence(run: Run, reader: User, now: dt.datetime) -> None:
    """A comfort: where it cannot be written, the page is shown all the same."""
    try:
        with transaction.atomic():
            Presence.objects.bulk_create(
                [Presence(run=run, person=reader, seen_at=now)],
                update_conflicts=True,
                unique_fields=["run", "person"],
                update_fields=["seen_at"],
            )
    except DatabaseError:
        logger.warning("That %s looks at %s is not noted.", reader, run, exc_info=True)


# --- What is said ---------------------------------------------------------------------------------


def say(run: Run, words: str, *, by: User) -> Note:
    """Tell everybody who follows the run; nobody can take it back."""
    return Note.objects.create(run=run, by=by, name=str(by), words=words)


# --- What happens ---------------------------------------------------------------------------------


def lines(run: Run, tasks: Mapping[int, DeploymentTask], most: int = LINES_ON_PAGE) -> list[Entry]:
    """What was said and what happened, the latest first."""
    found = [
        *(Entry(note.at, note.words, note.name, is_note=True) for note in run.notes.all()[:most]),
        *_of_tasks(run, tasks, most),
        *_of_run(run, most),
        *_of_holds(run, most),
    ]
    return sorted(found, key=lambda entry: entry.at, reverse=True)[:most]


def _of_tasks(run: Run, tasks: Mapping[int, DeploymentTask], most: int) -> Iterator[Entry]:
    history: Any = TaskRun.history
    rows = (
        history.filter(run=run)
        .exclude(state__in=[TaskState.RUNNING, TaskState.CANCELLED])
        .exclude(state=TaskState.WAITING, history_type="+")
        .order_by("-history_id")
    )
    for row in rows.values(*OF_TASK)[:most]:
        task = tasks.get(row["task_id"])
        if task is not None:
            words = _told(row, task)
            by_person = row["transition"] in PEOPLES
            yield Entry(row["history_date"], words, row["actor"] if by_person else "")


def _told(row: Mapping[str, Any], task: DeploymentTask) -> str:
    begin = row["started_at"] or row["ready_at"]
    took = (row["ended_at"] or row["history_date"]) - begin
    over = round((took - dt.timedelta(minutes=task.estimate_minutes)).total_seconds() / 60)
    words = PEOPLES.get(row["transition"]) or HAPPENED[TaskState(row["state"])]
    return words.format(
        step=f"{task.order}, {task.title}" if len(task.title) <= LONG else f"{task.order}",
        took=span_in_words(took),
        over=f", {over} min over plan" if over > 0 else "",
        why=row["history_change_reason"] or row["detail"] or "no reason was given.",
        owner=task.owner_words or "somebody",
        verdict=dict(Verdict.choices).get(row["verdict"], ""),
    )


def _of_run(run: Run, most: int) -> Iterator[Entry]:
    history: Any = run.history
    for row in history.order_by("-history_id").values(*TOLD)[:most]:
        why = f": {row['history_change_reason']}" if row["history_change_reason"] else ""
        if row["transition"] == "abort":
            yield Entry(row["history_date"], f"aborted the run{why}", row["actor"])
        elif row["transition"]:
            ended = ENDINGS.get(row["transition"], row["transition"].replace("_", " "))
            yield Entry(row["history_date"], f"Run {run.number} {ended}{why}")
        elif row["state"] == Run.State.RUNNING and row["history_date"] <= run.started_at + SOON:
            yield Entry(row["history_date"], f"Run {run.number} began{why}", "")


def _of_holds(run: Run, most: int) -> Iterator[Entry]:
    history: Any = Hold.history
    turnover = run.turnover
    over = Q(scope="all") | Q(turnover=turnover) | Q(environment=turnover.environment_id)
    if turnover.train_id:
        over |= Q(train=turnover.train_id)
    rows = history.filter(over, history_date__gte=run.started_at)
    if run.ended_at is not None:
        rows = rows.filter(history_date__lte=run.ended_at)
    for row in rows.order_by("-history_id").values(*TOLD, "reason")[:most]:
        if row["transition"] == "lift":
            words = f"lifted the hold: {row['history_change_reason']}"
        else:
            words = f"stopped the line: {row['reason']}"
        yield Entry(row["history_date"], words, row["actor"])
