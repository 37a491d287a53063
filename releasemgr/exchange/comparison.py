"""Compare a file with what is here: what an import would make, change, leave and leave out.

Three sides are compared: what the file says now, what it said when it was last taken, and what is
here. Only what the file itself changed is changed here, and nothing that people changed since.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from environments.models import Booking
from releasemgr.exchange import freezes, gates
from releasemgr.exchange.held import known_by, values_of
from releasemgr.exchange.mapping import FREEZE, KINDS, RELEASE, RESERVATION, TRAIN, Kind
from releasemgr.exchange.places import find_cycle
from releasemgr.exchange.reader import FileRefused
from releasemgr.exchange.shape import kept_names
from releasemgr.exchange.steps import unfit_tasks
from releasemgr.exchange.words import Surroundings
from trains.models import ApplicationRelease, Dependency

if TYPE_CHECKING:
    from collections.abc import Iterator

    from releasemgr.exchange.places import Object

#: How the report calls dependencies, which are rows without an id of their own.
NEEDS = "Dependencies"
CREATE, CHANGE, UNCHANGED, SKIP = "create", "change", "unchanged", "skip"
#: So many single lines of a report are stored; counts are always complete.
MOST_LINES = 5_000
LONGEST_KIND = 20
#: Kinds that this version keeps without making rows of them.
KEPT_LISTS = ("runbooks", "windows", "incidents")
#: Kinds whose objects stand in the file itself, besides trains.
IN_THE_FILE = ("team", "application", "environment", "reservation", "freeze")
#: What of an object is compared and stored as objects of their own.
NESTED = {
    "train": {"milestones", "application_releases", "turnovers", "work_items"},
    "application_release": {"work_items"},
}


@dataclass(frozen=True)
class Item:
    """An object of the file that may become a row, with the ids of what holds it."""

    id: str
    raw: Object
    place: str


@dataclass(frozen=True)
class Creation:
    item: Item
    values: dict[str, Any]
    state: str | None


@dataclass(frozen=True)
class Change:
    """What is set on a row; ``before`` is what the file said when it was last taken."""

    row: Any
    item: Item
    before: Object
    values: dict[str, Any]
    state: str | None


@dataclass
class Need:
    """A dependency between two application releases, by their ids."""

    release: str
    needs: str
    kind: str
    raw: Object

    @property
    def key(self) -> tuple[str, str, str]:
        return self.release, self.needs, self.kind


@dataclass
class Report:
    """What an import does and does not do, in words that are shown and stored."""

    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    lines: list[tuple[str, str, str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    kept: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, label: str, action: str, name: str, detail: str = "", number: int = 1) -> None:
        self.counts[label][action] += number
        if action != UNCHANGED:
            self.lines.append((label, action, name, detail))

    def note(self, place: str, why: str) -> None:
        self.notes.append((place, why))

    def as_json(self) -> dict[str, Any]:
        return {
            "counts": [[label, dict(counts)] for label, counts in self.counts.items()],
            "lines": self.lines[:MOST_LINES],
            "lines_left_off": max(0, len(self.lines) - MOST_LINES),
            "notes": self.notes[:MOST_LINES],
            "notes_left_off": max(0, len(self.notes) - MOST_LINES),
            "kept": [
                [kind.replace("_", " "), name, number]
                for (kind, name), number in sorted(self.kept.items())
            ],
        }

    def total(self, action: str) -> int:
        return sum(counts[action] for counts in self.counts.values())


@dataclass
class Plan:
    """All that an import would write."""

    dataset: str
    header: Object
    kept: Object
    snapshot: dt.date
    report: Report = field(default_factory=Report)
    creations: dict[str, list[Creation]] = field(default_factory=dict)
    changes: dict[str, list[Change]] = field(default_factory=dict)
    ids: dict[str, dict[str, int]] = field(default_factory=dict)
    new_needs: list[Need] = field(default_factory=list)
    old_needs: list[Any] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many rows it writes, nearly: what a progress bar counts."""
        rows = sum(map(len, self.creations.values())) + sum(map(len, self.changes.values()))
        return rows + len(self.new_needs) + len(self.old_needs)


