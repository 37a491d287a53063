"""Approval sheets, conditions, deputies and policies: each step as people take it, and refused.

What the clock brings about (reminders, escalations, expiry) has tests of its own.
"""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import ASKED_WHY
from tests.e2e.conftest import PASSWORD, People
from tests.e2e.stage import hours, person

pytestmark = pytest.mark.e2e


# --- Deciding ------------------------------------------------------------------------------------


@pytest.mark.drives("signoff.approve")
def test_two_levels_approve_in_turn_and_nobody_votes_twice(cast, stage):
    train, sheet = stage.asked("Rowan", ["approver"], ["second_approver"])
    first, second, manager = cast.approver, cast.second_approver, cast.manager

    with cast.nothing_changes(second, manager):
        second.go(sheet.url)
        second.sees("Your level opens when level 1 is complete.")
        assert second.button("Approve").count() == 0
        manager.go(sheet.url)
        manager.sees("You are not named on this approval.")
        manager.is_forbidden(sheet.step("approve"), "never on own work")
    first.go(sheet.url)
    opened_twice = first.page
    first.page = first.context.new_page()
    first.go(sheet.url)
    assert first.press("Approve") == 303
    first.sees("You approved Train approval of Rowan.")
    first.page = opened_twice
    with cast.nothing_changes(first):
        assert first.press("Approve") == 409
        first.is_refused("You have decided already", "Approved, once each.")
        first.go(sheet.url)
        first.sees("You have decided: approved.")
        assert first.button("Approve").count() == 0
    second.go(sheet.url)
    second.sees("Approved before you")
    assert second.press("Approve") == 303
    manager.go(train.url)
    manager.sees("Construction")
    assert stage.state(train) == "construction"


def test_own_work_is_decided_by_somebody_else_even_by_somebody_who_is_named(cast, stage):
    train = stage.train("Sorrel", state="construction", needs_development_approval=True)
    stage.release(train, "sorrel-app", state="complete", owner=person("approver"))
    sheet = stage.define(train, "development", ["approver", "second_approver"])
    manager = cast.manager

    with cast.nothing_changes(manager):
        assert manager.take("Request development approval", train.url) == 409
        manager.is_refused("Level 1 of Development approval of Sorrel cannot be met")
    manager.go(f"{train.url}approvals/development/")
    manager.field("Each of these people").select_option(
        label=[People.name("second_approver"), People.name("executive")]
    )
    assert manager.press("Save") == 303
    assert manager.take("Request development approval", train.url) == 303
    with cast.nothing_changes(cast.approver):
        cast.approver.go(sheet.url)
        cast.approver.sees("You are not named on this approval.")


@pytest.mark.drives("signoff.reject", "signoff.postpone")
def test_a_rejection_and_a_postponement_take_a_reason_and_send_the_train_back(cast, stage):
    train, sheet = stage.asked("Teak", ["approver"])
    approver = cast.approver

    with cast.nothing_changes(approver):
        assert approver.take("Reject", sheet.url) == 422
        approver.sees(ASKED_WHY)
    assert approver.take("Reject", sheet.url, reason="Two risks have no owner.") == 303
    assert stage.state(train) == "scoping"
    cast.manager.go(sheet.url)
    cast.manager.sees("Ada Brandt rejected it")
    cast.manager.sees("Two risks have no owner.")

    stage.take(train, "request_train_approval", by="manager")
    approver.go(sheet.step("postpone"))
    with cast.nothing_changes(approver):
        approver.fill("Slot begins", "2020-01-01T10:00")
        approver.fill("Slot ends", "2020-01-01T09:00")
        approver.field("Reason").fill("Month end.")
        assert approver.press("Postpone") == 422
        approver.sees("Give a time that is ahead.")
        approver.sees("It must end after it begins.")
    approver.fill("Slot begins", "2027-03-01T10:00")
    approver.fill("Slot ends", "2027-03-01T12:00")
    assert approver.press("Postpone") == 303
    cast.manager.go(sheet.url)
    cast.manager.sees("Ada Brandt wants it in another slot")
    assert stage.state(sheet) == "postponed"


@pytest.mark.drives("signoff.approve_if", "condition.confirm", "condition.waive")
def test_a_condition_holds_the_approval_up_until_it_is_met_or_waived(cast, stage):
    train, sheet = stage.asked("Umbra", ["approver"], overrides=True)
    approver, manager, other = cast.approver, cast.manager, cast.second_manager

    approver.go(sheet.url)
    approver.main.get_by_text("Comment, condition or another slot").click()
    approver.follow("Approve with a condition…")
    with cast.nothing_changes(approver):
        assert approver.press("Approve with a condition") == 422
        approver.sees(ASKED_WHY)
    approver.field("Reason").fill("The pager rota is filled.")
    assert approver.press("Approve with a condition") == 303
    condition = stage.find("approvals.Condition", signoff=sheet)
    with cast.nothing_changes(manager, other):
        assert manager.take("Start construction", train.url) == 409
        manager.is_refused("A condition is not met: The pager rota is filled.", "Ada Brandt")
        manager.is_forbidden(condition.step("confirm"), "Who asked for the condition says")
        other.go(condition.step("waive"))
        assert other.press("Waive") == 422
        other.sees(ASKED_WHY)
    other.field("Reason").fill("Nobody is paged by this train.")
    assert other.press("Waive") == 303
    other.sees("The condition is waived.")
    other.sees("Asked for by Ada Brandt. Waived.")

    _, second = stage.asked("Umbra Two", ["approver"])
    stage.take(second, "approve_if", by="approver", reason="Named.")
    approver.go(second.url)
    approver.sees("It does not count yet, or no longer")
    assert approver.press("It is met") == 303
    approver.sees("The condition is met.")


