"""The reminders that there are: milestones, criteria, approvals, actions, and waiting runs."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from approvals.models import Signoff
from releasemgr.accounts.models import User
from releasemgr.notices.reminders import AHEAD, Reminder
from releasemgr.notices.services import News
from trains.models import Criterion, Milestone
from turnovers.models import ReviewAction, TaskRun, Turnover

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A turnover that has been due for so long, and has not started, is late.
LATE = dt.timedelta(minutes=15)
CHUNK = 200


def milestones(now: dt.datetime) -> Iterator[Reminder]:
    """Open ones that are due soon or late, for their owner or whoever answers for the work."""
    rows: Any = Milestone.objects.under_way().filter(due__lte=(now + AHEAD).date())
    rows = rows.select_related("owner", "train__manager", "release__owner", "release__application")
    for row in rows.iterator(chunk_size=CHUNK):
        answers = row.train.manager if row.train else row.release.owner
        yield Reminder(
            News(
                "milestone_due",
                row,
                _active(row.owner, answers),
                f"Reach the milestone “{row}”",
                f"It belongs to {row.holder}.",
                ref=row.holder.ref,
                until=row.due,
            ),
            due=row.due,
        )


def criteria(now: dt.datetime) -> Iterator[Reminder]:
    """Those to answer now, for their owner or the train's release manager."""
    rows: Any = Criterion.objects.to_answer().select_related("owner", "gate__train__manager")
    for row in rows.iterator(chunk_size=CHUNK):
        train = row.gate.train
        yield Reminder(
            News(
                "criterion_open",
                row,
                _active(row.owner, train.manager),
                f"Is it met? {row}",
                f"{train} stands before its {row.gate}.",
                ref=train.ref,
                until=row.due,
            ),
            weekly=True,
        )


def approvals(now: dt.datetime) -> Iterator[Reminder]:
    """Those asked for that are due soon or late, for those whose turn it is."""
    rows: Any = Signoff.objects.asked().filter(due__lte=now + AHEAD)
    for row in rows.with_levels().order_by("pk"):
        yield Reminder(
            News(
                "approval_due",
                row,
                on_open_level(row),
                row.question or row.title,
                f"{row.title} waits for your decision.",
                until=row.due,
            ),
            due=row.due.date(),
        )


def actions(now: dt.datetime) -> Iterator[Reminder]:
    """What a review gave to somebody, as it becomes due."""
    rows: Any = ReviewAction.objects.open().filter(due__lte=(now + AHEAD).date())
    for row in rows.select_related("owner", "run__turnover").iterator(chunk_size=CHUNK):
        yield Reminder(
            News(
                "action_due",
                row,
                _active(row.owner),
                row.words,
                f"From the review of run {row.run.number} of {row.run.turnover}.",
                ref=row.run.turnover.ref,
                until=row.due,
            ),
            due=row.due,
        )


def tasks(now: dt.datetime) -> Iterator[Reminder]:
    """Steps of running deployments that wait for people."""
    rows: Any = TaskRun.objects.for_people().select_related(
        "run__turnover__environment", "task__owner", "task__owner_group", "verdict_by"
    )
    for row in rows.defer("output"):
        yield Reminder(_ending(row) if row.is_unknown else _turn(row))


def _turn(row: TaskRun) -> News:
    task, turnover = row.task, row.run.turnover
    if task.owner_id or task.owner_group_id:
        members = task.owner_group.user_set.filter(is_active=True) if task.owner_group else []
        people = [*_active(task.owner), *members]
    else:
        people = list(User.objects.who_may("turnovers.run_turnover"))
    return News(
        "task_ready",
        row,
        people,
        f"Go or no-go: {task.title}" if task.is_point else f"Your turn: {task.title}",
        f"{turnover} is deploying in {turnover.environment.name} and waits for you.",
        ref=turnover.ref,
        occasion="ready",
    )


def _ending(row: TaskRun) -> News:
    turnover, first = row.run.turnover, row.verdict_by
    says = f"{first} says: {row.get_verdict_display()}. A second person confirms it. "
    return News(
        "ending_unknown",
        row,
        list(User.objects.who_may("turnovers.settle_unknown")),
        f"Confirm what became of {row.task.title}" if first else f"Did it happen? {row.task.title}",
        f"{says if first else ''}{turnover} stands still in {turnover.environment.name} until two "
        f"people say what became of it. {row.detail}",
        ref=turnover.ref,
        occasion=f"{row.fence}:{row.verdict}",
    )


def late_turnovers(now: dt.datetime) -> Iterator[Reminder]:
    """Accepted ones that should have started a while ago."""
    rows: Any = Turnover.objects.due().filter(earliest__lte=now - LATE)
    engineers: list[User] | None = None
    for row in rows.select_related("author", "environment").order_by("pk"):
        if engineers is None:
            engineers = list(User.objects.who_may("turnovers.run_turnover"))
        yield Reminder(
            News(
                "turnover_late",
                row,
                [*_active(row.author), *engineers],
                f"{row} has not started",
                f"Its window in {row.environment.name} is open. Its page says what stands in its "
                "way.",
                occasion=row.earliest.isoformat(),
                until=row.latest,
            )
        )


def on_open_level(signoff: Signoff) -> list[User]:
    """Everybody whom a rule of the open level names, alone or as one of a group."""
    named = [
        person
        for level in signoff.levels.all()
        if level.number == signoff.open_level
        for rule in level.rules.all()
        for person in rule.people
    ]
    return list({person.pk: person for person in [*named, *_stand_ins(signoff)]}.values())


#: Each answers, of a sheet, who else may decide, such as the deputies of those who are away.
stand_ins: list[Any] = []


def _stand_ins(signoff: Signoff) -> list[User]:
    return [person for ask in stand_ins for person in ask(signoff)]


def _active(*people: User | None) -> list[User]:
    """The first of them who is there: the next answers where the first is gone."""
    return next(([p] for p in people if p is not None and p.is_active), [])


def waits() -> set[tuple[Any, ...]]:
    """What running deployments wait for now, to see whether anything is new."""
    rows: Any = TaskRun.objects.for_people().order_by()
    return set(rows.values_list("pk", "state", "verdict", "fence"))


ALL = (tasks, late_turnovers, approvals, criteria, milestones, actions)
