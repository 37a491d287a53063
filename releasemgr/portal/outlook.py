"""What comes next besides one's own work: deployments, trains at risk, and the next two weeks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Prefetch
from django.utils import timezone
from django.utils.formats import date_format

from releasemgr.ui import charts
from trains import health
from trains.bands import LANE_H, bands_of
from trains.bands import drawn as drawn_bands
from trains.models import Freeze, Train
from trains.panels import with_holds
from trains.states import STAGES, Health
from turnovers.models import DeploymentTask, Run, Turnover

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.utils.safestring import SafeString

    from releasemgr.accounts.models import User
    from trains.bands import Band
    from trains.health import Assessment

MOST_TRAINS = 12
MOST_AT_RISK = 5
MOST_DEPLOYMENTS = 4
DAYS = 14
HEAD_H, ROW_H, BAR_H = 30, 36, 20
FRIDAY = 5


@dataclass(frozen=True)
class Fortnight:
    """The next two weeks of some trains, as a picture, as rows, and as a sentence."""

    picture: SafeString
    rows: list[Assessment]
    spans: list[tuple[Train, list[tuple[str, dt.date, dt.date]]]]
    bands: list[Band]


def trains_of(user: User) -> list[Assessment]:
    """How the open trains are doing that the person manages, engineers or follows."""
    trains = with_holds(Train.objects.visible_to(user).open().of(user))
    nearest = list(trains.order_by("end", "pk")[:MOST_TRAINS])
    return list(health.assess(nearest).values())


def at_risk(assessments: Iterable[Assessment]) -> list[Assessment]:
    """Those that are not on track, the worst first."""
    worrying = [found for found in assessments if found.status != Health.ON_TRACK]
    worrying.sort(key=lambda found: health.LEVELS.index(found.status), reverse=True)
    return worrying[:MOST_AT_RISK]


def next_deployments(user: User) -> list[Turnover]:
    """What deploys now or within a day, with the live run and the reader's own tasks in it."""
    mine: Any = DeploymentTask.objects.all()
    live: Any = Run.objects.all()
    rows: Any = Turnover.objects.visible_to(user).next_to_deploy()
    return list(
        rows.select_related("environment").prefetch_related(
            Prefetch("runs", live.running(), to_attr="live_runs"),
            Prefetch("tasks", mine.by_hand_of(user).in_order(), to_attr="my_tasks"),
        )[:MOST_DEPLOYMENTS]
    )


def fortnight(assessments: list[Assessment]) -> Fortnight | None:
    """The stages of the trains in the next two weeks; ``None`` where there is nothing to draw."""
    today = timezone.localdate()
    axis = charts.Axis(today, today + dt.timedelta(days=DAYS))
    drawn = [(found, _spans(found.train, axis)) for found in assessments]
    drawn = [(found, spans) for found, spans in drawn if spans]
    if not drawn:
        return None
    ahead = Freeze.objects.ahead_of([found.train.pk for found, _ in drawn])
    bands = bands_of(ahead, axis.first, axis.last)
    return Fortnight(
        _picture(drawn, axis, bands),
        [found for found, _ in drawn],
        [(found.train, [(name, a, b) for _, name, a, b in spans]) for found, spans in drawn],
        bands,
    )


def _spans(train: Train, axis: charts.Axis) -> list[tuple[int, str, dt.date, dt.date]]:
    """Each stage that touches the picture: its number, name, first and last day."""
    bounds = [train.start, train.scoping_end, train.construction_end, train.qa_end, train.end]
    found = []
    for number, (name, _) in enumerate(STAGES):
        first, last = bounds[number], bounds[number + 1]
        if first and last and first <= last and first < axis.last and last >= axis.first:
            found.append((number, name, first, last))
    return found


def _picture(
    drawn: list[tuple[Assessment, list[tuple[int, str, dt.date, dt.date]]]],
    axis: charts.Axis,
    bands: list[Band],
) -> SafeString:
    rows = [spans for _, spans in drawn]
    bottom = HEAD_H + ROW_H * len(rows)
    wide = [band for band in bands if not band.freeze.train_id]
    washes, names = drawn_bands(wide, axis, HEAD_H, bottom)
    for number, (found, _) in enumerate(drawn):
        own = [band for band in bands if band.freeze.train_id == found.train.pk]
        top = HEAD_H + ROW_H * number
        washes += drawn_bands(own, axis, top, top + ROW_H)[0]
    parts = []
    for distance in range(DAYS):
        day = axis.first + dt.timedelta(days=distance)
        x, weekend = axis.x(day), day.weekday() >= FRIDAY
        if weekend:
            width = axis.width(day, day + dt.timedelta(days=1))
            parts.append(charts.rect(x, HEAD_H, width, bottom - HEAD_H, "wk"))
        parts.append(charts.line(x, HEAD_H, x, bottom, "grid"))
        parts.append(charts.text(x, 19, f"{day:%a} {day.day}", "tx3" if weekend else "", dx=8))
    parts += washes
    for number, spans in enumerate(rows):
        y = HEAD_H + ROW_H * number
        parts.append(charts.line("0", y, "100%", y, "grid"))
        parts += [_bar(span, axis, y + (ROW_H - BAR_H) / 2) for span in spans]
    return charts.svg(bottom + LANE_H if names else bottom, *parts, *names)


def _bar(span: tuple[int, str, dt.date, dt.date], axis: charts.Axis, y: float) -> SafeString:
    number, name, first, last = span
    begin, end = max(first, axis.first), min(last, axis.last)
    x, width = axis.x(begin), axis.width(begin, end)
    title = f"{name}: {date_format(first, 'j F')} to {date_format(last, 'j F')}"
    parts = [charts.rect(x, y, width, BAR_H, f"f{number + 1}", title)]
    if charts.fits(axis.percent(end) - axis.percent(begin), name):
        parts.append(charts.clipped(x, y, width, BAR_H, charts.text("0", 14, name, "tx1", dx=8)))
    return charts.group("", *parts)