@pytest.mark.drives("signoff.recall")
def test_a_decision_is_taken_back_until_something_was_done_upon_it(cast, stage):
    train, sheet = stage.asked("Viburnum", ["approver"], ["second_approver"])
    approver = cast.approver
    stage.take(sheet, "approve", by="approver")

    with cast.nothing_changes(approver):
        assert approver.take("Take my decision back", sheet.url) == 422
        approver.sees(ASKED_WHY)
        cast.second_approver.is_forbidden(sheet.step("recall"), "Who has decided takes it back")
    assert approver.take("Take my decision back", sheet.url, reason="New facts.") == 303
    approver.sees("is taken back.")
    expect(approver.button("Approve")).to_have_count(1)
    stage.take(sheet, "approve", by="approver")
    stage.take(sheet, "approve", by="second_approver")
    stage.take(train, "cancel", by="manager", reason="No budget.")
    approver.go(sheet.url)
    with cast.nothing_changes(approver):
        assert approver.take_here("Take my decision back", reason="Late.") == 409
        approver.is_refused("Viburnum is cancelled")


@pytest.mark.drives("signoff.request", "signoff.void")
def test_changed_content_is_shown_refused_and_asked_for_again(cast, stage):
    train, sheet = stage.asked("Willow", ["approver"])
    approver, manager = cast.approver, cast.manager
    approver.go(sheet.url)
    stage.alter(train, purpose="To be released, and more.")

    with cast.nothing_changes(approver, cast.stakeholder):
        assert approver.press("Approve") == 409
        approver.is_refused("Purpose", "Purpose has changed since.")
        approver.go(sheet.url)
        approver.sees("It has changed since it was asked for")
        approver.sees("To be released, and more.")
        cast.stakeholder.is_forbidden(sheet.step("request"), "Release managers ask for approvals.")
    manager.go(sheet.url)
    assert manager.press("Ask again") == 303
    manager.sees("Round 2")
    with cast.nothing_changes(manager):
        manager.go(sheet.step("void"))
        assert manager.press("Withdraw") == 422
        manager.sees(ASKED_WHY)
    manager.field("Reason").fill("Not this month.")
    assert manager.press("Withdraw") == 303
    manager.sees("Void")


def test_who_saw_an_earlier_round_does_not_decide_upon_the_next(cast, stage):
    train, sheet = stage.asked("Xylem", ["approver"])
    approver = cast.approver
    approver.go(sheet.url)
    stage.alter(train, purpose="Something else.")
    stage.take(sheet, "request", by="manager")

    with cast.nothing_changes(approver):
        assert approver.press("Approve") == 409
        approver.is_refused("It was asked for again with this.")


# --- In place of the approvers -------------------------------------------------------------------


@pytest.mark.drives("signoff.override", "signoff.add_approver", "signoff.remove_approver")
def test_an_override_is_for_a_manager_without_a_part_in_it_and_takes_a_reason(cast, stage):
    _, sheet = stage.asked("Yew", ["approver", "second_approver"], overrides=True)
    other, manager = cast.second_manager, cast.manager

    with cast.nothing_changes(manager, other):
        for step in ("override", "add_approver", "remove_approver"):
            manager.is_forbidden(sheet.step(step), "never upon work of their own")
        other.go(sheet.step("add_approver"))
        other.field("Reason").fill("A third pair of eyes.")
        assert other.press("Add an approver") == 422
        other.sees("Choose either a person or a group.")
    other.choose("Person", People.name("executive"))
    assert other.press("Add an approver") == 303
    other.sees("An approver was added to Train approval of Yew.")
    other.go(sheet.step("remove_approver"))
    other.choose("Approver", People.name("executive"))
    with cast.nothing_changes(other):
        assert other.press("Remove an approver") == 422
        other.sees(ASKED_WHY)
    other.field("Reason").fill("On leave.")
    assert other.press("Remove an approver") == 303
    other.sees("An approver was removed")
    other.go(sheet.step("override"))
    other.choose("Whose vote it is", People.name("approver"))
    with cast.nothing_changes(other):
        assert other.press("Approve for somebody absent") == 422
        other.sees(ASKED_WHY)
    other.field("Reason").fill("In hospital.")
    assert other.press("Approve for somebody absent") == 303
    other.go(sheet.url)
    other.sees("Override.")
    other.sees(re.compile("Nia Vance for Ada Brandt"))


