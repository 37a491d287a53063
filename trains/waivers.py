"""What happens around waivers: they are asked for, let their criterion pass, and end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.formats import date_format

from releasemgr.accounts.models import User
from releasemgr.workflow.edit import create
from releasemgr.workflow.locks import lock, one_transaction
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from trains import rounds, rules
from trains.models import Criterion, Waiver
from trains.states import CriterionState, WaiverState

if TYPE_CHECKING:
    from trains.models import Train

#: So many are let run out with one pass of the scheduler.
MOST_AT_ONCE = 100
#: So many are told one by one to approvers; more are counted.
MOST_TOLD = 10
MOST_WORDS = 300


def ask_waiver(waiver: Waiver, *, by: User) -> Waiver:
    """Ask that a criterion be let pass. Raises ``TransitionRefused`` where that cannot be."""
    with one_transaction(waiver.criterion):
        criterion = lock(waiver.criterion)
        if found := list(rules.a_waiver_can_be_asked(criterion)):
            raise TransitionRefused(*found)
        waiver.criterion, waiver.asked_by = criterion, by
        return create(waiver, by=by, reason=waiver.reason)


def let_pass(waiver: Waiver, *, by: User, **_: Any) -> None:
    """The criterion of a granted waiver is waived by whoever granted it."""
    perform(waiver.criterion, "waive", by=by, reason=waiver.reason, until=waiver.until)


def ask_for_it_again(waiver: Waiver, *, by: User, reason: str, **_: Any) -> None:
    """The criterion of a waiver that has ended is open again, if its gate is not passed."""
    criterion = Criterion.objects.select_related("gate__train").get(pk=waiver.criterion_id)
    if criterion.state == CriterionState.WAIVED and not criterion.gate.is_passed:
        words = f"Its waiver is {waiver.status.label.lower()}. {reason}".strip()
        perform(criterion, "lapse", by=User.objects.robot(), reason=words)
        rounds.ask(criterion)


def end_waiver(criterion: Criterion, *, by: User, reason: str, **_: Any) -> None:
    """Who opens a waived criterion again takes its waiver back."""
    for waiver in criterion.waivers.filter(state=WaiverState.GRANTED):
        perform(waiver, "revoke", by=by, reason=reason)


def let_run_out() -> None:
    """End the waivers whose last day has passed, as the scheduler does with every pass."""
    robot = User.objects.robot()
    for waiver in Waiver.objects.run_out()[:MOST_AT_ONCE]:
        day = date_format(waiver.until, "j F Y")
        perform(waiver, "expire", by=robot, reason=f"Its last day was {day}.")


def told_to_approvers(train: Train) -> list[list[str]]:
    """The granted waivers of a train as facts of a decision page: label, what, and why by whom."""
    granted = Waiver.objects.filter(criterion__gate__train=train, state=WaiverState.GRANTED)
    rows = list(
        granted.select_related("criterion__gate", "asked_by", "decided_by").order_by("pk")[
            : MOST_TOLD + 1
        ]
    )
    told = [
        ["Waived", f"{row.criterion.title} ({row.criterion.gate})"[:MOST_WORDS], _why(row)]
        for row in rows[:MOST_TOLD]
    ]
    if len(rows) > MOST_TOLD:
        told.append(["Waived", "And more", "The Gates tab of the train lists them all."])
    return told


def _why(row: Waiver) -> str:
    day = date_format(row.until, "j F Y")
    who = f"Asked for by {row.asked_by}, granted by {row.decided_by}, until {day}."
    return f"{row.reason[:MOST_WORDS]} Scope: {row.scope[:MOST_WORDS]} {who}"
