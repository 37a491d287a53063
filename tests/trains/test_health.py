"""How a train is doing, and why."""

import datetime as dt

import pytest
from django.utils import timezone

from releasemgr.accounts.models import User
from releasemgr.workflow.perform import perform
from tests.factories import (
    BookingFactory,
    CriterionFactory,
    EnvironmentFactory,
    GateFactory,
    LevelFactory,
    MilestoneFactory,
    RuleFactory,
    SignoffFactory,
    TrainFactory,
)
from trains import health
from trains.models import Reservation, Train
from trains.states import Health

pytestmark = pytest.mark.django_db

YESTERDAY, LONG_AGO = (timezone.localdate() - dt.timedelta(days=n) for n in (1, 90))


def told(train):
    found = health.of(Train.objects.get(pk=train.pk))
    return found.status, [reason.sentence for reason in found.reasons]


def test_a_train_with_nothing_late_is_on_track():
    assert told(TrainFactory()) == (Health.ON_TRACK, [])


def test_a_stage_that_should_have_ended_puts_it_at_risk():
    status, reasons = told(TrainFactory(scoping_end=YESTERDAY))

    assert status == Health.AT_RISK
    assert reasons[0].startswith("Scoping should have ended on")


def test_an_end_date_that_has_passed_is_told_before_all_else():
    status, reasons = told(TrainFactory(start=LONG_AGO, end=YESTERDAY))

    assert status == Health.AT_RISK
    assert reasons[0].startswith("The end date")


def test_a_late_criterion_of_a_gate_ahead_asks_for_attention():
    train = TrainFactory()
    CriterionFactory(gate=GateFactory(train=train), title="Scope", own_due=YESTERDAY)
    CriterionFactory(
        gate=GateFactory(train=train, stage="construction"), own_due=YESTERDAY, state="met"
    )

    status, reasons = told(train)

    assert status == Health.ATTENTION
    assert len(reasons) == 1
    assert reasons[0].startswith("“Scope” was due on")


def test_a_criterion_of_a_gate_passed_long_ago_is_no_reason():
    train = TrainFactory(state="construction")
    CriterionFactory(gate=GateFactory(train=train), own_due=LONG_AGO)

    assert told(train) == (Health.ON_TRACK, [])


def test_a_rejected_criterion_puts_it_at_risk():
    train = TrainFactory()
    CriterionFactory(gate=GateFactory(train=train), title="Scope", state="rejected")

    assert told(train) == (Health.AT_RISK, ["“Scope” was rejected"])


def test_late_and_missed_milestones_ask_for_attention():
    train = TrainFactory()
    MilestoneFactory(train=train, title="Freeze", due=YESTERDAY)
    MilestoneFactory(train=train, title="Demo", due=LONG_AGO, state="missed")
    MilestoneFactory(train=train, title="Done", due=LONG_AGO, state="completed")

    status, reasons = told(train)

    assert status == Health.ATTENTION
    assert [reason.split("”")[0] for reason in reasons] == ["Milestone “Demo", "Milestone “Freeze"]


def test_many_of_a_kind_are_counted():
    train = TrainFactory()
    for _ in range(5):
        MilestoneFactory(train=train, due=YESTERDAY)

    assert told(train)[1][-1] == "And 2 more like it"


def test_a_rejected_approval_puts_it_at_risk():
    sheet = SignoffFactory(title="Train approval")
    RuleFactory(level=LevelFactory(signoff=sheet))
    train = TrainFactory(needs_train_approval=True, train_signoff=sheet)
    perform(train, "request_train_approval", by=train.manager)
    sheet.refresh_from_db()
    perform(sheet, "reject", by=sheet.levels.get().rules.get().person, reason="Too much")

    assert told(train) == (Health.AT_RISK, ["Train approval was rejected"])


def test_a_clash_asks_for_attention():
    train, environment = TrainFactory(), EnvironmentFactory(name="staging")
    perform(BookingFactory(environment=environment), "confirm", by=User.objects.robot())
    Reservation.objects.create(train=train, booking=BookingFactory(environment=environment))

    status, reasons = told(train)

    assert status == Health.ATTENTION
    assert reasons[0].startswith("staging is booked twice")


def test_what_a_person_says_goes_before_what_is_computed():
    train = TrainFactory(health_override="on_track", health_note="Agreed", end=YESTERDAY)

    found = health.of(train)

    assert (found.status, found.computed) == (Health.ON_TRACK, Health.AT_RISK)
    assert found.note == "Agreed"


def test_what_is_over_is_not_judged():
    assert told(TrainFactory(state="closed", end=LONG_AGO)) == (Health.ON_TRACK, [])


def test_more_trains_ask_no_more_questions(django_assert_num_queries):
    def one():
        train = TrainFactory(end=YESTERDAY)
        CriterionFactory(gate=GateFactory(train=train), own_due=YESTERDAY)
        MilestoneFactory(train=train, due=YESTERDAY)
        Reservation.objects.create(train=train, booking=BookingFactory())
        return train

    first = one()
    with django_assert_num_queries(3):
        health.assess([first])
    trains = [first, one(), one()]
    with django_assert_num_queries(3):
        health.assess(trains)
