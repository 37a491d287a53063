"""What an application release needs is deployed before it."""

import pytest

from tests.factories import EnvironmentFactory, ReleaseFactory, TurnoverFactory
from trains.models import Dependency

pytestmark = pytest.mark.django_db


@pytest.fixture
def needing(db):
    """A turnover of something that needs something else."""
    release, needed = ReleaseFactory(state="executing"), ReleaseFactory(state="executing")
    Dependency.objects.create(release=release, needs=needed)
    turnover = TurnoverFactory(release=release, state="ready", environment=EnvironmentFactory())
    turnover.contents.create(release=release)
    return turnover, needed


def titles(turnover):
    return [b.title for b in turnover.step_blockers("start") if "is not in" in b.title]


def test_a_start_waits_for_what_is_needed(needing):
    turnover, needed = needing
    # A turnover without contents that was deployed there says nothing about what is needed.
    TurnoverFactory(environment=turnover.environment, state="deployed")

    assert titles(turnover) == [f"{needed} is not in {turnover.environment.name}"]


def test_what_is_deployed_there_already_is_no_obstacle(needing):
    turnover, needed = needing
    before = TurnoverFactory(release=needed, environment=turnover.environment, state="verified")
    before.contents.create(release=needed)

    assert titles(turnover) == []


def test_what_comes_along_is_no_obstacle(needing):
    turnover, needed = needing
    turnover.contents.create(release=needed)

    assert titles(turnover) == []
