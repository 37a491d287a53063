"""Several decisions about one train at once, and what people choose to be told."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.e2e.browser import ASKED_WHY
from tests.e2e.stage import person

pytestmark = pytest.mark.e2e

WAYS = "/me/notices/"
ASKED = "An approval reaches your level"


# --- Several at once -----------------------------------------------------------------------------


def test_decisions_about_one_train_are_taken_together(cast, stage):
    train = stage.train("Fennel")
    mine = {"owner": person("manager")}
    first, second = (stage.criterion(train, title, **mine) for title in ("Budget", "Staff"))
    release = stage.release(None, "fennel-app")
    place = stage.make(
        "Boarding", train=train, release=release, state="requested", requested_by=person("owner")
    )
    manager = cast.manager
    manager.go("/work/")
    manager.follow(f"Decide 3 about RT-{train.pk} together")

    with cast.nothing_changes(manager):
        assert manager.press("Reject the chosen") == 422
        manager.sees(ASKED_WHY.replace("reason", "comment"))
        expect(manager.main.get_by_role("alert").first).to_be_focused()
        for title in ("Is it met? Budget", "Is it met? Staff", "Give fennel-app"):
            manager.tick(title, on=False)
        assert manager.press("Approve the chosen") == 422
        manager.sees("Choose what you decide")
    manager.tick("Is it met? Budget")
    manager.tick("Give fennel-app")
    manager.field("Comment").fill("Agreed in the board.")
    assert manager.press("Approve the chosen") == 303
    assert [stage.state(row) for row in (first, second, place)] == ["met", "open", "aboard"]


def sheet_about(stage, train, title):
    """An approval that has to do with the train and waits for the approver."""
    sheet = stage.make("Signoff", title=title)
    stage.make("Rule", level=stage.make("Level", signoff=sheet), person=person("approver"))
    stage.take(sheet, "request", by="manager", url=train.url, question=title)
    return sheet


def test_what_was_asked_again_meanwhile_is_refused_and_stops_none_of_the_others(cast, stage):
    train = stage.train("Ginkgo")
    stale, fresh = sheet_about(stage, train, "Rota"), sheet_about(stage, train, "Runbook")
    approver, path = cast.approver, reverse("portal:together", args=[train.pk])
    approver.go(path)
    stage.take(stale, "request", by="manager")

    assert approver.press("Approve the chosen") == 409
    approver.sees("1 decided")
    approver.sees("Refused: Rota")
    approver.sees("Rota was asked for again")
    assert [stage.state(row) for row in (stale, fresh)] == ["ready", "approved"]
    with cast.nothing_changes(approver, cast.stakeholder):
        cast.stakeholder.go(path)
        cast.stakeholder.sees("Nothing about this train waits for your decision")
    assert approver.press("Approve the chosen") == 303
    assert stage.state(stale) == "approved"


# --- What one is told ----------------------------------------------------------------------------


def test_each_person_chooses_how_they_hear_of_each_event_and_when_there_is_quiet(cast, stage):
    executive, other = cast.executive, cast.second_approver
    executive.go(WAYS)
    asked = executive.field(ASKED)
    before = asked.input_value()
    assert before != "none"

    with cast.nothing_changes(executive):
        executive.fill("Quiet hours from", "20:00")
        asked.select_option("none")
        assert executive.press("Save what you are told") == 422
        executive.sees("Give both, or leave both empty.")
        expect(executive.field("Quiet hours from")).to_have_value("20:00")
        executive.fill("Quiet hours until", "09:00")
        executive.fill("Daily digest at", "08:00")
        assert executive.press("Save what you are told") == 422
        executive.sees("This is within your quiet hours.")
    executive.go(WAYS)
    expect(asked).to_have_value(before)
    asked.select_option("none")
    executive.field("You are to stand in for somebody").select_option("digest")
    executive.fill("Quiet hours from", "20:00")
    executive.fill("Quiet hours until", "07:00")
    executive.fill("Daily digest at", "07:30")
    executive.tick("What holds up a deployment", on=False)
    assert executive.press("Save what you are told") == 303
    expect(asked).to_have_value("none")
    kept = {"Daily digest at": "07:30", "Quiet hours from": "20:00", "You are to stand": "digest"}
    for label, value in kept.items():
        expect(executive.field(label)).to_have_value(value)
    expect(executive.field("What holds up a deployment")).not_to_be_checked()
    other.go(WAYS)
    expect(other.field(ASKED)).to_have_value(before)


def test_who_changed_their_choices_elsewhere_meanwhile_is_asked_again(cast):
    approver = cast.approver
    approver.go(WAYS)
    opened_before = approver.page
    approver.page = approver.context.new_page()
    approver.go(WAYS)
    approver.fill("Daily digest at", "06:15")
    assert approver.press("Save what you are told") == 303
    approver.page = opened_before

    with cast.nothing_changes(approver):
        approver.fill("Daily digest at", "10:45")
        assert approver.press("Save what you are told") == 409
        approver.sees("You have changed this elsewhere meanwhile.")
        expect(approver.field("Daily digest at")).to_have_value("10:45")
    assert approver.press("Save what you are told") == 303
    expect(approver.field("Daily digest at")).to_have_value("10:45")
