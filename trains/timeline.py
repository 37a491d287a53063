"""A train's stages, milestones and application releases in time: a picture, and its rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.formats import date_format

from releasemgr.ui import charts
from trains.bands import LANE_H, bands_of, drawn
from trains.chains import longest_chain
from trains.models import Freeze
from trains.states import STAGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.utils.safestring import SafeString

    from environments.models import Environment
    from trains.bands import Band
    from trains.models import ApplicationRelease, Milestone, Train

WEEKS_H, STAGES_H, MILESTONES_H, ROW_H, BAR_H = 26, 30, 34, 34, 18
#: Where the rows of application releases begin.
TOP = WEEKS_H + STAGES_H + MILESTONES_H
MOST_MILESTONES = 20
#: With more arrows than these nobody can follow one: only those of the longest chain are drawn.
MOST_ARROWS = 40
FULL = 100
#: Where a date would stand under the mark of today: its words begin at its day and go on after it.
BEFORE_TODAY, AFTER_TODAY = 8, 3
#: A week of room on both sides of the first and the last date.
MARGIN = 7


@dataclass(frozen=True)
class Bar:
    """One application release in the picture and in the table."""

    release: ApplicationRelease
    first: dt.date
    last: dt.date
    percent: int
    needs: tuple[int, ...] = ()
    waits_for: str = ""
    is_critical: bool = False

    @property
    def days(self) -> int:
        """How long it takes, both days included."""
        return (self.last - self.first).days + 1

    @property
    def status(self) -> Any:
        return self.release.status


@dataclass(frozen=True)
class Timeline:
    """What the page shows: the picture, its rows, and the one sentence that says it."""

    picture: SafeString
    bars: list[Bar]
    summary: str
    chain: list[Bar]
    draws_all_needs: bool
    bands: list[Band]

    @property
    def chain_first(self) -> dt.date:
        return min(bar.first for bar in self.chain)

    @property
    def chain_last(self) -> dt.date:
        return max(bar.last for bar in self.chain)


def timeline_of(
    train: Train,
    releases: Sequence[ApplicationRelease],
    environments: Sequence[Environment] = (),
) -> Timeline | None:
    """The timeline of a train with dates; ``None`` where there is nothing to draw yet.

    ``releases`` have their work counts, milestones and dependencies at hand. Freezes are those of
    the train, of what is aboard and of ``environments``.
    """
    if train.start is None or train.end is None or train.end < train.start:
        return None
    bars = [_bar(train, release, releases) for release in releases]
    found = longest_chain(
        {bar.release.pk: bar.days for bar in bars}, {bar.release.pk: [*bar.needs] for bar in bars}
    )
    bars = [replace(bar, is_critical=bar.release.pk in found) for bar in bars]
    by_key = {bar.release.pk: bar for bar in bars}
    chain = [by_key[pk] for pk in found]
    draws_all = sum(len(bar.needs) for bar in bars) <= MOST_ARROWS
    milestones = list(train.milestones.all()[:MOST_MILESTONES])
    days = [train.start, train.end, *(bar.first for bar in bars), *(bar.last for bar in bars)]
    axis = charts.Axis(_beside(min(days), -MARGIN), _beside(max(days), MARGIN))
    freezes = Freeze.objects.along(
        train, [release.application_id for release in releases], environments
    )
    bands = bands_of(freezes, axis.first, axis.last)
    arrows = _arrows(bars, found, axis, draws_all=draws_all)
    picture = _picture(train, bars, milestones, axis, arrows, bands)
    return Timeline(picture, bars, _summary(train, bars, bands), chain, draws_all, bands)


def _bar(train: Train, release: ApplicationRelease, aboard: Sequence[ApplicationRelease]) -> Bar:
    """Its own dates, or the train's construction where it has none."""
    assert train.start is not None  # noqa: S101 -- asked before
    assert train.end is not None  # noqa: S101
    first = release.start or train.scoping_end or train.start
    last = max(
        release.end or release.construction_end or train.construction_end or train.end, first
    )
    names = {other.pk for other in aboard}
    needs = [d.needs for d in release.dependencies.all() if d.needs_id in names]
    keys = tuple(needed.pk for needed in needs)
    words = ", ".join(needed.application.name for needed in needs)
    return Bar(release, first, last, release.work_percent, keys, words)


