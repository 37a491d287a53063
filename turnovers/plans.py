"""Writing a plan: tasks, their order, contents and work items.

Every change locks the turnover first, is refused unless it is being defined, and is recorded on
the turnover, whose version therefore grows: whoever looks at an older list is told so.
"""

from __future__ import annotations

from contextlib import contextmanager
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from releasemgr.workflow.edit import create, edit, remove
from releasemgr.workflow.locks import lock, one_transaction
from releasemgr.workflow.perform import record
from releasemgr.workflow.refusals import Conflict, TransitionRefused
from trains.models import Dependency, WorkItem
from turnovers import rules, services
from turnovers.arranging import arranged, grouped, without
from turnovers.models import Content, DeploymentTask, Turnover, TurnoverWork

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from django.db.models import QuerySet

    from releasemgr.accounts.models import User
    from trains.models import ApplicationRelease
    from turnovers.arranging import Group


@contextmanager
def _changing(turnover: Turnover, *, version: int | None = None) -> Iterator[Turnover]:
    """The locked turnover, if its plan may change and is the one that the person saw.

    Raises ``TransitionRefused`` or ``Conflict``.
    """
    with one_transaction(turnover):
        row = lock(turnover)
        if version is not None and version != row.version:
            raise Conflict(row)
        if found := rules.it_is_being_defined.blockers(row):
            raise TransitionRefused(*found)
        yield row


# --- Turnovers ------------------------------------------------------------------------------------


def new_turnover(turnover: Turnover, *, by: User, copy_from: Turnover | None = None) -> Turnover:
    """Store it with everything that its item carries, and the tasks of another if asked."""
    turnover.title = turnover.title or services.title_for(turnover.item, turnover.environment)
    turnover.zone = timezone.get_current_timezone_name()
    with one_transaction(turnover):
        create(turnover, by=by)
        _place_contents(turnover, by=by)
        if copy_from is not None:
            services.copy_tasks(copy_from, turnover, by=by)
    return turnover


# --- Contents -------------------------------------------------------------------------------------


def releases_for(turnover: Turnover) -> list[ApplicationRelease]:
    """What its item has aboard now, each after all that it needs."""
    if turnover.train is None:
        return [turnover.release] if turnover.release is not None else []
    places = turnover.train.boardings.aboard().select_related("release__application")
    return in_dependency_order([place.release for place in places])


def in_dependency_order(releases: Sequence[ApplicationRelease]) -> list[ApplicationRelease]:
    """Each after those among them that it needs; raises ``TransitionRefused`` naming a cycle."""
    known = {release.pk: release for release in releases}
    needs: dict[int, list[int]] = {pk: [] for pk in known}
    among = Dependency.objects.filter(release__in=known, needs__in=known).order_by("pk")
    for release, needed in among.values_list("release", "needs"):
        needs[release].append(needed)
    try:
        return [known[pk] for pk in TopologicalSorter(needs).static_order()]
    except CycleError as cycle:
        names = " needs ".join(str(known[pk]) for pk in reversed(cycle.args[1]))
        raise TransitionRefused(f"There is no order to deploy these in: {names}.") from cycle


def refresh_contents(turnover: Turnover, *, by: User, version: int | None = None) -> int:
    """Add what has boarded since, put all in dependency order; returns how many were added."""
    with _changing(turnover, version=version) as row:
        added = _place_contents(row, by=by)
        record(row, by=by, reason=f"Contents brought up to date: {added} added")
    return added


def _place_contents(turnover: Turnover, *, by: User) -> int:
    there = {content.release_id: content for content in turnover.contents.all()}
    added, position = 0, 0
    for position, release in enumerate(releases_for(turnover), start=1):
        content = there.pop(release.pk, None)
        if content is None:
            content = Content(
                turnover=turnover,
                release=release,
                version_name=release.version_name,
                position=position,
            )
            create(content, by=by)
            added += 1
        else:
            edit(content, by=by, position=position)
    for last, content in enumerate(there.values(), start=position + 1):
        edit(content, by=by, position=last)
    return added


def set_version(content: Content, name: str, *, by: User, version: int | None) -> Content:
    """Another version of the same application release."""
    with _changing(content.turnover) as row:
        before = lock(content).version_name
        content = edit(content, by=by, version=version, version_name=name)
        words = f"{content.release.application.name} {before} is now {name}"
        record(row, by=by, reason=words)
    return content


