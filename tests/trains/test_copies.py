"""A copy of a train, with its dates moved."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from tests.factories import (
    BoardingFactory,
    BookingFactory,
    EnvironmentFactory,
    FreezeFactory,
    GateFactory,
    LevelFactory,
    MilestoneFactory,
    ReleaseFactory,
    RuleFactory,
    SignoffFactory,
    TrainFactory,
    UserFactory,
)
from trains.models import ApplicationRelease, Calendar, Dependency, Reservation, Team, Train

pytestmark = pytest.mark.django_db

MONDAY, LATER = dt.date(2027, 1, 4), dt.date(2027, 4, 5)
NOW = dt.datetime(2027, 1, 20, tzinfo=dt.UTC)
BERLIN = ZoneInfo("Europe/Berlin")
EVERYTHING = {
    f"with_{name}": "on"
    for name in ("people", "criteria", "milestones", "approvals", "reservations", "releases")
}


def weeks(count):
    return MONDAY + dt.timedelta(weeks=count)


@pytest.fixture
def origin():
    """Eight weeks long, with one of everything."""
    sheet = SignoffFactory()
    RuleFactory(level=LevelFactory(signoff=sheet, name="Board"))
    train = TrainFactory(
        name="Larch",
        purpose="To grow",
        calendar=Calendar.objects.get(is_default=True),
        start=MONDAY,
        scoping_end=weeks(2),
        construction_end=weeks(4),
        qa_end=weeks(6),
        end=weeks(8),
        train_signoff=sheet,
        needs_train_approval=True,
        state="construction",
    )
    owner = UserFactory(role="Developer")
    gate = GateFactory(train=train, date=weeks(1))
    gate.criteria.create(title="Agreed", owner=owner, own_due=weeks(1), state="met", evidence="Yes")
    MilestoneFactory(train=train, title="Freeze", due=weeks(3), owner=owner, state="completed")
    train.crew.create(person=UserFactory(role="Release engineer"))
    booking = BookingFactory(
        starts=dt.datetime(2027, 1, 11, 7, tzinfo=BERLIN),
        ends=dt.datetime(2027, 1, 13, 19, tzinfo=BERLIN),
        zone="Europe/Berlin",
        state="confirmed",
    )
    Reservation.objects.create(train=train, booking=booking)
    release = ReleaseFactory(start=MONDAY, end=weeks(4))
    BoardingFactory(train=train, release=release)
    needed = BoardingFactory(train=train).release
    Dependency.objects.create(release=release, needs=needed)
    return train


def asked(origin, manager, **more):
    return {
        "name": "Larch 2",
        "version_name": "2.0",
        "start": LATER,
        "calendar": Calendar.objects.get(is_default=True).pk,
        "manager": manager.pk,
    } | more


def copied(client, origin, manager, **more):
    answer = client.post(reverse("trains:copy", args=[origin.pk]), asked(origin, manager, **more))
    assert answer.status_code == 303
    return Train.objects.exclude(pk=origin.pk).get()


def test_a_copy_has_the_plan_on_its_own_dates_and_nothing_of_the_past(client, manager, origin):
    copy = copied(client, origin, manager, **EVERYTHING)

    assert (copy.name, copy.state, copy.purpose) == ("Larch 2", "scoping", "To grow")
    assert (copy.copied_from, copy.needs_train_approval) == (origin, True)
    assert [copy.start, copy.scoping_end, copy.construction_end, copy.qa_end, copy.end] == [
        LATER + dt.timedelta(weeks=n) for n in (0, 2, 4, 6, 8)
    ]
    gate = copy.gates.get(stage="scoping")
    criterion, milestone = gate.criteria.get(), copy.milestones.get()
    assert gate.date == criterion.own_due == LATER + dt.timedelta(weeks=1)
    assert (criterion.state, criterion.evidence, milestone.state) == ("open", "", "open")
    assert milestone.due == LATER + dt.timedelta(weeks=3)
    assert criterion.owner == milestone.owner == origin.milestones.get().owner
    assert copy.train_signoff != origin.train_signoff
    assert (copy.train_signoff.state, copy.train_signoff.levels.get().name) == ("draft", "Board")
    assert [place.person for place in copy.crew.all()] == [origin.crew.get().person]


@pytest.mark.parametrize("state", ["in_force", "lifted"])
def test_a_freeze_that_begins_with_a_milestone_comes_along(client, manager, origin, state):
    team = Team.objects.create(name="Payments")
    milestone = origin.milestones.get()
    freeze = FreezeFactory(
        name="Content",
        scope="train",
        train=origin,
        team=team,
        stops="scope",
        milestone=milestone,
        begins=dt.datetime.combine(milestone.due, dt.time(), BERLIN),
        ends=dt.datetime.combine(milestone.due + dt.timedelta(days=2), dt.time(), BERLIN),
        time_zone="Europe/Berlin",
        state=state,
    )
    FreezeFactory(name="Of its own", scope="train", train=origin)
    url = reverse("trains:copy", args=[origin.pk])
    data = {"name": "Birch", "start": LATER, "with_milestones": "on"}

    seen = client.post(url, data | {"look": "yes"}).content.decode()
    client.post(url, data)

    copy = Train.objects.get(name="Birch")
    assert ("Freeze “Content” begins" in seen) == (state == "in_force")
    if state == "lifted":
        assert not copy.freezes.exists()
        return
    (made,) = copy.freezes.all()
    due = copy.milestones.get().due
    assert (made.name, made.team, made.stops, made.milestone.due) == ("Content", team, "scope", due)
    assert made.begins == dt.datetime.combine(due, dt.time(), BERLIN)
    assert made.ends - made.begins == freeze.ends - freeze.begins
    assert made.exceptions.count() == 0


def test_a_copy_is_checked_as_its_origin_was_and_knows_nothing_of_what_was_found(
    client, manager, origin
):
    checked = origin.gates.get().criteria.create(
        title="Work done", checked_by="work", check_every=3, good_for=9, green_for=6, state="met"
    )
    checked.results.create(claim=1, began_at=NOW, ended_at=NOW, outcome="passed")

    copy = copied(client, origin, manager, **EVERYTHING)

    again = copy.gates.get(stage="scoping").criteria.get(title="Work done")
    assert (again.checked_by, again.check_every, again.good_for, again.green_for) == (
        "work",
        3,
        9,
        6,
    )
    assert (again.state, again.results.count()) == ("open", 0)
    assert again.watch.next_at is not None


def test_copied_releases_keep_their_own_milestones_and_the_kinds_of_their_dependencies(
    client, manager, origin
):
    release = ApplicationRelease.objects.get(dependencies__isnull=False)
    release.dependencies.update(kind="build")
    owner = UserFactory(role="Product owner")
    own = {"train": None, "release": release, "same_role": True}
    MilestoneFactory(**own, title="Reviewed", due=weeks(2), owner=owner, state="completed")
    MilestoneFactory(**own, title="Freeze", due=weeks(3), origin=origin.milestones.get())

    copy = copied(client, origin, manager, **EVERYTHING)

    new = ApplicationRelease.objects.get(boardings__train=copy, dependencies__isnull=False)
    assert new.dependencies.get().kind == "build"
    milestone = new.milestones.get()
    assert (milestone.title, milestone.owner, milestone.same_role) == ("Reviewed", owner, True)
    assert milestone.due == milestone.baseline == LATER + dt.timedelta(weeks=2)
    assert milestone.state == "open"


def test_a_reservation_is_asked_for_as_far_into_the_copy_at_the_same_time_of_day(
    client, manager, origin
):
    copy = copied(client, origin, manager, **EVERYTHING)

    booking = copy.reservations.get().booking
    assert booking.starts == dt.datetime(2027, 4, 12, 7, tzinfo=BERLIN)
    assert booking.ends == dt.datetime(2027, 4, 14, 19, tzinfo=BERLIN)
    assert booking.state == "confirmed"


def test_a_reservation_that_clashes_is_kept_as_a_request_and_foretold(client, manager, origin):
    environment = origin.reservations.get().booking.environment
    BookingFactory(
        environment=environment,
        title="Load test",
        starts=dt.datetime(2027, 4, 13, tzinfo=BERLIN),
        state="confirmed",
    )
    look = client.post(
        reverse("trains:copy", args=[origin.pk]),
        asked(origin, manager, **EVERYTHING, look="yes"),
    )
    assert "Clashes with Load test" in look.content.decode()
    assert Train.objects.count() == 1

    copy = copied(client, origin, manager, **EVERYTHING)

    assert copy.reservations.get().booking.state == "requested"


def test_an_environment_that_is_not_online_is_left_out(client, manager, origin):
    booking = origin.reservations.get().booking
    booking.environment = EnvironmentFactory(state="offline")
    booking.save()

    copy = copied(client, origin, manager, **EVERYTHING)

    assert not copy.reservations.exists()


def test_application_releases_are_new_ones_that_ask_for_a_place(client, manager, origin):
    copy = copied(client, origin, manager, **EVERYTHING)

    places = copy.boardings.order_by("release__application__name")
    assert {place.state for place in places} == {"requested"}
    assert {p.release.application for p in places} == {
        p.release.application for p in origin.boardings.all()
    }
    new = Dependency.objects.get(release__boardings__train=copy)
    assert new.needs.boardings.get().train == copy
    assert (new.release.start, new.release.version_name) == (LATER, "2.0")
    assert origin.boardings.aboard().count() == 2


def test_a_train_planned_without_a_calendar_does_not_grow_in_one(client, manager, origin):
    calendar, origin.calendar = origin.calendar, None
    origin.save()

    copy = copied(client, origin, manager, calendar=calendar.pk, with_milestones="on")

    assert copy.end == LATER + dt.timedelta(weeks=8)
    assert copy.milestones.get().due == LATER + dt.timedelta(weeks=3)


def test_only_what_was_chosen_is_copied(client, manager, origin):
    copy = copied(client, origin, manager)

    assert copy.gates.count() == 3
    assert not copy.gates.filter(criteria__isnull=False).exists()
    assert not copy.milestones.exists()
    assert not copy.crew.exists()
    assert not copy.reservations.exists()
    assert not copy.boardings.exists()
    assert copy.train_signoff is None


def test_a_look_names_each_thing_with_its_days_and_stores_nothing(client, manager, origin):
    answer = client.post(
        reverse("trains:copy", args=[origin.pk]),
        asked(origin, manager, **EVERYTHING, look="yes"),
    )

    rows = {row.what: (row.before, row.after) for row in answer.context["rows"]}
    assert answer.status_code == 200
    assert rows["Milestone “Freeze”"] == ("25 January 2027", "26 April 2027")
    assert rows["End"] == ("1 March 2027", "31 May 2027")
    assert Train.objects.count() == 1


def test_a_look_without_a_start_says_so_beside_the_field(client, manager, origin):
    answer = client.post(
        reverse("trains:copy", args=[origin.pk]), asked(origin, manager, start="", look="yes")
    )

    assert answer.status_code == 422
    assert "start" in answer.context["form"].errors


def test_a_train_without_dates_can_be_copied(client, manager):
    bare = TrainFactory(start=None, scoping_end=None, construction_end=None, qa_end=None, end=None)
    answer = client.post(
        reverse("trains:copy", args=[bare.pk]),
        {"name": "Copy", "start": MONDAY, "manager": manager.pk},
    )

    assert answer.status_code == 303
    assert Train.objects.get(name="Copy").start == MONDAY
