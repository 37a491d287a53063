"""When something that recurs on the clock of one place happens: pure functions of its first time.

Each occurrence begins and ends when the clock on the wall of that place says what it said the first
time, whatever its clocks were put forward or back meanwhile. A wall-clock time that exists twice,
or not at all, is read as early as it can be for a begin and as late as it can be for an end: so a
period is never shorter than the wall says.
"""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

WEEKLY, MONTHLY, YEARLY = "weekly", "monthly", "yearly"
WEEK, MONTHS = 7, 12
#: No occurrence may be longer, or it would meet the next one.
LONGEST = {
    WEEKLY: dt.timedelta(days=7),
    MONTHLY: dt.timedelta(days=28),
    YEARLY: dt.timedelta(days=365),
}


@dataclass(frozen=True)
class Occurrence:
    """A half-open period ``[begins, ends)``; without an end it lasts until somebody ends it."""

    begins: dt.datetime
    ends: dt.datetime | None

    def covers(self, at: dt.datetime) -> bool:
        return self.begins <= at and (self.ends is None or at < self.ends)

    def meets(self, starts: dt.datetime, ends: dt.datetime) -> bool:
        """Whether it shares an instant with ``[starts, ends)``."""
        return self.begins < ends and (self.ends is None or starts < self.ends)


@dataclass(frozen=True)
class Recurring:
    """The first time, in which zone and how often it comes again, and when that is over."""

    begins: dt.datetime
    ends: dt.datetime | None
    zone: ZoneInfo
    every: str = ""
    until: dt.datetime | None = None

    def at(self, moment: dt.datetime) -> Occurrence | None:
        """The occurrence that covers the moment."""
        found = next(self.after(moment), None)
        return found if found is not None and found.covers(moment) else None

    def within(self, starts: dt.datetime, ends: dt.datetime) -> Occurrence | None:
        """The first occurrence that shares an instant with ``[starts, ends)``."""
        found = next(self.after(starts), None)
        return found if found is not None and found.meets(starts, ends) else None

    def all_within(self, starts: dt.datetime, ends: dt.datetime) -> Iterator[Occurrence]:
        """Every occurrence that shares an instant with ``[starts, ends)``, in order."""
        return takewhile(lambda found: found.begins < ends, self.after(starts))

    def next_ones(self, moment: dt.datetime, most: int) -> list[Occurrence]:
        """The one that covers the moment, and those after it."""
        return list(islice(self.after(moment), most))

    def after(self, moment: dt.datetime) -> Iterator[Occurrence]:
        """Those that are not over at the moment, in order; without end where it has none."""
        if self.every not in LONGEST or self.ends is None:
            if self.ends is None or moment < self.ends:
                yield Occurrence(self.begins, self.ends)
            return
        number = max(0, self._number_near(moment) - 1)
        while (found := self._occurrence(number)) is not None:
            if found.ends is None or moment < found.ends:
                yield found
            number += 1

    def _number_near(self, moment: dt.datetime) -> int:
        """Which occurrence begins in the week, month or year of the moment."""
        first, here = self._wall(self.begins), self._wall(moment)
        if self.every == WEEKLY:
            return (here.date() - first.date()).days // WEEK
        years = here.year - first.year
        return years if self.every == YEARLY else years * MONTHS + here.month - first.month

    def _occurrence(self, number: int) -> Occurrence | None:
        """The occurrence of that number, counted from 0; None where it is over before."""
        if number == 0:
            found = (self.begins, self.ends)
        else:
            first = self._wall(self.begins)
            try:
                begins = self._later(first, number)
                ends = begins + (self._wall(self.ends) - first) if self.ends else None
                found = (self._earliest(begins), self._latest(ends) if ends else None)
            except (OverflowError, ValueError):  # where calendars end, so does what recurs
                return None
        begins_at, ends_at = found
        if self.until is not None:
            if begins_at >= self.until:
                return None
            ends_at = min(ends_at, self.until) if ends_at else self.until
        return Occurrence(begins_at, ends_at)

    def _later(self, first: dt.datetime, number: int) -> dt.datetime:
        """The same time of day so many weeks, months or years later; on the last day of a month
        that is too short."""
        if self.every == WEEKLY:
            return first + dt.timedelta(days=WEEK * number)
        months = first.month - 1 + number * (MONTHS if self.every == YEARLY else 1)
        year, month = first.year + months // MONTHS, months % MONTHS + 1
        return first.replace(year=year, month=month, day=min(first.day, monthrange(year, month)[1]))

    def _wall(self, moment: dt.datetime) -> dt.datetime:
        """What the clock on the wall says."""
        return moment.astimezone(self.zone).replace(tzinfo=None, fold=0)

    def _earliest(self, wall: dt.datetime) -> dt.datetime:
        return min(self._readings(wall))

    def _latest(self, wall: dt.datetime) -> dt.datetime:
        return max(self._readings(wall))

    def _readings(self, wall: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
        """The moments that the wall-clock time can mean; the same twice on almost every day."""
        first = wall.replace(tzinfo=self.zone, fold=0).astimezone(dt.UTC)
        return first, wall.replace(tzinfo=self.zone, fold=1).astimezone(dt.UTC)
