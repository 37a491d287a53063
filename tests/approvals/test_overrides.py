"""Deciding for somebody absent, and changing the approvers while it is being decided."""

import pytest
from django.contrib.auth.models import Group

from approvals.models import Decision, Rule
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.approvals.asking import member, now, page, post, sheet
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    return UserFactory(role="Approver", first_name="Ana", last_name="Silva")


@pytest.fixture
def other():
    return UserFactory(role="Release manager", first_name="Oleg", last_name="Brandt")


def test_an_override_is_recorded_as_such_with_its_reason(client, manager, ana, other):
    signoff = sheet([ana], by=manager, allows_override=True)

    assert post(client, signoff, "override", other, voice=ana.pk).status_code == 422
    answer = post(client, signoff, "override", other, voice=ana.pk, reason="Ana is in hospital")

    assert answer.status_code == 303
    decision = Decision.objects.get()
    assert (decision.person, decision.on_behalf_of, decision.is_override) == (other, ana, True)
    assert now(signoff).state == "approved"
    said = page(client, signoff, ana)
    assert "Override." in said
    assert "Oleg Brandt for Ana Silva" in said
    assert "Ana is in hospital" in said


def test_where_overrides_are_not_allowed_there_are_none(client, manager, ana, other):
    signoff = sheet([ana], by=manager)

    answer = post(client, signoff, "override", other, voice=ana.pk, reason="Because")

    assert answer.status_code == 409
    assert "allows no override" in answer.content.decode()
    with pytest.raises(TransitionRefused, match="no override"):
        perform(signoff, "remove_approver", by=other, reason="Because", rule=Rule.objects.get())
    with pytest.raises(TransitionRefused, match="no override"):
        perform(signoff, "add_approver", by=other, reason="Because", level=1, person=other)
    assert not Decision.objects.exists()
    assert Rule.objects.count() == 1


def test_whose_own_work_it_is_or_who_asked_overrides_nothing(client, manager, ana):
    owner = UserFactory(role="Release manager")
    signoff = sheet([ana], by=manager, barred=[owner], allows_override=True)

    for person in (manager, owner):
        for step in ("override", "add-approver", "remove-approver"):
            form = {"voice": ana.pk, "reason": "Because", "level": 1}
            assert post(client, signoff, step, person, **form).status_code == 403
    assert not Decision.objects.exists()
    assert Rule.objects.count() == 1


def test_one_override_a_round_and_person(manager, ana, other):
    ben = UserFactory(role="Approver")
    signoff = sheet([ana, ben], by=manager, allows_override=True)
    perform(signoff, "override", by=other, voice=ana.pk, reason="Absent")

    with pytest.raises(TransitionRefused, match="decided already"):
        perform(now(signoff), "override", by=other, voice=ben.pk, reason="Absent too")
    assert now(signoff).state == "ready"
    assert Decision.objects.count() == 1


def test_a_named_manager_who_overrode_has_no_vote_left(manager, board, ana, other):
    member(board)
    other.groups.add(board)
    member(board)
    signoff = sheet([ana, (board, 2)], by=manager, allows_override=True)
    perform(signoff, "override", by=other, voice=ana.pk, reason="Absent")

    with pytest.raises(TransitionRefused):
        perform(now(signoff), "approve", by=other)
    assert Decision.objects.count() == 1


@pytest.mark.parametrize("whose", ["who is barred", "who is not named", "who has decided"])
def test_an_override_gives_only_a_vote_that_is_missing(manager, board, other, whose):
    barred, decided = member(board), member(board)
    member(board)
    signoff = sheet([(board, 2)], by=manager, barred=[barred], allows_override=True)
    perform(signoff, "approve", by=decided)
    voice = {
        "who is barred": barred,
        "who is not named": UserFactory(role="Approver"),
        "who has decided": decided,
    }[whose]

    with pytest.raises(TransitionRefused):
        perform(now(signoff), "override", by=other, voice=voice.pk, reason="Because")
    assert Decision.objects.count() == 1


def test_an_override_upon_changed_content_is_refused(client, manager, ana, other, content):
    signoff = sheet([ana], by=manager, allows_override=True)
    content["Train"] = "Maple"

    answer = post(client, signoff, "override", other, voice=ana.pk, reason="Because")

    assert answer.status_code == 409
    assert "Maple" in answer.content.decode()
    assert not Decision.objects.exists()


# --- Approvers added and removed ---


def test_an_approver_is_added_and_waited_for(client, manager, ana, other):
    ben = UserFactory(role="Approver")
    signoff = sheet([ana], by=manager, allows_override=True)

    form = {"level": 1, "person": ben.pk, "reason": "Asked by audit", "seal": ""}
    assert post(client, signoff, "add-approver", other, **form).status_code == 303

    assert now(signoff).waits_for(ben)
    assert perform(now(signoff), "approve", by=ana).state == "ready"
    assert perform(now(signoff), "approve", by=ben).state == "approved"
    assert Rule.history.filter(person=ben).get(history_type="+").history_user == other
    assert now(signoff).history.filter(transition="add_approver").get().history_change_reason


