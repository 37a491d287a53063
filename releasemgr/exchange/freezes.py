"""Freezes of a file: what they are about, when they are, and which of them stand here already."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError

from releasemgr.accounts.models import check_time_zone
from releasemgr.exchange.held import Held, Unfit, moment_of, one_of, text
from releasemgr.exchange.readings import milestone_due
from trains.models import Freeze
from trains.occurrences import LONGEST
from trains.states import FreezeScope, FreezeState, FreezeStops, Recurrence

if TYPE_CHECKING:
    from releasemgr.exchange.places import Object
    from releasemgr.exchange.words import Surroundings

ONE_DAY = dt.timedelta(days=1)
#: Scopes, and the field that names what each is about.
TARGETS = {
    FreezeScope.ENVIRONMENT: "environment",
    FreezeScope.APPLICATION: "application",
    FreezeScope.TRAIN: "train",
    FreezeScope.KIND: "kind",
}
#: A file's word for the releases of one team on a train.
PROJECT = "project"


def scope_of(raw: Object) -> str | None:
    """What it is about, in its own word or by what it names; None where it does not say."""
    word = FreezeScope.TRAIN if raw.get("scope") == PROJECT else raw.get("scope")
    if word in FreezeScope.values:
        return str(word)
    return next((scope for scope, field in TARGETS.items() if field in raw), None)


def zone_of(raw: Object) -> ZoneInfo:
    try:
        check_time_zone(raw.get("time_zone", "UTC"))
    except ValidationError:
        return ZoneInfo("UTC")
    return ZoneInfo(raw.get("time_zone", "UTC"))


def _zone_name(raw: Object) -> str:
    if zone_of(raw).key != raw.get("time_zone", "UTC"):
        raise Unfit("no time zone is known by this name: UTC stands there", "UTC")
    return zone_of(raw).key


def begins(raw: Object) -> dt.datetime:
    """Its start; a day begins at midnight on its clock."""
    return _moment(raw["start"], zone_of(raw))


def ends(raw: Object) -> dt.datetime | None:
    """Its end; a day counts whole, so it is the begin of the next one."""
    if "end" not in raw:
        return None
    is_day = "T" not in raw["end"]
    day = dt.date.fromisoformat(raw["end"][:10])
    return _moment(str(day + ONE_DAY) if is_day else raw["end"], zone_of(raw))


def _moment(said: str, zone: ZoneInfo) -> dt.datetime:
    found = dt.datetime.fromisoformat(said)
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(dt.UTC)


def _begin_said(value: dt.datetime, raw: Object) -> Object:
    return {"start": _said(value, raw, "start", 0)}


def _end_said(value: dt.datetime | None, raw: Object) -> Object:
    return {"end": _said(value, raw, "end", 1)} if value else {}


def _said(value: dt.datetime, raw: Object, name: str, days: int) -> str:
    """A day where the file had one and midnight is still when it is, else the moment."""
    wall = value.astimezone(zone_of(raw))
    if "T" not in raw.get(name, "T") and wall.time() == dt.time():
        return (wall.date() - days * ONE_DAY).isoformat()
    return value.astimezone(dt.UTC).isoformat(timespec="seconds")


def left_out(raw: Object) -> str:
    """Why no row can be made of it, or ""."""
    scope = scope_of(raw)
    if scope is None or (scope in TARGETS and TARGETS[FreezeScope(scope)] not in raw):
        return "it does not say what is frozen"
    if raw.get("scope") == PROJECT and "of_team" not in raw:
        return "its owner is no team of the file"
    return _left_out_for_its_time(raw)


def _left_out_for_its_time(raw: Object) -> str:
    until = ends(raw)
    if until is not None and until <= begins(raw):
        return "it does not end after it begins"
    every = raw.get("recurrence", Recurrence.NONE)
    if every in LONGEST:
        if until is None:
            return "it comes again, but it has no end"
        if until - begins(raw) > LONGEST[every]:
            return f"it lasts longer than the {LONGEST[every].days} days after which it comes again"
        last = moment_of(raw, "recurs_until")
        if last is not None and last <= begins(raw):
            return "it comes again until before it begins"
    return ""


def holders(raw: Object, data: Object) -> Object:
    """What of the file it follows: the team of a project, the milestone on whose day it begins."""
    found: Object = {}
    teams = {team["id"] for team in data.get("teams", [])}
    if raw.get("scope") == PROJECT and raw.get("owner") in teams:
        found["of_team"] = raw["owner"]
    if scope_of(raw) == FreezeScope.TRAIN and raw.get("recurrence", "none") == Recurrence.NONE:
        trains = [one for one in data.get("trains", []) if one["id"] == raw.get("train")]
        for milestone in [one for train in trains for one in train.get("milestones", [])]:
            is_it = milestone["id"] == raw.get("milestone")
            # Another day could not be kept: it would be the milestone's with its next move.
            if is_it and milestone.get("status") != "removed-from-schedule":
                due = milestone_due(milestone)
                if due and begins(raw) == _moment(due.isoformat(), zone_of(raw)):
                    found["with_milestone"] = milestone["id"]
    return found


def state(raw: Object, around: Surroundings) -> str:
    return FreezeState.LIFTED if raw.get("lifted") else FreezeState.IN_FORCE


def says(state: str, raw: Object) -> Object:
    return {"lifted": state == FreezeState.LIFTED}


def _about(scope: str, *, refers: bool = True) -> Held:
    """The target of one scope; other objects that it names besides are only kept."""
    field = TARGETS[FreezeScope(scope)]
    return Held(
        field,
        lambda raw: (
            raw.get(field)
            if scope_of(raw) == scope
            else None
            if refers
            else ""  # a column of text is empty, not null
        ),
        lambda value, raw: {field: value} if value else {},
        refers_to=field if refers else "",
    )


def _team(raw: Object) -> str | None:
    if scope_of(raw) != FreezeScope.TRAIN:
        return None
    return raw.get("team", raw.get("of_team"))


def _stops(raw: Object) -> str:
    is_train = scope_of(raw) == FreezeScope.TRAIN
    usual = FreezeStops.SCOPE if is_train else FreezeStops.DEPLOYMENTS
    said = raw.get("stops", usual)
    if said not in FreezeStops.values or (said == FreezeStops.SCOPE and not is_train):
        raise Unfit(f"this cannot be stopped there: {usual} stands there", usual)
    return str(said)


def _again_until(raw: Object) -> dt.datetime | None:
    return moment_of(raw, "recurs_until") if raw.get("recurrence") in LONGEST else None


#: Our fields of a freeze.
HELD = (
    text("name", 200),
    text("reason", 100_000),
    Held("scope", scope_of, lambda value, raw: {"scope": value}),
    _about(FreezeScope.KIND, refers=False),
    _about(FreezeScope.ENVIRONMENT),
    _about(FreezeScope.APPLICATION),
    _about(FreezeScope.TRAIN),
    Held("team", _team, lambda value, raw: {"team": value} if value else {}, refers_to="team"),
    Held("stops", _stops, lambda value, raw: {"stops": value}),
    Held("begins", begins, _begin_said),
    Held("ends", ends, _end_said),
    Held("time_zone", _zone_name, lambda value, raw: {"time_zone": value}),
    one_of("recurrence", Recurrence.values, Recurrence.NONE),
    Held(
        "recurs_until",
        _again_until,
        lambda value, raw: {"recurs_until": value.isoformat(timespec="seconds")} if value else {},
    ),
    Held(
        "milestone",
        lambda raw: raw.get("with_milestone"),
        lambda value, raw: {"milestone": value} if value else {},
        refers_to="milestone",
    ),
)


def made_here(names: dict[str, dict[int, str]]) -> list[tuple[Freeze, dict[str, Any]]]:
    """Freezes that people declared over what is of the data set, each with its values.

    ``names`` are the ids of the data set's rows by kind. What freezes more than one data set, as
    all or a kind of environment, is of none.
    """
    found = []
    for row in Freeze.objects.filter(external_id="").with_scope().order_by("pk"):
        target = TARGETS.get(FreezeScope(row.scope), "kind")
        if target == "kind" or getattr(row, f"{target}_id") not in names[target]:
            continue
        if row.team_id and row.team_id not in names["team"]:
            continue
        values = {
            one.attr: (
                names[one.refers_to].get(getattr(row, f"{one.attr}_id"))
                if one.refers_to
                else getattr(row, one.attr)
            )
            for one in HELD
        }
        found.append((row, values))
    return found


def stands_here(
    name: str, values: dict[str, Any], declared: list[tuple[Freeze, dict[str, Any]]]
) -> bool:
    """Whether an object of the file was declared here, and came back in an export of this place."""
    return any(
        values == known
        or (name == own_id(row) and (values["name"], values["scope"]) == (row.name, row.scope))
        for row, known in declared
    )


def own_id(row: Freeze) -> str:
    """What a file knows one by that was declared here."""
    return f"made here: {row.ref}"


def said_of(row: Freeze, values: dict[str, Any]) -> Object:
    """One that was declared here, in the terms of the file."""
    said: Object = {"id": own_id(row)}
    for one in HELD:
        said |= one.write(values[one.attr], {})
    return said | (says(row.state, {}) if row.state != FreezeState.IN_FORCE else {})
