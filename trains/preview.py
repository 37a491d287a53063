"""What a train would look like on the dates that are being typed, and whom it would meet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from releasemgr.ui import charts
from trains.clashes import Note, clashes_of, day_of, outside, plan_notes, plan_of, wanted
from trains.models import Train
from trains.planning import SCHEDULE
from trains.states import STAGES
from trains.timeline import MARGIN, stage_bars
from trains.workdays import EVERY_DAY

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

    from releasemgr.accounts.models import User
    from trains.models import Calendar
    from trains.outline import Outline
    from trains.workdays import Workdays

#: The height of the picture: dates above, stages below.
HEIGHT = 64
LABELS = ("Start", "Scoping complete", "Construction complete", "QA complete", "End")


@dataclass(frozen=True)
class StageRow:
    """One stage: its days, and how many of them are working days."""

    name: str
    first: dt.date
    last: dt.date
    days: int


@dataclass
class Preview:
    """The timeline as a picture and as rows, what comes along, and what is noteworthy."""

    stages: list[StageRow] = field(default_factory=list)
    picture: SafeString | None = None
    notes: list[Note] = field(default_factory=list)
    milestones: list[tuple[str, dt.date]] = field(default_factory=list)
    counts_workdays: bool = False


def preview_of(
    dates: dict[str, dt.date | None],
    calendar: Calendar | None,
    user: User,
    *,
    train: Train | None = None,
    outline: Outline | None = None,
    origin: Train | None = None,
) -> Preview:
    """How these dates would look. ``train`` is the one that is being changed, if it is stored.

    ``outline`` is what a new one begins with, ``origin`` the one that is being copied.
    """
    workdays = calendar.workdays if calendar else EVERY_DAY
    found = Preview(counts_workdays=calendar is not None)
    known = [
        (label, day) for label, name in zip(LABELS, SCHEDULE, strict=True) if (day := dates[name])
    ]
    for (before, first), (after, second) in pairwise(known):
        if second < first:
            found.notes.append(Note(f"“{after}” is before “{before}”."))
    for label, day in known:
        if not workdays.is_working(day):
            found.notes.append(
                Note(
                    f"“{label}”, {day_of(day)}, is a day off. "
                    f"The next working day is {day_of(workdays.forward(day))}."
                )
            )
    found.stages = _stages(dates, workdays)
    start, end = dates["start"], dates["end"]
    if start and end and start <= end:
        found.picture = _picture(dates)
        found.notes += clashes_of(wanted(dates, train, outline, origin), user)
        if train is not None and train.pk:
            found.notes += outside(train, start, end)
    if train is not None and train.pk:
        found.notes += plan_of(train, dates, workdays)
    if outline is not None and start:
        found.milestones = [
            (one.title, workdays.add(start, one.days)) for one in outline.milestones
        ]
        own = [(f"The milestone “{title}”", due, "") for title, due in found.milestones]
        found.notes += plan_notes(own, None, end, workdays)
    return found


def _stages(dates: dict[str, dt.date | None], workdays: Workdays) -> list[StageRow]:
    """The stages whose dates are known; where none is, the whole way."""
    bounds = [dates[name] for name in SCHEDULE]
    parts = [(name, bounds[n], bounds[n + 1]) for n, (name, _) in enumerate(STAGES)]

    def rows(wanted: list[tuple[str, dt.date | None, dt.date | None]]) -> list[StageRow]:
        return [
            StageRow(name, first, last, workdays.between(first, last))
            for name, first, last in wanted
            if first and last and first <= last
        ]

    return rows(parts) or rows([("In all", bounds[0], bounds[-1])])


def _picture(dates: dict[str, dt.date | None]) -> SafeString:
    train = Train(**dates)
    start, end = dates["start"], dates["end"]
    assert start is not None  # noqa: S101 -- asked before
    assert end is not None  # noqa: S101
    room = dt.timedelta(days=MARGIN)
    axis = charts.Axis(start - room, end + room)
    marks = [
        charts.text(axis.x(day), 14, f"{day.day} {day:%b}", "tx3", dx=2) for day in axis.weeks()
    ]
    return charts.svg(HEIGHT, *marks, *stage_bars(train, axis))
