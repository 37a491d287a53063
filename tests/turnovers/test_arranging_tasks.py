"""What a move makes of a plan: what was moved is a step of its own, and groups stay whole."""

from itertools import groupby

import pytest

from turnovers.arranging import arranged
from turnovers.models import DeploymentTask


def plan(text):
    """``"a bc d"``: a, then b and c in parallel, then d."""
    return [
        DeploymentTask(pk=ord(letter), order=order, title=letter)
        for order, group in enumerate(text.split(), start=1)
        for letter in group
    ]


def shown(groups):
    return " ".join("".join(task.title for task in group) for group in groups)


@pytest.mark.parametrize(
    ("before", "wanted", "moved", "after"),
    [
        ("a b c", "bac", "b", "b a c"),
        ("a b c", "bca", "a", "b c a"),
        ("a b c", "abc", "a", "a b c"),
        ("a bc d", "bacd", "a", "bc a d"),  # going down into a group: on, past it
        ("a bc d", "abdc", "d", "a d bc"),  # going up into a group: on, past it
        ("a bc d", "acbd", "c", "a c b d"),  # within its own group: out of it
        ("a bc d", "acbd", "b", "a c b d"),
        ("abc", "acb", "c", "c ab"),
        ("abc", "acb", "b", "ac b"),
        ("a bc d", "bacd", None, "bc a d"),  # whoever does not say which one moved
        ("ab cd", "cdab", None, "cd ab"),  # more than one moved: neighbours stay together
        ("ab cd", "cadb", None, "c a d b"),
    ],
)
def test_what_a_move_makes_of_the_groups(before, wanted, moved, after):
    pks = [ord(letter) for letter in wanted]

    groups = arranged(plan(before), pks, ord(moved) if moved else None)

    assert shown(groups) == after


def test_nothing_is_lost_in_any_order():
    for wanted in ("abcd", "dcba", "bdac", "cabd"):
        groups = arranged(plan("a bc d"), [ord(letter) for letter in wanted], None)
        assert sorted(task.title for group in groups for task in group) == list("abcd")
        assert all(len(list(same)) == 1 for _, same in groupby(shown(groups).replace(" ", "")))