def leave_out(content: Content, *, by: User, version: int | None = None) -> None:
    """The turnover does not carry it, nor its work items."""
    with _changing(content.turnover, version=version) as row:
        if row.train_id is None:
            raise TransitionRefused(f"{row} is of {content} alone, so it cannot leave it out.")
        for link in row.work_links.filter(item__release=content.release_id):
            remove(link, by=by)
        remove(content, by=by)
        record(row, by=by, reason=f"Left out {content}")


# --- Work items -----------------------------------------------------------------------------------


def finished_work(turnover: Turnover) -> QuerySet[WorkItem]:
    """The finished work items of what it carries that it does not deliver yet."""
    carried = turnover.contents.values("release")
    items: QuerySet[WorkItem] = WorkItem.objects.finished().filter(release__in=carried)
    if turnover.train_id:
        items = items | WorkItem.objects.finished().filter(train=turnover.train_id)
    return items.exclude(pk__in=turnover.work_links.values("item"))


def attach_work(
    turnover: Turnover, items: Iterable[int] | None, *, by: User, version: int | None = None
) -> int:
    """Attach these of the finished work items, or all of them; returns how many."""
    with _changing(turnover, version=version) as row:
        chosen = finished_work(row)
        if items is not None:
            chosen = chosen.filter(pk__in=items)
        links = [TurnoverWork(turnover=row, item=item) for item in chosen.order_by("pk")]
        for link in links:
            create(link, by=by)
        record(row, by=by, reason=f"Work items attached: {len(links)}")
    return len(links)


def detach_work(
    turnover: Turnover, items: Iterable[int], *, by: User, version: int | None = None
) -> int:
    """Take these work items away from it; returns how many there were."""
    with _changing(turnover, version=version) as row:
        links = list(row.work_links.filter(item__in=items))
        for link in links:
            remove(link, by=by)
        record(row, by=by, reason=f"Work items detached: {len(links)}")
    return len(links)


# --- Tasks ----------------------------------------------------------------------------------------


def add_task(task: DeploymentTask, *, by: User, after: int | None) -> DeploymentTask:
    """A step of its own behind the task ``after`` and what runs with it; or at the end."""
    with _changing(task.turnover) as row:
        groups = _groups(row)
        places = [
            place
            for place, group in enumerate(groups, start=1)
            if any(other.pk == after for other in group)
        ]
        groups.insert(places[0] if places else len(groups), [task])
        _renumber(groups, by=by)
        record(row, by=by, reason=f"Added task {task.order}, “{task}”")
    return task


def add_undo(task: DeploymentTask, *, by: User) -> DeploymentTask:
    """What undoes ``task.undoes``; a task has one such."""
    with _changing(task.turnover) as row:
        undone = _undone_by(task)
        task.order = undone.order
        create(task, by=by)
        record(row, by=by, reason=f"Added what undoes task {undone.order}, “{undone}”")
    return task


def _undone_by(task: DeploymentTask) -> DeploymentTask:
    """The task that it undoes, locked; raises ``TransitionRefused`` if another does so."""
    undone = task.undoes
    assert undone is not None  # noqa: S101 -- the callers know
    undone = lock(undone)
    if undone.removed_at is not None:
        raise TransitionRefused(f"Task “{undone}” was removed: put it back first.")
    others = DeploymentTask.all_ever.filter(undoes=undone, removed_at=None).exclude(pk=task.pk)
    if (other := others.first()) is not None:
        raise TransitionRefused(f"“{other}” undoes task “{undone}” already.")
    return undone


def edit_task(
    task: DeploymentTask, *, by: User, version: int | None, **changes: Any
) -> DeploymentTask:
    """Change a task's own fields; one that does not differ leaves the turnover as it is."""
    with _changing(task.turnover) as row:
        before = lock(task).version
        edited = edit(task, by=by, version=version, **changes)
        if edited.version != before:
            record(row, by=by, reason=f"Changed task {edited.order}, “{edited}”")
    return edited


def remove_task(task: DeploymentTask, *, by: User, version: int | None = None) -> None:
    """Take it out of the plan; it can be put back."""
    with _changing(task.turnover, version=version) as row:
        task = lock(task)
        task.removed_at = timezone.now()
        record(task, by=by, reason="Removed")
        _renumber(_groups(row), by=by)
        record(row, by=by, reason=f"Removed task {task.order}, “{task}”")


