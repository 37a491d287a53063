"""The whole way works with JavaScript switched off: plan, write, reorder, deliver, deploy."""

import datetime as dt
import re

import pytest

from tests.e2e.conftest import People

pytestmark = pytest.mark.e2e


def day(offset):
    return (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=offset)).isoformat()


def moment(**ahead):
    return (dt.datetime.now(dt.UTC) + dt.timedelta(**ahead)).strftime("%Y-%m-%dT%H:%M")


def make_train(manager):
    """A train that needs no approval, in Construction."""
    manager.go("/trains/")
    manager.follow("New train")
    manager.follow(re.compile("Patch"))
    manager.fill("Name", "Plain Larch")
    manager.fill("Purpose", "To show that forms and links suffice.")
    for label, offset in (
        ("Start", 0),
        ("Scoping complete", 1),
        ("Construction complete", 2),
        ("QA complete", 3),
        ("End", 4),
    ):
        manager.fill(label, day(offset))
    for label in ("Train approval", "Development approval", "Executive approval"):
        manager.tick(label, on=False)
    assert manager.press("Create train") == 303
    train = manager.path()
    assert manager.take("Start construction", train) == 303
    return train


def make_environment(engineer):
    engineer.go("/environments/new/")
    engineer.fill("Name", "plain-test")
    engineer.fill("Kind", "test")
    assert engineer.press("Add environment") == 303
    assert engineer.take_here("Place online") == 303


def write_turnover(developer, train):
    """Three manual tasks, typed in the wrong order and put right with the buttons."""
    developer.go(f"/turnovers/new/?train={re.search('[0-9]+', train)[0]}")
    developer.choose("Environment", "plain-test")
    developer.fill("Earliest start", moment(minutes=-1))
    developer.fill("Latest start", moment(hours=2))
    assert developer.press("Write turnover") == 303
    turnover = developer.path()
    for title in ("Stop the service", "Start the service", "Copy the files"):
        developer.go(turnover)
        developer.follow("Add task")
        developer.follow("By hand")
        developer.fill("Title", title)
        developer.choose("Person", People.name("developer"))
        assert developer.press("Add task") == 303
    developer.go(turnover)
    assert developer.press("Move Copy the files up") == 303
    return turnover


def titles(person, turnover):
    person.go(turnover)
    return [words.strip() for words in person.main.locator(".task-n a").all_inner_texts()]


def test_a_turnover_is_planned_delivered_and_carried_out_without_javascript(people_without_script):
    people = people_without_script
    manager, engineer, developer = people.manager, people.engineer, people.developer
    train = make_train(manager)
    make_environment(engineer)
    turnover = write_turnover(developer, train)
    in_order = ["Stop the service", "Copy the files", "Start the service"]
    assert titles(developer, turnover) == in_order

    assert developer.take("Deliver", turnover) == 303
    engineer.go(turnover)
    assert engineer.press(re.compile("^Accept version")) == 303
    engineer.waits_for(turnover, "Deploying")
    developer.go(f"{turnover}runs/")
    developer.main.locator('a[href^="/runs/"]').first.click()
    run = developer.path()
    for title in in_order:
        developer.waits_for(run, re.compile("^Your turn"))
        developer.sees(title)
        assert developer.press("Mark done") == 303
    engineer.waits_for(turnover, re.compile("^Deployed"))

    assert people.complaints() == []
