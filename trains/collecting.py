"""Many criteria at once: copied from the library, saved to it, changed together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from releasemgr.workflow.edit import create, edit, remove
from releasemgr.workflow.locks import lock, one_transaction
from releasemgr.workflow.refusals import Conflict, TransitionRefused
from releasemgr.workflow.rules import Blocker
from trains import rounds, rules
from trains.models import Criterion, LibraryCriterion
from trains.outline import CHECK_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from releasemgr.accounts.models import User
    from trains.models import Gate, Train

#: What a criterion and its copy in the library have in common.
SHARED = ("title", "description", *CHECK_FIELDS)


@dataclass
class Change:
    """What becomes of one criterion: other values, or its end. ``version`` is what was seen."""

    criterion: Criterion
    version: int
    values: dict[str, Any] = field(default_factory=dict)
    is_removed: bool = False


def copy_from_library(gate: Gate, chosen: Iterable[LibraryCriterion], *, by: User) -> int:
    """Add copies to a gate, but for titles that it has already; return how many were added.

    Raises ``TransitionRefused`` where the gate is not ahead any more.
    """
    added = 0
    with one_transaction(gate.train):
        gate.train = lock(gate.train)
        if found := list(rules.gate_is_ahead.check(Criterion(gate=gate))):
            raise TransitionRefused(*found)
        there = set(gate.criteria.values_list("title", flat=True))
        for source in chosen:
            if source.title in there:
                continue
            values = {name: getattr(source, name) for name in SHARED}
            criterion = create(
                Criterion(gate=gate, **values), by=by, reason="From the library of criteria"
            )
            if criterion.is_automatic:
                rounds.begin_anew(criterion, by=by)
            there.add(source.title)
            added += 1
    return added


def save_to_library(criterion: Criterion, *, by: User) -> LibraryCriterion:
    """Keep a criterion as one to copy; one of the same title and gate takes over what it says."""
    values = {name: getattr(criterion, name) for name in SHARED}
    stage = criterion.gate.stage
    with one_transaction(criterion):
        there = LibraryCriterion.objects.offered().filter(title=criterion.title, stage=stage)
        found: LibraryCriterion | None = there.first()
        reason = f"From {criterion.gate.train}"
        if found is None:
            return create(LibraryCriterion(stage=stage, **values), by=by, reason=reason)
        return edit(found, by=by, reason=reason, **values)


def change_together(train: Train, changes: Sequence[Change], *, by: User) -> int:
    """Make all changes, or none where one of them cannot be made; return how many there were.

    Raises ``TransitionRefused`` with a blocker for each criterion that stands in the way: its gate
    is passed, or somebody else has changed it since it was seen.
    """
    blockers: list[Blocker] = []
    changed = 0
    with one_transaction(train):
        lock(train)
        for change in changes:
            try:
                changed += _make(change, by)
            except Conflict:
                blockers.append(
                    Blocker(
                        f"Somebody else has just changed “{change.criterion}”",
                        needed="The version you saw.",
                        now="Look at it, then save again. What you typed is kept.",
                        action="Open it",
                        url=change.criterion.get_absolute_url(),
                    )
                )
            except TransitionRefused as refused:
                blockers += refused.blockers
        if blockers:
            raise TransitionRefused(*blockers)
    return changed


def _make(change: Change, by: User) -> bool:
    criterion = change.criterion
    if change.is_removed:
        seen = edit(criterion, by=by, version=change.version)
        remove(seen, by=by, allowed=rules.gate_is_ahead.check)
        return True
    row = edit(
        criterion,
        by=by,
        version=change.version,
        allowed=rules.gate_is_ahead.check,
        **change.values,
    )
    return row.version != change.version
