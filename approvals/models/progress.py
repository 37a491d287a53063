"""How far a sheet is: votes allotted to rules, level by level."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from approvals.quorum import Seats, allot

if TYPE_CHECKING:
    from approvals.models.decisions import Decision
    from approvals.models.levels import Level, Rule
    from approvals.models.signoffs import Signoff


@dataclass(frozen=True)
class RuleProgress:
    """A rule with the decisions that fill it."""

    rule: Rule
    decisions: list[Decision]

    @property
    def missing(self) -> int:
        return self.rule.needed - len(self.decisions)


class LevelProgress:
    """How far one level is, from what is prefetched; asks the database nothing more."""

    def __init__(
        self, signoff: Signoff, level: Level, decisions: list[Decision], barred: set[int]
    ) -> None:
        self.signoff = signoff
        self.level = level
        self.number = level.number
        self.decisions = decisions
        self.rules = list(level.rules.all())
        extra: set[int] = {level.stand_in_id} if level.stand_in_id is not None else set()
        self.seats = [
            Seats(rule.needed, frozenset(({p.pk for p in rule.people} | extra) - barred))
            for rule in self.rules
        ]

    @cached_property
    def by_rule(self) -> list[RuleProgress]:
        """Each rule with the votes allotted to it."""
        given = {d.voice_id: d for d in self.decisions if d.is_vote}
        filled = allot(self.seats, list(given))
        return [
            RuleProgress(rule, [given[person] for person in people])
            for rule, people in zip(self.rules, filled, strict=True)
        ]

    @property
    def is_complete(self) -> bool:
        return bool(self.rules) and all(rule.missing == 0 for rule in self.by_rule)

    @property
    def is_open(self) -> bool:
        return bool(self.signoff.is_asked and self.signoff.open_level == self.number)

    @property
    def eligible(self) -> frozenset[int]:
        """Whose vote counts for at least one of its rules."""
        return frozenset(person for seat in self.seats for person in seat.eligible)
