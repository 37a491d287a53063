"""Freezes and exceptions from them: each step as people take it, and refused.

Each freeze is of one environment, so that it stops nothing of the other tests.
"""

import datetime as dt
import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.e2e.browser import ASKED_WHY
from tests.e2e.stage import hours, person

pytestmark = pytest.mark.e2e

WHERE = re.compile(r"^Where$")


def moment(offset):
    """A moment so many hours from now, as a form takes it."""
    return f"{dt.datetime.now(dt.UTC) + dt.timedelta(hours=offset):%Y-%m-%dT%H:%M}"


def frozen(stage, name):
    """An environment, and what freezes it now."""
    place = stage.make("Environment", name=name)
    freeze = stage.make("Freeze", name=f"{name} freeze", scope="environment", environment=place)
    return place, freeze


def accepted(stage, place, title, author="developer", **window):
    """A turnover whose window is open, if nothing else is said; only a freeze is in its way."""
    who = person(author)
    turnover = stage.make("Turnover", title=title, environment=place, author=who, **window)
    stage.make("Task", turnover=turnover)
    stage.take(turnover, "deliver", by=author)
    stage.take(turnover, "accept", by="engineer")
    return turnover


def asked(stage, freeze, turnover, by="developer"):
    return stage.make("FreezeException", freeze=freeze, turnover=turnover, asked_by=person(by))


# --- Freezes -------------------------------------------------------------------------------------


def test_a_freeze_is_declared_and_changed_and_bad_input_is_told_beside_the_field(cast, stage):
    stage.make("Environment", name="alder-site")
    manager, developer = cast.manager, cast.developer
    manager.go(reverse("trains:freezes"))
    manager.follow("Declare a freeze")

    with cast.nothing_changes(manager, developer):
        manager.fill("Name", "Stocktaking")
        manager.choose(WHERE, "One environment")
        manager.fill("Begins", moment(2))
        manager.fill("Ends", moment(1))
        assert manager.press("Declare it") == 422
        for name, words in {
            "environment": "Choose it: the freeze is of",
            "ends": "The end must be after the begin.",
        }.items():
            expect(manager.page.locator(f"#id_{name}_error")).to_contain_text(words)
        expect(manager.field("Name")).to_have_value("Stocktaking")
        developer.is_forbidden(reverse("trains:freeze-new"), "Release managers and administrators")
    manager.choose(re.compile("^Environment"), "alder-site")
    manager.fill("Ends", moment(4))
    assert manager.press("Declare it") == 303
    manager.sees("Stocktaking: declared.")

    manager.follow("Change")
    with cast.nothing_changes(manager):
        manager.fill("Name", "")
        assert manager.press("Save") == 422
        expect(manager.page.locator("#id_name_error")).to_be_visible()
    manager.fill("Name", "Stocktaking of spring")
    assert manager.press("Save") == 303
    manager.sees("Stocktaking of spring: saved.")


@pytest.mark.drives("freeze.lift")
def test_whom_a_freeze_stops_neither_lifts_nor_shortens_it_and_somebody_else_does(cast, stage):
    place, freeze = frozen(stage, "birch-site")
    accepted(stage, place, "Birch 2", author="manager")
    manager, other = cast.manager, cast.second_manager

    with cast.nothing_changes(manager, other):
        manager.go(freeze.url)
        manager.sees("It stops a turnover of yours now")
        manager.follow("Change")
        manager.fill("Ends", moment(1))
        assert manager.press("Save") == 409
        manager.is_refused("stops a turnover of yours now")
        manager.is_forbidden(freeze.step("lift"), "somebody else does")
        assert other.take("Lift", freeze.url) == 422
        other.sees(ASKED_WHY)
    assert other.take("Lift", freeze.url, reason="The stock is counted.") == 303
    other.sees("birch-site freeze: Lifted.")
    assert stage.state(freeze) == "lifted"


# --- Exceptions ----------------------------------------------------------------------------------


