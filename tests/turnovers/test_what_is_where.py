"""The train's page says which version of its application releases is in which environment."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from releasemgr.accounts.roles import RELEASE_ENGINEER
from tests.factories import (
    BoardingFactory,
    EnvironmentFactory,
    ReleaseFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
)
from trains.panels import what_is_where

pytestmark = pytest.mark.django_db


@pytest.fixture
def release():
    return ReleaseFactory(version_name="2.0")


def brought(release, environment, *, state="deployed", hours_ago=1):
    turnover = TurnoverFactory(
        release=release,
        environment=environment,
        state=state,
        deployed_at=timezone.now() - dt.timedelta(hours=hours_ago),
    )
    turnover.contents.create(release=release, version_name=release.version_name)
    return turnover


def test_a_version_stands_in_the_environment_to_which_it_was_brought_last(release):
    test, stage = EnvironmentFactory(position=1), EnvironmentFactory(position=2)
    older = ReleaseFactory(application=release.application, version_name="1.0")
    brought(older, stage, hours_ago=9)
    brought(older, test, hours_ago=9)
    last = brought(release, test, state="verified")

    environments, places = what_is_where([release], [])

    assert environments == [test, stage]
    here, there = places[release.pk]
    assert (here.version, here.status) == ("2.0", last.status)
    assert (there.version, there.status) == ("1.0", None)


@pytest.mark.parametrize("state", ["draft", "deploying", "failed", "cancelled"])
def test_what_was_not_deployed_is_nowhere(release, state):
    brought(release, EnvironmentFactory(), state=state)
    assert what_is_where([release], []) == ([], {release.pk: []})


def test_a_reserved_environment_has_a_column_though_nothing_is_in_it(release):
    reserved = EnvironmentFactory()
    assert what_is_where([release], [reserved]) == ([reserved], {release.pk: [None]})


def test_the_train_shows_it_with_the_same_number_of_queries_for_more(client):
    client.force_login(UserFactory(role=RELEASE_ENGINEER))
    train = TrainFactory(state="verification")

    def aboard():
        release = BoardingFactory(train=train, state="aboard").release
        brought(release, EnvironmentFactory())
        return release

    def asked():
        with CaptureQueriesContext(connection) as queries:
            page = client.get(train.get_absolute_url()).content.decode()
        return len(queries), page

    first = aboard()
    once, page = asked()
    assert f"{first.version_name}<span" in page
    for _ in range(2):
        aboard()
    assert asked()[0] == once
