"""The drawings of a run: a bar for the whole and a lane for each task.

Positions and widths are percentages and heights are pixels, so a drawing stretches with its column
and needs no style attribute. Everything they show is also written beside them in words.
"""

from __future__ import annotations

import datetime as dt
from itertools import groupby
from typing import TYPE_CHECKING

from django.utils.html import format_html, format_html_join

from releasemgr.ui.times import local

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.utils.safestring import SafeString

    from turnovers.progress import Line, Progress, Span

LANE_HEIGHT, AXIS_HEIGHT, BAR_HEIGHT = 20, 18, 8
MOST_TICKS = 4
STEPS = [dt.timedelta(minutes=m) for m in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)]
NARROWEST, GAP = 0.4, 0.25
MOST_SEGMENTS = 120


class Axis:
    """From moments to percentages of the width."""

    def __init__(self, span: Span) -> None:
        self.span = span

    def at(self, moment: dt.datetime) -> float:
        share = (moment - self.span.begin) / self.span.length * 100
        return round(max(0.0, min(100.0, share)), 2)

    def bar(self, span: Span, css: str, y: int, height: int) -> SafeString:
        begin, end = self.at(span.begin), self.at(span.end)
        width = max(NARROWEST, round(end - begin, 2))
        return format_html(
            '<rect class="{}" x="{}%" y="{}" width="{}%" height="{}" rx="2"/>',
            css,
            min(begin, 100 - width),
            y,
            width,
            height,
        )

    def ticks(self) -> list[dt.datetime]:
        """Round moments, few enough to be read."""
        fitting = (step for step in STEPS if self.span.length / step <= MOST_TICKS)
        step = next(fitting, STEPS[-1] * max(1, round(self.span.length / STEPS[-1] / MOST_TICKS)))
        first = local(self.span.begin)
        midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
        begin = midnight + step * -(-(first - midnight) // step)
        return [begin + step * number for number in range((self.span.end - begin) // step + 1)]


def lane(axis: Axis, line: Line, now: dt.datetime | None) -> SafeString:
    """Thin: the plan. Solid: what happened. Outlined: what is expected."""
    parts = [axis.bar(line.plan, "plan-l", 15, 3)]
    if line.forecast is not None:
        parts.append(axis.bar(line.forecast, "bar-next", 2, 10))
    if line.actual is not None:
        bar = axis.bar(line.actual, "bar-f", 2, 10)
        parts.append(format_html('<g class="tone-{}">{}</g>', line.tone, bar))
    if now is not None:
        x = axis.at(now)
        mark = '<line class="today" x1="{}%" x2="{}%" y1="-8" y2="28"/>'
        parts.append(format_html(mark, x, x))
    return _svg(LANE_HEIGHT, _joined(parts))


def axis_of_lanes(axis: Axis) -> SafeString:
    """The hours above the lanes."""
    long = axis.span.length >= STEPS[-1] * MOST_TICKS
    labels = (
        format_html(
            '<text class="tx3" x="{}%" y="12" text-anchor="middle">{}</text>',
            axis.at(tick),
            f"{tick.day} {tick:%b}" if long else f"{tick:%H:%M}",
        )
        for tick in axis.ticks()
    )
    return _svg(AXIS_HEIGHT, _joined(labels))


def run_bar(progress: Progress) -> SafeString:
    """A segment for each task, as long as it is planned to take; of many, one for each stretch."""
    weights = [max(1, line.task.estimate_minutes) for line in progress.lines]
    pairs = [(line.tone, weight) for line, weight in zip(progress.lines, weights, strict=True)]
    if len(pairs) > MOST_SEGMENTS:
        pairs = [
            (tone, sum(weight for _, weight in stretch))
            for tone, stretch in groupby(pairs, key=lambda pair: pair[0])
        ]
    whole, x, parts = sum(weights) or 1, 0.0, []
    for tone, weight in pairs:
        width = weight / whole * 100
        parts.append(
            format_html(
                '<g class="tone-{}"><rect class="{}" x="{}%" width="{}%" height="8" rx="1.5"/></g>',
                tone,
                "bg-line" if tone == "mute" else "bar-f",
                round(x, 2),
                round(max(width - GAP, 0.2), 2),
            )
        )
        x += width
    return _svg(BAR_HEIGHT, _joined(parts))


def _joined(parts: Iterable[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))


def _svg(height: int, body: SafeString) -> SafeString:
    drawing = '<svg class="cv" width="100%" height="{}" aria-hidden="true">{}</svg>'
    return format_html(drawing, height, body)
