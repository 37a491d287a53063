"""Freezes as bands of days: which part of a picture each of them covers, and its words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone

from releasemgr.ui import charts
from trains.models.freezes import period_in_words
from trains.states import FreezeStops

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.utils.safestring import SafeString

    from trains.freeze_querysets import FreezeQuerySet
    from trains.models import Freeze

#: A picture has no more bands than this, nor a table more rows of them.
MOST_BANDS = 60
ONE_DAY = dt.timedelta(days=1)
LANE_H = 22
EARLIEST, LATEST = dt.date(1970, 1, 1), dt.date(2200, 1, 1)


@dataclass(frozen=True)
class Band:
    """One period of a freeze: from its first day to the day after its last, on the axis."""

    freeze: Freeze
    first: dt.date
    after: dt.date
    words: str

    def holds(self, day: dt.date) -> bool:
        return self.first <= day < self.after

    @property
    def stops_deployments(self) -> bool:
        return self.freeze.stops == FreezeStops.DEPLOYMENTS


def bands_of(freezes: FreezeQuerySet, first: dt.date, last: dt.date) -> list[Band]:
    """Each period of theirs that touches the days, in order; the first of them if they are many."""
    starts, ends = _midnight(first), _midnight(last)
    found = [
        Band(freeze, *_days(one.begins, one.ends, last), period_in_words(one.begins, one.ends))
        for freeze in freezes.between(starts, ends).with_scope()
        for one in freeze.periods.all_within(starts, ends)
    ]
    found.sort(key=lambda band: (band.first, band.freeze.pk))
    return found[:MOST_BANDS]


def _days(begins: dt.datetime, ends: dt.datetime | None, last: dt.date) -> tuple[dt.date, dt.date]:
    """The days on which a period counts at some moment."""
    first = timezone.localtime(begins).date()
    if ends is None:
        return first, max(last, first + ONE_DAY)
    end = timezone.localtime(ends)
    return first, end.date() if end.time() == dt.time() else end.date() + ONE_DAY


def _midnight(day: dt.date) -> dt.datetime:
    """The begin of a day; of one at the edge of the calendar, a day that every clock can show."""
    day = min(max(day, EARLIEST), LATEST)
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def drawn(
    bands: Iterable[Band], axis: charts.Axis, top: float, bottom: float
) -> tuple[list[SafeString], list[SafeString]]:
    """The bands from top to bottom, to lie under everything else, and their names below them.

    A name stands where there is room since the last one; each period has its own as a title.
    """
    marks, names, free_from = [], [], 0.0
    for band in bands:
        first, after = max(band.first, axis.first), min(band.after, axis.last)
        if after <= first:
            continue
        title = f"Freeze “{band.freeze}”: {band.words}"
        marks.append(charts.hatched(axis.x(first), top, axis.width(first, after), bottom, title))
        left = axis.percent(first)
        if left >= free_from and left < charts.FULL:
            room = len(band.freeze.name) * charts.CHARACTER / charts.TYPICAL_WIDTH * charts.FULL
            free_from = left + room + 1
            name = charts.text("0", 15, band.freeze.name, "txb", dx=4)
            width = f"{min(charts.FULL - left, room + 2):.2f}%"
            names.append(charts.clipped(axis.x(first), bottom, width, LANE_H, name))
    if marks:
        marks.insert(0, charts.hatch())
    return marks, names