def _beside(day: dt.date, distance: int) -> dt.date:
    """A day so many days away, or the last one that the calendar has."""
    ordinal = day.toordinal() + distance
    return dt.date.fromordinal(max(1, min(dt.date.max.toordinal(), ordinal)))


def _end_is_frozen_by(train: Train, bands: list[Band]) -> Band | None:
    """The freeze of deployments in which the train would go to production."""
    assert train.end is not None  # noqa: S101
    return next((b for b in bands if b.stops_deployments and b.holds(train.end)), None)


def _summary(train: Train, bars: list[Bar], bands: list[Band]) -> str:
    assert train.start is not None  # noqa: S101
    assert train.end is not None  # noqa: S101
    late = [str(bar.release) for bar in bars if bar.last > train.end]
    words = f"{train} runs from {_day(train.start)} to {_day(train.end)}."
    if late:
        words += f" Planned beyond its end: {', '.join(late)}."
    if frozen := _end_is_frozen_by(train, bands):
        words += f" Its end lies in the freeze “{frozen.freeze}”."
    return f"{words} The dates of every row are in the table below."


def _picture(
    train: Train,
    bars: list[Bar],
    milestones: list[Milestone],
    axis: charts.Axis,
    arrows: list[SafeString],
    bands: list[Band],
) -> SafeString:
    top = TOP
    bottom = top + ROW_H * len(bars)
    today = timezone.localdate()
    parts, names = drawn(bands, axis, WEEKS_H + STAGES_H, bottom)
    for day in axis.weeks():
        parts.append(charts.line(axis.x(day), WEEKS_H, axis.x(day), bottom, "grid"))
        if not -BEFORE_TODAY < axis.percent(day) - axis.percent(today) < AFTER_TODAY:
            parts.append(charts.text(axis.x(day), 17, f"{day.day} {day:%b}", "tx3", dx=4))
    for row in range(len(bars) + 1):
        y = top + ROW_H * row
        parts.append(charts.line("0", y, "100%", y, "grid"))
    parts += stage_bars(train, axis)
    parts += _milestones(milestones, axis, _freezing(bands))
    parts.append(_production(train, axis, bottom, bands))
    parts += arrows
    for row, bar in enumerate(bars):
        parts.append(_drawn(bar, axis, top + ROW_H * row + (ROW_H - BAR_H) / 2))
    parts.append(charts.today_mark(axis, today, WEEKS_H, bottom))
    return charts.svg(bottom + LANE_H if names else bottom, *parts, *names)


def _production(train: Train, axis: charts.Axis, bottom: float, bands: list[Band]) -> SafeString:
    """A flag at the train's end; red where nothing may be deployed then."""
    assert train.end is not None  # noqa: S101
    frozen = _end_is_frozen_by(train, bands)
    words = f"Production: {_day(train.end)}"
    words += f", in the freeze “{frozen.freeze}”" if frozen else ""
    tone = "tone-bad" if frozen else "tone-mute"
    return charts.flag(axis.x(train.end), WEEKS_H + STAGES_H, bottom, tone, words)


def _freezing(bands: list[Band]) -> dict[int, str]:
    """The names of the freezes that begin with each milestone."""
    return {b.freeze.milestone_id: b.freeze.name for b in bands if b.freeze.milestone_id}


def stage_bars(train: Train, axis: charts.Axis) -> list[SafeString]:
    """One bar for each stage; one for all where dates are missing."""
    bounds = [train.start, train.scoping_end, train.construction_end, train.qa_end, train.end]
    known = [day for day in bounds if day is not None]
    if len(known) < len(bounds):
        known, names = [known[0], known[-1]], [str(train)]
    else:
        names = [name for name, _ in STAGES]
    parts = []
    for number, name in enumerate(names, start=1):
        first, last = known[number - 1], known[number]
        if last <= first:
            continue
        x, width, y = axis.x(first), axis.width(first, last), WEEKS_H + 5
        parts.append(
            charts.rect(x, y, width, 20, f"f{number}", f"{name}: {_day(first)} to {_day(last)}")
        )
        if charts.fits(axis.percent(last) - axis.percent(first), name):
            parts.append(charts.clipped(x, y, width, 20, charts.text("0", 14, name, "tx1", dx=9)))
    return parts


