"""Pages that look on learn within a second that something has changed."""

import datetime as dt
import time

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories import (
    HoldFactory,
    RunFactory,
    TaskFactory,
    TaskRunFactory,
    UserFactory,
)
from turnovers import bridge, watching
from turnovers.models import Attempt, LateWord, Run, TaskRun

pytestmark = pytest.mark.django_db


def running(run, **more):
    lease = timezone.now() + dt.timedelta(minutes=2)
    return TaskRunFactory(run=run, state="running", fence=1, lease_until=lease, **more)


def settle(row):
    row.version += 1
    row.save()


CHANGES = {
    "a task moves on": lambda run, row: settle(row),
    "a task comes up": lambda run, row: TaskRunFactory(run=run),
    "a task prints": lambda run, row: TaskRun.objects.filter(pk=row.pk).update(output="more"),
    "the run ends": lambda run, row: Run.objects.filter(pk=run.pk).update(version=9),
    "somebody speaks": lambda run, row: bridge.say(run, "Hello.", by=UserFactory()),
    "the line is stopped": lambda run, row: HoldFactory(),
    "a lost worker speaks": lambda run, row: LateWord.objects.create(
        attempt=Attempt.objects.create(
            task_run=row, fence=1, key="k", worker="w", claimed_at=timezone.now()
        ),
        at=timezone.now(),
        succeeded=True,
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_mark_changes_when(what):
    run = RunFactory()
    row = running(run)
    before = watching.marks([run.pk])

    CHANGES[what](run, row)

    assert watching.marks([run.pk]) != before


def test_the_mark_stays_while_nothing_happens_and_where_something_else_does():
    run, other = RunFactory(), RunFactory()
    running(run)
    before = watching.marks([run.pk, other.pk])

    TaskRunFactory(run=other)

    after = watching.marks([run.pk, other.pk])
    assert after[run.pk] == before[run.pk]
    assert after[other.pk] != before[other.pk]


@pytest.mark.parametrize("runs", [1, 3])
def test_all_runs_are_asked_about_together(runs, django_assert_num_queries):
    pks = [RunFactory().pk for _ in range(runs)]

    with django_assert_num_queries(3):
        watching.marks(pks)


def events(client, run, **headers):
    return client.get(reverse("turnovers:run-events", args=[run.pk]), headers=headers)


@pytest.mark.parametrize("threads", [0, 1])
def test_without_a_thread_to_spare_the_page_asks_now_and_then(client, settings, threads):
    settings.WEB_THREADS = threads
    client.force_login(UserFactory(role="Stakeholder"))

    assert events(client, RunFactory()).status_code == 204


def test_of_a_run_that_is_over_there_is_nothing_to_tell(client, settings):
    settings.WEB_THREADS = 4
    client.force_login(UserFactory(role="Stakeholder"))

    assert events(client, RunFactory(state="succeeded")).status_code == 204


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_change_is_told_within_a_second_and_the_place_is_given_back(client, settings):
    settings.WEB_THREADS = 2
    client.force_login(UserFactory(role="Stakeholder"))
    run = RunFactory()
    answer = events(client, run)
    assert answer.headers["Content-Type"] == "text/event-stream"
    words = iter(answer.streaming_content)
    assert next(words) == b"retry: 1000\n\n"
    assert b"event: step" in next(words), "it begins with what is so now"
    assert events(client, run).status_code == 204, "one of two threads is for looking on"

    began = time.monotonic()
    bridge.say(run, "Now.", by=UserFactory())
    told = next(words)

    assert b"event: step" in told
    assert time.monotonic() - began < 1
    answer.close()
    seen = told.split(b"\n")[0].removeprefix(b"id: ").decode()
    again = events(client, run, **{"Last-Event-ID": seen})
    assert again.status_code == 200
    again.close()
    until = time.monotonic() + 5
    while watching.watcher._thread is not None and time.monotonic() < until:
        time.sleep(0.05)
    assert watching.watcher._thread is None, "nobody looks on, so nobody asks"


def test_a_process_that_is_to_end_lets_its_readers_go(monkeypatch):
    monkeypatch.setattr(watching, "is_leaving", lambda: True)

    assert list(watching.Stream(1)) == []


def test_the_page_asks_no_more_of_many_steps_than_it_shows(client):
    client.force_login(UserFactory(role="Release engineer"))
    run = RunFactory()
    for order in range(1, 321):
        TaskFactory(turnover=run.turnover, order=order, title=f"Step number {order}.")
    tasks = list(run.turnover.tasks.in_order())
    for task in tasks[:200]:
        TaskRunFactory(run=run, task=task, state="succeeded")

    text = client.get(run.get_absolute_url()).content.decode()
    first = client.get(run.get_absolute_url(), {"part": "1"}).content.decode()

    assert "Steps 151 to 300 of 320" in text
    assert "Step number 201." in text
    assert "Step number 1." not in text
    assert "Step number 1." in first
    assert f"/runs/{run.pk}/live/?turn=&amp;part=1" in first