def put_back(task: DeploymentTask, *, by: User, version: int | None = None) -> None:
    """Undo the removal: a step of its own, where it was."""
    with _changing(task.turnover, version=version) as row:
        task = lock(task)
        if task.removed_at is None:
            return
        task.removed_at = None
        if task.undoes_id:
            task.order = _undone_by(task).order
            record(task, by=by, reason="Put back")
            record(row, by=by, reason=f"Put back what undoes task {task.order}")
            return
        groups = _groups(row)
        place = min(task.order - 1, len(groups))
        groups.insert(place, [task])
        record(task, by=by, reason="Put back")
        _renumber(groups, by=by)
        record(row, by=by, reason=f"Put back task {task.order}, “{task}”")


def copy_tasks(source: Turnover, target: Turnover, *, by: User, version: int | None = None) -> int:
    """Copy every task of ``source`` behind those that are there; returns how many."""
    with _changing(target, version=version) as row:
        count = services.copy_tasks(source, row, by=by, after=_last_order(row))
        record(row, by=by, reason=f"Copied {count} tasks from {source.ref}")
    return count


def reorder(
    turnover: Turnover,
    wanted: Sequence[int],
    *,
    by: User,
    moved: int | None = None,
    version: int | None = None,
) -> None:
    """Put the tasks in the order of the ids ``wanted``; ``moved`` is the one that a person moved.

    Raises ``TransitionRefused`` where these are not exactly the tasks of the turnover.
    """
    with _changing(turnover, version=version) as row:
        tasks = list(row.tasks.in_order())
        if sorted(wanted) != sorted(task.pk for task in tasks):
            raise TransitionRefused("The list of tasks has changed since you looked at it.")
        _renumber(arranged(tasks, wanted, moved), by=by)
        words = next((f"Moved “{task}”" for task in tasks if task.pk == moved), "Tasks reordered")
        record(row, by=by, reason=words)


def shift(task: DeploymentTask, steps: int, *, by: User, version: int | None = None) -> None:
    """Move it past its neighbour, upwards (-1) or downwards (1); at an end it stays."""
    order = [other.pk for other in task.turnover.tasks.in_order()]
    place = order.index(task.pk)
    target = place + steps
    if 0 <= target < len(order):
        order[place], order[target] = order[target], order[place]
        reorder(task.turnover, order, by=by, moved=task.pk, version=version)


def run_with_previous(task: DeploymentTask, *, by: User, version: int | None = None) -> None:
    """It runs at the same time as what now comes before it."""
    with _changing(task.turnover, version=version) as row:
        groups = without(_groups(row), task.pk)
        earlier = [group for group in groups if group[0].order < task.order]
        if earlier:
            earlier[-1].append(task)
            _renumber(groups, by=by)
            record(row, by=by, reason=f"“{task}” runs in parallel with the task before it")


def run_alone(task: DeploymentTask, *, by: User, version: int | None = None) -> None:
    """It becomes a step of its own, behind what it ran in parallel with."""
    with _changing(task.turnover, version=version) as row:
        whole = _groups(row)
        place = next(i for i, group in enumerate(whole) if group[0].order == task.order)
        if len(whole[place]) > 1:
            was_first = whole[place][0].pk == task.pk
            groups = without(whole, task.pk)
            groups.insert(place if was_first else place + 1, [task])
            _renumber(groups, by=by)
            record(row, by=by, reason=f"“{task}” is a step of its own")


def _groups(turnover: Turnover) -> list[Group]:
    return grouped(turnover.tasks.in_order())


def _renumber(groups: Iterable[Group], *, by: User) -> None:
    """Number the groups from 1, and what undoes each like it; only what changes is stored."""
    renumbered = {}
    for order, group in enumerate(groups, start=1):
        for task in group:
            if task._state.adding or task.order != order:
                task.order = order
                record(task, by=by, reason=f"Now number {order}")
                renumbered[task.pk] = order
    for undo in DeploymentTask.all_ever.filter(undoes__in=renumbered):
        undo.order = renumbered[undo.undoes_id]
        record(undo, by=by, reason=f"Now number {undo.order}")


def _last_order(turnover: Turnover) -> int:
    last: DeploymentTask | None = turnover.tasks.in_order().last()
    return last.order if last else 0