def test_an_override_that_was_not_allowed_is_refused(cast, stage):
    _, sheet = stage.asked("Zelkova", ["approver"])
    other = cast.second_manager

    other.go(sheet.step("override"))
    with cast.nothing_changes(other):
        other.choose("Whose vote it is", People.name("approver"))
        other.field("Reason").fill("Away.")
        assert other.press("Approve for somebody absent") == 409
        other.is_refused("allows no override", "Those who are named decide")


# --- Deputies ------------------------------------------------------------------------------------


def test_a_deputy_is_named_decides_once_and_is_ended(cast, stage):
    _, sheet = stage.asked("Acacia", ["executive"], ["approver"])
    executive, deputy = cast.executive, cast.second_approver
    executive.go("/me/deputies/new/")

    with cast.nothing_changes(executive, deputy):
        executive.choose("Deputy", People.name("second_approver"))
        executive.fill("Until", "2020-01-01T10:00")
        assert executive.press("Name the deputy") == 422
        executive.sees("Give a time that is ahead.")
        deputy.go(sheet.url)
        deputy.sees("You are not named on this approval.")
    executive.fill("Until", "2027-01-01T10:00")
    assert executive.press("Name the deputy") == 303
    executive.sees("Bo Renner for Xenia Marsh: on record.")
    deputy.go(sheet.url)
    deputy.sees("Signed as Bo Renner for Xenia Marsh.")
    executive.go(sheet.url)
    assert deputy.press("Approve") == 303
    with cast.nothing_changes(executive):
        assert executive.press("Approve") == 409
        executive.is_refused("Bo Renner has decided for you")
    executive.go("/me/deputies/")
    assert executive.press(re.compile("^End now")) == 303
    executive.sees("Bo Renner no longer decides for you.")
    stage.asked("Acacia Two", ["executive"])
    deputy.go("/approvals/")
    assert deputy.main.get_by_text("Acacia Two").count() == 0


# --- Policies ------------------------------------------------------------------------------------


def test_a_policy_that_asks_for_the_password_takes_no_decision_without_it(cast, stage):
    policy = stage.make("Policy", name="With a password", asks_password=True, overrides=False)
    kind = stage.make("ReleaseType", name="Careful", approval_policy=policy)
    train = stage.train("Bay", release_type=kind, needs_train_approval=True)
    sheet = stage.define(train, "train", ["approver"])
    stage.take(train, "request_train_approval", by="manager")
    approver = cast.approver

    approver.go(sheet.url)
    with cast.nothing_changes(approver):
        assert approver.press("Approve") == 422
        approver.sees("Give your password.")
        approver.fill("Your password", "wrong")
        assert approver.press("Approve") == 422
        approver.sees("This is not your password.")
    approver.fill("Your password", PASSWORD)
    assert approver.press("Approve") == 303
    assert stage.state(sheet) == "approved"


def test_an_approval_that_counts_no_longer_stops_the_train(cast, stage):
    train = stage.train("Cherry", needs_train_approval=True)
    sheet = stage.define(train, "train", ["approver"], ["second_approver"])
    stage.take(train, "request_train_approval", by="manager")
    stage.alter(sheet, state="approved", open_level=0, valid_until=hours(-1))
    manager = cast.manager
    manager.waits_for(sheet.url, re.compile(r"^\s*Expired\s*$"))

    with cast.nothing_changes(manager):
        assert manager.take("Start construction", train.url) == 409
        manager.is_refused("xpired")


def test_a_group_that_is_too_small_for_its_quorum_is_refused_when_it_is_asked(cast, stage):
    train = stage.train("Damask", needs_train_approval=True)
    manager = cast.manager
    manager.go(f"{train.url}approvals/")
    manager.follow("Define")

    with cast.nothing_changes(manager):
        assert manager.press("Save") == 422
        manager.sees("There is a problem")
    stage.define(train, "train", [(9, "Change board")])
    with cast.nothing_changes(manager):
        assert manager.take("Request train approval", train.url) == 409
        manager.is_refused("Level 1 of Train approval of Damask cannot be met")


# --- Keyboard only -------------------------------------------------------------------------------


def test_an_approval_is_decided_with_the_keyboard_alone(cast, stage):
    _, sheet = stage.asked("Ebony", ["approver"])
    approver = cast.approver
    approver.go("/approvals/")

    approver.tab_to(approver.main.get_by_role("link", name=re.compile("Ebony")).first)
    approver.page.keyboard.press("Enter")
    approver.page.wait_for_url(f"**{sheet.url}")
    approver.tab_to(approver.main.get_by_role("link", name="Reject…"))
    approver.page.keyboard.press("Enter")
    approver.page.wait_for_url("**/steps/reject/")
    approver.tab_to(approver.button("Reject"))
    with cast.nothing_changes(approver):
        approver.page.keyboard.press("Enter")
        approver.sees("There is a problem")
    expect(approver.main.get_by_role("alert").first).to_be_focused()
    approver.tab_to(approver.field("Reason"))
    approver.page.keyboard.type("Not yet.")
    approver.tab_to(approver.button("Reject"))
    approver.page.keyboard.press("Enter")
    approver.sees("You rejected Train approval of Ebony.")
    assert stage.state(sheet) == "rejected"
