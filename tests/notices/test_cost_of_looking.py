"""What a look at the clock asks of the database: the same however much is open."""

import datetime as dt

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from releasemgr.notices import reminders, sources
from tests.factories import (
    ConditionFactory,
    DeputyFactory,
    LevelFactory,
    RuleFactory,
    SignoffFactory,
    TaskRunFactory,
    TrainFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def asked_of(person):
    """An approval that waits for the person and is due."""
    sheet = SignoffFactory(
        state="ready", round=1, open_level=1, due=timezone.now() + dt.timedelta(hours=1)
    )
    RuleFactory(level=LevelFactory(signoff=sheet), person=person)
    return sheet


def something_of_everything():
    """One thing more that each source has to say something about."""
    deputy = DeputyFactory()
    asked_of(deputy.person)
    ConditionFactory(
        decision__signoff__state="approved",
        decision__signoff__round=1,
        decision__round=1,
        asked_by=deputy.person,
    )
    board = Group.objects.create(name=f"Board {deputy.pk}")
    board.user_set.add(deputy.person)
    TaskRunFactory(task__owner_group=board)
    TaskRunFactory()
    TaskRunFactory(state="unknown")
    train = TrainFactory(state="verification")
    train.engineers.add(UserFactory(role="Release engineer"))


@pytest.mark.parametrize("source", sources.ALL)
def test_a_source_asks_as_much_for_three_as_for_one(source):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            said = list(source(timezone.now()))
        return len(queries), len(said)

    something_of_everything()
    of_one, said_once = asked()
    for _ in range(2):
        something_of_everything()

    of_three, said = asked()
    assert of_three == of_one
    assert said == 3 * said_once


def test_a_look_after_everything_was_told_asks_as_much_for_three_as_for_one():
    def asked():
        reminders.look()
        with CaptureQueriesContext(connection) as queries:
            reminders.look()
        return len(queries)

    something_of_everything()
    of_one = asked()
    for _ in range(2):
        something_of_everything()

    assert asked() == of_one


def test_a_deputy_is_told_of_what_waits_for_the_person_and_of_nothing_they_have_decided():
    deputy = DeputyFactory()
    waits, other = asked_of(deputy.person), asked_of(UserFactory(role="Approver"))
    of_both = asked_of(deputy.person)
    of_both.barred.add(deputy.deputy)

    told = [reminder.news for reminder in sources.deputies(timezone.now())]

    assert [(news.row, news.people) for news in told] == [(waits, [deputy.deputy])]
    assert other not in [news.row for news in told]
