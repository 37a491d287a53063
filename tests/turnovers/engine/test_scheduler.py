"""One look of the scheduler, and how long it sleeps until the next."""

import datetime as dt
import logging
import threading
import time

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone

from environments.models import Booking, Environment
from releasemgr.accounts.models import User
from releasemgr.workflow.perform import perform
from tests.factories import (
    EnvironmentFactory,
    HoldFactory,
    ReleaseFactory,
    RunFactory,
    TaskFactory,
    TaskRunFactory,
    TurnoverFactory,
    UserFactory,
)
from trains.models import ApplicationRelease, Dependency
from turnovers.engine import ledger, scheduler, turns, wake
from turnovers.engine.scheduler import Scheduler, seconds_until_next
from turnovers.engine.starting import start_due
from turnovers.models import Heartbeat, Run, TaskRun, Turnover
from turnovers.pulse import Pulse

pytestmark = pytest.mark.django_db


def accepted(**more):
    turnover = TurnoverFactory(**more)
    TaskFactory(turnover=turnover)
    turnover = perform(turnover, "deliver", by=turnover.author)
    return perform(turnover, "accept", by=UserFactory(role="Release engineer"))


def look(capture):
    with capture(execute=True):
        Scheduler().look()


def in_seconds(seconds):
    """In whole milliseconds, rounded down, as SQLite's clock counts them."""
    now = timezone.now()
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    return now + dt.timedelta(seconds=seconds)


def state(turnover):
    return Turnover.objects.get(pk=turnover.pk).state


def test_a_turnover_starts_when_its_window_has_opened(django_capture_on_commit_callbacks):
    turnover = accepted()

    look(django_capture_on_commit_callbacks)

    assert state(turnover) == "deployed"
    started = turnover.history.get(transition="start")
    assert started.actor == str(User.objects.robot())
    assert started.history_change_reason == "Its window has opened."


def with_window(begin, end, **more):
    turnover = accepted(**more)
    earliest, latest = in_seconds(begin), in_seconds(end)
    Turnover.objects.filter(pk=turnover.pk).update(earliest=earliest, latest=latest)
    return turnover


def test_nothing_starts_early(django_capture_on_commit_callbacks):
    turnover = with_window(60, 120)

    look(django_capture_on_commit_callbacks)

    assert state(turnover) == "ready"


def test_a_window_that_was_missed_expires_with_a_reason(django_capture_on_commit_callbacks):
    turnover = with_window(-120, -60)

    look(django_capture_on_commit_callbacks)

    assert state(turnover) == "draft"
    expired = turnover.history.get(transition="expire")
    assert "passed before it could start" in expired.history_change_reason


def test_one_that_waits_starts_after_its_window(django_capture_on_commit_callbacks):
    turnover = with_window(-120, -60, if_late="wait")

    look(django_capture_on_commit_callbacks)

    assert state(turnover) == "deployed"


def test_many_start_together_as_one_starts_alone(django_capture_on_commit_callbacks):
    alone = accepted()
    look(django_capture_on_commit_callbacks)
    many = [accepted() for _ in range(3)]

    with django_capture_on_commit_callbacks() as hints:
        assert list(start_due(by=User.objects.robot())) == []

    assert hints == []
    for turnover in many:
        assert state(turnover) == "deploying"
        assert story(turnover, "start") == story(alone, "start")
        assert run_of(turnover) == run_of(alone)


def story(turnover, step):
    entry = turnover.history.get(transition=step)
    return (
        entry.state,
        entry.version,
        entry.actor,
        entry.history_change_reason,
        entry.history_type,
        entry.deploys_alone,
    )


def run_of(turnover):
    run = turnover.runs.get()
    entry = run.history.earliest()
    return (run.number, run.kind, run.started_by, entry.state, entry.actor, entry.transition)


def test_no_more_start_together_than_their_environment_has_room_for(
    django_capture_on_commit_callbacks,
):
    pair = EnvironmentFactory(most_deployments=2)
    turnovers = [accepted(environment=pair) for _ in range(3)]

    list(start_due(by=User.objects.robot()))

    assert [state(turnover) for turnover in turnovers] == ["deploying", "deploying", "ready"]


@pytest.mark.parametrize(
    "obstacle", ["hold", "offline", "booking", "item", "predecessor", "production"]
)
def test_what_a_guard_may_object_to_is_not_started_together(obstacle):
    free, other = accepted(), accepted()
    if obstacle == "hold":
        HoldFactory(scope="turnover", turnover=other)
    elif obstacle == "offline":
        Environment._base_manager.filter(pk=other.environment_id).update(state="offline")
    elif obstacle == "booking":
        Booking._base_manager.filter(url=other.get_absolute_url()).update(state="released")
    elif obstacle == "item":
        ApplicationRelease._base_manager.filter(pk=other.release_id).update(state="planning")
    elif obstacle == "predecessor":
        other.contents.create(release=other.release)
        Dependency.objects.create(release=other.release, needs=ReleaseFactory())
    else:
        Environment.objects.filter(pk=other.environment_id).update(is_production=True)

    asked = list(start_due(by=User.objects.robot()))

    assert other in asked
    assert state(other) == "ready"
    assert state(free) == ("ready" if obstacle == "hold" else "deploying")


