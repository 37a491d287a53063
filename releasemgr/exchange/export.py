"""Write a data set in the exchange format, train by train, so that it never is in memory whole."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from releasemgr.exchange import freezes
from releasemgr.exchange.comparison import IN_THE_FILE, KEPT_LISTS, needs_of
from releasemgr.exchange.gates import Exported
from releasemgr.exchange.held import Held, with_changes
from releasemgr.exchange.mapping import (
    APPLICATION,
    ENVIRONMENT,
    FREEZE,
    MILESTONE,
    RELEASE,
    RESERVATION,
    TEAM,
    TRAIN,
    TURNOVER,
    WORK_ITEM,
    Kind,
)
from releasemgr.exchange.shape import in_order
from releasemgr.exchange.steps import task_said, ticked_tasks
from releasemgr.exchange.words import Surroundings
from trains.models import Dependency
from turnovers.models import Content, DeploymentTask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from releasemgr.exchange.models import Dataset
    from releasemgr.exchange.places import Object

LISTS = {"teams": TEAM, "applications": APPLICATION, "environments": ENVIRONMENT}


def export(dataset: Dataset) -> Iterator[str]:
    """The data set as text, in pieces."""
    writer = _Exporter(dataset)
    yield "{\n"
    head = json.dumps(in_order("dataset", dataset.header), ensure_ascii=False, indent=1)
    yield head.removeprefix("{\n").removesuffix("\n}")
    for name, kind in LISTS.items():
        yield from _list(name, writer.objects(kind))
    yield from _list("trains", writer.trains())
    for name in KEPT_LISTS:
        yield from _list(name, dataset.kept.get(name, []))
    yield from _list("freezes", writer.freezes())
    yield from _list("reservations", writer.objects(RESERVATION))
    yield "\n}\n"


def _list(name: str, entries: Iterable[Object]) -> Iterator[str]:
    """One object a line; nothing where there is none."""
    opened = False
    for entry in entries:
        yield ",\n  " if opened else f',\n "{name}": [\n  '
        yield json.dumps(entry, ensure_ascii=False)
        opened = True
    if opened:
        yield "\n ]"


class _Exporter:
    """Rows on their way back into the terms of the file."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.snapshot = dt.date.fromisoformat(dataset.header["snapshot"][:10])
        self.names: dict[str, dict[int, str]] = {}
        for kind in (TEAM, APPLICATION, ENVIRONMENT, TRAIN, MILESTONE, RELEASE):
            known = self._rows(kind).values_list("pk", "external_id")
            self.names[kind.name] = dict(known)
        self.left_out: dict[tuple[str, str], dict[int, Object]] = defaultdict(dict)
        for entry in dataset.kept.get("left_out", []):
            holder = "" if entry["kind"] in IN_THE_FILE else entry["raw"].get("train", "")
            self.left_out[entry["kind"], holder][entry["at"]] = entry["raw"]

    def _rows(self, kind: Kind) -> Any:
        manager: Any = kind.model._default_manager
        rows = manager.filter(dataset=self.dataset.name).exclude(external_id="")
        return rows.order_by("pk")

    def objects(self, kind: Kind) -> Iterator[Object]:
        """Every object of a kind."""
        rows = self._rows(kind).iterator(chunk_size=500)
        return self._with_left_out(kind, "", (self._object(kind, row) for row in rows))

    def _with_left_out(self, kind: Kind, holder: str, said: Iterable[Object]) -> Iterator[Object]:
        """The objects, and in their old places those of which no row could be made."""
        left_out, number = dict(self.left_out[kind.name, holder]), 0
        for entry in said:
            while number in left_out:
                yield in_order(kind.name, left_out.pop(number))
                number += 1
            yield in_order(kind.name, entry)
            number += 1
        for _, entry in sorted(left_out.items()):
            yield in_order(kind.name, entry)

    def _object(self, kind: Kind, row: Any, train: Object | None = None) -> Object:
        """What the file said of the row, with what has changed here since."""
        raw = dict(row.extra)
        said = self._with_changes(kind.held, raw, row)
        if kind.state is not None:
            around = Surroundings(self.snapshot, train or {})
            if kind.state(raw, around) != row.state:
                said |= kind.says(row.state, raw)
        return said

    def _with_changes(self, held: tuple[Held, ...], raw: Object, row: Any) -> Object:
        values = {
            one.attr: self.names[one.refers_to].get(getattr(row, f"{one.attr}_id"))
            if one.refers_to
            else getattr(row, one.attr)
            for one in held
        }
        return with_changes(held, raw, values)

    def freezes(self) -> Iterator[Object]:
        """Those of the file, and those that people declared over what is of the data set."""
        yield from self.objects(FREEZE)
        # An import of before freezes had rows of their own kept them as they were.
        yield from self.dataset.kept.get("freezes", [])
        for row, values in freezes.made_here(self.names):
            yield in_order("freeze", freezes.said_of(row, values))

    def trains(self) -> Iterator[Object]:
        for row in self._rows(TRAIN):
            train = self._object(TRAIN, row)
            whole = _with_lists(
                train,
                gates=Exported(row, row.extra, self.names[ENVIRONMENT.name]).gates_said(),
                milestones=list(self._milestones(row, train)),
                application_releases=list(self._releases(row, train)),
                turnovers=list(self._turnovers(row, train)),
                work_items=self._work(self._rows(WORK_ITEM).filter(train=row)),
            )
            yield in_order("train", whole)

    def _milestones(self, train_row: Any, train: Object) -> Iterator[Object]:
        rows = self._rows(MILESTONE).filter(train=train_row).select_related("owner")
        said = (self._milestone(row, train) for row in rows)
        return self._with_left_out(MILESTONE, train_row.external_id, said)

    def _milestone(self, row: Any, train: Object) -> Object:
        """A baseline that is its date tells nothing: it got it when it came in."""
        said = self._object(MILESTONE, row, train)
        if "baseline" not in row.extra and row.baseline == row.due:
            said.pop("baseline", None)
        return said | ({"owner": str(row.owner)} if row.owner else {})

    def _work(self, rows: Any) -> list[Object]:
        return [in_order("work_item", self._object(WORK_ITEM, row)) for row in rows]

    def _releases(self, train_row: Any, train: Object) -> Iterator[Object]:
        """Those that the file put on the train, wherever they ride now: each has one home."""
        rows = list(self._rows(RELEASE).filter(extra__train=train_row.external_id))
        work, needs = defaultdict(list), defaultdict(list)
        for item in self._rows(WORK_ITEM).filter(release__in=rows):
            work[item.release_id].append(item)
        for need in Dependency.objects.filter(release__in=rows).order_by("pk"):
            needs[need.release_id].append(need)
        for row in rows:
            release = _with_lists(
                self._object(RELEASE, row, train),
                depends_on=self._needs(row, needs[row.pk]),
                work_items=self._work(work[row.pk]),
            )
            yield in_order("application_release", release)

    def _needs(self, release: Any, rows: list[Any]) -> list[Object]:
        """As the file had them, without those taken away here, then those made here."""
        names = self.names["application_release"]
        here = {(names.get(row.needs_id), row.kind): row for row in rows}
        taken = {need.key[1:] for need in needs_of(release.external_id, release.extra)}
        said = [
            entry
            for entry in release.extra.get("depends_on", [])
            if (entry.get("release"), entry["kind"]) not in taken
            or (entry.get("release"), entry["kind"]) in here
        ]
        made_here = [
            {"release": name, "kind": kind}
            for name, kind in here
            if name and (name, kind) not in taken
        ]
        return [in_order("dependency", entry) for entry in said + made_here]

    def _turnovers(self, train_row: Any, train: Object) -> Iterator[Object]:
        rows = list(self._rows(TURNOVER).filter(train=train_row))
        tasks, contents = defaultdict(list), defaultdict(list)
        for task in (
            DeploymentTask.objects.filter(turnover__in=rows)
            .in_order()
            .select_related("owner", "owner_group")
        ):
            tasks[task.turnover_id].append(task)
        undo = {
            task.undoes_id: task
            for task in DeploymentTask.all_ever.that_undo_something()
            .filter(turnover__in=rows, removed_at=None)
            .select_related("owner", "owner_group")
        }
        for content in Content.objects.filter(turnover__in=rows):
            contents[content.turnover_id].append(content)
        said = (
            _with_lists(
                self._object(TURNOVER, row, train),
                tasks=self._tasks(row.extra, tasks[row.pk], undo),
                application_releases=self._contents(row.extra, contents[row.pk]),
            )
            for row in rows
        )
        return self._with_left_out(TURNOVER, train_row.external_id, said)

    def _contents(self, raw: Object, rows: list[Any]) -> list[str]:
        names = [self.names["application_release"].get(row.release_id) for row in rows]
        known = [name for name in names if name]
        said = raw.get("application_releases", [])
        return said if set(said) == set(known) else known

    def _tasks(self, raw: Object, rows: list[Any], undo: dict[int, Any]) -> list[Object]:
        """The headings and tasks of the file as they are now, then renumbered without gaps."""
        seen = ticked_tasks(raw)
        here = {row.extra["order"]: row for row in rows if row.extra.get("order") in seen}
        said = [
            (
                row.order,
                number,
                task_said(row, undo.get(row.pk), *seen.get(row.extra.get("order", 0), ({}, {}))),
            )
            for number, row in enumerate(rows)
        ]
        headings = [(task["order"], -1, task) for task in raw.get("tasks", []) if task.get("group")]
        ordered = [task for *_, task in sorted(said + headings, key=lambda entry: entry[:2])]
        if len(here) == len(rows) and ordered == raw.get("tasks", []):
            return [in_order("task", task) for task in ordered]
        return _renumbered(ordered)


def _with_lists(said: Object, **lists: list[Any]) -> Object:
    """The object with its lists; an empty list is not written."""
    plain = {name: value for name, value in said.items() if name not in lists}
    return plain | {name: entries for name, entries in lists.items() if entries}


def _renumbered(tasks: list[Object]) -> list[Object]:
    """Tasks from 1 without gaps; references to tasks that are gone, or come later now, go too."""
    places = {task["order"]: number for number, task in enumerate(tasks, start=1)}
    done = []
    for number, task in enumerate(tasks, start=1):
        made = task | {"order": number}
        if "parent" in task:
            parent = places.get(task["parent"], number)
            made = made | {"parent": parent}
            if parent >= number:
                del made["parent"]
        if "depends" in task:
            before = [places.get(order, number) for order in task["depends"]]
            made["depends"] = [order for order in before if order < number]
        done.append(in_order("task", made))
    return done
