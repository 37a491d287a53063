"""The groups of a plan, and what a move makes of them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from turnovers.models import DeploymentTask

    #: Tasks that run at the same time; a plan is a list of these.
    Group = list[DeploymentTask]


def arranged(
    tasks: Sequence[DeploymentTask], wanted: Sequence[int], moved: int | None
) -> list[Group]:
    """The groups after a move.

    A task that was moved becomes a step of its own and never lands inside a group: it goes on past
    it, the way it was going. If more than one moved, what stays side by side stays parallel.
    """
    old = [task.pk for task in tasks]
    if list(wanted) == old:
        return grouped(tasks)
    known = {task.pk: task for task in tasks}
    alone = _that_moved(old, wanted, moved)
    if alone is None:
        return _kept_together([known[pk] for pk in wanted], old)
    groups = without(grouped(tasks), alone)
    downwards = wanted.index(alone) > old.index(alone)
    groups.insert(_gap(groups, wanted.index(alone), downwards=downwards), [known[alone]])
    return groups


def _that_moved(old: Sequence[int], wanted: Sequence[int], moved: int | None) -> int | None:
    """The one task whose move alone explains the new order, the named one first."""
    candidates = [moved, *old] if moved in old else old
    for pk in candidates:
        if [other for other in old if other != pk] == [other for other in wanted if other != pk]:
            return pk
    return None


def _gap(groups: Sequence[Group], index: int, *, downwards: bool) -> int:
    """Between which groups the ``index``-th place of the flat list is."""
    passed = 0
    for place, group in enumerate(groups):
        if index <= passed:
            return place
        if index < passed + len(group):
            return place + 1 if downwards else place
        passed += len(group)
    return len(groups)


def _kept_together(sequence: Sequence[DeploymentTask], old: Sequence[int]) -> list[Group]:
    groups: list[Group] = []
    for task in sequence:
        before = groups[-1][-1] if groups else None
        together = before is not None and before.order == task.order
        if before is not None and together and old.index(before.pk) < old.index(task.pk):
            groups[-1].append(task)
        else:
            groups.append([task])
    return groups


def grouped(tasks: Iterable[DeploymentTask]) -> list[Group]:
    return [list(group) for _, group in groupby(tasks, key=lambda task: task.order)]


def without(groups: Iterable[Group], pk: int) -> list[Group]:
    rest = ([task for task in group if task.pk != pk] for group in groups)
    return [group for group in rest if group]
