"""The reminders that there are: what is due or late, what waits, and what runs wait for."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING, Any

from approvals.models import Condition, Signoff, SignoffState
from approvals.services import whose_turns
from releasemgr.accounts.models import Deputy, User
from releasemgr.notices.news.approvals import reminding, standing_in
from releasemgr.notices.news.gates import first_there, milestone_people, to_answer, to_mend
from releasemgr.notices.reminders import AHEAD, Reminder
from releasemgr.notices.services import News
from trains.gate_querysets import not_passed, red_at_gate
from trains.models import Criterion, Milestone, Train, Waiver
from trains.states import TrainState, WaiverState
from turnovers.models import ReviewAction, TaskRun, Turnover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: A turnover that has been due for so long, and has not started, is late.
LATE = dt.timedelta(minutes=15)
#: Whoever began to stand in for somebody so lately is told what waits for that person.
JUST_BEGUN = dt.timedelta(days=2)
CHUNK = 200


def milestones(now: dt.datetime) -> Iterator[Reminder]:
    """Open ones that are due soon or late, for their owner or whoever answers for the work."""
    rows: Any = Milestone.objects.under_way().filter(due__lte=(now + AHEAD).date())
    rows = rows.select_related("owner", "train__manager", "release__owner", "release__application")
    for row in rows.iterator(chunk_size=CHUNK):
        yield Reminder(
            News(
                "milestone_due",
                row,
                milestone_people(row),
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
        yield Reminder(to_answer(row), weekly=True)


def checks(now: dt.datetime) -> Iterator[Reminder]:
    """Those whose check says no, or nothing that counts, for who sees to it and the manager."""
    rows: Any = Criterion.objects.filter(red_at_gate())
    rows = rows.select_related("owner", "watch", "gate__train__manager").order_by("pk")
    for row in rows.iterator(chunk_size=CHUNK):
        yield Reminder(to_mend(row), weekly=True)


def waivers(now: dt.datetime) -> Iterator[Reminder]:
    """Granted ones whose last day is near, for who has to see to what they let pass."""
    rows: Any = Waiver.objects.filter(not_passed("criterion__gate"), state=WaiverState.GRANTED)
    rows = rows.filter(until__lte=(now + AHEAD).date()).order_by("pk")
    rows = rows.select_related("criterion__owner", "criterion__gate__train__manager", "asked_by")
    for row in rows.iterator(chunk_size=CHUNK):
        train = row.criterion.gate.train
        yield Reminder(
            News(
                "waiver_ends",
                row,
                [*first_there(row.criterion.owner, train.manager), *first_there(row.asked_by)],
                f"{row} ends",
                f"From then on it stops the {row.criterion.gate} of {train} again.",
                ref=train.ref,
                until=row.until,
            ),
            due=row.until,
        )


def consents(now: dt.datetime) -> Iterator[Reminder]:
    """Trains in Verification, for their engineers as soon as the QA criteria are settled."""
    rows: Any = Train.objects.filter(state=TrainState.VERIFICATION, consent_by=None)
    for row in rows.prefetch_related("engineers").order_by("pk"):
        yield Reminder(
            News(
                "consent_asked",
                row,
                list(row.engineers.all()),
                f"Consent to {row} going to production",
                "Its QA criteria are settled.",
                until=row.qa_end,
            ),
            weekly=True,
        )


def approvals(now: dt.datetime) -> Iterator[Reminder]:
    """Those asked for that are due soon or late, for those whose turn it is.

    Where its policy says how often to remind, the step "remind" is what is told, and no more.
    """
    due: Any = Signoff.objects.asked().filter(due__lte=now + AHEAD, remind_at=None)
    rows = list(due.with_levels().order_by("pk"))
    turns = whose_turns(rows)
    for row in rows:
        yield Reminder(reminding(row, turns[row.pk]), due=row.due.date())


def conditions(now: dt.datetime) -> Iterator[Reminder]:
    """Those of given approvals, for who asked for them and whoever stands in for that person."""
    given: Any = Condition.objects.open().filter(signoff__state=SignoffState.APPROVED)
    rows = list(given.select_related("signoff").order_by("pk"))
    standing_in = Deputy.objects.of_each(row.asked_by_id for row in rows)
    for row in rows:
        yield Reminder(
            News(
                "condition_open",
                row,
                [row.asked_by, *standing_in.get(row.asked_by_id, [])],
                f"Is your condition met? {row}",
                f"{row.signoff.title} is approved, but does not count before.",
            ),
            weekly=True,
        )


def deputies(now: dt.datetime) -> Iterator[Reminder]:
    """What waits for people as others begin to stand in for them."""
    begun = Deputy.objects.current().filter(starts__gt=now - JUST_BEGUN)
    for item in standing_in(list(begun.select_related("person", "deputy").order_by("pk"))):
        yield Reminder(item)


def actions(now: dt.datetime) -> Iterator[Reminder]:
    """What a review gave to somebody, as it becomes due."""
    rows: Any = ReviewAction.objects.open().filter(due__lte=(now + AHEAD).date())
    for row in rows.select_related("owner", "run__turnover").iterator(chunk_size=CHUNK):
        yield Reminder(
            News(
                "action_due",
                row,
                first_there(row.owner),
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
    who_may = cache(lambda perm: list(User.objects.who_may(perm)))
    for row in rows.prefetch_related("task__owner_group__user_set").defer("output"):
        yield Reminder(_ending(row, who_may) if row.is_unknown else _turn(row, who_may))


def _turn(row: TaskRun, who_may: Callable[[str], list[User]]) -> News:
    task, turnover = row.task, row.run.turnover
    if task.owner_id or task.owner_group_id:
        members = task.owner_group.user_set.all() if task.owner_group else []
        people = [*first_there(task.owner), *(one for one in members if one.is_active)]
    else:
        people = who_may("turnovers.run_turnover")
    return News(
        "task_ready",
        row,
        people,
        f"Go or no-go: {task.title}" if task.is_point else f"Your turn: {task.title}",
        f"{turnover} is deploying in {turnover.environment.name} and waits for you.",
        ref=turnover.ref,
        occasion="ready",
    )


def _ending(row: TaskRun, who_may: Callable[[str], list[User]]) -> News:
    turnover, first = row.run.turnover, row.verdict_by
    says = f"{first} says: {row.get_verdict_display()}. A second person confirms it. "
    return News(
        "ending_unknown",
        row,
        who_may("turnovers.settle_unknown"),
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
                [*first_there(row.author), *engineers],
                f"{row} has not started",
                f"Its window in {row.environment.name} is open. Its page says what stands in its "
                "way.",
                occasion=row.earliest.isoformat(),
                until=row.latest,
            )
        )


def waits() -> set[tuple[Any, ...]]:
    """What running deployments wait for now, to see whether anything is new."""
    rows: Any = TaskRun.objects.for_people().order_by()
    return set(rows.values_list("pk", "state", "verdict", "fence"))


ALL = (
    tasks,
    late_turnovers,
    deputies,
    approvals,
    conditions,
    criteria,
    checks,
    waivers,
    consents,
    milestones,
    actions,
)