def test_so_many_of_a_group_are_added(client, manager, ana, other, board):
    people = [member(board), member(board)]
    signoff = sheet([ana], by=manager, allows_override=True)
    form = {"level": 1, "group": board.pk, "needed": 2, "reason": "Asked by audit"}

    assert post(client, signoff, "add-approver", other, **form).status_code == 303

    for person in (ana, *people):
        perform(now(signoff), "approve", by=person)
    assert now(signoff).state == "approved"


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"level": 2, "person": "ben"},
        {"level": 1, "person": "other"},
        {"level": 1, "person": "manager"},
        {"level": 1, "person": "ben", "needed": 2},
        {"level": "x", "person": "ben"},
        {"level": 1, "person": "9" * 40},
    ],
)
def test_what_is_no_approver_is_not_added(client, manager, ana, other, form):
    people = {"ben": UserFactory(role="Approver"), "other": other, "manager": manager}
    signoff = sheet([ana], by=manager, allows_override=True)
    if form.get("person") in people:
        form = form | {"person": people[form["person"]].pk}

    answer = post(client, signoff, "add-approver", other, reason="Because", **form)

    assert answer.status_code == 422
    assert Rule.objects.count() == 1


def test_a_group_that_could_never_fill_it_is_not_added(manager, ana, other):
    signoff = sheet([ana], by=manager, allows_override=True)
    empty = Group.objects.create(name="Empty")

    with pytest.raises(TransitionRefused, match="cannot be met"):
        perform(signoff, "add_approver", by=other, reason="B", level=1, group=empty, needed=1)
    assert Rule.objects.count() == 1


def test_nobody_adds_a_group_that_they_are_in(manager, ana, other, board):
    other.groups.add(board)
    member(board)
    signoff = sheet([ana], by=manager, allows_override=True)

    with pytest.raises(TransitionRefused, match="cannot add yourself"):
        perform(signoff, "add_approver", by=other, reason="B", level=1, group=board)
    assert Rule.objects.count() == 1


def test_nobody_appoints_oneself_or_whose_own_work_it_is(manager, ana, other):
    owner = UserFactory(role="Approver")
    signoff = sheet([ana], by=manager, barred=[owner], allows_override=True)

    for person in (other, owner, manager):
        with pytest.raises(TransitionRefused):
            perform(signoff, "add_approver", by=other, reason="Because", level=1, person=person)
    assert Rule.objects.count() == 1


def test_removing_who_is_missing_completes_the_level(client, manager, ana, other):
    gone = UserFactory(role="Approver")
    signoff = sheet([ana, gone], by=manager, allows_override=True)
    perform(signoff, "approve", by=ana)
    rule = Rule.objects.get(person=gone)

    answer = post(client, now(signoff), "remove-approver", other, rule=rule.pk, reason="Left")

    assert answer.status_code == 303
    assert now(signoff).state == "approved"
    assert Rule.history.filter(person=gone).get(history_type="-").history_user == other


def test_the_last_approver_of_a_level_is_not_removed(manager, ana, other):
    signoff = sheet([ana], by=manager, allows_override=True)

    with pytest.raises(TransitionRefused, match="only approver"):
        perform(signoff, "remove_approver", by=other, reason="B", rule=Rule.objects.get())
    assert Rule.objects.count() == 1


def test_who_has_approved_a_complete_level_is_not_removed_from_it(manager, ana, other):
    ben = UserFactory(role="Approver")
    signoff = sheet([ana], [ben], by=manager, allows_override=True)
    perform(signoff, "approve", by=ana)

    with pytest.raises(TransitionRefused, match="complete"):
        perform(
            now(signoff), "remove_approver", by=other, reason="B", rule=Rule.objects.get(person=ana)
        )
    elsewhere = Rule.objects.get(level__signoff=sheet([ana], by=manager))
    with pytest.raises(TransitionRefused):
        perform(now(signoff), "remove_approver", by=other, reason="B", rule=elsewhere)
    assert Rule.objects.count() == 3


# --- One vote, several levels ---


def test_who_is_needed_above_is_not_spent_below(manager, board):
    ana, ben = member(board), member(board)
    signoff = sheet([(board, 1)], [ana], by=manager)

    with pytest.raises(TransitionRefused, match="could not be completed"):
        perform(signoff, "approve", by=ana)
    perform(signoff, "approve", by=ben)
    assert perform(now(signoff), "approve", by=ana).state == "approved"


def test_who_is_needed_above_can_still_say_no_below(manager, board):
    ana = member(board)
    member(board)
    signoff = sheet([(board, 1)], [ana], by=manager)

    assert perform(signoff, "reject", by=ana, reason="Not at all").state == "rejected"


def test_levels_that_only_one_person_could_fill_are_not_asked_for(manager, ana):
    with pytest.raises(TransitionRefused, match=r"Level 2 .* cannot be met"):
        sheet([ana], [ana], by=manager)
