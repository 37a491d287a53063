"""What of the turnovers to production a train's executive approval is bound to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from approvals.content import digest
from approvals.models import Part
from turnovers.models import Turnover
from turnovers.states import TurnoverState

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from releasemgr.accounts.models import User
    from trains.models import Train

#: How many digits of a task's digest stand behind its title, so that every change can be seen.
DIGITS = 8


def handed_over(train: Train, asked_at: dt.datetime | None) -> Any:
    """The train's turnovers to production that had been delivered by then, and still count."""
    rows: Any = Turnover.objects.of_train(train).filter(
        environment__is_production=True, delivered_at__isnull=False
    )
    if asked_at is not None:
        rows = rows.filter(delivered_at__lte=asked_at)
    return rows.exclude(state__in=[TurnoverState.DRAFT, TurnoverState.CANCELLED]).order_by("pk")


def plans_of(train: Train, asked_at: dt.datetime | None) -> Iterator[tuple[str, str, list[str]]]:
    """Their tasks and contents, line by line, and when they may start; nothing without any."""
    turnovers = list(handed_over(train, asked_at).select_related("environment"))
    if not turnovers:
        return
    plans, windows = [], []
    for turnover in turnovers:
        where = f"{turnover.ref} to {turnover.environment.name}"
        plans += [f"{where} carries {content}" for content in _contents(turnover)]
        plans += [
            f"{turnover.ref}, {task.order}. {task.title} [{digest(task.plan())[:DIGITS]}]"
            for task in turnover.whole_plan().select_related("owner", "owner_group")
        ]
        moments = [m.isoformat() for m in (turnover.earliest, turnover.latest) if m is not None]
        windows.append(f"{where}: {' to '.join(moments) or 'at any time'}")
    yield Part.PLAN, "Deployment plan", plans
    yield Part.WINDOW, "Deployment window", windows


def fallback_of(train: Train, which: str) -> Iterator[list[str]]:
    """What happens if it fails: how many tasks can be undone, and how long that takes."""
    if which != "executive":
        return
    turnovers = list(handed_over(train, None))
    if not turnovers:
        return
    tasks = [task for turnover in turnovers for task in turnover.whole_plan()]
    undoing = [task for task in tasks if task.undoes_id]
    planned = len(tasks) - len(undoing)
    minutes = sum(task.estimate_minutes or 0 for task in undoing)
    if undoing:
        words = f"About {minutes} min to undo everything" if minutes else ""
        fact = f"{len(undoing)} of {planned} tasks have a task that undoes them"
        yield ["If it fails", fact, words]
    else:
        yield ["If it fails", "No task has a task that undoes it", "", "warn"]


def evidence_of(train: Train, which: str) -> Iterator[tuple[str, str, str]]:
    """The turnovers to production themselves."""
    if which == "executive":
        for turnover in handed_over(train, None).with_task_count().select_related("environment"):
            count = turnover.task_count
            words = f"Turnover {turnover.ref} to {turnover.environment.name}, {count} tasks"
            yield "rocket", words, turnover.get_absolute_url()


def authors_of(train: Train) -> Iterator[User]:
    """Who wrote them: their own work."""
    for turnover in handed_over(train, None).select_related("author"):
        if turnover.author is not None:
            yield turnover.author


def _contents(turnover: Turnover) -> list[str]:
    rows = turnover.contents.select_related("release__application")
    return sorted(f"{row.release.application.name} {row.version_name}" for row in rows)
