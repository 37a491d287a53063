"""Taking versions of a plan: at each request, at each decision, at each gate, and by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Max

from approvals.content import digest
from approvals.models import Signoff
from releasemgr.workflow.edit import edit
from releasemgr.workflow.locks import one_transaction
from releasemgr.workflow.models import step_taken
from trains import rules
from trains.models import PlanContent, PlanVersion, Train
from trains.plan.comparison import compare, slip_of
from trains.plan.facts import plan_of

if TYPE_CHECKING:
    from releasemgr.accounts.models import User

#: The steps of a train that end a stage, and what is then said.
GATES = {
    "start_construction": "Scoping gate passed",
    "start_verification": "Construction gate passed",
    "start_deployment": "QA gate passed",
    "close": "Train closed",
}
#: What is said of a step of an approval.
SHEETS = {
    "request": "asked for",
    "approve": "approved by one more",
    "approve_if": "approved by one more, with a condition",
    "override": "approved for somebody absent",
    "reject": "rejected",
    "postpone": "postponed",
    "recall": "without a decision that was taken back",
    "add_approver": "with one more approver",
    "remove_approver": "without an approver",
    "expire": "expired",
}
#: Steps that decide nothing, and ask for nothing new: their reasons stand in the history.
UNTOLD = frozenset({"void", "remind", "escalate"})
BY_HAND = "Kept by hand"


def connect() -> None:
    """Take versions by themselves; called before the receivers that let an approval act."""
    step_taken.connect(after_gate, sender=Train, dispatch_uid="trains.version_at_gate")
    step_taken.connect(after_sheet, sender=Signoff, dispatch_uid="trains.version_at_sheet")


def after_gate(sender: Any, row: Train, name: str, by: User, reason: str, **_: Any) -> None:
    if name in GATES:
        take(row, GATES[name], by=by, reason=reason)


def after_sheet(sender: Any, row: Signoff, name: str, by: User, reason: str, **_: Any) -> None:
    owned = None if name in UNTOLD else Train.objects.of_sheet(row)
    if owned is not None:
        train, which = owned
        said = SHEETS[name]
        if row.state == Signoff.State.APPROVED:
            said = "complete"
        take(train, f"{which.capitalize()} approval {said}", by=by, reason=reason)


def keep(train: Train, *, by: User, reason: str, version: int | None = None) -> PlanVersion:
    """Take a version by hand, for instance before everything is planned anew.

    Raises ``TransitionRefused`` where the train is over, ``Conflict`` where it is not as seen.
    """
    with one_transaction(train):
        edit(train, by=by, version=version, allowed=rules.train_is_open)
        return take(train, BY_HAND, by=by, reason=reason)


def take(train: Train, occasion: str, *, by: User, reason: str = "") -> PlanVersion:
    """Keep what the plan of the train says now, as its next version.

    What it says is stored once: a version that says the same as another shares it.
    """
    with one_transaction(train):
        # The sheets, if any, are locked already: as everywhere, before the train.
        train = Train.objects.select_for_update(no_key=True, of=("self",)).get(pk=train.pk)
        facts = plan_of(train)
        content, _ = PlanContent.objects.get_or_create(
            train=train, digest=digest(facts), defaults={"facts": facts}
        )
        versions = PlanVersion.objects.filter(train=train)
        before = versions.select_related("content").order_by("-number").first()
        changes = compare(before.content.facts, facts) if before else []
        return PlanVersion.objects.create(
            train=train,
            number=(versions.aggregate(last=Max("number"))["last"] or 0) + 1,
            content=content,
            occasion=occasion,
            state=train.state,
            by=by,
            by_name=str(by),
            reason=reason,
            changes=len(changes) if before else None,
            slip=slip_of(changes),
        )