def test_one_that_cannot_start_holds_up_nobody_and_says_why_once(
    django_capture_on_commit_callbacks, caplog
):
    held, free = accepted(), accepted()
    HoldFactory(scope="turnover", turnover=held, reason="Not tonight")
    caplog.set_level(logging.INFO, logger="turnovers.engine.scheduler")
    loop = Scheduler()

    for _ in range(3):
        with django_capture_on_commit_callbacks(execute=True):
            loop.look()

    assert (state(held), state(free)) == ("ready", "deployed")
    assert sum("Not tonight" in message for message in caplog.messages) == 1


def test_one_that_breaks_holds_up_nobody(django_capture_on_commit_callbacks, monkeypatch, caplog):
    broken, fine = accepted(environment__is_production=True), accepted()

    def start(row, name, **more):
        if row.pk == broken.pk:
            raise ZeroDivisionError
        return perform(row, name, **more)

    monkeypatch.setattr(scheduler, "perform", start)

    look(django_capture_on_commit_callbacks)

    assert (state(broken), state(fine)) == ("ready", "deployed")
    assert f"{broken.ref}: start did not succeed." in caplog.messages


def test_runs_whose_hint_was_lost_go_on(django_capture_on_commit_callbacks):
    run = RunFactory()
    TaskFactory(turnover=run.turnover)

    look(django_capture_on_commit_callbacks)

    assert Run.objects.get(pk=run.pk).state == "succeeded"


def test_silent_workers_are_found(django_capture_on_commit_callbacks):
    run = RunFactory()
    TaskFactory(turnover=run.turnover)
    task = run.turnover.tasks.get()
    task.executor = "http"
    task.save()
    claim = turns.turn(run.pk, by=User.objects.robot())
    assert ledger.is_ours_to_send(claim)
    TaskRun.objects.update(lease_until=in_seconds(-1))

    look(django_capture_on_commit_callbacks)

    assert run.task_runs.get().state == "unknown"


def test_each_look_leaves_a_heartbeat(django_capture_on_commit_callbacks):
    look(django_capture_on_commit_callbacks)
    first = Heartbeat.objects.get(kind="scheduler").at
    look(django_capture_on_commit_callbacks)

    assert Heartbeat.objects.get(kind="scheduler").at >= first


class TestSleep:
    def test_it_is_a_tick_when_nothing_is_due(self, settings):
        assert seconds_until_next() == settings.TICK_SECONDS

    @pytest.mark.parametrize("kind", ["window", "pause", "lease"])
    def test_it_ends_when_something_is_due(self, kind, settings):
        if kind == "window":
            turnover = accepted()
            Turnover.objects.filter(pk=turnover.pk).update(earliest=in_seconds(2))
        else:
            run = RunFactory()
            running = {"state": "running", "fence": 1, "lease_until": in_seconds(2)}
            waiting = {"state": "waiting", "ready_at": in_seconds(2)}
            TaskRunFactory(run=run, **(running if kind == "lease" else waiting))

        assert 1 < seconds_until_next() <= 2

    def test_what_waits_already_does_not_keep_it_awake(self, settings):
        HoldFactory(scope="turnover", turnover=accepted())

        assert seconds_until_next() == settings.TICK_SECONDS


@pytest.mark.django_db(transaction=True)
def test_a_lifted_hold_ends_the_sleep_and_a_sign_of_life_does_not():
    sleeper = wake.Sleeper(threading.Event())
    hold, engineer = HoldFactory(), UserFactory(role="Release engineer")
    slept = []

    for change in (
        Pulse("worker").beat,
        lambda: perform(hold, "lift", by=engineer, reason="It was nothing."),
    ):
        sleeper.ready()
        caller = threading.Thread(target=elsewhere, args=[change])
        began = time.monotonic()
        caller.start()
        sleeper.sleep(1.5)
        slept.append(time.monotonic() - began)
        caller.join()

    assert slept[0] >= 1.5
    assert slept[1] < 1


def elsewhere(change):
    """As another process does it, with a session of its own."""
    try:
        change()
    finally:
        connection.close()


def test_a_database_that_is_away_is_waited_for(monkeypatch, settings, caplog):
    settings.TICK_SECONDS = 0.01
    loop, looks = Scheduler(), []

    def look():
        looks.append(1)
        if len(looks) < 3:
            raise OperationalError("gone")
        loop.asked_to_stop.set()

    monkeypatch.setattr(loop, "look", look)
    monkeypatch.setattr(scheduler.connection, "close", lambda: None)
    loop.run()

    assert len(looks) == 3
    assert any("does not answer" in message for message in caplog.messages)


def test_the_command_stops_when_asked(monkeypatch):
    handlers = {}
    monkeypatch.setattr("signal.signal", handlers.__setitem__)
    monkeypatch.setattr(Scheduler, "look", lambda self: None)
    runs = threading.Thread(target=call_command, args=["scheduler"])
    monkeypatch.setattr(scheduler, "seconds_until_next", lambda: 60)
    runs.start()
    while len(handlers) < 2:
        runs.join(0.01)

    for handler in handlers.values():
        handler(0, None)
    runs.join(5)

    assert not runs.is_alive()
