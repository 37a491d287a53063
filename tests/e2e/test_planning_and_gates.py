"""Trains, gates, criteria, waivers, evidence and milestones: each step, both ways.

Each test takes steps as people take them, and first meets the refusal that stands beside each.
"""

import re

import pytest

from tests.e2e.browser import ASKED_WHY
from tests.e2e.stage import day, hours, iso, person

pytestmark = pytest.mark.e2e


# --- Trains through their gates ------------------------------------------------------------------


@pytest.mark.drives("train.request_train_approval", "train.hand_back", "train.start_construction")
def test_the_scoping_gate_is_passed_with_its_criteria_and_its_approval(cast, stage):
    train = stage.train("Alder", needs_train_approval=True)
    criterion = stage.criterion(train, "Scope agreed")
    manager = cast.manager

    with cast.nothing_changes(manager):
        assert manager.take("Request train approval", train.url) == 409
        manager.is_refused("2 things stop it", "Scope agreed", "Train approval is not defined")
    stage.take(criterion, "meet", by="owner")
    stage.define(train, "train", ["approver"])
    assert manager.take("Request train approval", train.url) == 303
    manager.sees("Alder: Awaiting train approval.")

    with cast.nothing_changes(manager):
        assert manager.take("Start construction", train.url) == 409
        manager.is_refused("Train approval is not given", "Waiting.")
        assert manager.take("Return to Scoping", train.url) == 422
        manager.sees(ASKED_WHY)
    assert manager.take("Return to Scoping", train.url, reason="One team is missing.") == 303
    manager.sees("Alder: Scoping.")
    stage.alter(train, needs_train_approval=False)
    manager.go(train.url)
    assert manager.take_here("Start construction") == 303
    manager.sees("Alder: Construction.")


@pytest.mark.drives("train.request_development_approval", "train.start_verification")
def test_the_construction_gate_asks_for_everything_that_is_aboard(cast, stage):
    train = stage.train("Birch", state="construction", needs_development_approval=True)
    release = stage.release(train, "birch-app", state="executing")
    stage.define(train, "development", ["approver"])
    manager = cast.manager

    with cast.nothing_changes(manager):
        assert manager.take("Request development approval", train.url) == 409
        manager.is_refused("birch-app 1.0 is not construction-complete", "Pio Lanz")
    stage.take(release, "complete_construction", by="owner")
    assert manager.take("Request development approval", train.url) == 303
    manager.sees("Birch: Awaiting development approval.")
    with cast.nothing_changes(manager):
        assert manager.take("Start verification", train.url) == 409
        manager.is_refused("Development approval is not given", "Waiting.")
    assert manager.take("Return to Construction", train.url, reason="A late fix.") == 303
    stage.alter(train, needs_development_approval=False)
    manager.go(train.url)
    assert manager.take_here("Start verification") == 303
    manager.sees("Birch: Verification.")


@pytest.mark.drives(
    "train.give_consent", "train.request_executive_approval", "train.start_deployment"
)
def test_the_qa_gate_waits_for_consent_by_somebody_who_does_not_manage_the_train(cast, stage):
    train = stage.train("Cedar", state="verification", needs_executive_approval=True)
    own = stage.train("Cedar Two", state="verification", manager=person("engineer"))
    stage.define(train, "executive", ["executive"])
    manager, engineer = cast.manager, cast.engineer

    with cast.nothing_changes(manager, engineer):
        assert manager.take("Request executive approval", train.url) == 409
        manager.is_refused("A release engineer has not consented")
        engineer.is_forbidden(own.step("give_consent"), "never for a train they manage")
    engineer.go(own.url)
    assert engineer.main.get_by_text("Give consent").count() == 0
    assert engineer.take("Give consent", train.url) == 303
    engineer.sees("Your consent to Cedar is on record.")
    assert manager.take("Request executive approval", train.url) == 303
    manager.sees("Cedar: Awaiting executive approval.")
    with cast.nothing_changes(manager):
        assert manager.take("Start deployment", train.url) == 409
        manager.is_refused("Executive approval is not given", "Waiting.")
    stage.alter(train, needs_executive_approval=False)
    manager.go(train.url)
    assert manager.take_here("Start deployment") == 303
    manager.sees("Cedar: Deployment.")


