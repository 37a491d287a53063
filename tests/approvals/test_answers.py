"""The answers besides yes and no: with a condition, in another slot, taken back."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from approvals import rules
from approvals.models import Condition, Decision
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.approvals.asking import member, now, page, post, sheet
from tests.factories import DeputyFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    return UserFactory(role="Approver", first_name="Ana", last_name="Silva")


# --- With a condition ---


def test_an_approval_with_a_condition_completes_the_sheet_but_does_not_count_yet(
    client, manager, ana, content
):
    signoff = sheet([ana], by=manager)

    assert post(client, signoff, "approve-if", ana, reason="Restore point first").status_code == 303

    signoff = now(signoff)
    condition = Condition.objects.get()
    assert signoff.state == "approved"
    assert (condition.words, condition.asked_by) == ("Restore point first", ana)
    assert not signoff.is_valid_for(content)
    assert "Restore point first" in page(client, signoff, manager)
    assert "does not count yet" in page(client, signoff, manager)

    perform(condition, "confirm", by=ana)

    assert now(signoff).is_valid_for(content)


def test_a_condition_must_be_said(client, manager, ana):
    signoff = sheet([ana], by=manager)

    assert post(client, signoff, "approve-if", ana).status_code == 422
    assert not Decision.objects.exists()
    assert not Condition.objects.exists()


def test_only_whoever_asked_for_a_condition_or_their_deputy_confirms_it(manager, ana):
    signoff = sheet([ana], by=manager)
    perform(signoff, "approve_if", by=ana, reason="Restore point")
    condition = Condition.objects.get()

    for person in (manager, UserFactory(role="Approver")):
        with pytest.raises(PermissionDenied):
            perform(condition, "confirm", by=person)
    deputy = DeputyFactory(person=ana).deputy
    assert perform(condition, "confirm", by=deputy).state == "met"


def test_whose_own_work_it_is_confirms_no_condition_as_a_deputy(manager, ana):
    signoff = sheet([ana], by=manager)
    perform(signoff, "approve_if", by=ana, reason="Restore point")
    DeputyFactory(person=ana, deputy=manager)

    with pytest.raises(PermissionDenied):
        perform(Condition.objects.get(), "confirm", by=manager)


def test_a_condition_is_waived_only_where_overrides_are_allowed_and_by_an_outsider(manager, ana):
    other = UserFactory(role="Release manager")
    strict = sheet([ana], by=manager)
    perform(strict, "approve_if", by=ana, reason="Restore point")
    with pytest.raises(PermissionDenied):
        perform(Condition.objects.get(), "waive", by=other, reason="No time")

    lenient = sheet([ana], by=manager, allows_override=True)
    perform(lenient, "approve_if", by=ana, reason="Restore point")
    condition = Condition.objects.get(signoff=lenient)
    with pytest.raises(PermissionDenied):
        perform(condition, "waive", by=manager, reason="No time")
    with pytest.raises(TransitionRefused, match="Say why"):
        perform(condition, "waive", by=other)
    assert perform(condition, "waive", by=other, reason="No time").state == "waived"


def test_conditions_of_an_earlier_round_are_not_asked_for_any_more(manager, ana, content):
    signoff = sheet([ana], by=manager)
    perform(signoff, "approve_if", by=ana, reason="Restore point")
    perform(now(signoff), "void", by=manager, reason="Again")
    perform(now(signoff), "request", by=manager)

    perform(now(signoff), "approve", by=ana)

    assert now(signoff).is_valid_for(content)


# --- In another slot ---


def slot(**changes):
    starts = timezone.now() + dt.timedelta(days=3)
    values = {"slot_starts": starts, "slot_ends": starts + dt.timedelta(hours=4)} | changes
    return {name: f"{value:%Y-%m-%d %H:%M}" if value else "" for name, value in values.items()}


def test_postponing_ends_the_round_and_says_when_instead(client, manager, ana):
    signoff = sheet([ana], by=manager)

    answer = post(client, signoff, "postpone", ana, reason="Quarter end", **slot())

    assert answer.status_code == 303
    assert now(signoff).state == "postponed"
    assert now(signoff).open_level == 0
    assert Decision.objects.get().slot_starts is not None
    said = page(client, signoff, manager)
    assert "Ana Silva wants it in another slot" in said
    assert "Quarter end" in said
    assert perform(now(signoff), "request", by=manager).state == "ready"


@pytest.mark.parametrize(
    "wrong",
    [
        {"slot_starts": None},
        {"slot_ends": None},
        {"slot_starts": timezone.now() - dt.timedelta(days=1)},
        {"slot_ends": timezone.now() + dt.timedelta(hours=1)},
        {"slot_starts": dt.datetime(9999, 12, 31), "slot_ends": dt.datetime(9999, 12, 31)},  # noqa: DTZ001
    ],
)
def test_a_slot_that_is_none_postpones_nothing(client, manager, ana, wrong):
    signoff = sheet([ana], by=manager)

    answer = post(client, signoff, "postpone", ana, reason="Later", **slot(**wrong))

    assert answer.status_code == 422
    assert now(signoff).state == "ready"
    assert not Decision.objects.exists()


# --- Taken back ---


def test_a_decision_is_taken_back_and_given_again(client, manager, board):
    ana, ben = member(board), member(board)
    signoff = sheet([(board, 2)], by=manager)
    post(client, signoff, "approve", ana)

    answer = post(client, now(signoff), "recall", ana, reason="I misread it")
    assert answer.status_code == 303
    assert now(signoff).state == "ready"
    assert now(signoff).waits_for(ana)
    assert "I misread it" in page(client, signoff, ben)

    post(client, signoff, "approve", ben)
    assert now(signoff).state == "ready"
    post(client, signoff, "approve", ana)
    assert now(signoff).state == "approved"
    verdicts = list(Decision.objects.values_list("verdict", flat=True))
    assert verdicts == ["approve", "recall", "approve", "approve"]


def test_taking_back_what_completed_a_level_opens_that_level_again(manager, board, content):
    ana, cleo = member(board), UserFactory(role="Approver")
    signoff = sheet([(board, 1)], [cleo], by=manager)
    perform(signoff, "approve", by=ana)
    perform(now(signoff), "approve", by=cleo)
    assert now(signoff).state == "approved"

    perform(now(signoff), "recall", by=ana, reason="Wait")

    assert (now(signoff).state, now(signoff).open_level) == ("ready", 1)
    assert not now(signoff).is_valid_for(content)
    # What the other level said stands: with this vote again, the sheet is complete.
    assert perform(now(signoff), "approve", by=ana).state == "approved"


def test_only_whoever_has_decided_takes_a_decision_back(manager, board):
    ana, ben = member(board), member(board)
    signoff = sheet([(board, 2)], by=manager)
    perform(signoff, "approve", by=ana)

    with pytest.raises(PermissionDenied):
        perform(now(signoff), "recall", by=ben, reason="No")
    with pytest.raises(PermissionDenied):
        perform(now(signoff), "recall", by=manager, reason="No")
    perform(now(signoff), "recall", by=ana, reason="No")
    with pytest.raises(PermissionDenied):
        perform(now(signoff), "recall", by=ana, reason="Twice")
    assert Decision.objects.count() == 2


def test_what_was_done_upon_keeps_a_decision_from_being_taken_back(manager, ana, monkeypatch):
    signoff = sheet([ana], by=manager)
    perform(signoff, "approve", by=ana)
    monkeypatch.setattr(rules, "recall_questions", [lambda _: ["It is deploying"]])

    with pytest.raises(TransitionRefused, match="deploying"):
        perform(now(signoff), "recall", by=ana, reason="Too late")
    assert now(signoff).state == "approved"


def test_the_condition_goes_with_the_decision_that_is_taken_back(manager, ana, content):
    signoff = sheet([ana], by=manager)
    perform(signoff, "approve_if", by=ana, reason="Restore point")
    perform(now(signoff), "recall", by=ana, reason="Not needed")

    perform(now(signoff), "approve", by=ana)

    assert now(signoff).is_valid_for(content)


@pytest.mark.parametrize("step", ["approve-if", "reject", "postpone", "recall", "override"])
def test_looking_at_a_step_decides_nothing(client, manager, ana, step):
    signoff = sheet([ana], by=manager, allows_override=True)
    if step == "recall":
        perform(signoff, "approve", by=ana)
    who = UserFactory(role="Release manager") if step == "override" else ana
    before = Decision.objects.count()
    client.force_login(who)

    assert client.get(f"/approvals/{signoff.pk}/steps/{step}/").status_code == 200
    assert client.head(f"/approvals/{signoff.pk}/steps/{step}/").status_code == 200

    assert Decision.objects.count() == before
