"""A train that is held goes nowhere; a status by hand ends by itself."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from releasemgr.accounts.models import User
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.factories import (
    BookingFactory,
    HoldFactory,
    LevelFactory,
    RuleFactory,
    SignoffFactory,
    TrainFactory,
    UserFactory,
)
from trains import health
from trains.models import Reservation, Train
from trains.states import Health

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate()
ONWARD = {
    "scoping": ["request_train_approval", "start_construction"],
    "construction": ["request_development_approval", "start_verification"],
    "verification": ["give_consent", "request_executive_approval", "start_deployment"],
    "deployment": ["close"],
}


@pytest.mark.parametrize(
    ("state", "step"), [(state, step) for state, steps in ONWARD.items() for step in steps]
)
def test_every_step_that_takes_a_held_train_on_names_the_hold(state, step):
    train = TrainFactory(state=state)
    HoldFactory(scope="train", train=train, reason="The supplier withdrew.")

    titles = [blocker.title for blocker in train.step_blockers(step)]

    assert f"{train} is held" in titles


def test_a_held_train_starts_no_construction_until_the_hold_is_lifted():
    train = TrainFactory()
    hold = HoldFactory(scope="train", train=train)

    with pytest.raises(TransitionRefused, match="is held"):
        perform(train, "start_construction", by=train.manager)
    assert Train.objects.get(pk=train.pk).state == "scoping"

    perform(hold, "lift", by=train.manager, reason="They are back.")
    assert perform(train, "start_construction", by=train.manager).state == "construction"


def test_a_held_train_can_be_cancelled_which_frees_its_environments_and_ends_its_hold():
    train = TrainFactory()
    hold = HoldFactory(scope="train", train=train)
    other = HoldFactory(scope="all")
    booking = BookingFactory(state="confirmed")
    Reservation.objects.create(train=train, booking=booking)

    assert perform(train, "cancel", by=train.manager, reason="No longer").state == "cancelled"

    for row in (hold, other, booking):
        row.refresh_from_db()
    assert (hold.state, other.state, booking.state) == ("lifted", "active", "released")


@pytest.mark.parametrize("scope", ["all", "train"])
def test_holds_on_other_things_do_not_hold_a_train(scope):
    train = TrainFactory()
    HoldFactory(scope=scope, train=TrainFactory() if scope == "train" else None)

    assert perform(train, "start_construction", by=train.manager).state == "construction"


def asked_train():
    """A train that waits for the vote of one person."""
    sheet = SignoffFactory()
    voter = UserFactory(role="Approver")
    RuleFactory(level=LevelFactory(signoff=sheet), person=voter)
    train = TrainFactory(train_signoff=sheet, needs_train_approval=True)
    perform(train, "request_train_approval", by=train.manager)
    return Train.objects.get(pk=train.pk), voter


def test_nobody_approves_for_a_held_train_but_may_reject():
    train, voter = asked_train()
    HoldFactory(scope="train", train=train)

    with pytest.raises(TransitionRefused, match="is held"):
        perform(train.train_signoff, "approve", by=voter, seal=train.train_signoff.seal)
    train.train_signoff.refresh_from_db()
    assert train.train_signoff.state == "ready"

    sheet = train.train_signoff
    perform(sheet, "reject", by=voter, reason="Not like this", seal=sheet.seal)
    assert Train.objects.get(pk=train.pk).state == "scoping"


def test_a_vote_after_the_hold_takes_the_train_on():
    train, voter = asked_train()
    hold = HoldFactory(scope="train", train=train)
    perform(hold, "lift", by=train.manager, reason="Over")

    perform(train.train_signoff, "approve", by=voter, seal=train.train_signoff.seal)

    assert Train.objects.get(pk=train.pk).state == "construction"


def test_every_tab_says_that_the_train_is_held_and_by_whom(client, manager):
    train = TrainFactory()
    hold = HoldFactory(scope="train", train=train, reason="The supplier withdrew.")

    for url in (train.get_absolute_url(), train.tab_url("gates"), train.tab_url("history")):
        page = client.get(url).content.decode()
        assert f"{train} is held" in page
        assert "The supplier withdrew." in page
        assert hold.get_absolute_url() in page


def test_a_held_train_asks_for_attention_on_its_page_and_in_the_list(client, manager):
    held, free = TrainFactory(), TrainFactory()
    HoldFactory(scope="train", train=held)
    HoldFactory(scope="train", train=free, state="lifted")

    rows = {train.pk: health for train, health in client.get("/trains/").context["rows"]}
    page = client.get(held.get_absolute_url()).context["health"]

    assert [reason.sentence for reason in rows[held.pk].reasons] == ["It is held"]
    assert rows[held.pk].status == page.status == Health.ATTENTION
    assert rows[free.pk].status == Health.ON_TRACK


def test_a_train_is_held_from_its_page_and_let_go_on(client, manager):
    train = TrainFactory()
    address = f"{reverse('turnovers:hold-new')}?train={train.pk}"
    assert address in client.get(train.get_absolute_url()).content.decode()

    client.post(address, {"reason": "The supplier withdrew."})
    refused = client.post(train.step_url("start_construction"), {"version": train.version})
    assert refused.status_code == 409
    hold = train.holds.get()
    client.post(hold.step_url("lift"), {"reason": "Back again", "version": hold.version})
    taken = client.post(train.step_url("start_construction"), {"version": train.version})

    assert taken.status_code == 303
    history = client.get(train.tab_url("history")).content.decode()
    assert "The supplier withdrew." in history


# --- A status by hand -----------------------------------------------------------------------------


def test_a_status_by_hand_counts_until_its_day_and_not_after():
    late = TODAY - dt.timedelta(days=1)
    train = TrainFactory(
        end=late, health_override="on_track", health_note="Agreed", health_until=TODAY
    )
    assert health.of(train).status == Health.ON_TRACK

    train.health_until = late
    found = health.of(train)

    assert (found.status, found.is_overridden) == (Health.AT_RISK, False)


def test_a_status_by_hand_is_kept_with_its_last_day(client, manager):
    train = TrainFactory()
    url = reverse("trains:health", args=[train.pk])
    said = {"version": train.version, "health_override": "at_risk", "health_note": "Supplier"}

    passed = client.post(url, said | {"health_until": TODAY - dt.timedelta(days=1)})
    kept = client.post(url, said | {"health_until": TODAY})

    assert (passed.status_code, kept.status_code) == (422, 303)
    train.refresh_from_db()
    assert (train.health_override, train.health_until) == ("at_risk", TODAY)
    entry = train.history.latest("history_id")
    assert (entry.health_until, entry.history_user) == (TODAY, User.objects.get(pk=manager.pk))


def test_taking_the_status_back_takes_its_day_as_well(client, manager):
    train = TrainFactory(health_override="at_risk", health_note="Late", health_until=TODAY)

    client.post(
        reverse("trains:health", args=[train.pk]),
        {"version": train.version, "health_override": "", "health_until": TODAY},
    )

    train.refresh_from_db()
    assert (train.health_override, train.health_note, train.health_until) == ("", "", None)
