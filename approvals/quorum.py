"""Which rules of a level are met, when one person's vote counts once.

A level may ask for "2 of Change advisory board", "1 of Security" and "Bea". Ana, who is in both
groups, can stand for either, so taking votes greedily may miss a quorum that exists. Each place a
rule offers is a seat; seating the voters is a maximum bipartite matching, found by augmenting
paths (Kuhn 1955; Hopcroft and Karp 1973 give a faster bound that boards of people never need).
A person has one vote in a round, so whether a whole sheet can still be completed is one matching
over the rules of all its levels: nobody is counted upon in two places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class Seats:
    """A rule as the matching sees it: how many votes it needs, and whose count for it."""

    needed: int
    eligible: frozenset[int]


def allot(rules: list[Seats], voters: list[int]) -> list[list[int]]:
    """Give each vote to at most one rule so that as many seats as possible are taken.

    ``voters`` are person ids. Returns, for each rule, the voters seated there, in the order in
    which they voted. If a quorum exists, every rule is full.
    """
    seated: list[list[int]] = [[] for _ in rules]

    def seat(voter: int, tried: set[int]) -> bool:
        """Find ``voter`` a seat, moving others to another rule where that frees one."""
        for index, rule in enumerate(rules):
            if index in tried or voter not in rule.eligible:
                continue
            tried.add(index)
            if len(seated[index]) < rule.needed:
                seated[index].append(voter)
                return True
            for place, sitting in enumerate(seated[index]):
                if seat(sitting, tried):
                    seated[index][place] = voter
                    return True
        return False

    order = {voter: position for position, voter in enumerate(dict.fromkeys(voters))}
    for voter in order:
        seat(voter, set())
    return [sorted(people, key=order.__getitem__) for people in seated]


def is_quorate(rules: list[Seats], voters: list[int]) -> bool:
    """Whether the votes fill every rule. A level without rules never is."""
    filled = allot(rules, voters)
    return bool(rules) and all(
        len(people) == rule.needed for people, rule in zip(filled, rules, strict=True)
    )


class Seated(Protocol):
    """A level as the question below sees it."""

    number: int
    seats: list[Seats]


def finds_a_quorum(levels: Iterable[Seated], used: set[int], votes: Mapping[int, set[int]]) -> bool:
    """Whether all of these levels can still be filled, when each person has one vote in a round.

    ``votes`` are those given, by the number of the level they were given on; ``used`` are the
    people who have had their say already, and so cannot be counted upon elsewhere. All the rules
    of all the levels are one matching: who is needed above must not be spent below.
    """
    seats: list[Seats] = []
    for level in levels:
        given = votes.get(level.number, set())
        seats += [
            Seats(seat.needed, (seat.eligible - used) | (seat.eligible & given))
            for seat in level.seats
        ]
    everybody = sorted({person for seat in seats for person in seat.eligible})
    return is_quorate(seats, everybody)
