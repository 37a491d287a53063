"""Looking at trains: the list, the overview, the tabs."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from approvals.models import Signoff
from releasemgr.accounts.models import User
from releasemgr.workflow.perform import perform
from tests.factories import (
    ApplicationFactory,
    BoardingFactory,
    BookingFactory,
    CriterionFactory,
    EnvironmentFactory,
    GateFactory,
    LevelFactory,
    MilestoneFactory,
    ReleaseFactory,
    RuleFactory,
    SignoffFactory,
    TrainFactory,
    UserFactory,
    WorkItemFactory,
)
from trains.models import Dependency, Reservation, Train

pytestmark = pytest.mark.django_db

LIST = "/trains/"
TABS = [
    "releases",
    "turnovers",
    "work",
    "gates",
    "milestones",
    "approvals",
    "reservations",
    "history",
]


def text(answer):
    return answer.content.decode()


def names(answer):
    return [train.name for train, _ in answer.context["rows"]]


def full_train(**others):
    """One with a row of everything."""
    sheet = SignoffFactory(title="Train approval")
    RuleFactory(level=LevelFactory(signoff=sheet))
    train = TrainFactory(train_signoff=sheet, needs_train_approval=True, **others)
    for stage in ("scoping", "construction", "qa"):
        GateFactory(train=train, stage=stage)
    add_rows(train)
    return train


def add_rows(train):
    CriterionFactory(gate=train.gates.get(stage="scoping"))
    MilestoneFactory(train=train, due=train.end)
    release = ReleaseFactory()
    BoardingFactory(train=train, release=release)
    WorkItemFactory(release=release)
    MilestoneFactory(train=None, release=release)
    Dependency.objects.create(release=release, needs=ReleaseFactory())
    Reservation.objects.create(train=train, booking=BookingFactory())


# --- The list -------------------------------------------------------------------------------------


def test_a_newcomer_reads_what_trains_are_and_may_plan_the_first(client, manager):
    answer = client.get(LIST)

    assert "No trains yet" in text(answer)
    assert reverse("trains:new") in text(answer)


def test_whoever_may_not_plan_is_not_offered_to(client, stakeholder):
    assert reverse("trains:new") not in text(client.get(LIST))


def test_the_list_shows_trains_by_their_end(client, stakeholder):
    today = timezone.localdate()
    TrainFactory(name="Larch", end=today + dt.timedelta(days=90))
    TrainFactory(name="Birch", end=today + dt.timedelta(days=60))
    TrainFactory(name="Yew", state="closed")

    assert names(client.get(LIST)) == ["Birch", "Larch"]
    assert names(client.get(LIST, {"sort": "name"})) == ["Birch", "Larch"]
    assert names(client.get(LIST, {"sort": "-end"})) == ["Larch", "Birch"]
    assert names(client.get(LIST, {"view": "over"})) == ["Yew"]


def test_mine_are_those_i_manage_engineer_or_follow(client, manager):
    mine = TrainFactory(name="Mine", manager=manager)
    followed = TrainFactory(name="Followed")
    followed.followers.add(manager)
    TrainFactory(name="Other")

    assert set(names(client.get(LIST, {"view": "mine"}))) == {mine.name, followed.name}


def test_the_list_is_searched_and_filtered(client, stakeholder):
    larch = TrainFactory(name="Larch 2027", version_name="27.1", state="construction")
    TrainFactory(name="Birch")

    for query in (
        {"q": "larch"},
        {"q": "27.1"},
        {"q": larch.ref.lower()},
        {"state": "construction"},
        {"type": larch.release_type_id},
        {"manager": larch.manager_id},
    ):
        assert names(client.get(LIST, query)) == ["Larch 2027"], query


def test_a_search_without_result_says_so_and_offers_the_way_back(client, stakeholder):
    TrainFactory()

    assert "No trains match" in text(client.get(LIST, {"q": "nothing like it"}))


@pytest.mark.parametrize(
    "query",
    [
        {"q": "\u202eשםש " * 60},
        {"q": "%' OR 1=1 --", "sort": "-password", "state": "nonsense", "view": "nonsense"},
        {"type": "9" * 400, "manager": "-1", "page": "9" * 400},
        {"type": "²", "manager": "1e3", "page": "-5"},
    ],
)
def test_hostile_queries_are_answered(client, stakeholder, query):
    assert client.get(LIST, query).status_code == 200


def test_a_nul_in_the_query_is_refused(client, stakeholder):
    assert client.get(LIST, {"q": "a\0b"}).status_code == 400


def questions(client, url):
    """How many queries a page asks."""
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    return len(asked)


def test_the_list_asks_the_same_number_of_questions_for_more_rows(client, stakeholder):
    full_train()
    once = questions(client, LIST)
    full_train()
    full_train()

    assert once == 12
    assert questions(client, LIST) == 12


def test_the_list_offers_the_states_that_its_view_can_hold(client, stakeholder):
    def offered(address, view):
        return {one.value for one in client.get(address, {"view": view}).context["states"]}

    assert offered(LIST, "over") == {"closed", "cancelled"}
    assert "scoping" in offered(LIST, "open")
    assert not offered(LIST, "open") & offered(LIST, "over")
    releases = reverse("trains:releases")
    assert offered(releases, "over") == {"closed", "cancelled"}
    assert offered(releases, "open") == {"planning", "executing", "complete"}


# --- The overview ---------------------------------------------------------------------------------


def test_the_overview_lists_what_refuses_the_next_step(client, manager):
    train = TrainFactory(name="Larch", manager=manager, end=None)
    criterion = CriterionFactory(gate=GateFactory(train=train), title="Scope is agreed")

    answer = client.get(train.get_absolute_url())

    assert "2 things stand between Larch and Construction" in text(answer)
    assert criterion.title in text(answer)
    assert [b.title for b in answer.context["blockers"]] == [
        b.title for b in train.step_blockers("start_construction")
    ]


def test_the_overview_offers_the_next_step_when_nothing_is_in_the_way(client, manager):
    train = TrainFactory(name="Larch", manager=manager)

    answer = client.get(train.get_absolute_url())

    assert "Nothing stands between Larch and Construction" in text(answer)
    assert f'action="{train.step_url("start_construction")}"' in text(answer)
    moved = client.post(train.step_url("start_construction"), {"version": train.version})
    assert moved.status_code == 303
    assert Train.objects.get(pk=train.pk).state == "construction"


def test_a_train_that_needs_approval_asks_for_it_instead_of_going_on(client, manager):
    train = full_train(manager=manager)

    page = text(client.get(train.get_absolute_url()))

    assert "Request train approval" in page
    assert train.step_url("start_construction") not in page
    assert "Then: train approval, 1 level" in page


def test_only_those_who_may_get_the_buttons(client, stakeholder):
    train = TrainFactory()

    page = text(client.get(train.get_absolute_url()))

    assert train.step_url("start_construction") not in page
    assert train.edit_url not in page


def test_what_does_not_exist_or_may_not_be_seen_is_not_found(client, manager):
    train = TrainFactory()
    assert client.get("/trains/RT-999999/").status_code == 404
    assert client.get(f"/trains/RT-{'9' * 40}/").status_code == 404
    assert client.get(f"/trains/RT-{train.pk}/nonsense/").status_code == 404

    client.force_login(UserFactory())
    for url in [train.get_absolute_url(), *(train.tab_url(tab) for tab in TABS)]:
        assert client.get(url).status_code == 404


def test_a_visitor_is_asked_to_sign_in(client, db):
    train = TrainFactory()

    for url in [LIST, train.get_absolute_url(), train.tab_url("gates"), train.edit_url]:
        answer = client.get(url)
        assert answer.status_code == 302
        assert answer.url.startswith(reverse("login"))


@pytest.mark.parametrize("tab", ["", *TABS])
@pytest.mark.parametrize("state", Train.State.values)
def test_every_tab_is_there_in_every_state(client, manager, tab, state):
    train = full_train(state=state, manager=manager)

    assert client.get(train.tab_url(tab) if tab else train.get_absolute_url()).status_code == 200


def test_a_train_with_hardly_anything_is_shown(client, manager):
    train = TrainFactory(
        manager=None, start=None, scoping_end=None, construction_end=None, qa_end=None, end=None
    )

    page = text(client.get(train.get_absolute_url()))

    assert "No release manager yet" in page
    assert "No dates yet" in page


@pytest.mark.parametrize("year", [1, 9999])
def test_dates_at_the_ends_of_the_calendar_are_shown(client, manager, year):
    day = dt.date(year, 12, 31) if year > 1 else dt.date(year, 1, 1)
    train = full_train(
        start=day, scoping_end=day, construction_end=day, qa_end=day, end=day, manager=manager
    )
    MilestoneFactory(train=train, due=day)

    for url in [LIST, train.get_absolute_url(), *(train.tab_url(tab) for tab in TABS)]:
        assert client.get(url).status_code == 200


def test_the_stepper_says_when_a_gate_was_passed(client, manager):
    train = TrainFactory(manager=manager)
    GateFactory(train=train)
    perform(train, "start_construction", by=manager)

    page = text(client.get(train.get_absolute_url()))

    today = timezone.localdate()
    assert f"Gate passed {today.day} {today:%B}" in page


def test_a_stage_of_one_day_is_that_day(client, manager):
    today = timezone.localdate()
    train = TrainFactory(manager=manager, start=today, scoping_end=today)

    page = text(client.get(train.get_absolute_url()))

    assert f"{today.day} {today:%B}" in page
    assert f"{today.day} to {today.day} {today:%B}" not in page


QUESTIONS = {
    "": 24,
    "releases": 22,
    "turnovers": 20,
    "work": 20,
    "gates": 23,
    "milestones": 21,
    "approvals": 16,
    "reservations": 21,
    "history": 28,
}


@pytest.mark.parametrize("tab", QUESTIONS)
def test_a_tab_asks_the_same_number_of_questions_for_more_rows(client, manager, tab):
    train = full_train(manager=manager)
    url = train.tab_url(tab) if tab else train.get_absolute_url()
    assert questions(client, url) == QUESTIONS[tab]
    add_rows(train)
    add_rows(train)

    assert questions(client, url) == QUESTIONS[tab]


# --- Tabs -----------------------------------------------------------------------------------------


def test_work_items_of_everything_aboard_are_listed_and_filtered(client, stakeholder):
    train = TrainFactory()
    release = ReleaseFactory(application=ApplicationFactory(name="Ledger"))
    BoardingFactory(train=train, release=release)
    WorkItemFactory(release=release, title="Round up", state="done", kind="defect")
    WorkItemFactory(release=release, title="Round down")
    WorkItemFactory(title="Elsewhere")
    url = train.tab_url("work")

    everything = text(client.get(url))
    assert "Round up" in everything
    assert "Round down" in everything
    assert "Elsewhere" not in everything
    assert "Round down" not in text(client.get(url, {"state": "done"}))
    assert "Round up" in text(client.get(url, {"kind": "defect"}))
    assert "No work items match" in text(client.get(url, {"kind": "request"}))


def test_requests_for_a_place_come_first_with_their_decision(client, manager):
    train = TrainFactory(manager=manager)
    BoardingFactory(train=train)
    asked = BoardingFactory(train=train, state="requested", requested_by=UserFactory())

    answer = client.get(train.tab_url("releases"))

    assert answer.context["rows"][0][0] == asked
    assert asked.step_url("accept") in text(answer)
    assert client.post(asked.step_url("accept"), {"version": asked.version}).status_code == 303


def test_a_reservation_that_clashes_is_marked(client, manager):
    train = TrainFactory(manager=manager)
    environment = EnvironmentFactory()
    held = BookingFactory(environment=environment)
    perform(held, "confirm", by=User.objects.robot())
    wanted = BookingFactory(environment=environment, requested_by=manager)
    Reservation.objects.create(train=train, booking=wanted)

    assert "booked twice" in text(client.get(train.tab_url("reservations")))


def test_the_history_tells_all_that_belongs_to_the_train(client, manager):
    train = full_train(manager=manager)
    criterion = train.gates.get(stage="scoping").criteria.get()
    perform(criterion, "reject", by=manager, reason="Not agreed at all")

    page = text(client.get(train.tab_url("history")))

    assert f"Criterion “{criterion.title}”" in page
    assert "Not agreed at all" in page
    assert str(manager) in page


def test_a_removed_criterion_stays_in_the_history(client, manager):
    train = full_train(manager=manager)
    criterion = train.gates.get(stage="scoping").criteria.get()

    client.post(reverse("trains:criterion-remove", args=[criterion.pk]))

    assert f"Criterion “{criterion.title}”" in text(client.get(train.tab_url("history")))


def test_the_history_goes_on_over_pages(client, manager):
    train = TrainFactory(manager=manager)
    gate = GateFactory(train=train)
    for number in range(60):
        CriterionFactory(gate=gate, title=f"No. {number:02}")

    first, second = (client.get(train.tab_url("history"), {"page": n}) for n in (1, 2))

    assert len(first.context["page"]) == 50
    assert first.context["page"].has_next
    assert "No. 59" in text(first)
    assert "No. 00" in text(second)
    assert not second.context["page"].has_next


# --- Following ------------------------------------------------------------------------------------


def test_following_puts_a_train_into_the_sidebar_and_takes_it_out_again(client, stakeholder):
    train = TrainFactory(name="Larch")
    url = reverse("trains:follow", args=[train.pk])

    assert client.post(url, {"follow": "yes"}).status_code == 303
    assert "Trains you follow" in text(client.get(LIST))
    assert list(train.followers.all()) == [stakeholder]

    client.post(url, {"follow": "no"})
    assert "Trains you follow" not in text(client.get(LIST))
    assert client.get(url).status_code == 405


def test_the_approvals_tab_shows_what_changed_since_it_was_asked(client, manager):
    train = full_train(manager=manager)
    criterion = train.gates.get(stage="scoping").criteria.get()
    perform(criterion, "meet", by=manager)
    perform(train, "request_train_approval", by=manager)
    Train.objects.filter(pk=train.pk).update(purpose="Something else")

    page = text(client.get(train.tab_url("approvals")))

    assert "The train has changed since this was asked for" in page
    assert "Something else" in page
    assert Signoff.objects.get(pk=train.train_signoff_id).state == "ready"
