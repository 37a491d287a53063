"""The booking board as geometry: per cent across, pixels down, so that text never scales."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils import timezone

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from environments.models import Booking, Environment
    from environments.panels import Frozen

WEEKS = (2, 4, 12)
DEFAULT_WEEKS = 4
EARLIEST, LATEST = dt.date(1970, 1, 5), dt.date(2199, 1, 7)

HEAD = 44  # the height of the scale, in pixels
LANE = 28
LANE_TOP = 4
BAR = 24
MAX_LANES = 3
ROW_PADDING = 8
#: About how many per cent of the board's width one letter of a label takes.
LETTER = 0.75
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """Whole weeks on the reader's calendar."""

    first: dt.date
    weeks: int

    @property
    def end(self) -> dt.date:
        """The first day that is no longer shown."""
        return self.first + dt.timedelta(weeks=self.weeks)

    @property
    def last(self) -> dt.date:
        return self.end - DAY

    @property
    def starts(self) -> dt.datetime:
        return _midnight(self.first)

    @property
    def ends(self) -> dt.datetime:
        return _midnight(self.end)

    @property
    def earlier(self) -> str:
        return self._moved(-1)

    @property
    def later(self) -> str:
        return self._moved(1)

    def _moved(self, times: int) -> str:
        first = self.first + times * dt.timedelta(weeks=self.weeks)
        return min(max(first, EARLIEST), LATEST).isoformat()

    def percent(self, moment: dt.datetime) -> float:
        """How far across the board a moment is; outside it, at its edge."""
        share = (moment - self.starts) / (self.ends - self.starts)
        return min(max(share, 0.0), 1.0) * 100


def read_period(first: str, weeks: str) -> Period:
    """The period that an address asks for; what cannot be read means from this week on."""
    number = int(weeks) if weeks in {str(known) for known in WEEKS} else DEFAULT_WEEKS
    try:
        day = dt.date.fromisoformat(first)
    except ValueError:
        day = timezone.localdate()
    day = min(max(day, EARLIEST), LATEST)
    return Period(day - dt.timedelta(days=day.weekday()), number)


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


@dataclass(frozen=True)
class Bar:
    """One booking as it is drawn."""

    booking: Booking
    x: str
    width: str
    y: int
    clashes: bool
    label: str
    label_x: str

    @property
    def text_y(self) -> int:
        return self.y + 16


@dataclass(frozen=True)
class Band:
    """A freeze as it is drawn: a wash and a hatch behind the bars of its row."""

    frozen: Frozen
    x: str
    width: str
    named: bool


@dataclass
class Row:
    """An environment with its bookings of the period, in lanes that do not overlap."""

    environment: Environment
    bookings: list[Booking]
    period: Period
    frozen: list[Frozen] = field(default_factory=list)
    y: int = 0
    bars: list[Bar] = field(default_factory=list)
    lanes: int = 1
    hidden: int = 0

    @property
    def height(self) -> int:
        return ROW_PADDING + LANE * self.lanes

    @property
    def bands(self) -> list[Band]:
        """Its freezes from left to right; a name is written where there is room for it."""
        return [self._band(frozen) for frozen in self.frozen]

    def _band(self, frozen: Frozen) -> Band:
        left = self.period.percent(frozen.starts)
        right = self.period.percent(frozen.ends) if frozen.ends else 100.0
        width = max(right - left, 0.3)
        named = not self.bars and len(frozen.name) * LETTER + 1 <= width
        return Band(frozen, _per_cent(left), _per_cent(width), named)

    @property
    def clashes(self) -> bool:
        return any(bar.clashes for bar in self.bars)

    def draw(self, y: int) -> int:
        """Place the bars below ``y``; return where the next row begins."""
        self.y = y
        free_from: list[dt.datetime] = []
        placed: list[tuple[int, Booking]] = []
        for booking in self.bookings:
            lane = next((i for i, end in enumerate(free_from) if end <= booking.starts), None)
            if lane is None:
                if len(free_from) == MAX_LANES:
                    self.hidden += 1
                    continue
                lane = len(free_from)
                free_from.append(booking.ends)
            free_from[lane] = booking.ends
            placed.append((lane, booking))
        self.lanes = max(len(free_from), 1)
        # From the last: what comes next in a lane limits the room of a label beside its bar.
        following = [100.0] * self.lanes
        for lane, booking in reversed(placed):
            bar = self._bar(lane, booking, following[lane])
            following[lane] = self.period.percent(booking.starts)
            self.bars.insert(0, bar)
        return y + self.height

    def _bar(self, lane: int, booking: Booking, limit: float) -> Bar:
        left, right = self.period.percent(booking.starts), self.period.percent(booking.ends)
        width = max(right - left, 0.3)
        room = len(booking.title) * LETTER + 1
        beside = room <= limit - right
        label = "inside" if room <= width else "beside" if beside else "none"
        return Bar(
            booking=booking,
            x=_per_cent(left),
            width=_per_cent(width),
            y=self.y + LANE_TOP + 2 + lane * LANE,
            clashes=any(_stand_in_each_others_way(booking, other) for other in self.bookings),
            label=label,
            label_x=_per_cent(left + width),
        )


