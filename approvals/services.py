"""Asking for approval: what the owner of a sheet calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from approvals import rules
from approvals.models import Condition, Level, Rule, Signoff
from releasemgr.accounts.models import Deputy, User
from releasemgr.workflow.edit import create, edit, remove
from releasemgr.workflow.locks import one_transaction
from releasemgr.workflow.perform import perform, record
from releasemgr.workflow.refusals import TransitionRefused

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.contrib.auth.models import Group

#: How many sheets one pass of the clock takes on; the next pass takes the others.
MOST_AT_ONCE = 200


@dataclass(frozen=True)
class LevelPlan:
    """Who is to decide on one level: each of the people, and so many of each group."""

    name: str = ""
    people: list[User] = field(default_factory=list)
    groups: list[tuple[Group, int]] = field(default_factory=list)

    @property
    def votes(self) -> list[tuple[int | None, int | None, int]]:
        """Its rules as (person, group, how many)."""
        people: list[tuple[int | None, int | None, int]] = [(p.pk, None, 1) for p in self.people]
        return people + [(None, group.pk, needed) for group, needed in self.groups]


def define(
    signoff: Signoff,
    plan: list[LevelPlan],
    *,
    by: User,
    version: int | None = None,
    **settings: Any,
) -> Signoff:
    """Give the sheet exactly these levels, in this order; what stays the same is left alone.

    ``settings`` are columns of the sheet, such as ``allows_override``.
    Raises ``TransitionRefused`` or ``Conflict`` where it is being decided upon or was changed.
    """
    with one_transaction(signoff):
        signoff = edit(signoff, by=by, version=version, allowed=rules.not_being_decided, **settings)
        levels = {level.number: level for level in signoff.levels.all()}
        for number, wanted in enumerate(plan, start=1):
            level = levels.pop(number, None)
            if level is None:
                level = create(Level(signoff=signoff, number=number, name=wanted.name), by=by)
            else:
                edit(level, by=by, name=wanted.name)
            _set_rules(level, wanted, by)
        for level in levels.values():
            remove(level, by=by)
        # Levels and rules are rows of their own, but one version of the sheet to who looks at it.
        record(signoff, by=by, reason="Approvers named")
    return signoff


def _set_rules(level: Level, wanted: LevelPlan, by: User) -> None:
    votes = wanted.votes
    for rule in level.rules.all():
        vote = (rule.person_id, rule.group_id, rule.needed)
        if vote in votes:
            votes.remove(vote)
        else:
            remove(rule, by=by)
    for person, group, needed in votes:
        create(Rule(level=level, person_id=person, group_id=group, needed=needed), by=by)


def ask(
    signoff: Signoff,
    *,
    by: User,
    question: str,
    barred: list[User],
    url: str,
    content: dict[str, Any] | None = None,
    facts: list[list[str]] | None = None,
) -> Signoff:
    """Ask the first level to decide upon ``content``; those in ``barred`` may not decide.

    Without ``content`` and ``facts``, whoever owns the sheet is asked for them.

    Raises ``TransitionRefused`` where the sheet names nobody or cannot be met.
    """
    with one_transaction(signoff):
        signoff.barred.set(barred)
        return perform(
            signoff, "request", by=by, content=content, facts=facts, question=question, url=url
        )


def keep_condition(signoff: Signoff, *, by: User, reason: str, **_: Any) -> None:
    """What an approver asks for in return is a record of its own, with steps of its own."""
    decision = next(d for d in reversed(signoff.standing) if d.person_id == by.pk)
    asked_by = decision.on_behalf_of or by
    condition = Condition(signoff=signoff, decision=decision, words=reason, asked_by=asked_by)
    create(condition, by=by)


def go_on(signoff: Signoff, *, by: User, **_: Any) -> None:
    """Whoever has decided sees what waits for them next, or the list where nothing does."""
    waiting = type(signoff).objects.waiting_for(by).exclude(pk=signoff.pk)
    following = waiting.most_urgent_first().first()
    signoff.lands_at = following.get_absolute_url() if following else reverse("approvals:inbox")


def whose_turn(signoff: Signoff) -> list[User]:
    """Whom to tell that it waits: those missing on the open level, and who stands in for them.

    Nobody whose own work it is, and nobody who has given a vote in this round.
    """
    return whose_turns([signoff])[signoff.pk]


def whose_turns(signoffs: Collection[Signoff]) -> dict[int, list[User]]:
    """The same of many sheets that were read ``with_levels``, in two queries for all of them."""
    missing = {signoff.pk: set(rules.absent_voices(signoff)) for signoff in signoffs}
    standing_in = Deputy.objects.of_each(set().union(*missing.values()))
    turns: dict[int, set[int]] = {}
    for signoff in signoffs:
        absent = missing[signoff.pk]
        deputies = {one.pk for person in absent for one in standing_in.get(person, ())}
        turns[signoff.pk] = (absent | deputies) - rules.not_to_decide(signoff)
    known = User.objects.people().filter(pk__in=set().union(*turns.values()))
    return {pk: [person for person in known if person.pk in turn] for pk, turn in turns.items()}


#: What the clock brings about: the step, the sheets that are due for it, and why.
_DUE = (
    ("expire", "to_expire", "Its time is over."),
    ("escalate", "to_escalate", "Nobody has decided for too long."),
    ("remind", "to_remind", "Its decisions are still missing."),
)


def look_after_clock() -> int:
    """Take what is due by the clock, and return how many steps that were; repeats are harmless.

    Each step looks again under the sheet's lock whether it is still due, so that any number of
    processes may do this at the same time.
    """
    taken = 0
    for name, due, reason in _DUE:
        for signoff in getattr(Signoff.objects, due)()[:MOST_AT_ONCE]:
            try:
                perform(signoff, name, by=User.objects.robot(), reason=reason)
            except TransitionRefused:
                continue
            taken += 1
    return taken
