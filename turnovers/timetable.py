"""When each task of a plan starts if all goes as estimated, laid out as the page shows it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from releasemgr.ui.times import local

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from turnovers.changes import Change
    from turnovers.models import DeploymentTask


@dataclass
class Row:
    """A task in the list. ``phase`` is set where a new one begins."""

    task: DeploymentTask
    starts: dt.datetime | None
    is_parallel: bool
    is_first_of_group: bool
    is_first: bool
    is_last: bool
    phase: str = ""
    phase_length: dt.timedelta | None = None
    changes: list[Change] = field(default_factory=list)
    #: What undoes it.
    undo: DeploymentTask | None = None

    @property
    def clock(self) -> str:
        """When it starts, on the reader's clock."""
        return f"{local(self.starts):%H:%M}" if self.starts else ""

    @property
    def was_moved(self) -> bool:
        return any(change.kind == "moved" for change in self.changes)


def timetable(
    tasks: Sequence[DeploymentTask],
    begin: dt.datetime | None,
    changes: Sequence[Change] = (),
    undo: Iterable[DeploymentTask] = (),
) -> list[Row]:
    """The rows of the list; without a ``begin`` no row says when it starts."""
    rows: list[Row] = []
    undone_by = {task.undoes_id: task for task in undo}
    offset = dt.timedelta()
    for _, members in groupby(tasks, key=lambda task: task.order):
        group = list(members)
        for place, task in enumerate(group):
            rows.append(
                Row(
                    task=task,
                    starts=later(begin, offset),
                    is_parallel=len(group) > 1,
                    is_first_of_group=place == 0,
                    is_first=not rows,
                    is_last=False,
                    changes=[change for change in changes if change.task == task.pk],
                    undo=undone_by.get(task.pk),
                )
            )
        offset += length_of(group)
    if rows:
        rows[-1].is_last = True
    _name_phases(rows)
    return rows


def length_of(tasks: Sequence[DeploymentTask]) -> dt.timedelta:
    """How long they take: of those with the same number, the longest counts."""
    longest: dict[int, int] = {}
    for task in tasks:
        longest[task.order] = max(longest.get(task.order, 0), task.estimate_minutes)
    return dt.timedelta(minutes=sum(longest.values()))


def _name_phases(rows: Sequence[Row]) -> None:
    for phase, members in groupby(rows, key=lambda row: row.task.section):
        part = list(members)
        part[0].phase = phase
        part[0].phase_length = length_of([row.task for row in part])


def later(begin: dt.datetime | None, offset: dt.timedelta) -> dt.datetime | None:
    """The moment, unless it lies beyond the end of the calendar."""
    if begin is None:
        return None
    try:
        return begin + offset
    except OverflowError:
        return None