def _stand_in_each_others_way(one: Booking, other: Booking) -> bool:
    """Whether one holds what the other asks for."""
    return (
        one.pk != other.pk
        and "confirmed" in {one.state, other.state}
        and (one.exclusive or other.exclusive)
        and one.starts < other.ends
        and other.starts < one.ends
    )


@dataclass(frozen=True)
class Day:
    """A column of the board."""

    date: dt.date
    x: str
    middle: str
    width: str
    named: bool

    @property
    def is_weekend(self) -> bool:
        return self.date.weekday() >= 5  # noqa: PLR2004 -- Saturday and Sunday

    @property
    def begins_week(self) -> bool:
        return self.date.weekday() == 0


@dataclass(frozen=True)
class Board:
    """Everything that the picture and the table below it show."""

    period: Period
    rows: Sequence[Row]
    height: int
    now: str

    @property
    def bookings(self) -> list[Booking]:
        return [booking for row in self.rows for booking in row.bookings]

    @property
    def frozen(self) -> list[tuple[Environment, Frozen]]:
        """Every freeze of the period, row by row."""
        return [(row.environment, frozen) for row in self.rows for frozen in row.frozen]

    @property
    def clashes(self) -> list[Booking]:
        """The requests that something confirmed stands in the way of."""
        bars = [bar for row in self.rows for bar in row.bars]
        return [bar.booking for bar in bars if bar.clashes and bar.booking.state == "requested"]

    def days(self) -> list[Day]:
        """The columns; in a long period only the first day of each week has its number."""
        few = self.period.weeks <= DEFAULT_WEEKS
        days = []
        for number in range(self.period.weeks * 7):
            date = self.period.first + number * DAY
            left = self.period.percent(_midnight(date))
            width = self.period.percent(_midnight(date + DAY)) - left
            middle = _per_cent(left + width / 2)
            named = few or date.weekday() == 0
            days.append(Day(date, _per_cent(left), middle, _per_cent(width), named))
        return days


def draw(
    environments: Iterable[Environment],
    bookings: Iterable[Booking],
    period: Period,
    freezes: Iterable[Frozen] = (),
) -> Board:
    """Lay out the live bookings and the freezes that touch the period, by environment."""
    frozen: dict[int, list[Frozen]] = {}
    for one in freezes:
        frozen.setdefault(one.environment_id, []).append(one)
    by_environment: dict[int, list[Booking]] = {}
    for booking in bookings:
        by_environment.setdefault(booking.environment_id, []).append(booking)
    rows = [
        Row(env, by_environment.get(env.pk, []), period, frozen.get(env.pk, []))
        for env in environments
    ]
    y = HEAD
    for row in rows:
        y = row.draw(y)
    now = timezone.now()
    inside = period.starts <= now < period.ends
    return Board(period, rows, y, _per_cent(period.percent(now)) if inside else "")


def _per_cent(share: float) -> str:
    return f"{share:.2f}%"
