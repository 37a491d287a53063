"""What an object of the file says, where that takes more than looking at one field."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from releasemgr.exchange.held import Unfit, fitted, moment_of
from releasemgr.exchange.reader import YEARS

if TYPE_CHECKING:
    from releasemgr.exchange.places import Object


def is_production(raw: Object) -> bool:
    return "production" in {raw["kind"], raw.get("tier")}


def position(raw: Object) -> int:
    number = raw.get("order", 0)
    if number < 0:
        raise Unfit("below zero: taken as 0", 0)
    return int(number)


def milestone_due(raw: Object) -> dt.date | None:
    """The date that the object gives, in the format's order of precision."""
    window = raw.get("window")
    last = window.get("end") if isinstance(window, dict) else None
    for said in (raw.get("date"), raw.get("end_date"), raw.get("instant"), last):
        if isinstance(said, str):
            try:
                return dt.date.fromisoformat(said[:10])
            except ValueError:  # ``window`` is free, so it may hold anything
                continue
    return None


def earlier_plans(raw: Object) -> list[tuple[str, dt.date]]:
    """What was planned before, oldest first: when that was written down, and the date.

    The last entry of the history is the plan as it is, so its own words say how far a date stands
    from what they call it: a plan of two weeks ends on Fridays, say, and is due on Thursdays.
    """
    told = [
        (str(entry.get("recorded_at", ""))[:10], day)
        for entry in raw.get("history", [])
        if isinstance(entry, dict) and (day := _planned(entry)) is not None
    ]
    due = milestone_due(raw)
    if not told or due is None:
        return []
    shift = due - told[-1][1]
    return [(at, day + shift) for at, day in told[:-1] if abs(shift) < dt.timedelta(days=366)]


def _planned(entry: Object) -> dt.date | None:
    for said in (entry.get("date"), entry.get("instant"), entry.get("end"), entry.get("start")):
        if isinstance(said, str):
            try:
                day = dt.date.fromisoformat(said[:10])
            except ValueError:  # it is free, so it may hold anything
                continue
            return day if day.year in YEARS else None
    return None


def baseline(raw: Object) -> dt.date | None:
    """What the file calls it, else the first plan that it tells of."""
    if "baseline" in raw:
        return dt.date.fromisoformat(raw["baseline"])
    plans = earlier_plans(raw)
    return plans[0][1] if plans else None


def release_end(raw: Object) -> dt.date | None:
    said = raw.get("date") or raw.get("planned_date")
    return dt.date.fromisoformat(said) if said else None


def work_title(raw: Object) -> str:
    return fitted(
        raw.get("title") or raw.get("id") or raw.get("url") or "Work item without a title", 1000
    )


def turnover_place(raw: Object) -> str | None:
    places = [*([raw["environment"]] if "environment" in raw else []), *raw.get("environments", [])]
    return places[0] if places else None


def deployed_at(raw: Object) -> dt.datetime | None:
    """When it was over: the latest moment given, else the day, from its beginning in UTC."""
    moments = [m for name in ("finished_at", "actual_at") if (m := moment_of(raw, name))]
    if moments:
        return max(moments)
    day = raw.get("actual_date")
    return dt.datetime.fromisoformat(f"{day}T00:00+00:00") if day else None


def latest_start(raw: Object) -> dt.datetime | None:
    """The end of its window; none that lies before its beginning."""
    earliest, latest = moment_of(raw, "scheduled_at"), moment_of(raw, "latest_at")
    if earliest is not None and latest is not None and latest < earliest:
        raise Unfit("before the earliest start: no latest start", None)
    return latest
