"""A train's stages, milestones and application releases in time: a picture, and its rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.formats import date_format

from releasemgr.ui import charts
from trains.states import STAGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.utils.safestring import SafeString

    from trains.models import ApplicationRelease, Milestone, Train

WEEKS_H, STAGES_H, MILESTONES_H, ROW_H, BAR_H = 26, 30, 34, 34, 18
MOST_MILESTONES = 20
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
    waits_for: str

    @property
    def status(self) -> Any:
        return self.release.status


@dataclass(frozen=True)
class Timeline:
    """What the page shows: the picture, its rows, and the one sentence that says it."""

    picture: SafeString
    bars: list[Bar]
    summary: str


def timeline_of(train: Train, releases: Sequence[ApplicationRelease]) -> Timeline | None:
    """The timeline of a train with dates; ``None`` where there is nothing to draw yet.

    ``releases`` have their work counts, milestones and dependencies at hand.
    """
    if train.start is None or train.end is None or train.end < train.start:
        return None
    bars = [_bar(train, release, releases) for release in releases]
    milestones = list(train.milestones.all()[:MOST_MILESTONES])
    days = [train.start, train.end, *(bar.first for bar in bars), *(bar.last for bar in bars)]
    axis = charts.Axis(_beside(min(days), -MARGIN), _beside(max(days), MARGIN))
    picture = _picture(train, bars, milestones, axis)
    return Timeline(picture, bars, _summary(train, bars))


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
    return Bar(
        release, first, last, release.work_percent, ", ".join(n.application.name for n in needs)
    )


def _beside(day: dt.date, distance: int) -> dt.date:
    """A day so many days away, or the last one that the calendar has."""
    ordinal = day.toordinal() + distance
    return dt.date.fromordinal(max(1, min(dt.date.max.toordinal(), ordinal)))


def _summary(train: Train, bars: list[Bar]) -> str:
    assert train.start is not None  # noqa: S101
    assert train.end is not None  # noqa: S101
    late = [str(bar.release) for bar in bars if bar.last > train.end]
    words = f"{train} runs from {_day(train.start)} to {_day(train.end)}."
    if late:
        words += f" Planned beyond its end: {', '.join(late)}."
    return f"{words} The dates of every row are in the table below."


def _picture(
    train: Train, bars: list[Bar], milestones: list[Milestone], axis: charts.Axis
) -> SafeString:
    top = WEEKS_H + STAGES_H + MILESTONES_H
    bottom = top + ROW_H * len(bars)
    today = timezone.localdate()
    parts = []
    for day in axis.weeks():
        parts.append(charts.line(axis.x(day), WEEKS_H, axis.x(day), bottom, "grid"))
        if not -BEFORE_TODAY < axis.percent(day) - axis.percent(today) < AFTER_TODAY:
            parts.append(charts.text(axis.x(day), 17, f"{day.day} {day:%b}", "tx3", dx=4))
    for row in range(len(bars) + 1):
        y = top + ROW_H * row
        parts.append(charts.line("0", y, "100%", y, "grid"))
    parts += stage_bars(train, axis)
    parts += _milestones(milestones, axis)
    for row, bar in enumerate(bars):
        parts.append(_drawn(bar, axis, top + ROW_H * row + (ROW_H - BAR_H) / 2))
    parts.append(charts.today_mark(axis, today, WEEKS_H, bottom))
    return charts.svg(bottom, *parts)


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


def _milestones(milestones: list[Milestone], axis: charts.Axis) -> Iterator[SafeString]:
    """Diamonds on one line, each with its name where there is room before the next."""
    shown = [m for m in milestones if axis.first <= m.due <= axis.last]
    following = [*(axis.percent(m.due) for m in shown[1:]), float(FULL)]
    y = WEEKS_H + STAGES_H + MILESTONES_H / 2
    for milestone, end in zip(shown, following, strict=False):
        status, x = milestone.status, axis.x(milestone.due)
        css = "ms" if milestone.state == milestone.State.OPEN else "ms-f"
        words = f"{milestone}: {_day(milestone.due)}, {status.label.lower()}"
        parts = [charts.diamond(x, y, css, words)]
        if charts.fits(end - axis.percent(milestone.due), str(milestone), padding=24):
            parts.append(charts.text(x, y + 4, str(milestone), "tx1", dx=9))
        yield charts.group(f"tone-{status.tone}", *parts)


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
