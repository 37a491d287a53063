"""Declaring freezes, looking at them, and what a freeze of scope changes stops."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.factories import (
    ApplicationFactory,
    BoardingFactory,
    BookingFactory,
    EnvironmentFactory,
    FreezeExceptionFactory,
    FreezeFactory,
    MilestoneFactory,
    ReleaseFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
    WorkItemFactory,
)
from trains import panels
from trains.models import ApplicationRelease, Freeze, Team, WorkItem

pytestmark = pytest.mark.django_db

LIST, NEW = "/freezes/", "/freezes/new/"
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
TYPED = {
    "name": "Year end",
    "reason": "Books are closed.",
    "stops": "deployments",
    "scope": "all",
    "time_zone": "Europe/Berlin",
    "begins": "2027-12-20T18:00",
    "ends": "2028-01-06T06:00",
    "recurrence": "yearly",
}


def page_of(answer):
    return answer.content.decode()


@pytest.fixture
def manager():
    return UserFactory(role="Release manager")


@pytest.fixture
def as_manager(client, manager):
    client.force_login(manager)
    return client


@pytest.fixture
def carried():
    """A place aboard a train whose scope is frozen."""
    place = BoardingFactory(
        train=TrainFactory(state="construction"), release__state="executing", state="aboard"
    )
    FreezeFactory(name="Feature freeze", scope="train", train=place.train, stops="scope")
    return place


# --- Declaring and changing -----------------------------------------------------------------------


def test_what_is_typed_is_on_the_clock_of_the_named_zone(as_manager, manager):
    answer = as_manager.post(NEW, TYPED)

    freeze = Freeze.objects.get()
    assert (answer.status_code, answer.url) == (303, freeze.get_absolute_url())
    assert freeze.begins == dt.datetime(2027, 12, 20, 17, tzinfo=dt.UTC)
    assert freeze.ends == dt.datetime(2028, 1, 6, 5, tzinfo=dt.UTC)
    assert freeze.history.latest().history_user == manager
    assert 'value="2027-12-20T18:00"' in page_of(as_manager.get(freeze.edit_url))


def test_nothing_changes_where_nothing_was_typed(as_manager):
    as_manager.post(NEW, TYPED)
    freeze = Freeze.objects.get()

    answer = as_manager.post(freeze.edit_url, TYPED | {"version": freeze.version})

    assert answer.status_code == 303
    assert Freeze.objects.get().version == 1


@pytest.mark.parametrize("scope", ["kind", "environment", "application", "train"])
def test_each_scope_needs_its_target_and_leaves_the_others_out(as_manager, scope):
    targets = {
        "kind": EnvironmentFactory(kind="staging").kind,
        "environment": EnvironmentFactory().pk,
        "application": ApplicationFactory().pk,
        "train": TrainFactory().pk,
    }
    assert as_manager.post(NEW, TYPED | {"scope": scope}).status_code == 422

    answer = as_manager.post(NEW, TYPED | {"scope": scope} | targets)

    assert answer.status_code == 303
    freeze = Freeze.objects.get()
    assert freeze.scope == scope
    told = {name: getattr(freeze, name) for name in targets if getattr(freeze, name)}
    assert {name: getattr(value, "pk", value) for name, value in told.items()} == {
        scope: targets[scope]
    }


def test_another_scope_and_no_recurrence_leave_out_what_they_have_no_use_for(as_manager):
    train = TrainFactory()
    freeze = FreezeFactory(
        scope="train",
        train=train,
        team=Team.objects.create(name="Payments"),
        milestone=MilestoneFactory(train=train),
        ends=None,
    )
    typed = TYPED | {"train": train.pk, "team": freeze.team_id, "milestone": freeze.milestone_id}
    once = {"scope": "all", "recurrence": "none", "recurs_until": "2029-01-01T00:00"}

    answer = as_manager.post(freeze.edit_url, typed | once | {"version": freeze.version})

    assert answer.status_code == 303
    freeze.refresh_from_db()
    assert (freeze.scope, freeze.train, freeze.team) == ("all", None, None)
    assert (freeze.milestone, freeze.recurs_until) == (None, None)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"ends": "2027-12-20T17:00"}, "The end must be after the begin."),
        ({"ends": ""}, "only then can it come again"),
        ({"recurrence": "weekly"}, "lasts 7 days at most"),
        ({"recurs_until": "2027-12-20T18:00"}, "after the first begin"),
        ({"stops": "scope"}, "Only of a train"),
        ({"begins": ""}, "Say when it begins"),
        ({"time_zone": "Mars/Olympus"}, "Select a valid choice"),
        ({"scope": "train", "team": "1"}, "Select a valid choice"),
        ({"begins": "9999-12-31T23:59", "ends": ""}, "Give a year"),
    ],
)
def test_what_no_freeze_can_be_is_refused_beside_the_field(as_manager, typed, said):
    answer = as_manager.post(NEW, TYPED | typed)

    assert answer.status_code == 422
    assert said in page_of(answer)
    assert not Freeze.objects.exists()


def test_the_database_keeps_the_same_rules():
    now = timezone.now()
    train = TrainFactory()
    for wrong in (
        {"ends": now - DAY},
        {"scope": "train"},
        {"scope": "all", "train": train},
        {"scope": "environment", "environment": EnvironmentFactory(), "train": train},
        {"scope": "all", "stops": "scope"},
        {"recurrence": "weekly", "ends": None},
        {"recurs_until": now + DAY},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            FreezeFactory(**{"begins": now} | wrong)


def test_one_of_a_milestone_begins_with_its_day(as_manager):
    milestone = MilestoneFactory(due=dt.date(2027, 3, 26))
    typed = TYPED | {"recurrence": "none", "begins": "", "ends": "", "stops": "scope"}
    mine = typed | {"scope": "train", "train": milestone.train_id, "milestone": milestone.pk}

    assert as_manager.post(NEW, mine | {"train": TrainFactory().pk}).status_code == 422
    assert as_manager.post(f"{NEW}?train={milestone.train_id}&stops=scope", mine).status_code == 303

    freeze = Freeze.objects.get()
    assert freeze.begins == dt.datetime(2027, 3, 25, 23, tzinfo=dt.UTC)
    assert (freeze.ends, freeze.milestone) == (None, milestone)


def test_two_who_change_it_at_once_are_told(as_manager):
    freeze = FreezeFactory(time_zone="Europe/Berlin")
    seen = freeze.version
    assert as_manager.post(freeze.edit_url, TYPED | {"version": seen}).status_code == 303

    late = as_manager.post(freeze.edit_url, TYPED | {"version": seen, "name": "Mine"})

    assert late.status_code == 409
    assert "Year end" in page_of(late)
    assert Freeze.objects.get().name == "Year end"


def test_a_lifted_freeze_has_no_form(as_manager):
    freeze = FreezeFactory(state="lifted")

    assert 'name="name"' not in page_of(as_manager.get(freeze.edit_url))
    assert as_manager.post(freeze.edit_url, TYPED | {"version": 1}).status_code == 409


def test_what_everybody_reads_of_its_reason_can_be_changed(as_manager):
    as_manager.post(NEW, TYPED)
    freeze = Freeze.objects.get()

    as_manager.post(freeze.edit_url, TYPED | {"reason": "Books.", "version": freeze.version})

    assert Freeze.objects.get().reason == "Books."


@pytest.mark.parametrize("query", ["?train=x", "?environment=0", f"?application={'9' * 40}"])
def test_what_is_not_there_is_not_frozen(as_manager, query):
    assert as_manager.get(NEW + query).status_code == 404


def test_administrators_manage_freezes_and_lift_them(client):
    client.force_login(UserFactory(role="Administrator"))
    assert client.post(NEW, TYPED).status_code == 303
    freeze = Freeze.objects.get()

    lift = {"version": freeze.version, "reason": "Early end"}
    assert client.post(freeze.step_url("lift"), lift).status_code == 303
    assert Freeze.objects.get().state == "lifted"


# --- Looking --------------------------------------------------------------------------------------


def test_the_list_tells_those_in_force_from_those_ahead_and_over(as_manager):
    now = timezone.now()
    place = EnvironmentFactory()
    FreezeFactory(name="Present")
    FreezeFactory(name="Weekly", begins=now - 8 * DAY, ends=now - 7 * DAY, recurrence="weekly")
    FreezeFactory(name="Ahead", begins=now + DAY, ends=now + 2 * DAY)
    FreezeFactory(name="Past", begins=now - 3 * DAY, ends=now - DAY)
    FreezeFactory(name="Ended early", state="lifted")
    FreezeFactory(name="Elsewhere", scope="environment", environment=EnvironmentFactory())
    names = {freeze.name for freeze in Freeze.objects.all()}

    def shown(query):
        text = page_of(as_manager.get(LIST + query))
        return {name for name in names if f">{name}</a>" in text}

    assert shown("") == {"Present", "Weekly", "Elsewhere", "Ahead"}
    assert shown("?when=now") == {"Present", "Weekly", "Elsewhere"}
    assert shown("?when=coming") == {"Ahead"}
    assert shown("?when=over") == {"Past", "Ended early"}
    assert shown("?when=all") == names
    assert shown(f"?environment={place.pk}") == {"Present", "Weekly", "Ahead"}
    assert shown("?q=week") == {"Weekly"}


def test_a_freeze_shows_what_it_stops_its_next_periods_and_its_exceptions(as_manager):
    begins = timezone.now() - HOUR
    place = EnvironmentFactory()
    freeze = FreezeFactory(
        scope="environment", environment=place, begins=begins, ends=begins + 4 * HOUR,
        recurrence="weekly",
    )  # fmt: skip
    TurnoverFactory(title="Waits for it", environment=place, state="ready")
    TurnoverFactory(title="Goes on", state="ready")
    FreezeExceptionFactory(freeze=freeze, turnover__title="Urgent")

    page = page_of(as_manager.get(freeze.get_absolute_url()))

    assert "Waits for it" in page
    assert "Urgent" in page
    assert "Goes on" not in page
    assert "The next 10 periods" in page


def test_a_freeze_that_stops_more_than_its_page_lists_says_so(as_manager, monkeypatch):
    monkeypatch.setattr(panels, "MOST_STOPPED", 2)
    freeze = FreezeFactory()
    TurnoverFactory.create_batch(2, state="ready")
    FreezeExceptionFactory.create_batch(2, freeze=freeze)
    assert "And " not in page_of(as_manager.get(freeze.get_absolute_url()))

    TurnoverFactory(state="ready")
    FreezeExceptionFactory(freeze=freeze)

    page = page_of(as_manager.get(freeze.get_absolute_url()))
    assert "And more, later than these." in page
    assert "And older ones" in page


def test_who_would_free_their_own_work_reads_why_not(as_manager, manager):
    freeze = FreezeFactory()
    TurnoverFactory(author=manager, state="ready")

    page = page_of(as_manager.get(freeze.get_absolute_url()))

    assert "It stops a turnover of yours now" in page
    assert freeze.step_url("lift") not in page


def test_the_list_and_a_freeze_cost_the_same_with_more_rows(as_manager):
    freeze = FreezeFactory(name="First")

    def more():
        FreezeFactory(scope="train", train=TrainFactory())
        FreezeFactory(scope="environment", environment=EnvironmentFactory())
        TurnoverFactory(state="ready")
        FreezeExceptionFactory(freeze=freeze)
        FreezeExceptionFactory(freeze=freeze, turnover=None, release=ReleaseFactory())

    def queries(url):
        with CaptureQueriesContext(connection) as seen:
            as_manager.get(url)
        return len(seen)

    more()
    urls = (LIST, freeze.get_absolute_url(), "/environments/board/")
    before = [queries(url) for url in urls]
    more()
    more()
    assert [queries(url) for url in urls] == before


def test_the_board_the_environment_and_the_booking_show_when_it_is_frozen(as_manager):
    place = EnvironmentFactory(state="online")
    booking = BookingFactory(environment=place, state="confirmed")
    FreezeFactory(name="Year end", scope="kind", kind=place.kind)
    FreezeFactory(name="Elsewhere", scope="kind", kind="another")
    FreezeFactory(name="Of an application", scope="application", application=ApplicationFactory())

    for url in ("/environments/board/", place.get_absolute_url(), booking.get_absolute_url()):
        page = page_of(as_manager.get(url))
        assert "Year end" in page, url
        assert "Elsewhere" not in page, url
        assert "Of an application" not in page, url


# --- Freezes of scope -----------------------------------------------------------------------------


def test_nothing_boards_or_leaves_a_train_whose_scope_is_frozen(carried, manager):
    asks = BoardingFactory(train=carried.train, release__state="executing", state="requested")
    takes_back = BoardingFactory(train=carried.train, release__state="executing", state="requested")

    for place, step in ((asks, "accept"), (carried, "leave")):
        with pytest.raises(TransitionRefused) as refused:
            perform(place, step, by=manager, reason="Late")
        assert refused.value.blockers[0].title == "Held by freeze “Feature freeze”"

    assert perform(takes_back, "leave", by=manager, reason="Not now").state == "left"


def test_an_exception_lets_one_application_release_pass(carried, manager):
    freeze = Freeze.objects.get()
    FreezeExceptionFactory(freeze=freeze, turnover=None, release=carried.release, state="granted")

    assert perform(carried, "leave", by=manager, reason="Broken").state == "left"


def test_a_freeze_of_a_team_holds_the_applications_of_that_team(manager):
    team, other = Team.objects.create(name="Payments"), Team.objects.create(name="Other")
    train = TrainFactory(state="construction")
    places = [
        BoardingFactory(train=train, release__application__team=one, state="aboard")
        for one in (team, other)
    ]
    FreezeFactory(scope="train", train=train, stops="scope", team=team)

    with pytest.raises(TransitionRefused):
        perform(places[0], "leave", by=manager, reason="Late")
    assert perform(places[1], "leave", by=manager, reason="Late").state == "left"


def test_versions_and_work_stay_as_they_are_and_work_can_be_finished(as_manager, carried):
    release = carried.release
    item = WorkItemFactory(release=release, state="progress")
    typed = {
        "application": release.application_id,
        "version_name": release.version_name,
        "description": "Said better",
        "criticality": release.criticality,
        "version": release.version,
    }
    edit = f"{release.get_absolute_url()}edit/"
    work = {"title": "More", "kind": "task", "state": "proposed", "key": ""}

    assert as_manager.post(edit, typed | {"version_name": "9.9"}).status_code == 409
    assert as_manager.post(f"{release.get_absolute_url()}work/new/", work).status_code == 409
    assert as_manager.post(item.remove_url).status_code == 409
    assert as_manager.post(edit, typed).status_code == 303
    done = {"title": item.title, "kind": item.kind, "state": "done", "version": item.version}
    assert as_manager.post(item.edit_url, done).status_code == 303

    assert WorkItem.objects.get().state == "done"
    kept = ApplicationRelease.objects.get(pk=release.pk)
    assert (kept.description, kept.version_name) == ("Said better", release.version_name)


# --- Exceptions -----------------------------------------------------------------------------------

ASKED = {"reason": "Customers cannot pay.", "risk": "None.", "rollback": "The version before."}


def test_an_exception_is_asked_for_decided_by_somebody_else_and_shown(client, manager):
    turnover = TurnoverFactory(state="ready")
    freeze = FreezeFactory()
    client.force_login(turnover.author)
    until = f"{timezone.localtime() + DAY:%Y-%m-%dT%H:%M}"
    ask = f"{turnover.get_absolute_url()}freezes/{freeze.pk}/exception/"
    assert ask in page_of(client.get(turnover.get_absolute_url()))
    assert client.get(ask).status_code == 200

    answer = client.post(ask, ASKED | {"expires": until})
    assert answer.status_code == 303
    row = freeze.exceptions.get()
    assert (row.state, row.asked_by, row.turnover) == ("asked", turnover.author, turnover)
    assert client.post(ask, ASKED | {"expires": until}).status_code == 409

    client.force_login(manager)
    assert str(row) in page_of(client.get("/work/"))
    assert client.get(row.get_absolute_url()).status_code == 200
    granted = client.post(row.step_url("grant"), {"version": row.version})
    assert granted.status_code == 303
    row.refresh_from_db()
    assert (row.state, row.decided_by) == ("granted", manager)


@pytest.mark.parametrize(
    ("expires", "said"),
    [("2020-01-01T00:00", "a time that is ahead"), ("2190-01-01T00:00", "31 days at most")],
)
def test_an_exception_has_an_end_that_is_ahead_and_not_far(client, expires, said):
    turnover = TurnoverFactory()
    client.force_login(turnover.author)
    ask = f"{turnover.get_absolute_url()}freezes/{FreezeFactory().pk}/exception/"

    answer = client.post(ask, ASKED | {"expires": expires})

    assert answer.status_code == 422
    assert said in page_of(answer)


def test_what_a_freeze_does_not_stop_needs_no_exception(as_manager, carried):
    freeze = Freeze.objects.get()
    turnover = TurnoverFactory()

    wrong = as_manager.get(f"{turnover.get_absolute_url()}freezes/{freeze.pk}/exception/")
    right = as_manager.get(f"{carried.release.get_absolute_url()}freezes/{freeze.pk}/exception/")

    assert "does not stop it" in page_of(wrong)
    assert 'name="risk"' in page_of(right)
