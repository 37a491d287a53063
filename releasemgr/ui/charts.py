"""Pictures drawn on the server: SVG without styles or scripts, as the strict policy wants it.

``x`` and ``width`` are percentages, ``y`` and ``height`` pixels, so that a picture stretches with
its column while text and strokes keep their size. Every picture stands beside its rows as a table.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL = 100.0
WEEK = 7
#: How many names of days fit side by side.
MOST_MARKS = 14
NARROWEST = 0.15
#: What a character of the picture's text is wide, and how wide a picture mostly is.
CHARACTER, TYPICAL_WIDTH = 6.3, 900


@dataclass(frozen=True)
class Axis:
    """Days from left to right."""

    first: dt.date
    last: dt.date

    def percent(self, day: dt.date) -> float:
        """Where the day begins, in per cent of the width; a little beyond the ends at most."""
        share = (day - self.first).days / max((self.last - self.first).days, 1)
        return max(-2.0, min(102.0, share * FULL))

    def x(self, day: dt.date) -> str:
        return f"{self.percent(day):.2f}%"

    def width(self, first: dt.date, last: dt.date) -> str:
        return f"{max(NARROWEST, self.percent(last) - self.percent(first)):.2f}%"

    def weeks(self) -> Iterator[dt.date]:
        """Days at equal distances, few enough for their names to fit."""
        length = (self.last - self.first).days
        step = max(1, -(-length // (WEEK * MOST_MARKS))) * WEEK
        for distance in range(0, length, step):
            yield self.first + dt.timedelta(days=distance)


def svg(height: int, *parts: SafeString) -> SafeString:
    """The picture. It is hidden from assistive technology, which has the table."""
    body = format_html_join("", "{}", ((part,) for part in parts))
    return format_html(
        '<svg class="cv" width="100%" height="{}" aria-hidden="true" focusable="false">{}</svg>',
        height,
        body,
    )


def rect(x: str, y: float, width: str, height: float, css: str, title: str = "") -> SafeString:
    shape = '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="4">{}</rect>'
    return format_html(shape, css, x, y, width, height, _title(title))


def line(x1: str, y1: float, x2: str, y2: float, css: str) -> SafeString:
    return format_html('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>', css, x1, y1, x2, y2)


def text(x: str, y: float, words: str, css: str = "", dx: int = 0) -> SafeString:
    return format_html('<text class="{}" x="{}" y="{}" dx="{}">{}</text>', css, x, y, dx, words)


def clipped(x: str, y: float, width: str, height: float, inner: SafeString) -> SafeString:
    """Cut off what does not fit, instead of letting it run over its neighbour."""
    return format_html(
        '<svg x="{}" y="{}" width="{}" height="{}">{}</svg>', x, y, width, height, inner
    )


def diamond(x: str, y: float, css: str, title: str = "", radius: int = 5) -> SafeString:
    path = f"M0-{radius} {radius} 0 0 {radius}-{radius} 0Z"
    return format_html(
        '<svg x="{}" y="{}" overflow="visible"><path class="{}" d="{}">{}</path></svg>',
        x,
        y,
        css,
        path,
        _title(title),
    )


#: Heads of arrows, with their tips where the arrow leads.
HEADS = {
    "right": "M-6-4 1 0-6 4Z",
    "left": "M6-4-1 0 6 4Z",
    "down": "M-4-6 0 1 4-6Z",
    "up": "M-4 6 0-1 4 6Z",
}


def arrow(x: str, y: float, css: str, to: str) -> SafeString:
    """The head of an arrow that leads to a point: ``to`` is the way in which it flies."""
    shape = '<svg x="{}" y="{}" overflow="visible"><path class="{}" d="{}"/></svg>'
    return format_html(shape, x, y, css, HEADS[to])


def group(css: str, *parts: SafeString) -> SafeString:
    body = format_html_join("", "{}", ((part,) for part in parts))
    return format_html('<g class="{}">{}</g>', css, body)


def today_mark(axis: Axis, day: dt.date, top: float, bottom: float) -> SafeString:
    """A line through today, with its name at the top; nothing where today is not on the axis."""
    if not axis.first <= day <= axis.last:
        return SafeString("")
    x = axis.x(day)
    badge = (
        '<svg x="{}" y="{}" overflow="visible"><rect class="today-b" x="-22" y="-7.5" width="44" '
        'height="15" rx="7.5"/><text class="tx-on txb" x="0" y="3.5" text-anchor="middle">Today'
        "</text></svg>"
    )
    return format_html("{}{}", line(x, top, x, bottom, "today"), format_html(badge, x, top - 9))


def fits(percent: float, words: str, padding: int = 16) -> bool:
    """Whether the words fit a bar of so many per cent, in a picture of the usual width."""
    return len(words) * CHARACTER <= percent / FULL * TYPICAL_WIDTH - padding


def hatch() -> SafeString:
    """The pattern that ``hatched`` fills with, once in each picture; of a page all are alike."""
    return SafeString(
        '<defs><pattern id="hatch" patternUnits="userSpaceOnUse" width="7" height="7" '
        'patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="7"/>'
        "</pattern></defs>"
    )


def hatched(x: str, top: float, width: str, bottom: float, title: str) -> SafeString:
    """A grey wash with lines across it: a period in which something must not happen."""
    wash = rect(x, top, width, bottom - top, "freeze-bg", title)
    shape = '<rect x="{}" y="{}" width="{}" height="{}" fill="url(#hatch)" pointer-events="none"/>'
    return format_html("{}{}", wash, format_html(shape, x, top, width, bottom - top))


def flag(x: str, top: float, bottom: float, css: str, title: str) -> SafeString:
    """A flag on a pole."""
    shape = (
        '<svg x="{}" y="{}" overflow="visible"><path class="ms-f" d="M0 0 9 4 0 8Z">{}</path></svg>'
    )
    cloth = format_html(shape, x, top, _title(title))
    return format_html('<g class="{}">{}{}</g>', css, line(x, top, x, bottom, "pole"), cloth)


def _title(words: str) -> SafeString:
    return format_html("<title>{}</title>", words) if words else SafeString("")
