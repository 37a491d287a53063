"""Who lives, whether all is ready, and what monitoring reads."""

import datetime as dt
import inspect
import json

import pytest
from django.test import RequestFactory
from django.utils import timezone

from releasemgr.middleware import HealthMiddleware
from tests.factories import TaskRunFactory, UserFactory
from turnovers import tasks
from turnovers.models import Attempt, Heartbeat, LateWord
from turnovers.pulse import SENT_AT, Pulse, WorkerPulse

pytestmark = pytest.mark.django_db


def seen(kind, seconds_ago=0, **facts):
    at = timezone.now() - dt.timedelta(seconds=seconds_ago)
    return Heartbeat.objects.create(
        part=f"{kind}:host:{Heartbeat.objects.count()}", kind=kind, at=at, facts=facts
    )


def ask(path, **headers):
    request = RequestFactory().get(path, REMOTE_ADDR="203.0.113.9", headers=headers)
    return HealthMiddleware(lambda request: None)(request)


class TestReadiness:
    def answer(self):
        response = ask("/readyz")
        return response.status_code, json.loads(response.content)

    def test_a_web_process_alone_is_ready_and_says_who_was_never_seen(self):
        status, said = self.answer()

        assert (status, said["scheduler"], said["worker"]) == (200, "not seen", "not seen")

    @pytest.mark.parametrize("kind", ["scheduler", "worker"])
    def test_who_was_seen_and_has_gone_silent_is_missed(self, kind):
        seen(kind, seconds_ago=3600)

        status, said = self.answer()

        assert (status, said[kind]) == (503, "silent")

    def test_one_of_a_kind_is_enough(self):
        seen("worker", seconds_ago=3600)
        seen("worker")

        status, said = self.answer()

        assert (status, said["worker"]) == (200, "ok")

    def test_a_part_that_must_be_there_is_missed_from_the_start(self, settings):
        settings.READY_NEEDS = ["scheduler"]

        assert self.answer()[0] == 503

    def test_a_full_disk_is_named(self, settings):
        settings.DISK_FREE_MB = 10**12

        status, said = self.answer()

        assert (status, said["disk"]) == (503, "full")

    def test_details_are_for_this_machine_and_for_the_token(self, settings):
        settings.HEALTH_TOKEN = "open sesame"

        assert "detail" not in self.answer()[1]
        assert "detail" not in json.loads(ask("/readyz", Authorization="Bearer no").content)
        shown = json.loads(ask("/readyz", Authorization="Bearer open sesame").content)
        assert shown["detail"]["disk"]["free_mb"] > 0

    def test_a_proxy_on_this_machine_is_not_this_machine(self):
        request = RequestFactory().get("/readyz", headers={"X-Forwarded-For": "203.0.113.9"})

        answer = HealthMiddleware(lambda request: None)(request)

        assert "detail" not in json.loads(answer.content)


class TestMetrics:
    def test_there_is_no_such_page_without_the_token(self, settings, client):
        assert client.get("/metrics").status_code == 404
        settings.METRICS_TOKEN = "open sesame"
        assert client.get("/metrics").status_code == 404
        wrong = {"Authorization": "Bearer no"}
        assert client.get("/metrics", headers=wrong).status_code == 404

    def test_it_counts(self, settings):
        settings.METRICS_TOKEN = "open sesame"
        now = timezone.now()
        lost = TaskRunFactory(
            state="running", fence=1, lease_until=now - dt.timedelta(minutes=1), worker="w:1:0"
        )
        TaskRunFactory(state="unknown")
        attempt = Attempt.objects.create(
            task_run=lost, fence=1, key="k", worker="w:1:0", claimed_at=now
        )
        LateWord.objects.create(attempt=attempt, at=now, succeeded=True)
        seen("worker", hint_lag=0.25)

        answer = ask("/metrics", Authorization="Bearer open sesame")

        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        lines = answer.content.decode().splitlines()
        assert {
            "releasemgr_claims_total 1",
            "releasemgr_fenced_out_total 1",
            "releasemgr_unknown 1",
            "releasemgr_overdue 1",
            "releasemgr_zombies 1",
            "releasemgr_runs_running 2",
            "releasemgr_hint_lag_seconds 0.25",
            "releasemgr_workers 1",
            "releasemgr_schedulers 0",
            "# TYPE releasemgr_claims_total counter",
        } <= set(lines)
        assert not [line for line in lines if line.startswith("releasemgr_scheduler_age_seconds")]


class TestPage:
    def test_it_shows_who_lives_and_what_has_stopped(self, client):
        client.force_login(UserFactory(role="Release engineer"))
        seen("worker", version="9.9", concurrency=3)
        seen("scheduler", seconds_ago=3600)
        stopped = TaskRunFactory(state="unknown", detail="Nobody knows.")

        text = client.get("/status/").content.decode()

        assert "9.9" in text
        assert "3 at once" in text
        assert "Silent" in text
        assert "Not ready" in text
        assert stopped.get_absolute_url() in text
        assert "Nobody knows." in text

    def test_only_its_body_comes_back_to_a_page_that_looks_on(self, client):
        client.force_login(UserFactory(role="Release engineer"))

        text = client.get("/status/", headers={"HX-Request": "true"}).content.decode()

        assert "<html" not in text
        assert 'id="status"' in text

    @pytest.mark.parametrize(
        ("role", "offered"),
        [("Release engineer", True), ("Administrator", True), ("Developer", False)],
    )
    def test_it_is_in_the_menu_of_those_who_look_after_it(self, client, role, offered):
        client.force_login(UserFactory(role=role))

        text = client.get("/work/").content.decode()

        assert ('href="/status/"' in text) == offered


class TestPulse:
    def test_a_beat_says_since_when_and_what(self):
        pulse = Pulse("worker", lambda: {"concurrency": 2})
        pulse.beat()

        row = Heartbeat.objects.get(part=pulse.part)
        assert (row.kind, row.since, row.facts["concurrency"]) == ("worker", pulse.since, 2)
        pulse.end()
        assert not Heartbeat.objects.exists()

    def test_it_beats_no_more_often_than_needed(self, django_assert_num_queries):
        pulse = Pulse("worker")
        pulse.beat()

        with django_assert_num_queries(0):
            pulse.beat()

    def test_the_rows_of_those_long_gone_are_cleared_away(self):
        seen("worker", seconds_ago=3 * 24 * 3600)
        pulse = Pulse("worker")
        pulse.beat()

        assert [row.part for row in Heartbeat.objects.all()] == [pulse.part]

    def test_a_worker_knows_how_long_its_last_hint_was_under_way(self):
        worker = WorkerPulse(concurrency=1)
        worker.take_in({SENT_AT: timezone.now().timestamp() - 2})
        worker.take_in({})

        assert worker.facts["hints"] == 1
        assert 1.9 < worker.facts["hint_lag"] < 30


def test_tasks_keep_their_names_and_arguments_for_workers_of_other_versions():
    """A queue outlives an upgrade: add a task beside these, and never rename or reshape one."""
    known = {
        "turnovers.tasks.advance_run": ("pk",),
        "turnovers.tasks.advance_turnover": ("pk",),
        "turnovers.tasks.advance_task_run": ("pk",),
        "turnovers.tasks.look": ("pk",),
    }
    present = {
        name: tuple(inspect.signature(task.run).parameters)
        for name, task in tasks.look.app.tasks.items()
        if name.startswith("turnovers.")
    }

    assert {name: present.get(name) for name in known} == known