@pytest.mark.drives("train.close", "train.cancel")
def test_a_train_is_closed_when_it_arrived_and_cancelled_with_a_reason(cast, stage):
    train = stage.train("Dogwood", state="deployment")
    stage.release(train, "dogwood-app", state="complete")
    empty = stage.train("Elm", state="deployment")
    manager = cast.manager

    with cast.nothing_changes(manager):
        assert manager.take("Close train", train.url) == 409
        manager.is_refused("dogwood-app 1.0")
        assert manager.take("Cancel train", train.url) == 422
        manager.sees(ASKED_WHY)
    assert manager.take("Cancel train", train.url, reason="The vendor withdrew it.") == 303
    manager.sees("Dogwood: Cancelled.")
    assert manager.take("Close train", empty.url) == 303
    manager.sees("Elm: Closed.")
    manager.go(f"{empty.url}edit/")
    manager.is_refused("What is over is read-only.")
    assert manager.button("Save").count() == 0


def test_two_managers_at_once_one_wins_and_the_other_reads_what_happened(cast, stage):
    train = stage.train("Fir", state="construction")
    first, second = cast.manager, cast.second_manager
    second.go(f"{train.url}steps/cancel/")
    second.field("Reason").fill("I think so.")
    assert first.take("Cancel train", train.url, reason="Decided.") == 303

    with cast.nothing_changes(second):
        assert second.press("Cancel train") == 409
        second.is_refused("Fir is “Cancelled”", "It has moved on since")


# --- Criteria ------------------------------------------------------------------------------------


@pytest.mark.drives("criterion.meet", "criterion.reject", "criterion.reopen")
def test_a_criterion_is_met_with_evidence_rejected_and_opened_again_with_reasons(cast, stage):
    train = stage.train("Ginkgo")
    criterion = stage.criterion(train, "Load test passed")
    owner = cast.owner
    row = "Load test passed"

    with cast.nothing_changes(owner, cast.stakeholder):
        owner.go(criterion.url)
        assert owner.take_here("Reject", within=owner.row(row)) == 422
        owner.sees(ASKED_WHY)
        cast.stakeholder.is_forbidden(
            criterion.step("meet"), "The criterion's owner and release managers decide it."
        )
    owner.go(criterion.url)
    assert owner.take_here("Reject", within=owner.row(row), reason="2 s at the 99th.") == 303
    owner.sees("Load test passed: Rejected.")
    assert owner.take_here("Mark met", within=owner.row(row), Evidence="0.4 s at the 99th.") == 303
    owner.sees("Load test passed: Met.")
    owner.sees("0.4 s at the 99th.")
    with cast.nothing_changes(owner):
        assert owner.take_here("Open again", within=owner.row(row)) == 422
        owner.sees(ASKED_WHY)
    owner.go(criterion.url)
    assert owner.take_here("Open again", within=owner.row(row), reason="A new build.") == 303
    owner.sees("Load test passed: Open.")
    stage.take(criterion, "meet", by="owner")
    owner.go(criterion.step("reopen"))
    owner.field("Reason").fill("Too late.")
    stage.take(train, "start_construction", by="manager")
    with cast.nothing_changes(owner):
        assert owner.press("Open again") == 409
        owner.is_refused("The Scoping gate of Ginkgo has been passed")


def test_what_a_check_says_nobody_says_by_hand_and_a_stale_answer_stops_the_gate(cast, stage):
    train = stage.train("Hazel")
    criterion = stage.criterion(train, "All work is done", checked_by="work", good_for=30)
    stage.create(
        "trains.Watch",
        criterion=criterion,
        outcome="passed",
        detail="Nothing is left.",
        checked_at=hours(-2),
        fresh_until=hours(-1),
        next_at=hours(5),
    )
    manager = cast.manager

    with cast.nothing_changes(manager):
        assert manager.take("Start construction", train.url) == 409
        manager.is_refused("All work is done", "Stale: answered last at", "good for 30 minutes")
        manager.go(criterion.step("meet"))
        assert manager.press("Mark met") == 409
        manager.is_refused("It is checked by itself")
        manager.go(criterion.url)
        assert manager.row("All work is done").get_by_text("Mark met").count() == 0


