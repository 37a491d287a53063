"""What one person has to decide about one train, all of it on one page with one comment.

Each thing is decided by its own step, in a transaction of its own, exactly as on its own page: what
is refused is told apart, with why, and stops none of the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q

from approvals.models import Signoff
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from releasemgr.workflow.rules import Blocker
from trains.models import Boarding, Criterion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from releasemgr.accounts.models import User
    from trains.models import Train

MOST_OF_A_KIND = 50
YES, NO = "yes", "no"
#: Which steps say yes and no to a thing of each kind.
STEPS = {
    "signoff": {YES: "approve", NO: "reject"},
    "criterion": {YES: "meet", NO: "reject"},
    "boarding": {YES: "accept", NO: "reject"},
}


@dataclass(frozen=True)
class Choice:
    """One thing to decide: what, what yes and no mean, and what of it the person has seen."""

    row: Any
    kind: str
    title: str
    meta: str
    verbs: tuple[str, str]
    seen: str
    alone: bool = False

    @property
    def key(self) -> str:
        return f"{self.kind}-{self.row.pk}"


@dataclass
class Outcome:
    """What became of those that were chosen."""

    done: list[Choice] = field(default_factory=list)
    refused: list[tuple[Choice, list[Blocker]]] = field(default_factory=list)


def choices(train: Train, user: User) -> list[Choice]:
    """What the person decides about the train now; one query for each kind."""
    return [*_sheets(train, user), *_criteria(train, user), *_places(train, user)]


def _sheets(train: Train, user: User) -> Iterator[Choice]:
    own = [sheet.pk for _, sheet in train.signoffs if sheet is not None]
    waiting: Any = Signoff.objects.visible_to(user).waiting_for(user).most_urgent_first()
    found = waiting.filter(Q(pk__in=own) | Q(url=train.get_absolute_url()))
    for sheet in found.select_related("requested_by")[:MOST_OF_A_KIND]:
        asked = f"{sheet.title}, asked by {sheet.requested_by}."
        alone = " It asks for your password: decide it on its own page."
        yield Choice(
            row=sheet,
            kind="signoff",
            title=sheet.question or sheet.title,
            meta=asked + (alone if sheet.asks_password else ""),
            verbs=("Approve", "Reject"),
            seen=sheet.seal,
            alone=sheet.asks_password,
        )


def _criteria(train: Train, user: User) -> Iterator[Choice]:
    waiting: Any = Criterion.objects.visible_to(user).waiting_for(user)
    rows = waiting.filter(gate__train=train).select_related("gate__train")
    for criterion in rows[:MOST_OF_A_KIND]:
        yield Choice(
            row=criterion,
            kind="criterion",
            title=f"Is it met? {criterion}",
            meta=f"{criterion.gate.get_stage_display()} gate.",
            verbs=("Met", "Rejected"),
            seen=str(criterion.version),
        )


def _places(train: Train, user: User) -> Iterator[Choice]:
    waiting: Any = Boarding.objects.visible_to(user).waiting_for(user)
    rows = waiting.filter(train=train).select_related(
        "train", "release__application", "requested_by"
    )
    for place in rows[:MOST_OF_A_KIND]:
        yield Choice(
            row=place,
            kind="boarding",
            title=f"Give {place.release} a place",
            meta=f"{place.requested_by or 'Somebody'} asks for it.",
            verbs=("Accept", "Reject"),
            seen=str(place.version),
        )


def decide(
    chosen: Iterable[Choice], verdict: str, *, seen: Mapping[str, str], reason: str, by: User
) -> Outcome:
    """Say yes or no to each of the chosen, as it was ``seen`` by key: the seal or the version."""
    outcome = Outcome()
    for choice in chosen:
        try:
            perform(
                choice.row,
                STEPS[choice.kind][verdict],
                by=by,
                reason=reason,
                **_as_seen(choice, seen.get(choice.key, "")),
            )
        except TransitionRefused as refused:
            outcome.refused.append((choice, refused.blockers))
        except PermissionDenied as denied:
            outcome.refused.append((choice, [Blocker(str(denied))]))
        else:
            outcome.done.append(choice)
    return outcome


def _as_seen(choice: Choice, seen: str) -> dict[str, Any]:
    """What binds the decision to what was on the screen; nothing seen fits nothing."""
    if choice.kind == "signoff":
        return {"seal": seen or "none"}
    version = int(seen) if seen.isdecimal() and len(seen) < 10 else 0  # noqa: PLR2004 -- of digits
    return {"version": version}
