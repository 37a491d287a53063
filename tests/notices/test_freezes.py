"""Who is told that a freeze covers work of theirs."""

import datetime as dt

import pytest
from django.utils import timezone

from releasemgr.notices.models import Notice
from releasemgr.notices.telling import spread
from releasemgr.workflow.perform import perform
from tests.factories import (
    BoardingFactory,
    EnvironmentFactory,
    FreezeFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
)
from trains import freezes

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def manager():
    return UserFactory(role="Release manager")


@pytest.fixture
def author():
    """Whose turnover deploys in the frozen environment."""
    return UserFactory(username="author", role="Developer")


@pytest.fixture
def place(author):
    place = EnvironmentFactory(owner=None)
    TurnoverFactory(environment=place, author=author, state="ready")
    TurnoverFactory(author=UserFactory(username="elsewhere", role="Developer"), state="ready")
    return place


def told(event="freeze_declared"):
    """The titles of what was told, with who was told."""
    spread()
    rows = Notice.objects.filter(event=event).order_by("pk")
    return [(row.title, row.person.username) for row in rows.select_related("person")]


def declare(place, manager, **more):
    now = timezone.now()
    times = {"begins": now - HOUR, "ends": now + HOUR}
    freeze = FreezeFactory.build(name="Year end", scope="environment", environment=place)
    for name, value in (times | more).items():
        setattr(freeze, name, value)
    return freezes.declare(freeze, by=manager)


def change(freeze, manager, **changes):
    return freezes.change(freeze, by=manager, version=None, reason="As agreed", **changes)


def test_a_new_freeze_is_told_to_those_whose_work_waits_for_it(place, manager):
    declare(place, manager)

    assert told() == [("Freeze: Year end", "author")]


def test_other_times_or_another_place_are_told_and_another_name_is_not(place, manager, author):
    freeze = declare(place, manager)
    told()

    freeze = change(freeze, manager, ends=freeze.ends + HOUR)
    assert told()[1:] == [("Changed: the freeze Year end", "author")]

    change(freeze, manager, scope="all", environment=None)
    assert {who for _, who in told()[2:]} == {"author", "elsewhere"}

    count = len(told())
    change(freeze, manager, values={"name": "Books", "reason": "They are closed."})
    assert len(told()) == count


def test_one_that_is_lifted_is_told_to_them_too(place, manager):
    freeze = declare(place, manager)

    perform(freeze, "lift", by=manager, reason="Done early")

    assert told("freeze_lifted") == [("No longer frozen: Year end", "author")]


def test_one_of_scope_is_told_to_the_owners_of_what_the_train_carries(manager):
    train = TrainFactory(manager=UserFactory(username="steers", role="Developer"))
    BoardingFactory(
        train=train, state="aboard", release__owner=UserFactory(username="owns", role="Developer")
    )
    BoardingFactory(
        train=train, state="left", release__owner=UserFactory(username="left", role="Developer")
    )

    freeze = FreezeFactory.build(name="Content", scope="train", train=train, stops="scope")
    freezes.declare(freeze, by=manager)

    assert {who for _, who in told()} == {"steers", "owns"}