# --- Waivers -------------------------------------------------------------------------------------


@pytest.mark.drives("waiver.grant", "waiver.refuse", "waiver.withdraw", "waiver.revoke")
def test_a_waiver_takes_two_people_a_reason_and_a_day(cast, stage):
    train = stage.train("Ivy")
    criterion = stage.criterion(train, "Penetration test", owner=None)
    manager, other = cast.manager, cast.second_manager
    manager.go(criterion.url)
    manager.follow("Ask for a waiver", within=manager.row("Penetration test"))

    with cast.nothing_changes(manager):
        manager.fill("Until", "2020-01-01")
        assert manager.press("Ask for it") == 422
        manager.sees("There is a problem")
        manager.sees("Choose today or a later day.")
    waiver = ask_for_a_waiver(stage, manager, criterion)
    with cast.nothing_changes(manager, other):
        manager.is_forbidden(waiver.step("grant"), "nobody one they asked for")
        assert other.take("Refuse", waiver.url) == 422
        other.sees(ASKED_WHY)
    assert other.take("Refuse", waiver.url, reason="It is needed.") == 303
    other.sees("Refused")

    second = ask_for_a_waiver(stage, manager, criterion)
    other.go(second.step("withdraw"))
    assert manager.take("Withdraw", second.url) == 303
    manager.sees("Withdrawn")
    with cast.nothing_changes(other):
        assert other.press("Withdraw") == 409
        other.is_refused("“Withdrawn”")

    third = ask_for_a_waiver(stage, manager, criterion)
    assert other.take("Grant", third.url) == 303
    other.sees("Granted")
    manager.go(criterion.url)
    manager.sees("Waived")
    with cast.nothing_changes(other):
        assert other.take("Take back", third.url) == 422
        other.sees(ASKED_WHY)
    assert other.take("Take back", third.url, reason="The test is possible now.") == 303
    other.sees("Revoked")
    assert stage.state(criterion) == "open"


def ask_for_a_waiver(stage, manager, criterion):
    manager.go(criterion.url)
    manager.follow("Ask for a waiver", within=manager.row(criterion.name))
    manager.fill("Reason", "The laboratory is closed.")
    manager.fill("Scope", "Staging only.")
    assert manager.press("Ask for it") == 303
    return stage.find("trains.Waiver", criterion=criterion)


def test_a_waiver_whose_day_has_passed_is_neither_granted_nor_counted(cast, stage):
    train = stage.train("Juniper")
    late = stage.criterion(train, "Signed by legal", owner=None)
    asked = stage.make("Waiver", criterion=late, asked_by=person("manager"), until=day(-1))
    over = stage.criterion(
        train, "Manual is ready", owner=None, state="waived", waived_until=day(-1)
    )
    other = cast.second_manager

    with cast.nothing_changes(other):
        assert other.take("Grant", asked.url) == 409
        other.is_refused("Its last day has passed", "Ask again")
        other.go(over.step("waive"))
        other.sees("This step is not possible from there.")
        assert other.take("Start construction", train.url) == 409
        other.is_refused("Manual is ready", "It was waived until")


def test_nobody_waives_by_hand_what_no_waiver_was_granted_for(cast, stage):
    criterion = stage.criterion(stage.train("Katsura"), "Signed off", owner=None)
    manager = cast.manager

    manager.go(criterion.step("waive"))
    with cast.nothing_changes(manager):
        manager.field("Reason").fill("It will do.")
        assert manager.press("Waive") == 409
        manager.is_refused("Nobody has granted a waiver", "Ask for one")


# --- Evidence ------------------------------------------------------------------------------------


