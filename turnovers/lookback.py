"""A run that is over, looked back on: what slipped and why, and the whole of it as plain text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count

from releasemgr.ui.times import full_moment, local, span_in_words
from turnovers.models import Attempt
from turnovers.states import TaskState

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    from turnovers.bridge import Entry
    from turnovers.progress import Line, Progress


@dataclass(frozen=True)
class Step:
    """A step that was carried out, beside its plan."""

    line: Line
    tries: int

    @property
    def slipped(self) -> bool:
        """Whether it cost time that was not planned, or went wrong."""
        row = self.line.task_run
        wrong = row is not None and row.state in {TaskState.FAILED, TaskState.UNKNOWN}
        return self.line.is_over_plan or wrong or self.tries > 1

    @property
    def why(self) -> str:
        """What is known of the reason, in sentences."""
        row, task = self.line.task_run, self.line.task
        if row is None:
            return ""
        told = []
        if self.tries > 1:
            told.append(f"It took {self.tries} tries.")
        if task.is_manual and self.line.is_over_plan:
            told.append(f"It was with {row.done_by or task.owner_words or 'nobody'}.")
        if row.verdict_by_id:
            told.append(f"Its ending was unknown: {row.verdict_reason}")
        if row.detail:
            told.append(row.detail)
        return " ".join(told)


def steps_of(shown: Progress) -> list[Step]:
    """Every step of the run with the number of tries it took."""
    tries = Attempt.objects.filter(task_run__run=shown.run).order_by()
    counted = dict(tries.values_list("task_run").annotate(Count("pk")))
    return [
        Step(line, counted.get(line.task_run.pk, 0) if line.task_run else 0) for line in shown.lines
    ]


def transcript(shown: Progress, said: Sequence[Entry], whys: Mapping[int, str]) -> Iterator[str]:
    """The run as plain text, line by line: for a mail, a ticket or a screen reader."""
    run, turnover = shown.run, shown.run.turnover
    yield f"{turnover.ref} {turnover}"
    yield f"Run {run.number} on {turnover.environment.name}: {run.status.label}"
    yield f"Started {full_moment(run.started_at)} by {run.started_by}"
    if run.ended_at is not None:
        yield f"Ended {full_moment(run.ended_at)}"
    else:
        yield f"Expected end {full_moment(shown.expected_end)}"
    if run.reason:
        yield f"Why it stopped: {run.reason}"
    yield f"{shown.done} of {shown.total} tasks done, {shown.under_way} under way"
    yield from ("", "STEPS", "")
    for line in shown.lines:
        if line.phase:
            yield f"[{line.phase}]"
        yield from _of_step(line, whys.get(line.task.pk, ""))
    yield from ("", "BRIDGE, the latest first", "")
    for entry in said:
        yield f"{_clock(entry.at)}  {entry}"


def _of_step(line: Line, why: str) -> Iterator[str]:
    row: Any = line.task_run
    state = row.status.label if row else "Not reached"
    took = f", took {span_in_words(line.actual.length)}" if line.actual and row else ""
    over = f" ({span_in_words(line.over)} over plan)" if line.is_over_plan else ""
    begin = f"{_clock(line.actual.begin)} " if line.actual else ""
    yield (
        f"{line.task.order:>4}  {begin}{line.task.title}: {state}, planned "
        f"{span_in_words(line.plan.length)}{took}{over}"
    )
    who = line.task.owner_words if line.task.is_manual else line.task.summary
    done_by = f"; done by {row.done_by}" if row and row.done_by else ""
    if who or done_by:
        yield f"      {who or 'By hand'}{done_by}"
    for more in (row.detail if row else "", row.evidence if row else "", why):
        if more:
            yield f"      {more}"


def _clock(moment: dt.datetime) -> str:
    return f"{local(moment):%H:%M:%S}"
