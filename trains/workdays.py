"""Counting in working days: which days people work, and how far one day is from another."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

ONE_DAY = dt.timedelta(days=1)
WEEK = 7
#: No offset in a plan is larger than this many working days: some forty years.
MOST_DAYS = 10_000
#: A year without a working day is no calendar; a search for one ends there.
LONGEST_BREAK = 366


@dataclass(frozen=True)
class Workdays:
    """The weekdays on which people work (Monday is 0), and the days on which they do not."""

    weekdays: frozenset[int] = frozenset(range(WEEK))
    holidays: frozenset[dt.date] = frozenset()

    def is_working(self, day: dt.date) -> bool:
        return day.weekday() in self.weekdays and day not in self.holidays

    def forward(self, day: dt.date) -> dt.date:
        """The day itself if it is a working day, else the next one that is."""
        return self._search(day, ONE_DAY)

    def back(self, day: dt.date) -> dt.date:
        """The day itself if it is a working day, else the last one before that is."""
        return self._search(day, -ONE_DAY)

    def add(self, day: dt.date, count: int) -> dt.date:
        """The working day so many working days after ``day``, or before it if negative.

        Zero is the day itself, or the next working day. Raises ``OverflowError`` where no calendar
        of ours reaches.
        """
        step = ONE_DAY if count >= 0 else -ONE_DAY
        found = self.forward(day)
        for _ in range(min(abs(count), MOST_DAYS)):
            found = self._search(found + step, step)
        return found

    def between(self, first: dt.date, last: dt.date) -> int:
        """How many working days ``last`` is after ``first``: ``add(first, n)`` leads there again.

        A ``last`` that is no working day counts as the next one. Negative where it is before.
        """
        first, last = self.forward(first), self.forward(last)
        if last < first:
            return -self.between(last, first)
        if (last - first).days > MOST_DAYS:
            return MOST_DAYS
        days = (first + dt.timedelta(days=n) for n in range(1, (last - first).days + 1))
        return sum(self.is_working(day) for day in days)

    def _search(self, day: dt.date, step: dt.timedelta) -> dt.date:
        for _ in range(LONGEST_BREAK):
            if self.is_working(day):
                return day
            day += step
        return day


#: Without a calendar every day is like the others.
EVERY_DAY = Workdays()