def test_evidence_is_filed_and_removed_and_a_passed_gate_keeps_its_own(cast, stage, tmp_path):
    train = stage.train("Larch")
    criterion = stage.criterion(train, "Backup restored")
    owner = cast.owner
    owner.go(criterion.url)
    owner.follow("File evidence for Backup restored")

    with cast.nothing_changes(owner):
        assert owner.press("File it") == 422
        owner.sees("Write a note, give a link, or choose a file.")
    file = tmp_path / "restore.txt"
    file.write_text("All 12 tables.", encoding="utf-8")
    owner.fill("Note", "Restored on staging.")
    owner.main.locator("input[type=file]").set_input_files(file)
    assert owner.press("File it") == 303
    owner.sees("Restored on staging.")
    owner.sees("restore.txt")
    owner.follow(re.compile("^Remove Restored|^Remove restore"))
    assert owner.press("Remove") == 303
    owner.sees("restore.txt: removed.")
    assert owner.main.get_by_text("Restored on staging.").count() == 0

    stage.create(
        "trains.Evidence", criterion=criterion, note="Seen by Bo.", added_by=person("owner")
    )
    owner.go(criterion.url)
    owner.follow(re.compile("^Remove Seen"))
    stage.alter(train, state="construction")
    with cast.nothing_changes(owner):
        assert owner.press("Remove") == 409
        owner.is_refused("The Scoping gate of Larch has been passed")


# --- Milestones ----------------------------------------------------------------------------------


@pytest.mark.drives("milestone.complete", "milestone.miss", "milestone.reopen")
def test_a_milestone_is_missed_and_opened_with_reasons_and_completed_by_its_owner(cast, stage):
    train = stage.train("Maple")
    milestone = stage.make("Milestone", train=train, title="Freeze", owner=person("owner"))
    owner = cast.owner
    row = "Freeze"

    with cast.nothing_changes(owner, cast.developer):
        cast.developer.is_forbidden(milestone.step("complete"), "The milestone's owner acts")
        owner.go(milestone.url)
        assert owner.take_here("Mark missed", within=owner.row(row)) == 422
        owner.sees(ASKED_WHY)
    owner.go(milestone.url)
    assert owner.take_here("Mark missed", within=owner.row(row), reason="Two days late.") == 303
    owner.sees("Freeze: Missed.")
    with cast.nothing_changes(owner):
        assert owner.take_here("Open again", within=owner.row(row)) == 422
        owner.sees(ASKED_WHY)
    owner.go(milestone.url)
    assert owner.take_here("Open again", within=owner.row(row), reason="New date.") == 303
    assert owner.take_here("Complete", within=owner.row(row)) == 303
    owner.sees("Freeze: Completed.")


def test_copies_of_a_milestone_that_were_changed_by_hand_are_settled_one_by_one(cast, stage):
    train = stage.train("Nutmeg")
    for name in ("nutmeg-a", "nutmeg-b"):
        stage.release(train, name)
    manager = cast.manager
    manager.go(f"{train.url}milestones/")
    manager.follow("Add milestone")

    with cast.nothing_changes(manager):
        manager.fill("Title", "Translations in")
        assert manager.press("Save") == 422
        manager.sees("Due: This field is required.")
    manager.fill("Due", iso(5))
    manager.tick("For all application releases")
    assert manager.press("Save") == 303
    stage.take(train, "start_construction", by="manager")
    for name in ("nutmeg-a", "nutmeg-b"):
        copy = stage.find("trains.Milestone", release__application__name=name)
        stage.alter(copy, due=day(9))
    manager.go(f"{train.url}milestones/")
    manager.follow("Edit Translations in")
    manager.fill("Due", iso(6))
    assert manager.press("Save") == 303
    manager.sees("Which copies follow “Translations in”?")
    manager.main.get_by_role("group", name=re.compile("nutmeg-a")).get_by_label(
        "Take over the train's"
    ).check()
    assert manager.press("Save") == 303
    manager.sees("1 copy differs")