def compare(data: Object) -> Plan:
    """Compare checked data with what is here. Reads only."""
    lists = {f"{name}s" for name in (*IN_THE_FILE, "train")} | {*KEPT_LISTS}
    plan = Plan(
        dataset=data["dataset"],
        header={name: value for name, value in data.items() if name not in lists},
        kept={name: data[name] for name in KEPT_LISTS if name in data} | {"left_out": []},
        snapshot=dt.date.fromisoformat(data["snapshot"][:10]),
    )
    trains = {train["id"]: train for train in data.get("trains", [])}
    items = flatten(data)
    _count_what_is_kept(plan, items)
    for kind in KINDS:
        _compare_kind(plan, kind, items[kind.name], trains)
    _look_at_gates(plan, items[TRAIN.name])
    _compare_needs(plan, items[RELEASE.name])
    return plan


def flatten(data: Object) -> dict[str, list[Item]]:
    """The objects of the file, kind by kind, in the file's order."""
    items: dict[str, list[Item]] = {kind.name: [] for kind in KINDS}

    def add(kind: str, raw: Object, place: str, own_id: str = "", **holders: str) -> None:
        seen = {name: v for name, v in raw.items() if name not in NESTED.get(kind, ())}
        items[kind].append(Item(own_id or raw["id"], seen | holders, place))

    def add_work(holder: Object, place: str, **holders: str) -> None:
        seen: Counter[str] = Counter()
        for number, raw in enumerate(holder.get("work_items", [])):
            name = raw.get("id", "")
            seen[name] += 1
            own = name if name and seen[name] == 1 else f"{name}~{seen[name]}"
            where = f"{place}.work_items[{number}]"
            add("work_item", raw, where, known_by(holder["id"], own), **holders)

    for name in IN_THE_FILE:
        for number, raw in enumerate(data.get(f"{name}s", [])):
            follows = freezes.holders(raw, data) if name == FREEZE.name else {}
            add(name, raw, f"{name}s[{number}]", **follows)
    for number, train in enumerate(data.get("trains", [])):
        place, on = f"trains[{number}]", {"train": train["id"]}
        add("train", train, place)
        for name in ("milestone", "application_release", "turnover"):
            for inner, raw in enumerate(train.get(f"{name}s", [])):
                where = f"{place}.{name}s[{inner}]"
                add(name, raw, where, **on)
                if name == "application_release":
                    add_work(raw, where, release=raw["id"])
        add_work(train, place, **on)
    return items


def _count_what_is_kept(plan: Plan, items: dict[str, list[Item]]) -> None:
    """Say what has no field here: it is kept, and an export gives it back."""
    for name in KEPT_LISTS:
        if number := len(plan.kept.get(name, [])):
            plan.report.kept["dataset", name] = number
    for kind, entries in items.items():
        silent = kept_names(kind)
        for item in entries:
            plan.report.kept.update((kind, name) for name in item.raw if name in silent)
            for name, inner in (("tasks", "task"), ("depends_on", "dependency")):
                silent_inside = kept_names(inner)
                for entry in item.raw.get(name, []):
                    plan.report.kept.update((inner, key) for key in entry if key in silent_inside)


def _compare_kind(plan: Plan, kind: Kind, items: list[Item], trains: dict[str, Object]) -> None:
    rows = {row.external_id: row for row in _rows(kind, plan.dataset)}
    plan.ids[kind.name] = {name: row.pk for name, row in rows.items()}
    plan.creations[kind.name], plan.changes[kind.name] = [], []
    steered = _steered(kind, plan.dataset) if kind.state else set()
    holders = _Holders(plan)
    clashes = _Clashes(plan) if kind is RESERVATION else None
    declared = freezes.made_here(holders.names) if kind is FREEZE else []
    for item in items:
        why = kind.left_out(item.raw)
        row = rows.pop(item.id, None)
        if not why and clashes is not None and (row is None or row.extra != item.raw):
            why = clashes.why(item.raw, row)
        if why:
            _leave_out(plan, kind, item, row, why)
            continue
        around = Surroundings(plan.snapshot, trains.get(item.raw.get("train", ""), {}))
        state = kind.state(item.raw, around) if kind.state else None
        if row is None:
            values, unfit = values_of(kind.held, item.raw)
            if freezes.stands_here(item.id, values, declared):
                plan.report.count(kind.label, UNCHANGED, item.id)
                continue
            unfit += unfit_tasks(item.raw)
            plan.creations[kind.name].append(Creation(item, values, state))
            _say_unfit(plan, item, unfit)
            plan.report.count(kind.label, CREATE, item.id)
        else:
            _compare_row(plan, kind, item, row, state, holders, is_steered=row.pk in steered)
    if rows:
        said = f"{len(rows)} are no longer in the file; they stay here."
        plan.report.note(kind.label, said)


