"""The tasks and contents of turnovers, on their way from a file into the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from releasemgr.exchange.held import values_of
from releasemgr.exchange.mapping import RELEASE
from releasemgr.exchange.steps import (
    TASK_FIELDS,
    UNDO_FIELDS,
    ticked_tasks,
    undo_of,
    undo_values,
)
from releasemgr.workflow.edit import create, edit, remove
from turnovers.models import Content, DeploymentTask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from releasemgr.accounts.models import User
    from releasemgr.exchange.comparison import Change, Creation, Plan
    from releasemgr.exchange.held import Held
    from releasemgr.exchange.places import Object

    CreateAll = Callable[[Any, list[Any]], list[Any]]


def create_tasks(plan: Plan, turnovers: Iterable[Creation], create_all: CreateAll) -> None:
    """The tasks of new turnovers, then what undoes them, and what the turnovers carry."""
    raws = [(plan.ids["turnover"][one.item.id], one.item.raw) for one in turnovers]
    tasks = [
        _task(key, task, seen) for key, raw in raws for task, seen in ticked_tasks(raw).values()
    ]
    made = create_all(DeploymentTask, tasks)
    undone = [(task, said) for task in made if (said := undo_of(task)) is not None]
    create_all(DeploymentTask, [_undo(task, said) for task, said in undone])
    contents = [content for key, raw in raws for content in _contents(plan, key, raw)]
    create_all(Content, contents)


def change_tasks(plan: Plan, turnover: Any, change: Change, *, by: User, reason: str) -> None:
    """Follow what the file changed of a draft's tasks."""
    old, new = ticked_tasks(change.before), ticked_tasks(change.item.raw)
    if old == new or not _is_the_files_to_plan(plan, turnover, change, "tasks"):
        return
    rows = {task.extra.get("order"): task for task in turnover.tasks.all()}
    for order, (raw, seen) in new.items():
        row = rows.get(order)
        if order not in old:
            task = create(_task(turnover.pk, raw, seen), by=by, reason=reason)
            if (said := undo_of(task)) is not None:
                create(_undo(task, said), by=by, reason=reason)
        elif row is not None and old[order] != new[order]:
            before, was = old[order]
            _change(row, TASK_FIELDS, was, seen, raw, by, reason)
            _change_undo(row, before.get("undone_by"), raw.get("undone_by"), by, reason)
    for order in old.keys() - new.keys():
        if order in rows:
            gone = timezone.now()
            edit(rows[order], by=by, reason=reason, removed_at=gone, extra={})


def change_contents(plan: Plan, turnover: Any, change: Change, *, by: User, reason: str) -> None:
    """Follow what the file changed of what a draft carries."""
    old = change.before.get("application_releases", [])
    new = change.item.raw.get("application_releases", [])
    if old == new or not _is_the_files_to_plan(plan, turnover, change, "contents"):
        return
    keys = plan.ids["application_release"]
    rows = {content.release_id: content for content in turnover.contents.all()}
    for name in set(old) - set(new):
        if keys.get(name) in rows:
            remove(rows[keys[name]], by=by, reason=reason)
    for content in _contents(plan, turnover.pk, change.item.raw):
        if content.release_id not in rows:
            create(content, by=by, reason=reason)


def _task(turnover: int, raw: Object, seen: Object) -> DeploymentTask:
    values = values_of(TASK_FIELDS, seen)[0]
    return DeploymentTask(turnover_id=turnover, extra=raw, **values)


def _undo(task: DeploymentTask, raw: Object) -> DeploymentTask:
    return DeploymentTask(
        turnover_id=task.turnover_id, undoes=task, order=task.order, extra=raw, **undo_values(raw)
    )


def _contents(plan: Plan, turnover: int, raw: Object) -> list[Content]:
    names = list(dict.fromkeys(raw.get("application_releases", [])))
    keys = [plan.ids["application_release"][name] for name in names]
    versions = dict(
        RELEASE.model._default_manager.filter(pk__in=keys).values_list("pk", "version_name")
    )
    return [
        Content(turnover_id=turnover, release_id=key, version_name=versions[key], position=number)
        for number, key in enumerate(keys)
    ]


def _is_the_files_to_plan(plan: Plan, turnover: Any, change: Change, what: str) -> bool:
    """Whether the file may still change what is planned; says so where it may not."""
    if not turnover.history.exclude(transition="").exists():
        return True
    plan.report.note(change.item.place, f"it is steered here; its {what} stay.")
    return False


def _change(
    task: Any,
    held: tuple[Held, ...],
    before: Object,
    seen: Object,
    raw: Object,
    by: User,
    reason: str,
) -> None:
    """Set what the file changed, unless people have set it to something else here."""
    was, now = values_of(held, before)[0], values_of(held, seen)[0]
    changed = {
        attr: value
        for attr, value in now.items()
        if value != was[attr] and getattr(task, attr) == was[attr]
    }
    edit(task, by=by, reason=reason, extra=raw, **changed)


def _change_undo(
    task: DeploymentTask, before: Object | None, now: Object | None, by: User, reason: str
) -> None:
    """What undoes the task: followed like the task; what people made or removed here stays."""
    row = DeploymentTask.all_ever.filter(undoes=task, removed_at=None).first()
    if before == now:
        return
    if row is None:
        if before is None and now is not None:
            create(_undo(task, now), by=by, reason=reason)
    elif before is not None and now is not None:
        _change(row, UNDO_FIELDS, before, now, now, by, reason)
    elif now is None and row.extra:
        edit(row, by=by, reason=reason, removed_at=timezone.now(), extra={})
