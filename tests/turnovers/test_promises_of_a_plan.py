"""What a plan says beyond its tasks: promises, moments, what happens when it is late."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories import EnvironmentFactory, HoldFactory, TaskFactory, TurnoverFactory
from tests.turnovers.test_tasks_of_a_plan import new, page_of, typed
from turnovers import plans
from turnovers.changes import changes
from turnovers.models import Hold, Turnover

pytestmark = pytest.mark.django_db

WEBHOOK = {
    "p-method": "POST",
    "p-url": "https://ci.example/deploy",
    "p-success_from": "200",
    "p-success_to": "299",
}


def test_an_automated_task_is_done_once_only_unless_somebody_says_otherwise(as_developer, turnover):
    address = new(turnover, "?executor=http")
    form = page_of(as_developer.get(address))
    assert "Once only (default)" in form

    as_developer.post(address, typed(title="Plain", **WEBHOOK))
    as_developer.post(address, typed(title="Safe", repeat_safe="True", **WEBHOOK))

    assert [(t.title, t.repeat_safe) for t in turnover.tasks.in_order()] == [
        ("Plain", False),
        ("Safe", True),
    ]
    listed = page_of(as_developer.get(turnover.get_absolute_url()))
    assert listed.count("May be repeated") == 1


def test_a_promise_is_taken_back(as_developer, turnover):
    task = TaskFactory(turnover=turnover, executor="http", repeat_safe=True)
    assert 'value="True" id="id_repeat_safe_1" checked' in page_of(
        as_developer.get(task.get_absolute_url())
    ).replace('aria-describedby="id_repeat_safe_hint" ', "")

    as_developer.post(task.get_absolute_url(), typed(repeat_safe="False", **WEBHOOK))

    task.refresh_from_db()
    assert not task.repeat_safe


def test_a_task_waits_for_its_moment_and_its_copy_does_not(as_developer, developer, turnover):
    as_developer.post(new(turnover), typed(owner=developer.pk, not_before="2031-01-02T03:04"))

    task = turnover.tasks.get()
    assert task.not_before == dt.datetime(2031, 1, 2, 3, 4, tzinfo=dt.UTC)
    assert "Not before" in page_of(as_developer.get(turnover.get_absolute_url()))
    target = TurnoverFactory(author=developer)
    plans.copy_tasks(turnover, target, by=developer)
    assert target.tasks.get().not_before is None


def test_people_are_asked_for_no_promise(as_developer, turnover):
    for kind in ("manual", "go", "checkpoint", "wait"):
        form = page_of(as_developer.get(new(turnover, f"?executor={kind}")))
        assert 'name="repeat_safe"' not in form, kind
        assert 'name="timeout_seconds"' not in form, kind
        assert 'name="not_before"' in form, kind


def test_the_promises_are_part_of_what_is_delivered_and_older_plans_still_match(turnover):
    task = TaskFactory(turnover=turnover, order=1)
    before = turnover.plan()
    assert not {"repeat_safe", "not_before", "undoes"} & set(before["Tasks"][0])
    assert set(before) == {"Environment", "Window", "Item", "Contents", "Tasks"}

    task.repeat_safe = True
    task.not_before = dt.datetime(2031, 1, 2, 3, 4, tzinfo=dt.UTC)
    task.save()
    turnover.if_late, turnover.most_parallel = "wait", 3

    told = [(c.detail, c.before, c.after) for c in changes(before, turnover.plan()) if c.task]
    assert told == [
        ("if it is not known how it ended", "once only", "may be repeated"),
        ("not before", "nothing", "2 January 2031, 03:04"),
    ]
    frame = {c.name: (c.before, c.after) for c in changes(before, turnover.plan()) if not c.task}
    assert frame == {
        "If late": ("as usual", "It waits, and starts as soon as it can"),
        "Tasks at once": ("as usual", "3"),
    }


def test_a_go_point_needs_somebody_who_decides(as_developer, developer, turnover):
    as_developer.post(new(turnover, "?executor=go"), typed(title="Go?"))
    task = turnover.tasks.get()

    assert (task.executor, task.is_manual, task.is_point) == ("go", True, True)
    assert [b.needed for b in turnover.step_blockers("deliver")] == [
        "A person or a group who does it."
    ]
    task.owner = developer
    task.save()
    assert turnover.step_blockers("deliver") == []
    assert "#i-user-check" in page_of(as_developer.get(turnover.get_absolute_url()))


def test_a_turnover_says_what_happens_when_it_is_late(as_developer, turnover):
    edit = reverse("turnovers:edit", args=[turnover.pk])
    facts = {
        "title": "Renamed",
        "environment": turnover.environment_id,
        "author": turnover.author_id,
        "earliest": "2031-01-02T03:04",
        "latest": "2031-01-02T05:04",
    }

    assert as_developer.post(edit, facts).status_code == 303
    row = Turnover.objects.get()
    assert (row.title, row.if_late, row.most_parallel) == ("Renamed", "expire", 10)
    as_developer.post(edit, facts | {"if_late": "wait", "most_parallel": "3"})
    row = Turnover.objects.get()
    assert (row.if_late, row.most_parallel) == ("wait", 3)
    assert as_developer.post(edit, facts | {"most_parallel": "0"}).status_code == 422


def test_a_hold_can_stop_what_is_running(as_manager):
    address = reverse("turnovers:hold-new")

    as_manager.post(address, {"reason": "Wait."})
    as_manager.post(address, {"reason": "Stop!", "stops_running": "on"})

    assert list(Hold.objects.order_by("pk").values_list("stops_running", flat=True)) == [
        False,
        True,
    ]
    hold = Hold.objects.latest("pk")
    assert "What was running is stopped, too" in page_of(as_manager.get(hold.get_absolute_url()))
    calm = HoldFactory()
    assert "goes on to its end" in page_of(as_manager.get(calm.get_absolute_url()))


def test_an_environment_shows_its_queue_in_order(as_developer):
    place = EnvironmentFactory(most_deployments=2)
    soon, later = timezone.now() + dt.timedelta(hours=1), timezone.now() + dt.timedelta(hours=2)
    facts = {"environment": place, "latest": later}
    TurnoverFactory(title="Second", state="ready", earliest=soon, **facts)
    TurnoverFactory(title="Third", state="ready", earliest=soon, **facts)
    TurnoverFactory(title="Last", state="ready", earliest=later, **facts)
    TurnoverFactory(title="Now", state="deploying", earliest=soon, **facts)
    TurnoverFactory(title="Only a draft", **facts | {"earliest": soon})

    page = page_of(as_developer.get(place.get_absolute_url()))

    assert "2 turnovers at a time" in page
    queue = page[page.index("h-queue") : page.index("h-deployed")]
    names = ["Now", "Second", "Third", "Last"]
    assert sorted(names, key=queue.index) == names
    assert "Only a draft" not in queue
