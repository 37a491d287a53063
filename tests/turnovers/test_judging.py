"""Delivering, accepting and returning: what is seen, what is kept, who may not."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from releasemgr.workflow.perform import perform
from tests.factories import BookingFactory, EnvironmentFactory, TaskFactory, TurnoverFactory
from turnovers import plans
from turnovers.models import Turnover

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivered(turnover, developer):
    TaskFactory(turnover=turnover, title="Migrate", order=1, estimate_minutes=10)
    return perform(turnover, "deliver", by=developer)


def page_of(answer):
    return " ".join(answer.content.decode().split())


def test_a_delivery_keeps_the_plan(delivered, developer):
    delivery = delivered.deliveries.get()

    assert (delivery.number, delivery.delivered_by) == (1, str(developer))
    assert [task["title"] for task in delivery.plan["Tasks"]] == ["Migrate"]


def test_a_release_engineer_accepts_on_the_page(as_engineer, engineer, delivered):
    page = page_of(as_engineer.get(delivered.get_absolute_url()))
    assert "Accept this turnover?" in page
    assert "stg-eu is free for the whole window" in page

    answer = as_engineer.post(
        delivered.step_url("accept"), {"version": delivered.version, "reason": "Looks good"}
    )

    assert answer.status_code == 303
    accepted = Turnover.objects.get()
    assert accepted.state == "ready"
    assert accepted.history.filter(transition="accept").get().history_change_reason == "Looks good"


def test_a_return_needs_a_reason_and_says_so(as_engineer, delivered):
    answer = as_engineer.post(
        delivered.step_url("return_to_author"), {"version": delivered.version}
    )

    assert answer.status_code == 422
    assert "Say why." in page_of(answer)
    assert Turnover.objects.get().state == "delivered"


def test_the_next_version_shows_why_it_came_back_and_what_is_new(
    as_engineer, engineer, developer, delivered
):
    returned = perform(delivered, "return_to_author", by=engineer, reason="Too short a migration")
    task = returned.tasks.get()
    plans.edit_task(task, by=developer, version=task.version, estimate_minutes=30)
    confirm = TaskFactory.build(turnover=returned, title="Confirm the restore point")
    plans.add_task(confirm, by=developer, after=None)
    returned = Turnover.objects.get()
    perform(returned, "deliver", by=developer)

    page = page_of(as_engineer.get(returned.get_absolute_url()))

    assert "delivered version 2" in page
    assert "You sent version 1 back" in page
    assert "Too short a migration" in page
    assert "2 changes since version 1" in page
    assert "<del>10 min</del> <ins>30 min</ins>" in page
    assert "<ins>Confirm the restore point</ins>" in page
    assert "Version 2" in page


def test_the_developer_sees_why_it_came_back_and_what_is_new_since(
    as_developer, developer, engineer, delivered
):
    returned = perform(delivered, "return_to_author", by=engineer, reason="Too short")
    task = returned.tasks.get()
    plans.remove_task(task, by=developer)

    page = page_of(as_developer.get(returned.get_absolute_url()))

    assert "It came back" in page
    assert "Too short" in page
    assert "1 change since version 1" in page
    assert "Put back" in page


def test_its_developer_is_not_asked_to_accept(as_developer, delivered):
    page = page_of(as_developer.get(delivered.get_absolute_url()))
    assert "Accept this turnover?" not in page
    assert as_developer.post(delivered.step_url("accept")).status_code == 403


def test_a_release_engineer_does_not_accept_their_own(as_engineer, engineer):
    own = TurnoverFactory(author=engineer)
    TaskFactory(turnover=own)
    own = perform(own, "deliver", by=engineer)

    assert as_engineer.post(own.step_url("accept")).status_code == 403


def test_whoever_delivers_what_had_no_developer_cannot_accept_it(engineer):
    nobodys = TurnoverFactory(author=None)
    TaskFactory(turnover=nobodys)
    nobodys = perform(nobodys, "deliver", by=engineer)

    assert nobodys.author == engineer
    with pytest.raises(PermissionDenied):
        perform(nobodys, "accept", by=engineer)


def test_a_clash_is_among_the_checks_and_refuses(as_engineer, delivered):
    BookingFactory(
        environment=delivered.environment,
        title="Load test",
        state="confirmed",
        starts=timezone.now() - dt.timedelta(hours=1),
    )

    page = page_of(as_engineer.get(delivered.get_absolute_url()))
    assert "Load test" in page
    assert "1 left" in page
    answer = as_engineer.post(delivered.step_url("accept"), {"version": delivered.version})

    assert answer.status_code == 409
    assert "Load test" in page_of(answer)
    assert Turnover.objects.get().state == "delivered"


def test_who_accepts_a_version_that_is_gone_is_told(as_engineer, engineer, developer, delivered):
    seen = delivered.version
    returned = perform(delivered, "return_to_author", by=engineer, reason="No")
    perform(returned, "deliver", by=developer)

    answer = as_engineer.post(delivered.step_url("accept"), {"version": seen})

    assert answer.status_code == 409
    assert Turnover.objects.get().state == "delivered"


def test_contents_verified_elsewhere_are_said(as_engineer, developer):
    source = TurnoverFactory(
        state="verified", environment=EnvironmentFactory(name="stg-us"), author=developer
    )
    source.contents.create(release=source.release, version_name="1")
    promoted = TurnoverFactory(release=source.release, promoted_from=source, author=developer)
    promoted.contents.create(release=source.release, version_name="1")
    TaskFactory(turnover=promoted)
    perform(promoted, "deliver", by=developer)

    assert "Same contents verified on stg-us" in page_of(
        as_engineer.get(promoted.get_absolute_url())
    )