@pytest.mark.drives("freezeexception.grant")
def test_a_turnover_that_a_freeze_stops_names_it_and_starts_once_it_has_an_exception(cast, stage):
    place, freeze = frozen(stage, "cedar-site")
    turnover = accepted(stage, place, "Cedar 2", author="manager")
    manager, other, engineer = cast.manager, cast.second_manager, cast.engineer
    with cast.nothing_changes(engineer):
        assert engineer.take("Start now", turnover.url) == 409
        engineer.is_refused("Held by freeze “cedar-site freeze”")
    manager.go(turnover.url)
    manager.sees("Held by freeze “cedar-site freeze”")
    manager.follow("Ask for an exception")

    with cast.nothing_changes(manager):
        manager.fill("Reason", "Customers cannot pay.")
        manager.fill("Counts until", moment(-1))
        assert manager.press("Ask for it") == 422
        for name, words in {"risk": "required", "expires": "Give a time that is ahead."}.items():
            expect(manager.page.locator(f"#id_{name}_error")).to_contain_text(words)
    manager.fill("Risk", "They still cannot.")
    manager.fill("Way back", "The version before.")
    manager.fill("Counts until", moment(3))
    assert manager.press("Ask for it") == 303
    manager.sees("Somebody else has to grant it.")

    exception = stage.find("turnovers.FreezeException", turnover=turnover)
    with cast.nothing_changes(manager):
        manager.go(exception.url)
        manager.is_forbidden(exception.step("grant"), "never one they asked for")
    assert other.take("Grant", exception.url) == 303
    assert stage.state(exception) == "granted"
    other.waits_for(turnover.url, re.compile("^Deployed"))
    assert stage.state(freeze) == "in_force"


@pytest.mark.drives("freezeexception.refuse")
def test_an_exception_is_refused_with_a_reason_and_its_turnover_waits_on(cast, stage):
    place, freeze = frozen(stage, "damson-site")
    turnover = accepted(stage, place, "Damson 2")
    exception = asked(stage, freeze, turnover)
    manager = cast.manager

    with cast.nothing_changes(manager):
        assert manager.take("Refuse", exception.url) == 422
        manager.sees(ASKED_WHY)
    assert manager.take("Refuse", exception.url, reason="It can wait.") == 303
    manager.sees("It can wait.")
    assert [stage.state(row) for row in (exception, turnover)] == ["refused", "ready"]


@pytest.mark.drives("freezeexception.withdraw")
def test_an_exception_is_withdrawn_by_who_asked_for_it_and_by_no_other_developer(cast, stage):
    place, freeze = frozen(stage, "elder-site")
    turnover = accepted(stage, place, "Elder 2")
    exception = asked(stage, freeze, turnover, by="engineer")
    developer, engineer = cast.developer, cast.engineer

    with cast.nothing_changes(developer):
        developer.is_forbidden(exception.step("withdraw"), "Whoever asked for it")
    assert engineer.take("Withdraw", exception.url) == 303
    assert [stage.state(row) for row in (exception, turnover)] == ["withdrawn", "ready"]


@pytest.mark.drives("freezeexception.revoke")
def test_a_granted_exception_is_taken_back_with_a_reason_and_stops_its_turnover_again(cast, stage):
    place, freeze = frozen(stage, "gorse-site")
    turnover = accepted(stage, place, "Gorse 2", earliest=hours(1), latest=hours(3))
    exception = asked(stage, freeze, turnover, by="engineer")
    stage.take(exception, "grant", by="manager")
    developer, engineer = cast.developer, cast.engineer

    with cast.nothing_changes(developer):
        developer.is_forbidden(exception.step("revoke"), "Whoever asked for it")
    with cast.nothing_changes(engineer):
        assert engineer.take("Take back", exception.url) == 422
        engineer.sees(ASKED_WHY)
    assert engineer.take("Take back", exception.url, reason="It can wait after all.") == 303
    assert [stage.state(row) for row in (exception, turnover)] == ["withdrawn", "ready"]


def test_an_exception_from_a_freeze_that_was_lifted_is_not_granted(cast, stage):
    place, freeze = frozen(stage, "fir-site")
    turnover = stage.make("Turnover", environment=place, latest=hours(-1), earliest=hours(-2))
    exception = asked(stage, freeze, turnover)
    stage.take(freeze, "lift", by="second_manager", reason="All is well.")

    with cast.nothing_changes(cast.manager):
        assert cast.manager.take("Grant", exception.url) == 409
        cast.manager.is_refused("“fir-site freeze” has been lifted")
