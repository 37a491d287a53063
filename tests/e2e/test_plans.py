"""Planning: new trains with their preview, copies, templates, cadences, calendars, plan versions.

And the pages of a train by keyboard alone.
"""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import ASKED_WHY
from tests.e2e.stage import day, iso, person

pytestmark = pytest.mark.e2e


# --- New trains, and copies ----------------------------------------------------------------------


def test_a_train_is_planned_from_a_template_with_a_preview_of_its_dates(cast, stage):
    stage.make("Template", name="Quarterly", outline=None)
    manager = cast.manager
    manager.go("/trains/new/")
    manager.follow("Quarterly")

    with cast.nothing_changes(manager):
        assert manager.press("Create train") == 422
        manager.sees("Name: This field is required.")
        manager.fill("Name", "Aspen")
        manager.fill("Start", iso(30))
        with manager.page.expect_response(re.compile("/trains/new/preview/")):
            manager.fill("End", iso(3))
            manager.field("End").blur()
        preview = manager.main.locator("#preview")
        expect(preview.get_by_text(re.compile("before"))).to_be_visible()
        assert manager.press("Create train") == 422
        manager.sees(re.compile("This is before “Start”"))
        manager.fill("End", "")
        assert manager.press("Stages from the start") == 200
        assert manager.field("End").input_value() > iso(30)
        expect(preview.get_by_role("row", name=re.compile("^Deployment"))).to_be_visible()
    assert manager.press("Create train") == 303
    manager.sees("Aspen is planned.")


def test_a_train_is_copied_after_a_look_at_what_is_copied(cast, stage):
    train = stage.train("Beech")
    stage.criterion(train, "Rehearsed")
    manager = cast.manager
    manager.go(train.url)
    manager.follow("Copy…")

    with cast.nothing_changes(manager):
        assert manager.press("Make the copy") == 422
        manager.sees("Start: This field is required.")
        manager.fill("Name", "Beech Again")
        manager.fill("Start", iso(90))
        assert manager.press("Look first") == 200
        manager.sees("Rehearsed")
    assert manager.press("Make the copy") == 303
    manager.sees("Beech Again")
    copy = stage.find("trains.Train", name="Beech Again")
    cast.stakeholder.is_forbidden(f"{copy.url}copy/", "Release managers steer trains.")


def test_somebody_elses_change_is_shown_beside_what_was_typed(cast, stage):
    train = stage.train("Cypress")
    first, second = cast.manager, cast.second_manager
    for who in (first, second):
        who.go(f"{train.url}edit/")
    first.fill("Purpose", "For the auditors.")
    assert first.press("Save") == 303
    second.fill("Purpose", "For the customers.")
    with cast.nothing_changes(second):
        assert second.press("Save") == 409
        second.sees("For the auditors.")
        assert second.field("Purpose").input_value() == "For the customers."
    assert second.press("Save") == 303


def test_the_status_is_overridden_with_a_note_and_never_for_the_past(cast, stage):
    train = stage.train("Dawn")
    manager = cast.manager
    manager.go(f"{train.url}status/")

    with cast.nothing_changes(manager):
        manager.main.get_by_label("At risk").check()
        manager.fill("Until", iso(-2))
        assert manager.press("Save") == 422
        manager.sees("Say why. Everybody who looks at the train reads it.")
        manager.sees("This day has passed.")
    manager.fill("Note", "The vendor is silent.")
    manager.fill("Until", iso(4))
    assert manager.press("Save") == 303
    manager.sees("The vendor is silent.")


# --- Templates, calendars, cadences --------------------------------------------------------------


def test_a_train_is_kept_as_a_template_which_gets_versions(cast, stage):
    train = stage.train("Edelweiss")
    manager = cast.manager
    manager.go(train.url)
    manager.follow("Keep as template…")

    with cast.nothing_changes(manager):
        manager.fill("Name", "")
        assert manager.press("Save") == 422
        manager.sees("Name: This field is required.")
    manager.fill("Name", "As Edelweiss")
    assert manager.press("Save") == 303
    template = manager.path()
    manager.go(f"{template}edit/")
    with cast.nothing_changes(manager):
        manager.fill("Milestones", "Scope frozen")
        assert manager.press("Save") == 422
        manager.sees("should begin with working days")
    manager.fill("Milestones", "15 Scope frozen")
    assert manager.press("Save") == 303
    manager.sees("15 working days after the start")
    manager.go(f"{template}approvals/executive/")
    with cast.nothing_changes(manager):
        assert manager.press("Save") == 422
        manager.sees("There is a problem")
    manager.main.locator("#id_level1_people").select_option(label=["Xenia Marsh"])
    assert manager.press("Save") == 303
    manager.sees("Xenia Marsh")


