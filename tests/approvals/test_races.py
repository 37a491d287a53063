"""Two decisions at the same instant, on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client

from approvals.models import Decision, Signoff
from approvals.services import ask
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.factories import LevelFactory, RuleFactory, SignoffFactory, UserFactory

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("as_installed"),
]


@pytest.fixture
def people():
    board = Group.objects.create(name="Change advisory board")
    found = [UserFactory(role="Approver") for _ in range(3)]
    for person in found:
        person.groups.add(board)
    return found


def sheet(*needed):
    """A sheet whose levels each need so many of the board."""
    signoff = SignoffFactory()
    for number, count in enumerate(needed, start=1):
        level = LevelFactory(signoff=signoff, number=number)
        board = Group.objects.get(name="Change advisory board")
        RuleFactory(level=level, person=None, group=board, needed=count)
    return ask(
        signoff,
        by=UserFactory(role="Release manager"),
        question="Go?",
        content={"Train": "Larch"},
        facts=[],
        barred=[],
        url="/",
    )


def at_once(*deeds):
    barrier = Barrier(len(deeds))

    def run(deed):
        try:
            barrier.wait()
            return deed()
        except (TransitionRefused, PermissionDenied) as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


def test_two_of_a_board_vote_at_once_and_both_count(people):
    signoff = sheet(2)

    at_once(*(lambda user=user: perform(signoff, "approve", by=user) for user in people[:2]))

    signoff = Signoff.objects.get()
    assert signoff.state == "approved"
    assert Decision.objects.count() == 2
    assert signoff.history.filter(transition="approve").count() == 2


def test_one_vote_is_enough_and_two_come(people):
    signoff = sheet(1, 1)

    results = at_once(
        *(lambda user=user: perform(signoff, "approve", by=user) for user in people[:2])
    )

    assert sum(isinstance(result, TransitionRefused) for result in results) in {0, 1}
    signoff = Signoff.objects.get()
    decisions = list(Decision.objects.values_list("level_number", flat=True))
    # The second vote either came too late, or was given on the level that had just opened.
    assert decisions in ([1], [1, 2])
    assert signoff.open_level == (2 if len(decisions) == 1 else 0)


def test_a_person_who_clicks_twice_votes_once(people):
    signoff = sheet(2)

    results = at_once(*(lambda: perform(signoff, "approve", by=people[0]) for _ in range(4)))

    assert sum(isinstance(result, TransitionRefused) for result in results) == 3
    assert Decision.objects.count() == 1


def test_approving_against_rejecting_in_two_browsers(people):
    signoff = sheet(1)

    def clicks(user, verdict):
        client = Client()
        client.force_login(user)
        form = {"version": signoff.version, "seal": signoff.seal, "reason": "Because"}
        return client.post(f"/approvals/{signoff.pk}/steps/{verdict}/", form).status_code

    codes = at_once(
        lambda: clicks(people[0], "approve"),
        lambda: clicks(people[1], "reject"),
    )

    assert sorted(codes) == [303, 409]
    assert Decision.objects.count() == 1
