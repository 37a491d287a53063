"""Who may decide in place of the approvers or change who they are, and what the clock may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from approvals.rules import moved_on
from releasemgr.workflow.rules import Blocker, as_of, guard, permission

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.contrib.auth.models import Group

    from approvals.models import Condition, Rule, Signoff
    from releasemgr.accounts.models import User


# --- The clock ------------------------------------------------------------------------------------


@guard
def it_is_time_to_remind(signoff: Signoff) -> Iterator[Blocker]:
    yield from _not_before(signoff, signoff.remind_at)


@guard
def it_is_time_to_escalate(signoff: Signoff) -> Iterator[Blocker]:
    yield from _not_before(signoff, signoff.escalate_at)


@guard
def its_time_is_over(signoff: Signoff) -> Iterator[Blocker]:
    asked = signoff.state == "ready"
    yield from _not_before(signoff, signoff.lapses_at if asked else signoff.valid_until)


def _not_before(signoff: Signoff, moment: datetime | None) -> Iterator[Blocker]:
    """Another process was quicker, or the moment was moved."""
    if moment is None or moment > as_of(signoff):
        yield Blocker(f"{signoff} is not due for this", clears_at=moment)


# --- Overrides ------------------------------------------------------------------------------------


@guard
def overrides_are_allowed(signoff: Signoff) -> Iterator[Blocker]:
    if not signoff.allows_override:
        yield Blocker(
            f"{signoff} allows no override",
            needed="An approval that was defined with overrides allowed.",
            now="Those who are named decide, and their deputies.",
            action="Open the approval",
            url=signoff.get_absolute_url(),
        )


@permission("Release managers override, but never upon work of their own or what they asked for.")
def may_override(signoff: Signoff, user: User) -> bool:
    return user.has_perm("approvals.request_signoff") and user.pk not in signoff.barred_ids


def against_adding(
    signoff: Signoff, number: int, person: User | None, group: Group | None
) -> Iterator[Blocker]:
    """Why an approver cannot be added there."""
    if number < signoff.open_level or not any(
        level.number == number for level in signoff.levels.all()
    ):
        yield moved_on(signoff, f"Level {number} is complete", "Choose one that is not.")
    by = signoff._history_user
    if by is not None and (person == by or (group and group.user_set.filter(pk=by.pk).exists())):
        yield Blocker(
            "You cannot add yourself, nor a group that you are in",
            needed="Somebody else: nobody appoints oneself.",
        )
    if person is not None and person.pk in signoff.barred_ids:
        yield Blocker(f"{person} cannot decide here", needed="Somebody whose own work this is not.")


def against_removing(signoff: Signoff, rule: Rule) -> Iterator[Blocker]:
    """Why this approver cannot be removed: the level is complete, or would have nobody left."""
    if rule.level.signoff_id != signoff.pk or rule.level.number < signoff.open_level:
        yield moved_on(signoff, f"{rule} is on a level that is complete", "Nothing waits for it.")
        return
    others = rule.level.rules.exclude(pk=rule.pk)
    if not others.exists():
        yield Blocker(
            f"{rule} is the only approver of level {rule.level.number}",
            needed="Somebody on each level. Add another approver first.",
            action="Open the approval",
            url=signoff.get_absolute_url(),
        )


# --- Conditions ----------------------------------------------------------------------------------


@permission("Who asked for the condition says that it is met, or their deputy.")
def may_confirm_condition(condition: Condition, user: User) -> bool:
    if user.pk in condition.signoff.barred_ids:
        return False
    people = (user, *condition.signoff.principals_of(user))
    return condition.asked_by_id in {person.pk for person in people}


@permission("Release managers waive conditions where overrides are allowed, never of own work.")
def may_waive_condition(condition: Condition, user: User) -> bool:
    return condition.signoff.allows_override and may_override(condition.signoff, user)
