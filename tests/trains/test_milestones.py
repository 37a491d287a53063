"""Milestones: copies follow their origin, but nobody's own decision is overruled; dates drift."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from releasemgr.workflow.edit import edit
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.factories import BoardingFactory, MilestoneFactory, TrainFactory, UserFactory
from trains.inheritance import add_milestone, change_milestone, settle
from trains.models import Milestone

pytestmark = pytest.mark.django_db

DAY = dt.date(2027, 3, 1)
WEEK = dt.timedelta(days=7)


@pytest.fixture
def by():
    return UserFactory(role="Release manager")


@pytest.fixture
def building(by):
    """A train in Construction with two releases aboard and one milestone for all of them."""
    train = TrainFactory()
    BoardingFactory(train=train)
    BoardingFactory(train=train)
    MilestoneFactory(train=train, title="Code freeze", due=DAY, for_all=True)
    return perform(train, "start_construction", by=by)


def origin_of(train):
    return train.milestones.get()


def copies(train):
    return list(Milestone.objects.filter(origin__train=train).order_by("pk"))


def moved(train, by, **changes):
    return change_milestone(origin_of(train), by=by, version=None, **changes)


def test_when_building_begins_dates_become_baselines(building):
    first, second = copies(building)

    assert origin_of(building).baseline == DAY
    assert (first.baseline, second.baseline) == (DAY, DAY)
    assert first.drift == 0


def test_untouched_copies_move_along_and_show_by_how_much(building, by):
    moved(building, by, due=DAY + WEEK, title="Freeze")

    for copy in copies(building):
        assert (copy.title, copy.due, copy.drift) == ("Freeze", DAY + WEEK, 7)
        assert copy.drift_words == "7 days later than its baseline, 1 March 2027"
        assert "moved" in copy.history.latest().history_change_reason
        assert copy.history.latest().history_user == by


def test_a_copy_changed_by_hand_is_not_overruled(building, by):
    own, other = copies(building)
    edit(own, by=by, due=DAY - WEEK)

    origin = moved(building, by, due=DAY + WEEK)

    own.refresh_from_db()
    other.refresh_from_db()
    assert (own.due, other.due) == (DAY - WEEK, DAY + WEEK)
    assert list(Milestone.objects.behind(origin)) == [own]


@pytest.mark.parametrize(("follows", "due"), [(True, DAY + WEEK), (False, DAY - WEEK)])
def test_somebody_decides_and_is_not_asked_again(building, by, follows, due):
    own, _ = copies(building)
    edit(own, by=by, due=DAY - WEEK)
    origin = moved(building, by, due=DAY + WEEK)

    settle(origin, {own.pk: follows}, by=by)

    own.refresh_from_db()
    assert own.due == due
    assert not Milestone.objects.behind(origin).exists()


def test_one_that_keeps_its_own_is_asked_about_the_next_move(building, by):
    own, _ = copies(building)
    edit(own, by=by, due=DAY - WEEK)
    settle(moved(building, by, due=DAY + WEEK), {own.pk: False}, by=by)

    origin = moved(building, by, due=DAY + 2 * WEEK)

    assert list(Milestone.objects.behind(origin)) == [own]
    own.refresh_from_db()
    assert own.due == DAY - WEEK


def test_what_was_reached_or_is_over_does_not_move(building, by):
    reached, over = copies(building)
    perform(reached, "complete", by=by)
    perform(over.release.boardings.get(), "leave", by=by, reason="No longer")
    perform(over.release, "cancel", by=by, reason="No longer")

    origin = moved(building, by, due=DAY + WEEK)

    for copy in (reached, over):
        copy.refresh_from_db()
        assert copy.due == DAY
    assert not Milestone.objects.behind(origin).exists()


def test_a_milestone_flagged_later_reaches_all_aboard_at_once(by):
    train = TrainFactory(state="construction")
    BoardingFactory(train=train)
    milestone = add_milestone(Milestone(train=train, title="New", due=DAY), by=by)
    assert copies(train) == []

    change_milestone(milestone, by=by, version=None, for_all=True)
    change_milestone(milestone, by=by, version=None, title="Renamed")

    (copy,) = copies(train)
    assert (copy.title, copy.baseline) == ("Renamed", DAY)
    assert milestone.baseline == DAY


def test_a_train_that_is_over_gets_none(by):
    train = TrainFactory(state="closed")

    with pytest.raises(TransitionRefused):
        add_milestone(Milestone(train=train, title="Late", due=DAY), by=by)
    assert not train.milestones.exists()


def test_who_is_reminded_of_what():
    today = timezone.localdate()
    tomorrow = today + dt.timedelta(days=1)
    due = MilestoneFactory(due=tomorrow)
    late = MilestoneFactory(due=today - WEEK)
    MilestoneFactory(due=today - WEEK, state="completed")
    MilestoneFactory(due=tomorrow, train=TrainFactory(state="cancelled"))

    assert list(Milestone.objects.due_on(tomorrow)) == [due]
    assert list(Milestone.objects.overdue(today)) == [late]


def test_whoever_moves_the_origin_is_asked_about_each_copy(client, manager, building, by):
    own, other = copies(building)
    edit(own, by=by, due=DAY - WEEK)
    origin = origin_of(building)
    sent = {"title": "Code freeze", "due": "2027-03-08", "for_all": "on", "version": origin.version}

    answer = client.post(reverse("trains:milestone-edit", args=[origin.pk]), sent)

    address = reverse("trains:milestone-settle", args=[origin.pk])
    assert answer.headers["Location"] == address
    page = client.get(address).content.decode()
    assert str(own.release) in page
    assert str(other.release) not in page
    assert "1 copy differs" in client.get(building.tab_url("milestones")).content.decode()

    client.post(address, {f"copy_{own.pk}": ""})
    own.refresh_from_db()
    assert own.due == DAY - WEEK
    client.post(address, {f"copy_{own.pk}": "follow"})
    own.refresh_from_db()
    assert own.due == dt.date(2027, 3, 8)
    assert "Nothing to settle" in client.get(address).content.decode()


def test_without_a_difference_nobody_is_asked(client, manager, building):
    origin = origin_of(building)
    sent = {"title": "Code freeze", "due": "2027-03-08", "for_all": "on", "version": origin.version}

    answer = client.post(reverse("trains:milestone-edit", args=[origin.pk]), sent)

    assert answer.headers["Location"] == origin.get_absolute_url()
