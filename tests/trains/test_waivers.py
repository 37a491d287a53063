"""Waivers: two people, a reason, a scope, an end; and every later approver is shown them."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from releasemgr.portal.work import waiting_for
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.factories import CriterionFactory, GateFactory, TrainFactory, UserFactory, WaiverFactory
from trains.facts import facts_for
from trains.models import Criterion, Waiver
from trains.states import CriterionStanding
from trains.waivers import ask_waiver, let_run_out

pytestmark = pytest.mark.django_db


@pytest.fixture
def granter():
    return UserFactory(role="Release manager", first_name="Gwen")


def granted(granter, **more):
    waiver = WaiverFactory(**more)
    return perform(waiver, "grant", by=granter)


def another_of(criterion):
    return Waiver(criterion=criterion, reason="Late.", scope="All.", until=timezone.localdate())


def run_out(waiver):
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    Waiver.objects.filter(pk=waiver.pk).update(until=yesterday)
    Criterion.objects.filter(pk=waiver.criterion_id).update(waived_until=yesterday)


def seen(criterion):
    return Criterion.objects.get(pk=criterion.pk)


def test_a_granted_waiver_lets_its_gate_be_passed_and_says_who_granted_it(granter):
    waiver = granted(granter)

    criterion = seen(waiver.criterion)
    assert criterion.status == CriterionStanding.WAIVED
    assert criterion.waived_until == waiver.until
    assert criterion.history.latest().history_user == granter
    assert criterion.gate.train.step_blockers("start_construction") == []
    assert (waiver.decided_by, waiver.decided_at is None) == (granter, False)


def test_nobody_waives_alone(granter):
    criterion = CriterionFactory()

    with pytest.raises(TransitionRefused, match="Nobody has granted"):
        perform(criterion, "waive", by=granter, reason="I say so")
    waiver = WaiverFactory(criterion=criterion, asked_by=granter)
    with pytest.raises(PermissionDenied):
        perform(waiver, "grant", by=granter)
    assert seen(criterion).state == "open"


def test_nobody_grants_the_waiver_of_their_own_criterion(granter):
    waiver = WaiverFactory(criterion__owner=granter)

    with pytest.raises(PermissionDenied):
        perform(waiver, "grant", by=granter)


def test_a_refused_one_changes_nothing(granter):
    waiver = WaiverFactory()

    perform(waiver, "refuse", by=granter, reason="Not this one")

    assert seen(waiver.criterion).state == "open"


def test_one_that_has_run_out_stops_the_gate_at_once_and_is_ended_by_the_rounds(granter):
    waiver = granted(granter)
    run_out(waiver)

    assert seen(waiver.criterion).status == CriterionStanding.EXPIRED
    assert waiver.criterion in Criterion.objects.unmet()
    (blocker,) = waiver.criterion.gate.train.step_blockers("start_construction")
    assert blocker.now.startswith("Waiver expired. It was waived until")

    let_run_out()

    criterion = seen(waiver.criterion)
    assert (criterion.state, criterion.waived_until) == ("open", None)
    assert Waiver.objects.get(pk=waiver.pk).state == "expired"
    assert criterion.history.latest().history_user.is_robot


def test_one_that_still_counts_is_not_ended(granter):
    waiver = granted(granter, until=timezone.localdate())

    let_run_out()

    assert Waiver.objects.get(pk=waiver.pk).state == "granted"


def test_what_was_passed_with_a_waiver_stays_passed(granter):
    waiver = granted(granter)
    perform(waiver.criterion.gate.train, "start_construction", by=granter)
    run_out(waiver)

    let_run_out()

    assert Waiver.objects.get(pk=waiver.pk).state == "granted"
    assert seen(waiver.criterion).state == "waived"


def test_one_taken_back_opens_its_criterion(granter):
    waiver = granted(granter)

    perform(waiver, "revoke", by=granter, reason="Found a way")

    assert seen(waiver.criterion).state == "open"


def test_who_opens_a_waived_criterion_takes_its_waiver_back(granter):
    waiver = granted(granter)

    perform(seen(waiver.criterion), "reopen", by=granter, reason="Needed after all")

    assert Waiver.objects.get(pk=waiver.pk).state == "revoked"
    assert seen(waiver.criterion).state == "open"


def test_what_does_not_stop_its_gate_needs_no_waiver():
    criterion = CriterionFactory(state="met")
    waiver = another_of(criterion)

    with pytest.raises(TransitionRefused, match="does not stop"):
        ask_waiver(waiver, by=UserFactory(role="Release manager"))
    assert not Waiver.objects.exists()


def test_there_is_one_at_a_time():
    waiver = WaiverFactory()
    another = another_of(waiver.criterion)

    with pytest.raises(TransitionRefused, match="already"):
        ask_waiver(another, by=UserFactory(role="Release manager"))


def test_every_later_approver_is_shown_it(granter):
    waiver = granted(granter, reason="Vendor is late.", scope="Only the report.")
    train = Criterion.objects.get(pk=waiver.criterion_id).gate.train

    for which in ("train", "development", "executive"):
        (fact,) = [fact for fact in facts_for(train, which) if fact[0] == "Waived"]
        assert waiver.criterion.title in fact[1]
        for words in ("Vendor is late.", "Only the report.", str(granter), str(waiver.asked_by)):
            assert words in fact[2]


def test_it_waits_for_those_who_may_grant_it_and_for_nobody_else(granter):
    waiver = WaiverFactory()

    def waits(person):
        return [row for row in waiting_for(person) if str(waiver) in row.title]

    assert len(waits(granter)) == 1
    assert waits(waiver.asked_by) == []
    assert waits(UserFactory(role="Stakeholder")) == []


def test_it_is_asked_for_on_a_page_that_says_what_is_missing(client, manager):
    criterion = CriterionFactory(gate=GateFactory(train=TrainFactory()))
    address = reverse("trains:waiver-new", args=[criterion.pk])

    answer = client.post(address, {"reason": "", "scope": "All", "until": "2020-01-01"})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"reason", "until"}
    assert not Waiver.objects.exists()

    good = {"reason": "Late", "scope": "All", "until": timezone.localdate().isoformat()}
    answer = client.post(address, good)
    waiver = Waiver.objects.get()
    assert answer.headers["Location"] == waiver.get_absolute_url()
    assert waiver.asked_by == manager
    assert waiver.history.latest().history_user == manager
    page = client.get(waiver.get_absolute_url()).content.decode()
    assert "Late" in page
    assert "Grant" not in page
    assert (
        "Ask for a waiver" not in client.get(criterion.gate.train.tab_url("gates")).content.decode()
    )


def test_its_last_day_is_proposed_the_day_of_the_gate(client, manager):
    criterion = CriterionFactory()

    form = client.get(reverse("trains:waiver-new", args=[criterion.pk])).context["form"]

    assert form["until"].value() == criterion.gate.day


def test_only_those_concerned_ask_for_one(client):
    criterion = CriterionFactory()
    client.force_login(UserFactory(role="Developer"))

    assert client.get(reverse("trains:waiver-new", args=[criterion.pk])).status_code == 403