def _milestones(
    milestones: list[Milestone], axis: charts.Axis, freezing: dict[int, str]
) -> Iterator[SafeString]:
    """Diamonds on one line, each with its name where there is room before the next."""
    shown = [m for m in milestones if axis.first <= m.due <= axis.last]
    following = [*(axis.percent(m.due) for m in shown[1:]), float(FULL)]
    y = WEEKS_H + STAGES_H + MILESTONES_H / 2
    for milestone, end in zip(shown, following, strict=False):
        status, x = milestone.status, axis.x(milestone.due)
        css = "ms" if milestone.state == milestone.State.OPEN else "ms-f"
        words = f"{milestone}: {_day(milestone.due)}, {status.label.lower()}"
        if milestone.pk in freezing:
            words += f"; the freeze “{freezing[milestone.pk]}” begins"
        parts = [charts.diamond(x, y, css, words)]
        if charts.fits(end - axis.percent(milestone.due), str(milestone), padding=24):
            parts.append(charts.text(x, y + 4, str(milestone), "tx1", dx=9))
        yield charts.group(f"tone-{status.tone}", *parts)


def _arrows(
    bars: list[Bar], chain: list[int], axis: charts.Axis, *, draws_all: bool
) -> list[SafeString]:
    """From each to what waits for it; those of the longest chain last, and darker."""
    rows = {bar.release.pk: row for row, bar in enumerate(bars)}
    links = set(pairwise(chain))
    plain: list[SafeString] = []
    dark: list[SafeString] = []
    for bar in bars:
        for needed in bar.needs:
            is_link = (needed, bar.release.pk) in links
            if is_link or draws_all:
                row = rows[needed]
                ends = (row, bars[row]), (rows[bar.release.pk], bar)
                (dark if is_link else plain).append(_arrow(*ends, axis, is_link=is_link))
    return plain + dark


def _arrow(
    needed: tuple[int, Bar], waiting: tuple[int, Bar], axis: charts.Axis, *, is_link: bool
) -> SafeString:
    """An elbow from the end of one bar to the beginning of the other.

    Where the other has begun by then, it goes straight to its bar; where it is over, to its end.
    """
    (above, before), (below, after) = needed, waiting
    line, head = ("dep crit", "arrow-crit") if is_link else ("dep", "arrow")
    middle = [TOP + ROW_H * row + ROW_H / 2 for row in (above, below)]
    down = 1 if below > above else -1
    x, begins, ends = axis.x(before.last), axis.x(after.first), axis.x(after.last)
    out = middle[0] + down * BAR_H / 2
    if after.first < before.last <= after.last:
        edge = middle[1] - down * BAR_H / 2
        way = [charts.line(x, out, x, edge, line)]
        return charts.group("", *way, charts.arrow(x, edge, head, "down" if down > 0 else "up"))
    side, to = ("right", begins) if before.last <= after.first else ("left", ends)
    way = [charts.line(x, out, x, middle[1], line), charts.line(x, middle[1], to, middle[1], line)]
    return charts.group("", *way, charts.arrow(to, middle[1], head, side))


def _drawn(bar: Bar, axis: charts.Axis, y: float) -> SafeString:
    width = axis.percent(bar.last) - axis.percent(bar.first)
    x, words = axis.x(bar.first), f"{bar.percent} %"
    parts = [
        charts.rect(
            x,
            y,
            axis.width(bar.first, bar.last),
            BAR_H,
            "bar",
            f"{bar.release}: {_day(bar.first)} to {_day(bar.last)}, {bar.percent} % done",
        )
    ]
    if bar.percent:
        parts.append(charts.rect(x, y, f"{width * bar.percent / FULL:.2f}%", BAR_H, "bar-p"))
    if bar.is_critical:
        parts.append(charts.rect(x, y, axis.width(bar.first, bar.last), BAR_H, "crit-bar"))
    if charts.fits(width, words):
        parts.append(charts.text(x, y + 13, words, "tx1", dx=7))
    parts += [
        charts.diamond(
            axis.x(m.due),
            y + BAR_H / 2,
            "ms" if m.state == m.State.OPEN else "ms-f",
            f"{m}: {_day(m.due)}",
        )
        for m in bar.release.milestones.all()
        if axis.first <= m.due <= axis.last
    ]
    return charts.group(f"tone-{bar.status.tone}", *parts)


def _day(day: dt.date) -> str:
    return date_format(day, "j F Y")
