"""The page of one step: what it asks, what is refused, and nothing typed is lost."""

import datetime as dt

import pytest
from django.template import Context, Template
from django.template.loader import render_to_string
from django.utils import timezone

from environments.models import Booking, Environment
from releasemgr.accounts.roles import DEVELOPER, RELEASE_ENGINEER
from tests.factories import BookingFactory, EnvironmentFactory, UserFactory

pytestmark = pytest.mark.django_db

ONLINE = Environment.State.ONLINE
OFFLINE = Environment.State.OFFLINE


@pytest.fixture
def environment():
    return EnvironmentFactory(name="staging <eu>")


@pytest.fixture
def engineer(client):
    user = UserFactory(role=RELEASE_ENGINEER)
    client.force_login(user)
    return user


def booked_tomorrow(environment, **facts):
    tomorrow = timezone.now() + dt.timedelta(days=1)
    confirmed = Booking.State.CONFIRMED
    return BookingFactory(environment=environment, starts=tomorrow, state=confirmed, **facts)


def state_of(environment):
    return Environment.objects.get(pk=environment.pk).state


def test_the_page_asks_what_the_step_needs(client, engineer, environment):
    answer = client.get(environment.step_url("take_offline"))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<h1>Take staging &lt;eu&gt; offline?</h1>" in page
    assert "Bookings are kept." in page
    assert f'<input type="hidden" name="version" value="{environment.version}"' in page
    assert 'name="reason"' in page


def test_a_missing_reason_is_said_in_the_summary_and_at_the_field(client, engineer, environment):
    answer = client.post(environment.step_url("take_offline"), {"version": environment.version})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "<title>Error: Take" in page
    assert page.count("Say why. The reason is kept in the history.") == 2
    assert 'href="#id_reason"' in page
    assert state_of(environment) == ONLINE


def test_the_browser_does_not_hold_back_what_the_page_says_better(client, engineer, environment):
    page = client.get(environment.step_url("decommission")).content.decode()

    assert " novalidate>" in page


def test_a_step_leads_back_to_its_record(client, engineer, environment):
    form = {"version": environment.version, "reason": "Disks are changed."}
    answer = client.post(environment.step_url("take_offline"), form)
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        environment.get_absolute_url(),
    )
    assert state_of(environment) == OFFLINE


def test_what_stands_in_the_way_is_listed_before_the_step_is_tried(client, engineer, environment):
    booked_tomorrow(environment, title="Load <test>")
    page = client.get(environment.step_url("decommission")).content.decode()
    assert "1 thing stands" in page
    assert "Load &lt;test&gt;" in page
    assert "<b>Load" not in page


def test_a_refusal_lists_what_stops_it_and_keeps_what_was_typed(client, engineer, environment):
    booked_tomorrow(environment)
    form = {"version": environment.version, "reason": "Old <and> slow."}
    answer = client.post(environment.step_url("decommission"), form)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert 'role="alert"' in page
    assert "Nothing was changed and nobody was notified." in page
    assert "Old &lt;and&gt; slow." in page
    assert state_of(environment) == ONLINE


def test_after_a_conflict_the_form_carries_the_version_now_seen(client, engineer, environment):
    Environment.objects.filter(pk=environment.pk).update(version=7)
    form = {"version": environment.version, "reason": "Disks are changed."}
    answer = client.post(environment.step_url("take_offline"), form)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert '<input type="hidden" name="version" value="7">' in page
    assert "Disks are changed." in page


def test_who_may_not_is_told_who_may(client, environment):
    client.force_login(UserFactory(role=DEVELOPER))
    answer = client.get(environment.step_url("take_offline"))
    assert answer.status_code == 403
    assert "An administrator can give you another role." in answer.content.decode()


@pytest.mark.parametrize("form", [{}, {"version": "9" * 40}, {"version": "x", "reason": "\u202e"}])
def test_odd_input_is_refused_and_shown_again(client, engineer, environment, form):
    assert client.post(environment.step_url("take_offline"), form).status_code == 422
    assert state_of(environment) == ONLINE


def buttons(environment, user):
    return render_to_string("ui/_steps_bar.html", {"steps": environment.steps(user)})


def test_a_step_that_asks_something_is_a_link_to_its_page(engineer, environment):
    html = buttons(environment, engineer)
    assert f'<a class="btn" href="{environment.step_url("take_offline")}">' in html
    assert f'<a class="btn btn-dq" href="{environment.step_url("decommission")}">' in html


def test_a_heading_shows_the_next_step_and_its_menu_all_others(engineer):
    environment = EnvironmentFactory(state=OFFLINE)
    steps = {"steps": environment.steps(engineer)}
    head = render_to_string("ui/_steps_bar.html", steps | {"look": "head"})
    menu = render_to_string("ui/_steps_bar.html", steps | {"look": "menu"})
    assert environment.step_url("place_online") in head
    assert environment.step_url("decommission") not in head
    assert environment.step_url("decommission") in menu
    assert environment.step_url("place_online") not in menu


def test_the_steps_within_a_row_are_small_and_none_is_primary(engineer):
    environment = EnvironmentFactory(state=OFFLINE)
    context = {"steps": environment.steps(engineer), "look": "small"}
    html = render_to_string("ui/_steps_bar.html", context)
    assert "btn-s" in html
    assert "btn-p" not in html


def test_a_menu_opens_without_javascript_and_is_left_out_when_empty():
    page = Template('{% load ui %}{% more "More" %}{{ entry }}{% endmore %}')
    html = page.render(Context({"entry": "<Entry>"}))
    assert 'popovertarget="more"' in html
    assert "&lt;Entry&gt;" in html
    assert page.render(Context({"entry": " "})) == ""


def test_a_step_that_asks_nothing_is_a_button(engineer):
    environment = EnvironmentFactory(state=OFFLINE)
    html = buttons(environment, engineer)
    assert f'<form method="post" action="{environment.step_url("place_online")}">' in html
    assert f'name="version" value="{environment.version}"' in html


def test_a_blocked_step_stays_pressable_and_says_how_much_is_left(engineer, environment):
    booked_tomorrow(environment)
    assert "1 left" in buttons(environment, engineer)


def test_those_who_may_never_take_a_step_do_not_see_it(environment):
    assert buttons(environment, UserFactory(role=DEVELOPER)).strip() == ""


def test_the_story_says_who_did_what_and_why(client, engineer, environment):
    form = {"version": environment.version, "reason": "Disks <are> changed."}
    client.post(environment.step_url("take_offline"), form)
    html = render_to_string("ui/_history.html", {"entries": environment.history.all()})
    assert f'<span class="strong">{engineer}</span> took the step “Take offline”: now Offline' in (
        html
    )
    assert "Disks &lt;are&gt; changed." in html
