"""What a freeze covers does not start and does not go on; an exception lets it pass."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from releasemgr.accounts.models import User
from releasemgr.workflow.edit import edit
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.factories import (
    ApplicationFactory,
    BoardingFactory,
    EnvironmentFactory,
    FreezeExceptionFactory,
    FreezeFactory,
    MilestoneFactory,
    ReleaseFactory,
    TaskFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
)
from trains import freezes
from trains.models import Freeze, Team
from turnovers.models import Content

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def ready():
    """One whose window is open, and for which only a freeze can be in the way."""
    turnover = TurnoverFactory()
    TaskFactory(turnover=turnover)
    turnover = perform(turnover, "deliver", by=turnover.author)
    return perform(turnover, "accept", by=UserFactory(role="Release engineer"))


def stops(turnover):
    return [str(b.title) for b in turnover.claim_blockers() if "freeze" in b.title.lower()]


def other_team():
    return Team.objects.create(name="Others")


@pytest.mark.parametrize("state", ["draft", "ready", "deploying"])
def test_a_freeze_of_everything_covers_every_turnover(state):
    turnover = TurnoverFactory(state=state)
    FreezeFactory(name="Year end")

    assert stops(turnover) == ["Held by freeze “Year end”"]


def test_it_covers_the_kind_the_environment_the_application_and_the_train_it_names():
    release = ReleaseFactory()
    train = BoardingFactory(release=release, state="aboard").train
    turnover = TurnoverFactory(release=release, train=None)
    place = turnover.environment
    of_train = TurnoverFactory(train=train, release=None)
    Content.objects.create(turnover=of_train, release=release)
    covering = [
        {"scope": "kind", "kind": place.kind},
        {"scope": "environment", "environment": place},
        {"scope": "application", "application": release.application},
        {"scope": "train", "train": train},
    ]
    for scope in covering:
        freeze = FreezeFactory(**scope)
        assert len(stops(turnover)) == 1, scope
        if scope["scope"] in {"application", "train"}:
            assert len(stops(of_train)) == 1, scope
        freeze.delete()
    beside = [
        {"scope": "kind", "kind": "another"},
        {"scope": "environment", "environment": EnvironmentFactory()},
        {"scope": "application", "application": ApplicationFactory()},
        {"scope": "train", "train": TrainFactory()},
        {"scope": "train", "train": train, "team": other_team()},
        {"scope": "train", "train": train, "stops": "scope"},
    ]
    for scope in beside:
        FreezeFactory(**scope)
    assert stops(turnover) == stops(of_train) == []


def test_a_freeze_of_a_team_covers_what_that_team_built():
    team = other_team()
    release = ReleaseFactory(application=ApplicationFactory(team=team))
    train = BoardingFactory(release=release, state="aboard").train
    turnover = TurnoverFactory(release=release, train=None)
    FreezeFactory(scope="train", train=train, team=team)

    assert len(stops(turnover)) == 1


def test_a_freeze_that_is_over_ahead_or_lifted_covers_nothing():
    now = timezone.now()
    turnover = TurnoverFactory()
    FreezeFactory(begins=now - 2 * HOUR, ends=now - HOUR)
    FreezeFactory(begins=now + HOUR, ends=now + 2 * HOUR)
    FreezeFactory(state="lifted")
    FreezeFactory(
        begins=now - dt.timedelta(days=7, hours=3),
        ends=now - dt.timedelta(days=7, hours=1),
        recurrence="weekly",
    )

    assert stops(turnover) == []


def test_one_that_recurs_covers_it_again():
    begins = timezone.now() - dt.timedelta(days=14, hours=1)
    freeze = FreezeFactory(begins=begins, ends=begins + 2 * HOUR, recurrence="weekly")
    turnover = TurnoverFactory()

    assert len(stops(turnover)) == 1
    freeze.recurs_until = timezone.now() - HOUR / 2
    freeze.save()
    assert stops(turnover) == []


def test_the_start_is_refused_with_when_it_clears_and_the_ways_round(ready):
    freeze = FreezeFactory(name="Year end")

    with pytest.raises(TransitionRefused) as refused:
        perform(ready, "start", by=User.objects.robot())

    (blocker,) = refused.value.blockers
    assert (blocker.title, blocker.clears_at) == ("Held by freeze “Year end”", freeze.ends)
    assert [way.label for way in blocker.ways] == [
        "Ask for an exception",
        "Take it back to choose a window after it",
    ]
    assert blocker.waivable


def test_a_granted_exception_lets_it_pass_until_it_expires(ready):
    freeze = FreezeFactory()
    exception = FreezeExceptionFactory(freeze=freeze, turnover=ready)
    assert len(stops(ready)) == 1

    perform(exception, "grant", by=UserFactory(role="Release manager"))

    assert stops(ready) == []
    FreezeFactory(name="Another")
    assert stops(ready) == ["Held by freeze “Another”"]
    exception.refresh_from_db()
    edit(exception, by=None, expires=timezone.now() - HOUR)
    assert len(stops(ready)) == 2


def test_an_exception_that_is_taken_back_lets_nothing_pass_any_more(ready):
    exception = FreezeExceptionFactory(freeze=FreezeFactory(), turnover=ready)
    manager = UserFactory(role="Release manager")
    perform(exception, "grant", by=manager)
    assert stops(ready) == []

    with pytest.raises(TransitionRefused):
        perform(exception, "revoke", by=manager)
    perform(exception, "revoke", by=exception.asked_by, reason="It can wait after all.")

    assert len(stops(ready)) == 1
    exception.refresh_from_db()
    assert exception.state == "withdrawn"


@pytest.mark.parametrize("step", ["grant", "refuse"])
def test_nobody_decides_upon_an_exception_of_their_own(step):
    manager = UserFactory(role="Release manager")
    asked = FreezeExceptionFactory(asked_by=manager)
    for_own_work = FreezeExceptionFactory(turnover=TurnoverFactory(author=manager))

    for row in (asked, for_own_work):
        with pytest.raises(PermissionDenied):
            perform(row, step, by=manager, reason="Because")


def test_an_exception_from_a_lifted_freeze_or_with_no_time_left_is_not_granted():
    manager = UserFactory(role="Release manager")
    lifted = FreezeExceptionFactory(freeze=FreezeFactory(state="lifted"))
    late = FreezeExceptionFactory(expires=timezone.now() - HOUR)

    for row in (lifted, late):
        with pytest.raises(TransitionRefused):
            perform(row, "grant", by=manager)


def test_a_turnover_and_an_application_release_show_what_was_asked_to_pass_freezes(client):
    developer = UserFactory(role="Developer")
    client.force_login(developer)
    freeze = FreezeFactory(name="Year end")
    turnover, release = TurnoverFactory(), ReleaseFactory()
    about = {"turnover": turnover, "release": None}, {"turnover": None, "release": release}
    FreezeExceptionFactory(freeze=freeze)  # of another turnover
    for row, columns in zip((turnover, release), about, strict=True):
        address = row.get_absolute_url()
        assert "Exceptions from freezes" not in client.get(address).content.decode()
        refused = FreezeExceptionFactory(freeze=freeze, state="refused", **columns)
        granted = FreezeExceptionFactory(freeze=freeze, state="granted", **columns)

        answer = client.get(address)

        assert answer.context["exceptions"] == [granted, refused]
        page = answer.content.decode()
        assert page.index(granted.get_absolute_url()) < page.index(refused.get_absolute_url())
        assert page.count("Year end</a>") == 2


def test_a_freeze_in_the_window_is_said_before_its_time():
    now = timezone.now()
    turnover = TurnoverFactory(state="ready", earliest=now + 5 * HOUR, latest=now + 7 * HOUR)
    FreezeFactory(name="Later", begins=now + 6 * HOUR, ends=now + 8 * HOUR)
    FreezeFactory(name="After", begins=now + 8 * HOUR, ends=now + 9 * HOUR)

    assert [str(b.title) for b in turnover.awaits()] == ["Freeze “Later” covers its window"]
    assert stops(turnover) == []


# --- Ending a freeze ------------------------------------------------------------------------------


def test_nobody_lifts_or_shortens_a_freeze_that_stops_their_own_turnover():
    manager = UserFactory(role="Release manager")
    freeze = FreezeFactory()
    now = timezone.now()
    TurnoverFactory(author=manager, state="ready", earliest=now - HOUR, latest=now + HOUR)

    with pytest.raises(PermissionDenied):
        perform(freeze, "lift", by=manager, reason="I need it")
    with pytest.raises(TransitionRefused):
        freezes.change(freeze, by=manager, version=None, ends=now + HOUR)
    with pytest.raises(TransitionRefused):
        freezes.change(freeze, by=manager, version=None, begins=now + HOUR)
    longer = freezes.change(freeze, by=manager, version=None, ends=freeze.ends + HOUR)
    assert longer.ends == freeze.ends + HOUR

    other = UserFactory(role="Release manager")
    assert perform(longer, "lift", by=other, reason="All well").state == "lifted"


def test_a_lifted_freeze_stays_as_it_was():
    freeze = FreezeFactory(state="lifted")

    with pytest.raises(TransitionRefused):
        freezes.change(freeze, by=UserFactory(role="Release manager"), version=None, name="New")


def test_it_follows_its_milestone_with_its_length():
    train = TrainFactory()
    milestone = MilestoneFactory(train=train, due=dt.date(2027, 3, 26))
    freeze = FreezeFactory(
        scope="train", train=train, milestone=milestone, stops="scope", time_zone="Europe/Berlin"
    )
    freeze.begins = freeze.begin_of(milestone.due)
    freeze.ends = freeze.begins + dt.timedelta(days=2)
    freeze.save()
    manager = UserFactory(role="Release manager")

    edit(milestone, by=manager, due=dt.date(2027, 3, 30))

    moved = Freeze.objects.get()
    assert moved.begins == dt.datetime(2027, 3, 29, 22, tzinfo=dt.UTC)
    assert moved.ends - moved.begins == dt.timedelta(days=2)
    assert moved.history.latest().history_user == manager


def test_the_freezes_of_a_train_end_with_it():
    train = TrainFactory(state="construction")
    freeze = FreezeFactory(scope="train", train=train, stops="scope")
    place = BoardingFactory(train=train, state="aboard")

    perform(train, "cancel", by=UserFactory(role="Release manager"), reason="No budget")

    assert type(freeze).objects.get().state == "lifted"
    assert type(place).objects.get().state == "left"
