"""Read a release-data file and check all of it, before anything of it is believed.

A file is either sound in every place, or refused whole with the first place that is not.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from releasemgr.exchange.places import (
    CRITERION_STATES,
    REFERENCES,
    RELEASE_STATUSES,
    SCHEDULE,
    STAGES,
    TRAIN_STATUSES,
    UNNAMED,
    Object,
    at,
    find_cycle,
    walk,
)
from releasemgr.exchange.shape import SHAPE, VERSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONGEST_ID = 300
LONGEST_TEXT = 100_000
DEEPEST = 12  # of what the format leaves free
DIGITS = 15  # what every JSON reader keeps exactly
YEARS = range(1970, 2200)  # as the forms have it
#: Largest value of a whole number; no field here holds more.
LARGEST = 2_000_000_000

DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?([+-]\d{2}:\d{2}|Z)", re.ASCII)


class FileRefused(Exception):
    """Nothing of the file can be taken: ``place`` says where, ``why`` what is wrong there."""

    def __init__(self, place: str, why: str) -> None:
        self.place, self.why = place, why
        super().__init__(f"{place}: {why}" if place else why)


def read(path: Path, *, max_bytes: int) -> Object:
    """Read, parse and check a file; return what it says. Raises ``FileRefused``."""
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise FileRefused("", f"The file has {size:,} bytes; at most {max_bytes:,} are read.")
        content = path.read_bytes()
    except OSError as error:
        raise FileRefused("", f"The file cannot be read: {error.strerror}.") from error
    return check(parse(content))


def parse(content: bytes) -> Any:
    """Parse strict JSON: UTF-8, each key once, no NaN, no giant numbers, no abyss of brackets."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileRefused("", f"This is not UTF-8: see byte {error.start + 1}.") from None
    try:
        return json.loads(
            text,
            object_pairs_hook=_each_key_once,
            parse_constant=_no_constant,
            parse_int=_whole_number,
            parse_float=_number,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise FileRefused(place, f"this is not JSON ({error.msg}).") from None
    except RecursionError:
        raise FileRefused("", "The brackets are nested too deeply.") from None


def _each_key_once(pairs: list[tuple[str, Any]]) -> Object:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise FileRefused("", f"An object has the key {_shown(twice)} twice.")
    return found


def _no_constant(name: str) -> None:
    raise FileRefused("", f"{name} is not a number in JSON.")


def _whole_number(digits: str) -> int:
    if len(digits) > DIGITS:
        raise FileRefused("", f"The number {digits[:20]}… is too large.")
    return int(digits)


def _number(digits: str) -> float:
    number = float(digits)
    if number in {float("inf"), float("-inf")}:
        raise FileRefused("", f"The number {digits[:20]} is too large.")
    return number


# --- Structure ------------------------------------------------------------------------------------


def check(data: Any) -> Object:
    """Check what a file says, whole: structure, ids, references, order, circles."""
    if not isinstance(data, dict):
        raise FileRefused("", "The file must hold one object.")
    if data.get("format") != VERSION:
        said = _shown(data.get("format"))
        raise FileRefused("format", f"this must be “{VERSION}”, not {said}.")
    _object(data, "dataset", "")
    if not data["dataset"].strip() or len(data["dataset"]) > 100:  # noqa: PLR2004 -- the column
        raise FileRefused("dataset", "this must have 1 to 100 characters.")
    _Checked(data).check()
    return data


def _object(value: Any, kind: str, place: str) -> None:
    if not isinstance(value, dict):
        raise FileRefused(place, f"this must be an object, not {_shown(value)}.")
    fields = {field.name: field for field in SHAPE[kind]}
    for name in value:
        if name not in fields:
            raise FileRefused(at(place, _clean(name)), "the format has no such field.")
    for name, field in fields.items():
        if name in value:
            _value(value[name], field.type, at(place, name))
            if field.required and field.type == "text" and not value[name].strip():
                raise FileRefused(at(place, name), "this is empty.")
        elif field.required:
            raise FileRefused(at(place, name), "this is missing.")


def _value(value: Any, type_: str, place: str) -> None:
    if type_.endswith("[]"):
        if not isinstance(value, list):
            raise FileRefused(place, f"this must be a list, not {_shown(value)}.")
        for number, entry in enumerate(value):
            _value(entry, type_.removesuffix("[]"), f"{place}[{number}]")
    elif type_ in SHAPE:
        _object(value, type_, place)
    else:
        _PLAIN[type_](value, place)


def _text(value: Any, place: str) -> None:
    if not isinstance(value, str):
        raise FileRefused(place, f"this must be a text, not {_shown(value)}.")
    if "\0" in value:
        raise FileRefused(place, "this contains a NUL character.")
    if len(value) > LONGEST_TEXT:
        raise FileRefused(place, f"this has more than {LONGEST_TEXT:,} characters.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise FileRefused(place, "this contains half a character (a lone surrogate).") from None


def _id(value: Any, place: str) -> None:
    _text(value, place)
    if not value.strip() or len(value) > LONGEST_ID:
        raise FileRefused(place, f"an id must have 1 to {LONGEST_ID} characters.")


def _whole(value: Any, place: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise FileRefused(place, f"this must be a whole number, not {_shown(value)}.")
    if abs(value) > LARGEST:
        raise FileRefused(place, f"this must be between -{LARGEST:,} and {LARGEST:,}.")


def _flag(value: Any, place: str) -> None:
    if not isinstance(value, bool):
        raise FileRefused(place, f"this must be true or false, not {_shown(value)}.")


def _date(value: Any, place: str) -> None:
    _text(value, place)
    if not DATE.fullmatch(value):
        raise FileRefused(place, f"this must be a date like 2026-08-21, not {_shown(value)}.")
    _in_calendar(value, dt.date.fromisoformat, place)


def _moment(value: Any, place: str) -> None:
    _text(value, place)
    if not MOMENT.fullmatch(value):
        example = "2026-08-21T19:15:40+00:00"
        raise FileRefused(place, f"this must be a moment like {example}, not {_shown(value)}.")
    _in_calendar(value, dt.datetime.fromisoformat, place)


def _date_or_moment(value: Any, place: str) -> None:
    (_moment if isinstance(value, str) and "T" in value else _date)(value, place)


def _in_calendar(value: str, parse_: Callable[[str], dt.date], place: str) -> None:
    try:
        year = parse_(value).year
    except ValueError:
        raise FileRefused(place, f"{_shown(value)} is not in the calendar.") from None
    if year not in YEARS:
        raise FileRefused(place, f"the year must be {YEARS.start} to {YEARS.stop - 1}.")


def _any(value: Any, place: str, depth: int = 0) -> None:
    """What the format leaves free still has to be storable."""
    if depth > DEEPEST:
        raise FileRefused(place, f"this is nested more than {DEEPEST} levels deep.")
    if isinstance(value, str):
        _text(value, place)
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            _any(entry, f"{place}[{number}]", depth + 1)
    elif isinstance(value, dict):
        for name, entry in value.items():
            _text(name, place)
            _any(entry, at(place, _clean(name)), depth + 1)


_PLAIN: dict[str, Callable[[Any, str], None]] = {
    "text": _text,
    "id": _id,
    "whole": _whole,
    "flag": _flag,
    "date": _date,
    "moment": _moment,
    "date or moment": _date_or_moment,
    "any": _any,
}


def _clean(text: str) -> str:
    """A text of the file in a sentence of ours: short, on one line, always printable."""
    return "".join(c if c.isprintable() else "?" for c in text[:60])


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return f"“{_clean(value)}”"
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "an object"
    return str(value).lower()[:30]


# --- Ids, references, order, circles --------------------------------------------------------------


class _Checked:
    """What is known of a file whose structure is sound, while the rest is checked."""

    def __init__(self, data: Object) -> None:
        self.data = data
        self.places: dict[str, dict[str, str]] = defaultdict(dict)

    def check(self) -> None:
        for kind, entries in walk(self.data):
            for place, entry in entries:
                self._know(kind, entry, place)
        for kind, entries in walk(self.data):
            look = getattr(self, f"_{kind}", None)
            for place, entry in entries:
                for name, target in REFERENCES.get(kind, {}).items():
                    self._refers(entry, name, target, place)
                if look is not None:
                    look(entry, place)
        self._no_circle("environment", self._parents(), "the environments are part of each other")
        self._no_circle("application_release", self._needs(), "the dependencies form a cycle")

    def _know(self, kind: str, entry: Object, place: str) -> None:
        if kind in UNNAMED:
            return
        known = self.places[kind]
        if entry["id"] in known:
            other = known[entry["id"]]
            said = f"{other} has the id {_shown(entry['id'])} already."
            raise FileRefused(at(place, "id"), said)
        known[entry["id"]] = place

    def _refers(self, entry: Object, name: str, target: str, place: str) -> None:
        values = entry.get(name, [])
        many = isinstance(values, list)
        for number, value in enumerate(values if many else [values]):
            if value not in self.places[target]:
                where = f"{at(place, name)}[{number}]" if many else at(place, name)
                words = target.replace("_", " ")
                raise FileRefused(where, f"no {words} {_shown(value)} is in the file.")

    def _train(self, train: Object, place: str) -> None:
        if "start" in train and "end" in train and train["end"] < train["start"]:
            raise FileRefused(at(place, "end"), "the train ends before it starts.")
        known = [name for name in SCHEDULE if name in train]
        for before, after in pairwise(known):
            if train[after] < train[before]:
                raise FileRefused(at(place, after), f"this is before “{before}”.")
        stages: set[str] = set()
        for number, gate in enumerate(train.get("gates", [])):
            if gate["stage"] not in STAGES or gate["stage"] in stages:
                said = f"this must be one of {', '.join(STAGES)}, each once."
                raise FileRefused(f"{place}.gates[{number}].stage", said)
            stages.add(gate["stage"])
        if train["status"] not in TRAIN_STATUSES:
            raise FileRefused(
                at(place, "status"), f"a train has no status {_shown(train['status'])}."
            )

    def _criterion(self, criterion: Object, place: str) -> None:
        if criterion.get("state", "open") not in CRITERION_STATES:
            said = f"a criterion has no state {_shown(criterion['state'])}."
            raise FileRefused(at(place, "state"), said)

    def _application_release(self, release: Object, place: str) -> None:
        if release.get("status", "planned") not in RELEASE_STATUSES:
            said = f"an application release has no status {_shown(release['status'])}."
            raise FileRefused(at(place, "status"), said)

    def _dependency(self, need: Object, place: str) -> None:
        if "release" not in need and "application" not in need:
            raise FileRefused(place, "this says neither which release nor which application.")

    def _reservation(self, block: Object, place: str) -> None:
        starts, ends = (dt.datetime.fromisoformat(block[name]) for name in ("start", "end"))
        if ends < starts:
            raise FileRefused(at(place, "end"), "this ends before it starts.")

    def _turnover(self, turnover: Object, place: str) -> None:
        _tasks_in_order(turnover.get("tasks", []), place)

    def _runbook(self, runbook: Object, place: str) -> None:
        _tasks_in_order(runbook["tasks"], place)

    def _parents(self) -> dict[str, list[tuple[str, str]]]:
        return {
            entry["id"]: [(entry["parent"], at(place, "parent"))] if "parent" in entry else []
            for kind, entries in walk(self.data)
            if kind == "environment"
            for place, entry in entries
        }

    def _needs(self) -> dict[str, list[tuple[str, str]]]:
        return {
            entry["id"]: [
                (need["release"], f"{place}.depends_on[{number}].release")
                for number, need in enumerate(entry.get("depends_on", []))
                if "release" in need
            ]
            for kind, entries in walk(self.data)
            if kind == "application_release"
            for place, entry in entries
        }

    def _no_circle(self, kind: str, edges: dict[str, list[tuple[str, str]]], said: str) -> None:
        if found := find_cycle({name: [to for to, _ in ways] for name, ways in edges.items()}):
            first, second = found[0], found[1]
            place = next(place for to, place in edges[first] if to == second)
            path = " → ".join(_clean(name) for name in found[:8])
            raise FileRefused(place, f"{said}: {path}{' …' if len(found) > 8 else ''}.")  # noqa: PLR2004


def _tasks_in_order(tasks: list[Object], place: str) -> None:
    for number, task in enumerate(tasks, start=1):
        where = f"{place}.tasks[{number - 1}]"
        if task["order"] != number:
            raise FileRefused(at(where, "order"), f"this must be {number}.")
        named = {"depends": task.get("depends", [])}
        if "parent" in task:
            named["parent"] = [task["parent"]]
        for name, before in named.items():
            if not all(1 <= n < number for n in before):
                raise FileRefused(at(where, name), "this must be the order of a task before it.")