def _look_at_gates(plan: Plan, items: list[Item]) -> None:
    """Say what becomes of the criteria of trains that are new, or of which the file says more."""
    before = {change.item.id: change.before for change in plan.changes[TRAIN.name]}
    before |= {creation.item.id: {} for creation in plan.creations[TRAIN.name]}
    for item in items:
        if "gates" in item.raw and item.id in before:
            told = gates.look(before[item.id], item.raw, item.place)
            for name in told.new:
                plan.report.count(gates.CRITERIA, CREATE, name)
            for place, why in told.notes:
                plan.report.note(place, why)
            plan.report.kept.update(told.kept)


def _rows(kind: Kind, dataset: str) -> Any:
    manager: Any = kind.model._default_manager
    return manager.filter(dataset=dataset).exclude(external_id="").order_by("pk")


def _steered(kind: Kind, dataset: str) -> set[int]:
    """The rows that people moved here, by key: their state is no longer the file's business."""
    history: Any = kind.model.history  # type: ignore[attr-defined]
    moved = history.filter(dataset=dataset).exclude(transition="")
    return set(moved.values_list("id", flat=True))


def _leave_out(plan: Plan, kind: Kind, item: Item, row: Any, why: str) -> None:
    plan.report.count(kind.label, SKIP, item.id, why)
    plan.report.note(item.place, f"left out: {why}.")
    if row is None:
        at = int(item.place.rpartition("[")[2].removesuffix("]"))
        plan.kept["left_out"].append({"kind": kind.name, "at": at, "raw": item.raw})


def _say_unfit(plan: Plan, item: Item, unfit: list[tuple[str, str]]) -> None:
    for attr, why in unfit:
        plan.report.note(f"{item.place}, {attr.replace('_', ' ')}", f"{why}.")


class _Holders:
    """Our keys of rows, as the ids that the file knows them by."""

    def __init__(self, plan: Plan) -> None:
        self.names = {
            kind: {pk: name for name, pk in known.items()} for kind, known in plan.ids.items()
        }

    def current(self, kind: Kind, row: Any) -> dict[str, Any]:
        """What our fields of the row hold, in the terms of the file."""
        return {
            held.attr: (
                self.names[held.refers_to].get(getattr(row, f"{held.attr}_id"))
                if held.refers_to
                else getattr(row, held.attr)
            )
            for held in kind.held
        }


def _compare_row(
    plan: Plan,
    kind: Kind,
    item: Item,
    row: Any,
    state: str | None,
    holders: _Holders,
    *,
    is_steered: bool,
) -> None:
    moved = state is not None and state != row.state
    if row.extra == item.raw and (is_steered or not moved):
        plan.report.count(kind.label, UNCHANGED, item.id)
        return
    values, unfit = values_of(kind.held, item.raw)
    changed = _what_the_file_changed(plan, item, kind, row, values, holders)
    told = []
    if moved and is_steered:
        plan.report.note(item.place, "its state is steered here; the file does not change it.")
        told, moved = ["state is steered here"], False
    if row.extra != item.raw:
        _say_unfit(plan, item, unfit)
    words = [_words(attr) for attr in changed] + (["state"] if moved else []) + told
    before = dict(row.extra)
    new_state = state if moved else None
    plan.changes[kind.name].append(Change(row, item, before, changed, new_state))
    plan.report.count(kind.label, CHANGE, item.id, ", ".join(words) or "what the file says of it")


def _what_the_file_changed(
    plan: Plan, item: Item, kind: Kind, row: Any, values: dict[str, Any], holders: _Holders
) -> dict[str, Any]:
    """Our fields that follow the file, unless people have set them to something else here."""
    before, _ = values_of(kind.held, row.extra)
    current = holders.current(kind, row)
    changed = {}
    for attr, value in values.items():
        if value in (before[attr], current[attr]):
            continue
        if current[attr] == before[attr]:
            changed[attr] = value
        else:
            plan.report.note(
                f"{item.place}, {_words(attr)}", "changed here too; what is here stays."
            )
    return changed


