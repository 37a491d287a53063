"""Two people who close a cycle at the same moment, each with half of it."""

import threading

import pytest
from django.db import connection

from releasemgr.workflow.refusals import TransitionRefused
from tests.factories import ReleaseFactory, UserFactory
from trains.dependencies import add_dependency
from trains.models import Dependency


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_needs_that_make_a_cycle_together_one_is_refused():
    owner = UserFactory(username="kofi")
    one, other = ReleaseFactory(owner=owner), ReleaseFactory(owner=owner)
    together = threading.Barrier(2)
    outcomes = []

    def add(release, needs):
        together.wait()
        try:
            add_dependency(release, needs, by=owner)
            outcomes.append("added")
        except TransitionRefused as refusal:
            outcomes.append("cycle" if "It would be a cycle" in str(refusal) else str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=add, args=pair) for pair in ((one, other), (other, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["added", "cycle"]
    assert Dependency.objects.count() == 1
