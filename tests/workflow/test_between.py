"""Page, JSON and refused step say the same of what stands between a record and its next step.

Each case is an object that waits, made so that something is in the way of its next step.
"""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from releasemgr.accounts.roles import ROBOT, ROLES
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.factories import (
    BoardingFactory,
    BookingFactory,
    CriterionFactory,
    GateFactory,
    HoldFactory,
    LevelFactory,
    ReleaseFactory,
    RuleFactory,
    RunFactory,
    SignoffFactory,
    TaskFactory,
    TaskRunFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
    WorkItemFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client):
    """Somebody with every role, who owns nothing."""
    user = UserFactory(role=[name for name in ROLES if name != ROBOT])
    client.force_login(user)
    return user


def train(reader):
    row = TrainFactory(qa_end=None)
    CriterionFactory(gate=GateFactory(train=row), title="Budget agreed", owner=reader)
    return row


def train_with_things_aboard(reader):
    row = TrainFactory(state="construction")
    BoardingFactory(train=row, release=ReleaseFactory(state="executing"))
    BoardingFactory(train=row, state="requested")
    return row


def release(reader):
    row = ReleaseFactory(state="executing", owner=reader)
    WorkItemFactory(release=row, title="Still to do")
    return row


def draft_turnover(reader):
    return TurnoverFactory(author=reader)


def accepted_turnover(reader):
    soon = timezone.now() + dt.timedelta(hours=3)
    row = TurnoverFactory(state="ready", earliest=soon)
    HoldFactory(scope="turnover", turnover=row)
    return row


def task_run(reader):
    """A manual one whose run has ended meanwhile."""
    return TaskRunFactory(run=RunFactory(state="aborted"), task__owner=reader)


def booking(reader):
    other = BookingFactory(state="confirmed")
    return BookingFactory(environment=other.environment, starts=other.starts)


def sheet_that_names_nobody(reader):
    return SignoffFactory()


CASES = [
    train,
    train_with_things_aboard,
    release,
    draft_turnover,
    accepted_turnover,
    task_run,
    booking,
    sheet_that_names_nobody,
]
#: Where the page of each shows it; a task run has its place on the page of its run.
PAGES_WITHOUT = {task_run}


def address(row):
    meta = row._meta
    return reverse(f"{meta.app_label}:{meta.model_name}-blockers", args=[row.pk])


def refused(row, by):
    """What the step itself says."""
    with pytest.raises(TransitionRefused) as caught:
        perform(row, row.next_step, by=by)
    return caught.value.blockers


@pytest.mark.parametrize("case", CASES)
def test_page_json_and_refusal_agree(client, reader, case):
    row = case(reader)
    before = (row.state, row.version)

    answer = client.get(address(row))
    blockers = refused(type(row).objects.get(pk=row.pk), reader)

    data = answer.json()
    assert blockers
    assert [b["title"] for b in data["blockers"]] == [b.title for b in blockers]
    assert [b["now"] for b in data["blockers"]] == [b.now for b in blockers]
    assert data["is_blocked"]
    assert (data["step"]["name"], data["step"]["yours"]) == (row.next_step, True)
    if case not in PAGES_WITHOUT:
        shown = client.get(row.get_absolute_url()).context["between"]
        assert shown.blockers == blockers
    fresh = type(row).objects.get(pk=row.pk)
    assert (fresh.state, fresh.version) == before


@pytest.mark.parametrize("case", CASES)
def test_it_is_for_those_who_may_look_at_the_record(client, reader, case):
    row = case(reader)
    client.force_login(UserFactory())

    assert client.get(address(row)).status_code == 404
    client.logout()
    assert client.get(address(row)).status_code == 302


def test_a_ready_step_has_no_blockers_and_can_be_taken(client, reader):
    row = TrainFactory()

    data = client.get(address(row)).json()

    assert (data["is_blocked"], data["blockers"], data["towards"]) == (False, [], "Construction")
    perform(row, data["step"]["name"], by=reader)
    assert type(row).objects.get(pk=row.pk).state == "construction"


def test_what_is_over_stands_before_nothing(client, reader):
    data = client.get(address(TrainFactory(state="closed"))).json()

    assert (data["step"], data["blockers"], data["towards"]) == (None, [], "")


def test_a_blocker_says_who_when_and_the_way_round(client, reader):
    row = train(reader)

    found = client.get(address(row)).json()["blockers"]

    criterion = next(b for b in found if b["title"] == "Budget agreed")
    assert criterion["yours"]
    assert criterion["expected"] == row.scoping_end.isoformat()
    (way,) = criterion["ways"]
    assert way["label"] == "Ask for a waiver"
    assert client.get(way["url"]).status_code == 200


def test_all_of_it_is_expected_when_the_last_of_it_is(client, reader):
    row = TrainFactory(state="construction")
    gate = GateFactory(train=row, stage="construction")
    CriterionFactory(gate=gate, own_due=dt.date(2027, 3, 9))
    late = row.construction_end
    place = BoardingFactory(
        train=row, release=ReleaseFactory(state="executing", construction_end=late)
    )

    assert client.get(address(row)).json()["expected"] == "2027-03-09"
    type(place.release).objects.update(construction_end=None)
    assert client.get(address(row)).json()["expected"] is None


def test_the_way_round_leads_where_it_says(client, reader):
    row = train_with_things_aboard(reader)

    ways = [way for b in client.get(address(row)).json()["blockers"] for way in b["ways"]]

    assert [way["label"] for way in ways] == ["Postpone it", "Take it off"]
    assert [client.get(way["url"]).status_code for way in ways] == [200, 200]


def test_what_time_clears_says_when(client, reader):
    soon = timezone.now() + dt.timedelta(hours=3)
    row = TurnoverFactory(state="ready", earliest=soon)

    found = client.get(address(row)).json()["blockers"]

    window = next(b for b in found if "window" in b["title"])
    assert dt.datetime.fromisoformat(window["clears_at"]) == soon.replace(
        microsecond=soon.microsecond // 1000 * 1000
    )


def test_a_task_that_waits_for_a_worker_names_what_refuses_the_claim(client, reader):
    run = RunFactory()
    row = TaskRunFactory(run=run, state="waiting", task=TaskFactory(turnover=run.turnover))
    hold = HoldFactory(scope="turnover", turnover=run.turnover)
    stuck = TaskRunFactory(run=run, state="unknown")

    data = client.get(address(row)).json()

    assert [b["title"] for b in data["blockers"]] == [f"{hold} is held"]
    assert [b.title for b in run.turnover.claim_blockers()] == [f"{hold} is held"]
    assert [b["title"] for b in data["waits_for"]] == [f"“{stuck}” is unknown"]
    assert data["step"] is None


def test_a_sheet_that_is_being_decided_names_the_votes_it_waits_for(client, reader):
    sheet = SignoffFactory(state="ready", round=1, open_level=1)
    rule = RuleFactory(level=LevelFactory(signoff=sheet))
    RuleFactory(level=LevelFactory(signoff=sheet, number=2))

    data = client.get(address(sheet)).json()

    assert data["blockers"] == []
    assert data["waits_for"][0]["owner"] == str(rule.person)
    assert [b["now"] for b in data["waits_for"]] == [
        "Deciding.",
        "The level opens after the one before.",
    ]


def test_a_booking_that_nothing_is_in_the_way_of_waits_for_a_confirmation(client, reader):
    row = BookingFactory()

    data = client.get(address(row)).json()

    assert (data["blockers"], len(data["waits_for"])) == ([], 1)
    perform(row, "confirm", by=reader)
    assert client.get(address(row)).json()["waits_for"] == []
