"""Who made a difference between two versions of a plan, and when: found in the history.

A fact is as it is since the first of the last rows that all say the same. That row names who made
it so. Where that row is older than the earlier version, the fact stands elsewhere, such as in the
name of an application, and nobody is named.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from django.db.models import Max, Q

from trains.models import Train
from trains.plan.comparison import ADDED, REMOVED

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from trains.plan.comparison import Difference
    from trains.plan.facts import Part

    Rows = dict[str, list[Any]]
    Period = tuple[dt.datetime, dt.datetime]

BEGAN, ENDED = "+", "-"
GATES = "gates"
#: The column of the train in which a gate's stage ends, by the word of the gate.
STAGE_ENDS = {"Scoping": "scoping_end", "Construction": "construction_end", "QA": "qa_end"}


def witnesses(
    train: int, differences: Iterable[Difference], since: dt.datetime, until: dt.datetime
) -> dict[Difference, Any]:
    """For each difference the history row that made it, where one did.

    Two queries at most for each part of the plan, however many differences there are.
    """
    by_part: dict[str, list[Difference]] = defaultdict(list)
    for difference in differences:
        by_part[difference.part.name].append(difference)
    period = (since, until)
    found: dict[Difference, Any] = {}
    for alike in by_part.values():
        found |= _of_part(train, alike[0].part, alike, period)
    return {difference: row for difference, row in found.items() if row is not None}


def _of_part(
    train: int, part: Part, alike: list[Difference], period: Period
) -> dict[Difference, Any]:
    """What changed within a thing stands in its own history; that it came or went, maybe not."""
    facts = [difference for difference in alike if difference.fact]
    whole = [difference for difference in alike if not difference.fact]
    found: dict[Difference, Any] = {}
    if facts or part.places is None:
        rows = _rows(part.history(train), part.key, alike, period)
        found |= {d: _changed(rows[d.key], part.facts[d.fact][1], period) for d in facts}
        if part.places is None:
            found |= {d: _came_or_went(rows[d.key], d.kind, period) for d in whole}
    if whole and part.places is not None:
        rows = _rows(part.places(train), part.place_key, whole, period)
        found |= {d: _changed(rows[d.key], "state", period) for d in whole}
    if part.name == GATES and (moved := [d for d in facts if found[d] is None]):
        rows = _rows(Train.history.filter(id=train), "id", [], period)
        found |= {d: _changed(rows[""], STAGE_ENDS[d.name], period) for d in moved}
    return found


def _rows(history: Any, key: str, alike: list[Difference], period: Period) -> Rows:
    """The history of the period, and the row before it, by the key of what it is about."""
    since, until = period
    keys = {difference.key for difference in alike if difference.key}
    told = history.filter(**{f"{key}__in": keys}) if keys else history
    before = told.filter(history_date__lte=since).order_by().values(key)
    latest = before.annotate(latest=Max("history_id")).values("latest")
    within = Q(history_date__gt=since, history_date__lte=until)
    rows: Rows = defaultdict(list)
    for row in told.filter(within | Q(history_id__in=latest)).order_by("history_id"):
        rows[str(getattr(row, key)) if keys else ""].append(row)
    return rows


def _changed(rows: list[Any], column: str, period: Period) -> Any:
    """The first of the last rows that all say the same, unless it is older than the period."""
    first = None
    for row in reversed(rows):
        if first is not None and getattr(row, column) != getattr(first, column):
            break
        first = row
    return first if first is not None and first.history_date > period[0] else None


def _came_or_went(rows: list[Any], kind: str, period: Period) -> Any:
    """The row with which a thing began or ended: its first, its last, or that of its state."""
    wanted = {ADDED: BEGAN, REMOVED: ENDED}[kind]
    for row in reversed(rows):
        if row.history_type == wanted and row.history_date > period[0]:
            return row
    has_states = bool(rows) and hasattr(rows[-1], "state")
    return _changed(rows, "state", period) if has_states else None
