"""The matching of votes to rules, against all small cases and against chance."""

import itertools
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from approvals.quorum import Seats, allot, finds_a_quorum, is_quorate


@dataclass
class Level:
    number: int
    seats: list


def a_quorum_exists(rules, voters):
    """By trying every way to give each vote to one rule, or to none."""
    choices = range(-1, len(rules))
    return bool(rules) and any(
        all(
            sum(1 for v, c in zip(voters, given, strict=True) if c == i and v in rule.eligible)
            >= rule.needed
            for i, rule in enumerate(rules)
        )
        for given in itertools.product(choices, repeat=len(voters))
    )


def check(rules, voters):
    filled = allot(rules, voters)
    seated = [person for people in filled for person in people]
    assert len(seated) == len(set(seated)), "a vote counted twice"
    for rule, people in zip(rules, filled, strict=True):
        assert len(people) <= rule.needed
        assert set(people) <= rule.eligible & set(voters)
        assert people == sorted(people, key=voters.index)
    assert is_quorate(rules, voters) == a_quorum_exists(rules, voters)


def test_every_level_of_two_rules_over_three_people():
    groups = [
        frozenset(people) for size in range(4) for people in itertools.combinations(range(3), size)
    ]
    seats = [Seats(needed, group) for needed in (1, 2) for group in groups]
    for rules in itertools.product(seats, repeat=2):
        for count in range(4):
            for voters in itertools.permutations(range(3), count):
                check(list(rules), list(voters))


RULES = st.lists(
    st.builds(
        Seats, st.integers(min_value=1, max_value=3), st.frozensets(st.integers(0, 5), max_size=6)
    ),
    max_size=4,
)


@given(RULES, st.lists(st.integers(0, 5), unique=True, max_size=6))
def test_levels_at_random(rules, voters):
    check(rules, voters)


def test_who_could_stand_for_two_rules_makes_room_for_another():
    board, security = Seats(1, frozenset({1, 2})), Seats(1, frozenset({1}))

    assert allot([board, security], [1]) == [[1], []]
    assert allot([board, security], [1, 2]) == [[2], [1]]


def test_a_vote_given_twice_counts_once():
    assert not is_quorate([Seats(2, frozenset({1, 2}))], [1, 1])


def test_a_level_without_rules_is_never_complete():
    assert not is_quorate([], [1, 2, 3])


def test_a_giant_board_is_matched_too():
    rules = [Seats(50, frozenset(range(i, 2000, 40))) for i in range(40)]

    assert is_quorate(rules, list(range(2000)))


# --- Several levels, when some have had their say already ---


def levels_can_be_completed(levels, used, votes, people):
    """By trying every place, or none, for every person: who has voted sits where they voted."""
    places = [(level.number, index) for level in levels for index in range(len(level.seats))]
    choices = []
    for person in people:
        given = [level.number for level in levels if person in votes.get(level.number, ())]
        if person in used:
            choices.append([None, *((n, i) for n, i in places if n in given)])
        else:
            choices.append([None, *places])
    seats = {(level.number, i): seat for level in levels for i, seat in enumerate(level.seats)}
    for sitting in itertools.product(*choices):
        if all(
            sum(1 for p, s in zip(people, sitting, strict=True) if s == at and p in seat.eligible)
            >= seat.needed
            for at, seat in seats.items()
        ):
            return True
    return False


def test_every_two_levels_of_one_rule_over_three_people():
    groups = [
        frozenset(people) for size in range(4) for people in itertools.combinations(range(3), size)
    ]
    seats = [Seats(needed, group) for needed in (1, 2) for group in groups]
    sides = [{}, {1: {0}}, {1: {0, 1}}, {1: {0}, 2: {1}}, {2: {2}}]
    for first, second in itertools.product(seats, repeat=2):
        levels = [Level(1, [first]), Level(2, [second])]
        for votes in sides:
            given = {person for people in votes.values() for person in people}
            for used in (given, given | {2}):
                expected = levels_can_be_completed(levels, used, votes, range(3))
                assert finds_a_quorum(levels, used, votes) == expected, (levels, used, votes)


SEATS = st.lists(
    st.builds(
        Seats, st.integers(min_value=1, max_value=2), st.frozensets(st.integers(0, 4), max_size=5)
    ),
    min_size=1,
    max_size=2,
)


@given(SEATS, SEATS, st.lists(st.sampled_from([0, 1, 2]), min_size=5, max_size=5))
def test_two_levels_at_random(below, above, said):
    """Each of five people has said nothing (0), or voted on the first or the second level."""
    levels = [Level(1, below), Level(2, above)]
    votes = {n: {person for person, at in enumerate(said) if at == n} for n in (1, 2)}
    used = votes[1] | votes[2]

    expected = levels_can_be_completed(levels, used, votes, range(5))

    assert finds_a_quorum(levels, used, votes) == expected
