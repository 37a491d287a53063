"""Presets for the dates of a train: stages from its start, a quarter, half a year."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from trains.planning import SCHEDULE

if TYPE_CHECKING:
    from trains.outline import Outline
    from trains.workdays import Workdays

QUARTER, HALF = 3, 6
MONTHS = 12
#: So many quarters and halves ahead are offered.
QUARTERS_AHEAD, HALVES_AHEAD = 4, 2


@dataclass(frozen=True)
class Period:
    """A part of a year that a train may fill."""

    key: str
    label: str
    first: dt.date
    last: dt.date


def periods(today: dt.date) -> list[Period]:
    """The next quarters and halves of a year that have not begun."""
    return [*_following(today, QUARTER, QUARTERS_AHEAD), *_following(today, HALF, HALVES_AHEAD)]


def period_of(key: str, today: dt.date) -> Period | None:
    """One of those that are offered, by its key."""
    return next((period for period in periods(today) if period.key == key), None)


def _following(today: dt.date, length: int, count: int) -> list[Period]:
    found = []
    index = today.year * MONTHS + (today.month - 1) // length * length
    for turn in range(1, count + 1):
        month = index + turn * length
        first, after = _first_of(month), _first_of(month + length)
        name = f"{'Q' if length == QUARTER else 'H'}{(first.month - 1) // length + 1}"
        found.append(
            Period(
                f"{first.year}-{name.lower()}",
                f"{name} {first.year}",
                first,
                after - dt.timedelta(days=1),
            )
        )
    return found


def _first_of(month: int) -> dt.date:
    return dt.date(month // MONTHS, month % MONTHS + 1, 1)


def spread(period: Period, outline: Outline, workdays: Workdays) -> dict[str, dt.date]:
    """A train from the first to the last working day of a period, its stages in proportion."""
    start, end = workdays.forward(period.first), workdays.back(period.last)
    days, whole = workdays.between(start, end), sum(outline.lengths) or 1
    reached = [days * so_far // whole for so_far in accumulate(outline.lengths)]
    dates = {name: workdays.add(start, n) for name, n in zip(SCHEDULE[1:], reached, strict=True)}
    return {"start": start, **dates, "end": end}