@pytest.mark.drives("cadence.pause", "cadence.resume", "cadence.end")
def test_a_cadence_is_paused_resumed_and_ended_each_with_its_refusal(cast, stage):
    template = stage.make("Template", name="Every month")
    manager = cast.manager
    manager.go("/trains/cadences/new/")

    with cast.nothing_changes(manager):
        manager.fill("Name", "Monthly")
        manager.choose("Template", "Every month")
        manager.fill("Name of each train", "The same")
        manager.fill("First start", iso(60))
        assert manager.press("Save") == 422
        manager.sees("Every train would be called this.")
    manager.fill("Name of each train", "Monthly {number}")
    assert manager.press("Save") == 303
    cadence = stage.find("trains.Cadence", name="Monthly")
    with cast.nothing_changes(manager):
        assert manager.take("Pause", cadence.url) == 422
        manager.sees(ASKED_WHY)
    assert manager.take("Pause", cadence.url, reason="Summer.") == 303
    manager.sees("Monthly: Paused.")
    stage.alter(template, is_active=False)
    with cast.nothing_changes(manager):
        assert manager.take("Resume", cadence.url) == 409
        manager.is_refused("The template Every month is no longer offered", "Choose another")
    stage.alter(template, is_active=True)
    assert manager.take("Resume", cadence.url) == 303
    manager.sees("Monthly: Active.")
    with cast.nothing_changes(manager):
        assert manager.take("End", cadence.url) == 422
        manager.sees(ASKED_WHY)
    assert manager.take("End", cadence.url, reason="Replaced.") == 303
    manager.sees("It makes no more trains.")
    manager.go(f"{cadence.url}edit/")
    manager.is_refused("Monthly has ended")


def test_an_administrator_keeps_calendars_which_move_what_falls_on_days_off(cast, stage):
    administrator, manager = cast.administrator, cast.manager
    page = administrator.page
    administrator.go("/admin/trains/calendar/add/")

    with cast.nothing_changes():
        page.locator("#id_name").fill("Only Mondays")
        for name in ("monday", "tuesday", "wednesday", "thursday", "friday"):
            page.locator(f"#id_{name}").uncheck()
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_text("Choose at least one day on which people work.").wait_for()
    page.locator("#id_monday").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was added successfully").wait_for()
    train = stage.train("Freesia")
    manager.go(f"{train.url}edit/")
    manager.choose("Calendar", "Only Mondays")
    for label in ("Scoping complete", "Construction complete", "QA complete", "End"):
        manager.fill(label, "2027-06-01")
    manager.fill("Start", "2027-06-01")
    manager.choose("Dates on days off", "Move them to the next working day")
    assert manager.press("Save") == 303
    manager.go(f"{train.url}edit/")
    assert manager.field("Start").input_value() == "2027-06-07"


# --- Plan versions -------------------------------------------------------------------------------


def test_a_version_of_the_plan_is_kept_and_compared_but_not_of_a_train_that_is_over(cast, stage):
    train = stage.train("Gorse")
    manager = cast.manager
    manager.go(f"{train.url}versions/")
    manager.sees("No version yet")
    manager.field("What the plan is kept for").fill("Before planning anew.")
    assert manager.press("Keep this version") == 303
    manager.sees("Before planning anew.")
    stage.alter(train, purpose="Something else entirely.")
    manager.follow("Compare with now")
    manager.sees("1 changed between version 1")
    manager.sees("Something else entirely.")

    manager.go(f"{train.url}versions/")
    stage.take(train, "cancel", by="second_manager", reason="No budget.")
    with cast.nothing_changes(manager):
        assert manager.press("Keep this version") == 409
        manager.is_refused("Gorse")


# --- Criteria together, and the library ----------------------------------------------------------


