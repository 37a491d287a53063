"""Of the people who might be told something, those who can still do something about it.

The same rules as the pages': what My work lists for somebody, and what the steps permit. Asked when
a notice is written and again before it is mailed, since quiet hours and digests take their time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db.models import Value

from approvals.models import Signoff
from approvals.services import whose_turn as whose_decision
from releasemgr.workflow.models import RecordedQuerySet
from trains.gate_querysets import red_at_gate
from trains.models import Criterion, Milestone
from trains.rules import may_act_on_milestone, may_decide_criterion
from turnovers.rules import may_decide_point, may_do_task, may_judge_ending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from approvals.models import Condition
    from releasemgr.accounts.models import Deputy, User

#: SQLite takes 500 parts of one question; people are asked about in groups of so many.
AT_ONCE = 100


def _among(row: Any, people: Iterable[User], rows_of: Callable[[Any, User], Any]) -> list[User]:
    """Those of the people among whose rows it is: one question for many people."""
    people = list(people)
    found: set[int] = set()
    for start in range(0, len(people), AT_ONCE):
        first, *others = [
            rows_of(type(row).objects.visible_to(person), person)
            .filter(pk=row.pk)
            .order_by()
            .annotate(reader=Value(person.pk))
            .values_list("reader", flat=True)
            for person in people[start : start + AT_ONCE]
        ]
        try:
            found.update(first.union(*others, all=True) if others else first)
        except EmptyResultSet:
            continue
    return [person for person in people if person.pk in found]


def may_see(row: Any, people: Iterable[User]) -> list[User]:
    """Those who may open its page; where a permission alone decides, nothing is asked."""
    if type(type(row).objects.all()).visible_to is not RecordedQuerySet.visible_to:
        return _among(row, people, lambda rows, person: rows)
    look = f"{row._meta.app_label}.view_{row._meta.model_name}"
    return [person for person in people if person.has_perm(look)]


def whose_turn(row: Any, people: Iterable[User]) -> list[User]:
    """Those for whom it waits, as My work says."""
    return _among(row, people, lambda rows, person: rows.waiting_for(person))


def who_decides(signoff: Signoff, people: Iterable[User]) -> list[User]:
    """Those whose decision it waits for, deputies among them; nobody whose own work it is."""
    sheet = Signoff.objects.with_levels().filter(pk=signoff.pk).first()
    turn = {person.pk for person in whose_decision(sheet)} if sheet else set()
    return may_see(signoff, [person for person in people if person.pk in turn])


def while_condition_is_open(
    may: Callable[[Any, User], bool] = lambda row, person: True,
) -> Callable[[Any, Iterable[User]], list[User]]:
    """Those who may do it, while the decision stands and nobody has confirmed the condition."""

    def still(condition: Condition, people: Iterable[User]) -> list[User]:
        if not type(condition).objects.open().filter(pk=condition.pk).exists():
            return []
        return may_see(condition, [person for person in people if may(condition, person)])

    return still


def who_stands_in(deputy: Deputy, people: Iterable[User]) -> list[User]:
    """The deputy, until the time is over."""
    if deputy.is_over or not deputy.person.is_active:
        return []
    return [person for person in people if person.pk == deputy.deputy_id]


def while_in(
    *states: str, may: Callable[[Any, User], bool] = lambda row, person: True
) -> Callable[[Any, Iterable[User]], list[User]]:
    """Those who may see it and do what is to be done, while it is in one of the states."""

    def still(row: Any, people: Iterable[User]) -> list[User]:
        if row.state not in states:
            return []
        return may_see(row, [person for person in people if may(row, person)])

    return still


def may_settle(task_run: Any, person: User) -> bool:
    """Whether they may say what became of it, or confirm what somebody else has said."""
    said_it = bool(task_run.verdict) and task_run.verdict_by_id == person.pk
    is_on = task_run.run.state == "running"
    return is_on and not said_it and may_judge_ending(task_run, person)


def who_does_task(task_run: Any, people: Iterable[User]) -> list[User]:
    """Those for whom a manual task waits; one without an owner waits for whoever may do it."""
    if task_run.state != "ready" or task_run.run.state != "running":
        return []
    if task_run.task.owner_words:
        return whose_turn(task_run, people)
    may = may_decide_point if task_run.task.is_point else may_do_task
    return may_see(task_run, [person for person in people if may(task_run, person)])


def who_acts_on_milestone(milestone: Milestone, people: Iterable[User]) -> list[User]:
    """Those who may complete it, while it is open and what it belongs to is on its way."""
    if not Milestone.objects.under_way().filter(pk=milestone.pk).exists():
        return []
    return may_see(milestone, [p for p in people if may_act_on_milestone(milestone, p)])


def who_answers_criterion(criterion: Criterion, people: Iterable[User]) -> list[User]:
    """Those who may say whether it is met, while its train stands before its gate."""
    if not Criterion.objects.to_answer().filter(pk=criterion.pk).exists():
        return []
    return may_see(criterion, [p for p in people if may_decide_criterion(criterion, p)])


def who_mends_check(criterion: Criterion, people: Iterable[User]) -> list[User]:
    """Those who may say whether it is met, while its check says no, or nothing that counts."""
    if not Criterion.objects.filter(red_at_gate(), pk=criterion.pk).exists():
        return []
    return may_see(criterion, [p for p in people if may_decide_criterion(criterion, p)])
