"""What waits for a person, from every app, with one verb each."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from approvals.models import Condition, Signoff
from environments.models import Booking
from releasemgr.portal import told
from releasemgr.ui.times import local
from trains.models import ApplicationRelease, Boarding, Criterion, Milestone, Train, Waiver
from turnovers.models import FreezeException, ReviewAction, TaskRun, Turnover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from releasemgr.accounts.models import User
    from releasemgr.portal.told import Waiting

#: How many rows of one kind are shown; whoever has more opens the list of that kind.
MOST_OF_A_KIND = 30
WEEK = dt.timedelta(days=7)


@dataclass(frozen=True)
class Group:
    """Things that are due at about the same time."""

    name: str
    tone: str
    rows: list[Waiting]


def waiting_for(user: User) -> list[Waiting]:
    """Everything that waits for the person, the most urgent first; one query for each kind."""
    found = [row for rows, tell in kinds(user) for row in map(tell, rows[:MOST_OF_A_KIND])]
    return sorted(found, key=_urgency)


def grouped(rows: Iterable[Waiting]) -> list[Group]:
    """Overdue, today, this week, later, and what has no date; only those that hold something."""
    today = timezone.localdate()
    groups = {
        name: Group(name, tone, [])
        for name, tone in (
            ("Overdue", "bad"),
            ("Today", ""),
            ("This week", ""),
            ("Later", ""),
            ("Without a date", ""),
        )
    }
    for row in rows:
        groups[_group_of(row, today)].rows.append(row)
    return [group for group in groups.values() if group.rows]


def _group_of(row: Waiting, today: dt.date) -> str:
    day = row.due_day
    if day is None:
        return "Without a date"
    if row.is_overdue:
        return "Overdue"
    if day <= today:
        return "Today"
    return "This week" if day - today < WEEK else "Later"


def _urgency(row: Waiting) -> tuple[dt.date, int, str]:
    """By day, those with an hour first; what has no date comes last."""
    if isinstance(row.due, dt.datetime):
        here = local(row.due)
        return here.date(), here.hour * 60 + here.minute, row.title
    return row.due or dt.date.max, 24 * 60, row.title


def kinds(user: User) -> Iterator[tuple[Any, Callable[[Any], Waiting]]]:
    """Of each kind, the rows that wait and how one of them is told."""
    yield (
        _seen(Signoff, user).waiting_for(user).most_urgent_first().select_related("requested_by"),
        told.tell_approval,
    )
    yield (
        _seen(Condition, user).waiting_for(user).select_related("signoff"),
        told.tell_condition,
    )
    yield (
        _seen(TaskRun, user).waiting_for(user).select_related("task", "run__turnover__environment"),
        told.tell_task,
    )
    yield (
        _seen(Turnover, user).waiting_for(user).select_related("environment", "author"),
        told.tell_turnover,
    )
    yield (
        _seen(ReviewAction, user).waiting_for(user).select_related("run__turnover"),
        told.tell_action,
    )
    yield (
        _seen(Criterion, user).waiting_for(user).select_related("gate__train"),
        told.tell_criterion,
    )
    yield (
        _seen(Waiver, user).waiting_for(user).with_facts(),
        told.tell_waiver,
    )
    yield (
        _seen(FreezeException, user).waiting_for(user).with_facts(),
        told.tell_exception,
    )
    yield (
        _seen(Milestone, user).waiting_for(user).select_related("train", "release__application"),
        told.tell_milestone,
    )
    yield (
        _seen(Boarding, user)
        .waiting_for(user)
        .select_related("train", "release__application", "requested_by"),
        told.tell_place,
    )
    yield (
        _seen(ApplicationRelease, user).waiting_for(user).select_related("application"),
        told.tell_release,
    )
    yield (
        _seen(Booking, user)
        .waiting_for(user)
        .by_time()
        .select_related("environment", "requested_by"),
        told.tell_booking,
    )
    yield (
        _seen(Train, user)
        .waiting_for(user)
        .select_related("train_signoff", "development_signoff", "executive_signoff"),
        told.tell_train,
    )


def _seen(model: Any, user: User) -> Any:
    return model.objects.visible_to(user)
