"""Stopping the line, and letting it go on."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import EnvironmentFactory, HoldFactory, TrainFactory, TurnoverFactory
from turnovers.models import Hold

pytestmark = pytest.mark.django_db

LIST = "/holds/"
NEW = "/holds/new/"


def page_of(answer):
    return answer.content.decode()


def test_everything_is_stopped_with_a_reason(as_manager, manager):
    answer = as_manager.post(NEW, {"reason": "The network is down."})

    hold = Hold.objects.get()
    assert (answer.status_code, answer.url) == (303, hold.get_absolute_url())
    assert (hold.scope, hold.placed_by, hold.reason) == ("all", manager, "The network is down.")
    assert hold.history.latest().history_user == manager


@pytest.mark.parametrize(
    ("scope", "factory"),
    [("train", TrainFactory), ("environment", EnvironmentFactory), ("turnover", TurnoverFactory)],
)
def test_what_the_address_names_is_stopped(as_engineer, scope, factory):
    target = factory()
    address = f"{NEW}?{scope}={target.pk}"
    assert str(target) in page_of(as_engineer.get(address))

    as_engineer.post(address, {"reason": "Odd errors"})

    hold = Hold.objects.get()
    assert (hold.scope, getattr(hold, scope)) == (scope, target)


def test_a_hold_without_a_reason_is_refused(as_manager):
    assert as_manager.post(NEW, {"reason": "  "}).status_code == 422
    assert not Hold.objects.exists()


@pytest.mark.parametrize("query", ["?train=x", "?environment=0", f"?turnover={'9' * 40}"])
def test_what_is_not_there_is_not_stopped(as_manager, query):
    assert as_manager.get(NEW + query).status_code == 404


def test_developers_do_not_stop_the_line(as_developer, turnover):
    assert as_developer.get(NEW).status_code == 403
    assert as_developer.post(NEW, {"reason": "No"}).status_code == 403
    assert "Stop the line" not in page_of(as_developer.get(turnover.get_absolute_url()))
    assert "Stop everything" not in page_of(as_developer.get(LIST))


def test_a_hold_shows_what_waits_and_is_lifted_with_a_reason(as_manager):
    held = TurnoverFactory(title="Waits for it", state="ready")
    TurnoverFactory(title="Goes on", state="ready")
    hold = HoldFactory(scope="environment", environment=held.environment)

    page = page_of(as_manager.get(hold.get_absolute_url()))
    assert "Waits for it" in page
    assert "Goes on" not in page
    lift = hold.step_url("lift")
    assert as_manager.post(lift, {"version": hold.version}).status_code == 422
    answer = as_manager.post(lift, {"version": hold.version, "reason": "All well again"})

    assert answer.status_code == 303
    assert Hold.objects.get().state == "lifted"
    assert "All well again" in page_of(as_manager.get(hold.get_absolute_url()))


def test_holds_are_listed_and_those_that_were_lifted_apart(as_developer):
    HoldFactory(reason="Still on")
    HoldFactory(reason="Over now", state="lifted")

    assert "Still on" in page_of(as_developer.get(LIST))
    assert "Over now" not in page_of(as_developer.get(LIST))
    assert "Over now" in page_of(as_developer.get(LIST + "?view=lifted"))


def test_an_empty_list_says_so(as_developer):
    assert "Nothing is held" in page_of(as_developer.get(LIST))


def test_the_list_costs_the_same_with_more_rows(as_developer):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            as_developer.get(LIST)
        return len(seen)

    HoldFactory(scope="train", train=TrainFactory())
    one = queries()
    HoldFactory(scope="train", train=TrainFactory())
    HoldFactory(scope="turnover", turnover=TurnoverFactory())
    assert one == queries() == 6


def test_turnovers_say_that_the_line_is_held(as_developer):
    HoldFactory(reason="The network is down.")
    assert "The network is down." in page_of(as_developer.get(reverse("turnovers:list")))


def test_my_work_and_the_pages_of_what_is_held_say_so_and_offer_it(as_manager):
    train, environment = TrainFactory(), EnvironmentFactory()
    HoldFactory(scope="train", train=train, reason="The release notes are wrong.")

    assert "The release notes are wrong." in page_of(as_manager.get(reverse("portal:work")))
    assert f"{NEW}?train={train.pk}" in page_of(as_manager.get(train.get_absolute_url()))
    offered = page_of(as_manager.get(environment.get_absolute_url()))
    assert f"{NEW}?environment={environment.pk}" in offered
