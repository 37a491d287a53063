"""Where the objects of a file are, what they refer to, and the words that some of them need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Object = dict[str, Any]


#: Kinds that need no id of their own.
UNNAMED = {"dependency", "work_item", "exception", "gate", "criterion"}
#: The dates of a train in their order, and the stages that end at a gate.
SCHEDULE = ("start", "scoping_end", "construction_end", "qa_end", "end")
STAGES = ("scoping", "construction", "qa")
CRITERION_STATES = {"open", "met", "rejected", "waived"}
TRAIN_STATUSES = {
    "planned",
    "in-progress",
    "released",
    "end-of-life",
    "abandoned",
    "not-completed",
    "rolled-back",
}
RELEASE_STATUSES = {
    "planned",
    "in-progress",
    "released",
    "abandoned",
    "cancelled",
    "no-release",
    "not-completed",
}
#: Kind -> field -> the kind of which it names one.
REFERENCES = {
    "application": {"team": "team"},
    "environment": {"parent": "environment"},
    "application_release": {
        "application": "application",
        "team": "team",
        "milestone": "milestone",
    },
    "criterion": {"environment": "environment"},
    "dependency": {"release": "application_release"},
    "turnover": {
        "environment": "environment",
        "environments": "environment",
        "application_releases": "application_release",
        "runbook": "runbook",
        "reverted_by": "turnover",
    },
    "window": {"environment": "environment"},
    "freeze": {
        "train": "train",
        "milestone": "milestone",
        "window": "window",
        "environment": "environment",
        "application": "application",
        "team": "team",
    },
    "reservation": {"environment": "environment", "window": "window"},
    "incident": {
        "train": "train",
        "turnover": "turnover",
        "environments": "environment",
        "caused_by": "turnover",
        "caused_by_guess": "turnover",
    },
}

#: Kind -> where its objects are: in the file itself, or in the objects of another kind.
NESTS = {
    "team": ("", "teams"),
    "application": ("", "applications"),
    "environment": ("", "environments"),
    "window": ("", "windows"),
    "runbook": ("", "runbooks"),
    "train": ("", "trains"),
    "gate": ("train", "gates"),
    "criterion": ("gate", "criteria"),
    "milestone": ("train", "milestones"),
    "application_release": ("train", "application_releases"),
    "dependency": ("application_release", "depends_on"),
    "work_item": ("application_release", "work_items"),
    "turnover": ("train", "turnovers"),
    "freeze": ("", "freezes"),
    "reservation": ("", "reservations"),
    "incident": ("", "incidents"),
}


def at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def walk(data: Object) -> Iterator[tuple[str, Iterable[tuple[str, Object]]]]:
    """Every object by kind, each with its place."""
    found: dict[str, list[tuple[str, Object]]] = {"": [("", data)]}
    for kind, (holder, name) in NESTS.items():
        found[kind] = [
            (f"{at(place, name)}[{number}]", entry)
            for place, holding in found[holder]
            for number, entry in enumerate(holding.get(name, []))
        ]
        yield kind, found[kind]


def find_cycle(edges: dict[str, list[str]]) -> list[str]:
    """A way from a node back to itself, or [] where there is none."""
    done: set[str] = set()
    for start, nearest in edges.items():
        if start in done:
            continue
        way, on_way, ahead = [start], {start}, [iter(nearest)]
        while way:
            following = next(ahead[-1], None)
            if following is None:
                ahead.pop()
                done.add(way[-1])
                on_way.discard(way.pop())
            elif following in on_way:
                return [*way[way.index(following) :], following]
            elif following not in done:
                way.append(following)
                on_way.add(following)
                ahead.append(iter(edges.get(following, [])))
    return []
