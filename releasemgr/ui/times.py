"""Dates as people say them: "Today 23:00", "Wednesday 22:00", "5 December"."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

WEEK = 7
NEAR = {-1: "Yesterday", 0: "Today", 1: "Tomorrow"}


def local(moment: dt.datetime) -> dt.datetime:
    """The moment on the reader's clock; the ends of time have none, and stay as they are."""
    try:
        return timezone.localtime(moment)
    except (OverflowError, ValueError):
        return moment


def day_in_words(day: dt.date, today: dt.date | None = None) -> str:
    """A day near today by its name, a later one by its date, with the year if it is another."""
    today = today or timezone.localdate()
    distance = (day - today).days
    if distance in NEAR:
        return NEAR[distance]
    if 0 < distance < WEEK:
        return f"{day:%A}"
    return f"{day.day} {day:%B}" if day.year == today.year else f"{day.day} {day:%B} {day.year}"


def moment_in_words(moment: dt.datetime, today: dt.date | None = None) -> str:
    """The day in words, and the time: "Today 23:00", "5 December, 22:00"."""
    here = local(moment)
    day = day_in_words(here.date(), today)
    comma = "," if day[0].isdigit() else ""
    return f"{day}{comma} {here:%H:%M}"


def full_day(day: dt.date) -> str:
    """A day in full: "Monday 23 November 2026"."""
    return f"{day:%A} {day.day} {day:%B} {day.year}"


def full_moment(moment: dt.datetime) -> str:
    """A moment in full, with its zone: "Monday 23 November 2026, 23:00 UTC"."""
    here = local(moment)
    return f"{full_day(here)}, {here:%H:%M} {here.tzname() or ''}".rstrip()


def span_in_words(span: dt.timedelta) -> str:
    """A length of time in its two largest units: "2 d 3 h", "1 h 20 min", "45 s"."""
    sign = "−" if span < dt.timedelta() else ""
    seconds = abs(int(span.total_seconds()))
    sizes = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts = []
    for unit, size in sizes:
        amount, seconds = divmod(seconds, size)
        parts.append((amount, unit))
    first = next((index for index, (amount, _) in enumerate(parts) if amount), len(parts) - 1)
    shown = [f"{amount} {unit}" for amount, unit in parts[first : first + 2] if amount]
    return sign + (" ".join(shown) or "0 s")