def _words(attr: str) -> str:
    return attr.removesuffix("_name").replace("_", " ")


class _Clashes:
    """Exclusive bookings that people made in the environments of the data set."""

    def __init__(self, plan: Plan) -> None:
        self.names = {pk: name for name, pk in plan.ids["environment"].items()}
        self.held = defaultdict(list)
        for booking in Booking.objects.holding().filter(exclusive=True, environment__in=self.names):
            self.held[self.names[booking.environment_id]].append(booking)

    def why(self, raw: Object, row: Any) -> str:
        starts, ends = (dt.datetime.fromisoformat(raw[name]) for name in ("start", "end"))
        for booking in self.held[raw["environment"]]:
            if booking != row and booking.starts < ends and booking.ends > starts:
                return f"{booking.ref} {booking.title} holds the environment alone at that time"
        return ""


# --- Dependencies ---------------------------------------------------------------------------------


def _compare_needs(plan: Plan, items: list[Item]) -> None:
    """Add what the file newly needs; take away what it no longer needs and nobody made here."""
    releases = ApplicationRelease.objects.filter(dataset=plan.dataset)
    ids = dict(releases.values_list("pk", "external_id"))
    # One join alone: of rows that are as new as these PostgreSQL may think that there are none, and
    # join each release with each other one.
    here = {
        (ids[row.release_id], ids[row.needs_id], row.kind): row
        for row in Dependency.objects.filter(release__dataset=plan.dataset)
        if row.needs_id in ids
    }
    old: dict[str, set[tuple[str, str, str]]] = {
        creation.item.id: set() for creation in plan.creations[RELEASE.name]
    }
    for change in plan.changes[RELEASE.name]:
        old[change.item.id] = {need.key for need in needs_of(change.item.id, change.before)}
    for item in items:
        _note_needs_left_out(plan, item)
        wanted = {need.key: need for need in needs_of(item.id, item.raw)}
        was = old.get(item.id, set(wanted))
        new = [need for key, need in wanted.items() if key not in was and key not in here]
        gone = [key for key in sorted(was - wanted.keys()) if key in here]
        plan.new_needs += new
        plan.old_needs += [here[key] for key in gone]
        plan.report.counts[NEEDS][UNCHANGED] += len(wanted) - len(new)
        for need in new:
            plan.report.count(NEEDS, CREATE, f"{need.release} needs {need.needs}")
        for key in gone:
            plan.report.count(NEEDS, CHANGE, f"{key[0]} needs {key[1]}", "taken away")
    _refuse_circles_with_ours(plan, here)


def _note_needs_left_out(plan: Plan, item: Item) -> None:
    seen = set()
    for number, entry in enumerate(item.raw.get("depends_on", [])):
        target = (entry.get("release"), entry["kind"])
        why = _need_is_left_out(entry) or ("it stands there twice" if target in seen else "")
        seen.add(target)
        if why:
            plan.report.count(NEEDS, SKIP, item.id, why)
            plan.report.note(f"{item.place}.depends_on[{number}]", f"left out: {why}.")


def needs_of(release: str, raw: Object) -> Iterator[Need]:
    """The dependencies of an application release that become rows."""
    for entry in raw.get("depends_on", []):
        if not _need_is_left_out(entry):
            yield Need(release, entry["release"], entry["kind"], entry)


def _need_is_left_out(entry: Object) -> str:
    if entry.get("external") or "release" not in entry:
        return "it names no application release of the file"
    if len(entry["kind"]) > LONGEST_KIND:
        return f"its kind is longer than {LONGEST_KIND} characters"
    return ""


def _refuse_circles_with_ours(plan: Plan, here: dict[tuple[str, str, str], Any]) -> None:
    """Dependencies of the file and those made here must not form a cycle together."""
    if not plan.new_needs:
        return
    gone = {row.pk for row in plan.old_needs}
    edges = defaultdict(list)
    for (release, needs, _), row in here.items():
        if row.pk not in gone:
            edges[release].append(needs)
    for need in plan.new_needs:
        edges[need.release].append(need.needs)
    if found := find_cycle(edges):
        path = " → ".join(found[:8])
        raise FileRefused("", f"With the dependencies made here this forms a cycle: {path}.")