def test_criteria_come_from_the_library_and_are_changed_together(cast, stage):
    train = stage.train("Heather")
    criterion = stage.criterion(train, "Documented")
    manager = cast.manager
    manager.go(f"/criteria/{criterion.pk}/edit/")
    assert manager.press(re.compile("library")) == 303
    other = stage.train("Heather Two")
    manager.go(f"{other.url}gates/")
    manager.follow(re.compile("From the library.*Scoping"))

    with cast.nothing_changes(manager):
        assert manager.press("Add the chosen") == 422
        manager.sees("There is a problem")
    manager.main.get_by_label("Documented").first.check()
    assert manager.press("Add the chosen") == 303
    manager.sees("Documented")
    manager.follow("Edit all criteria together")
    with cast.nothing_changes(manager):
        manager.main.locator("input[name^=title]").fill("")
        assert manager.press("Save") == 422
        manager.sees("There is a problem")
    manager.main.locator("input[name^=title]").fill("Documented in two languages")
    assert manager.press("Save") == 303
    manager.sees("Documented in two languages")


# --- Reservations --------------------------------------------------------------------------------


def test_a_reservation_that_clashes_names_what_it_clashes_with(cast, stage):
    train = stage.train("Iris")
    environment = stage.make("Environment", name="iris-test")
    stage.make(
        "Booking",
        environment=environment,
        title="Iris upgrade",
        state="confirmed",
        requested_by=person("engineer"),
    )
    manager = cast.manager
    manager.go(f"{train.url}reservations/")
    manager.follow("Reserve environment")

    manager.choose("Environment", "iris-test")
    manager.fill("Starts", f"{iso(0)}T00:00")
    manager.fill("Ends", f"{iso(3)}T00:00")
    with cast.nothing_changes(manager):
        assert manager.press("Reserve") == 409
        manager.is_refused("iris-test is booked by Iris upgrade")
    manager.fill("Starts", f"{iso(3)}T00:00")
    manager.fill("Ends", f"{iso(4)}T00:00")
    assert manager.press("Reserve") == 303
    manager.sees("Confirmed")


# --- By keyboard alone ---------------------------------------------------------------------------


def test_the_tabs_of_a_train_and_its_menu_work_with_the_keyboard_alone(cast, stage):
    train = stage.train("Jasmine")
    stage.make("Milestone", train=train, title="Frozen", due=day(3), owner=person("manager"))
    manager = cast.manager
    keyboard = manager.page.keyboard
    manager.go(train.url)
    keyboard.press("Tab")
    assert manager.has_focus(manager.page.get_by_role("link", name="Skip to content"))
    keyboard.press("Enter")

    for tab in ("Gates", "Milestones", "Approvals", "History"):
        tabs = manager.main.get_by_role("navigation", name="Train")
        manager.tab_to(tabs.get_by_role("link", name=re.compile(f"^{tab}")))
        keyboard.press("Enter")
        expect(tabs.locator("[aria-current=page]")).to_have_text(re.compile(tab))
    more = manager.button("More actions")
    manager.tab_to(more)
    keyboard.press("Enter")
    edit = manager.main.get_by_role("link", name="Edit", exact=True)
    expect(edit).to_be_visible()
    keyboard.press("Escape")
    expect(edit).to_be_hidden()
    assert manager.has_focus(more)
    keyboard.press("Enter")
    manager.tab_to(manager.main.get_by_role("link", name="Cancel train…"))
    keyboard.press("Enter")
    manager.page.wait_for_url("**/steps/cancel/")
    manager.tab_to(manager.field("Reason"))
    keyboard.type("No longer wanted.")
    manager.tab_to(manager.button("Cancel train"))
    keyboard.press("Enter")
    manager.sees("Jasmine: Cancelled.")


def test_the_list_of_keys_opens_and_closes_and_leads_to_the_trains(cast):
    manager = cast.manager
    manager.go("/work/")
    keyboard = manager.page.keyboard

    keyboard.press("?")
    keys = manager.page.get_by_role("dialog").filter(has_text="Trains")
    expect(keys.first).to_be_visible()
    keyboard.press("Escape")
    expect(keys.first).to_be_hidden()
    keyboard.press("g")
    keyboard.press("t")
    manager.page.wait_for_url("**/trains/")
