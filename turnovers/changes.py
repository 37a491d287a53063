"""What differs between two versions of a plan (see ``Turnover.plan``), in words."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from releasemgr.ui.times import moment_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

Plan = dict[str, Any]
Task = dict[str, Any]

ICONS = {
    "added": ("plus", "ok"),
    "moved": ("arrow-up-down", "run"),
    "edited": ("pencil", "warn"),
    "removed": ("minus", "bad"),
}
#: Fields whose old and new value are short enough to be shown.
SHORT_FIELDS = {
    "title": "title",
    "section": "phase",
    "executor": "carried out by",
    "owner": "owner",
    "estimate": "estimate",
    "timeout": "timeout",
    "attempts": "attempts",
    "repeat_safe": "if it is not known how it ended",
    "not_before": "not before",
}
FRAME_FIELDS = ("If late", "Tasks at once")
LONG_FIELDS = {
    "instructions": "instructions",
    "parameters": "parameters",
    "undo": "what undoes it",
}
UNITS = {"estimate": " min", "timeout": " s"}
WINDOW = ("Earliest start", "Latest start")


@dataclass(frozen=True)
class Change:
    """One difference: ``name`` says of what, ``before`` and ``after`` what it was and is."""

    kind: str
    name: str
    before: str = ""
    after: str = ""
    detail: str = ""
    task: int | None = None

    @property
    def icon(self) -> str:
        return ICONS[self.kind][0]

    @property
    def tone(self) -> str:
        return ICONS[self.kind][1]

    @property
    def tag(self) -> str:
        """The difference in a word or two, beside its task."""
        if self.kind in {"added", "moved"}:
            return "Added" if self.kind == "added" else self.detail.capitalize()
        if self.before and self.after:
            return f"{self.before} to {self.after}"
        return f"{self.detail or 'edited'}".capitalize()


def changes(before: Plan, after: Plan) -> list[Change]:
    """Everything that differs, tasks first, in the order of the newer plan."""
    return [
        *_task_changes(before["Tasks"], after["Tasks"]),
        *_undo_changes(before.get("Undo", []), after.get("Undo", [])),
        *_content_changes(before["Contents"], after["Contents"]),
        *_frame_changes(before, after),
    ]


def _task_changes(old: list[Task], new: list[Task]) -> Iterator[Change]:
    known = {task["id"]: task for task in old}
    kept = [task for task in new if task["id"] in known]
    steady = _steady([known[task["id"]]["order"] for task in kept])
    moved = {task["id"] for place, task in enumerate(kept) if place not in steady}
    parallel_before, parallel_now = _parallel(old), _parallel(new)
    for task in new:
        pk, title = task["id"], task["title"]
        was = known.get(pk)
        if was is None:
            yield Change("added", title, detail=f"task {task['order']}", task=pk)
            continue
        if pk in moved:
            words = f"moved from {was['order']} to {task['order']}"
            yield Change("moved", title, detail=words, task=pk)
        if (pk in parallel_before) != (pk in parallel_now):
            words = "now in parallel" if pk in parallel_now else "now a step of its own"
            yield Change("edited", title, detail=words, task=pk)
        yield from _field_changes(was, task)
    still_there = {task["id"] for task in new}
    for task in old:
        if task["id"] not in still_there:
            yield Change("removed", task["title"], detail=f"was task {task['order']}")


def _undo_changes(old: list[Task], new: list[Task]) -> Iterator[Change]:
    """They are told by themselves: beside the task that they undo they would seem to be its own."""
    known = {task["id"]: task for task in old}
    for task in new:
        was = known.pop(task["id"], None)
        if was is None:
            yield Change("added", task["title"], detail=f"undoes task {task['order']}")
        else:
            for change in _field_changes(was, task):
                yield replace(change, name=f"Undo: {change.name}", task=None)
    for task in known.values():
        yield Change("removed", task["title"], detail=f"undid task {task['order']}")


def _field_changes(was: Task, task: Task) -> Iterator[Change]:
    for field, label in SHORT_FIELDS.items():
        if was.get(field) != task.get(field):
            yield Change(
                "edited",
                was["title"],
                before=_shown(field, was.get(field)),
                after=_shown(field, task.get(field)),
                detail=label,
                task=task["id"],
            )
    for field, label in LONG_FIELDS.items():
        if was[field] != task[field]:
            yield Change("edited", task["title"], detail=f"{label} changed", task=task["id"])


def _shown(field: str, value: Any) -> str:
    if field == "executor":
        return str(value) or "a person"
    if field == "repeat_safe":
        return "may be repeated" if value else "once only"
    if field == "not_before" and value:
        return _moment(value)
    return f"{value}{UNITS.get(field, '')}" if value not in ("", None) else "nothing"


def _content_changes(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[Change]:
    before = {content["id"]: content for content in old}
    after = {content["id"]: content for content in new}
    for pk, content in after.items():
        was = before.get(pk)
        if was is None:
            yield Change("added", f"{content['name']} {content['version']}", detail="contents")
        elif was["version"] != content["version"]:
            versions = {"before": was["version"], "after": content["version"]}
            yield Change("edited", content["name"], **versions)
    for pk, content in before.items():
        if pk not in after:
            yield Change("removed", f"{content['name']} {content['version']}", detail="contents")


def _frame_changes(before: Plan, after: Plan) -> Iterator[Change]:
    if before["Environment"] != after["Environment"]:
        yield Change(
            "edited", "Environment", before=before["Environment"], after=after["Environment"]
        )
    if len(before["Window"]) == len(after["Window"]) == len(WINDOW):
        for label, old, new in zip(WINDOW, before["Window"], after["Window"], strict=True):
            if old != new:
                yield Change("edited", label, before=_moment(old), after=_moment(new))
    for label in FRAME_FIELDS:
        was, now = before.get(label), after.get(label)
        if was != now:
            yield Change("edited", label, before=_or_default(was), after=_or_default(now))


def _or_default(value: Any) -> str:
    return "as usual" if value is None else str(value)


def _moment(text: str) -> str:
    return moment_in_words(dt.datetime.fromisoformat(text))


def _parallel(tasks: list[Task]) -> set[int]:
    """The ids of those that share their number with another."""
    sharing = Counter(task["order"] for task in tasks)
    return {task["id"] for task in tasks if sharing[task["order"]] > 1}


def _steady(numbers: list[int]) -> set[int]:
    """The places of a longest sequence that never goes down: these were not moved.

    Whatever is not in it was moved, rather than pushed along by others.
    """
    ends: list[int] = []
    end_places: list[int] = []
    previous: list[int | None] = []
    for place, number in enumerate(numbers):
        at = bisect_right(ends, number)
        previous.append(end_places[at - 1] if at else None)
        ends[at : at + 1] = [number]
        end_places[at : at + 1] = [place]
    chain, at_place = set(), end_places[-1] if end_places else None
    while at_place is not None:
        chain.add(at_place)
        at_place = previous[at_place]
    return chain
