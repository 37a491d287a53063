"""When somebody may be reached: quiet hours, the hour of the digest, the day of a reminder.

All of it goes by the wall clock of the person's own zone and answers in moments of time, so that it
is right across clock changes. Nothing here reads a clock or a database.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

#: Reminders of a day are collected so long before its digest, so that they are in it.
LEAD = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
#: The digest of somebody who has chosen no hour.
DEFAULT_DIGEST = dt.time(8)


@dataclass(frozen=True)
class Hours:
    """One person's: quiet from and until (or never), and when the digest comes."""

    zone: dt.tzinfo
    digest: dt.time = DEFAULT_DIGEST
    quiet_from: dt.time | None = None
    quiet_until: dt.time | None = None

    def is_quiet(self, now: dt.datetime) -> bool:
        """Whether the person is not to be disturbed; the last minute of quiet is not part of it."""
        begins, ends = self.quiet_from, self.quiet_until
        if begins is None or ends is None or begins == ends:
            return False
        clock = now.astimezone(self.zone).time()
        if begins < ends:
            return begins <= clock < ends
        return clock >= begins or clock < ends

    def soonest(self, now: dt.datetime) -> dt.datetime:
        """``now``, or the end of the quiet hours in which it lies."""
        if not self.is_quiet(now) or self.quiet_until is None:
            return now
        return self.next_at(self.quiet_until, now)

    def next_digest(self, now: dt.datetime) -> dt.datetime:
        """The first moment after ``now`` at which the person's clock shows the digest's hour."""
        return self.next_at(self.digest, now)

    def digest_of(self, day: dt.date) -> dt.datetime:
        """The moment of the digest of a day on the person's calendar."""
        return self._moments(day, self.digest)[0]

    def day_of(self, moment: dt.datetime) -> dt.date:
        """The day on the person's calendar."""
        return moment.astimezone(self.zone).date()

    def reminder_day(self, now: dt.datetime) -> dt.date | None:
        """The day of which reminders are due by now; None until an hour before its digest."""
        ahead = (now + LEAD).astimezone(self.zone)
        day = ahead.date()
        return day if now + LEAD >= self.digest_of(day) else None

    def next_at(self, clock: dt.time, after: dt.datetime) -> dt.datetime:
        """The first moment after ``after`` at which the person's clock shows ``clock``.

        Where the clock is put forward over that time, the moment from which it shows a later one.
        Where it is put back, that time comes twice.
        """
        day = after.astimezone(self.zone).date()
        coming = (
            moment
            for distance in range(3)
            for moment in self._moments(day + distance * DAY, clock)
            if moment > after
        )
        return next(coming)

    def _moments(self, day: dt.date, clock: dt.time) -> list[dt.datetime]:
        """When the clock shows that time on that day: once, or twice where it is put back."""
        first, second = (
            dt.datetime.combine(day, clock.replace(fold=fold), self.zone).astimezone(dt.UTC)
            for fold in (0, 1)
        )
        # In a gap the second reading comes before the first: the clock shows neither, and the
        # first, read with the old offset, is when a clock that was not put forward would show it.
        return [first, second] if second > first else [first]
