"""The page of a run, as each of its readers sees it."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from releasemgr.accounts.models import User
from releasemgr.workflow.perform import perform
from tests.factories import HoldFactory, RunFactory, TaskFactory, TaskRunFactory, UserFactory
from turnovers.engine import advance, turns
from turnovers.executors import Outcome
from turnovers.models import DeploymentTask, Run, TaskRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def robot():
    return User.objects.robot()


@pytest.fixture
def engineer(client):
    engineer = UserFactory(role="Release engineer")
    client.force_login(engineer)
    return engineer


@pytest.fixture
def run():
    return RunFactory(started_by="robot")


def task(run, order=1, **more):
    return TaskFactory(turnover=run.turnover, order=order, **more)


def page(client, run, status=200):
    answer = client.get(run.get_absolute_url())
    assert answer.status_code == status
    return answer.content.decode()


def live(client, run, turns=""):
    return client.get(reverse("turnovers:run-live", args=[run.pk]), {"turn": turns})


def test_every_step_is_there_with_its_plan_and_what_happened(client, engineer, run):
    task(run, 1, title="Take a snapshot", section="Prepare", estimate_minutes=3)
    task(run, 2, title="Switch over", section="Deploy", executor="", owner=engineer)
    task(run, 3, title="Warm the cache", section="Deploy")
    advance.advance(run.pk)

    text = page(client, run)

    assert 'class="big">1<span class="dim t16"> of 3</span>' in text
    assert "1 of 3 tasks done, 1 under way, 1 to go." in text
    for words in ("Take a snapshot", "Prepare", "Switch over", "Warm the cache", "Not reached"):
        assert words in text
    assert text.count('aria-current="step"') == 1
    assert "Your turn: step 2" in text
    assert "style=" not in text


def test_the_owner_marks_the_task_done_on_the_page(
    client, engineer, run, django_capture_on_commit_callbacks
):
    task(run, 1, title="Switch over", executor="", owner=engineer)
    task(run, 2)
    advance.advance(run.pk)
    row = run.task_runs.get()

    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(
            row.step_url("complete"), {"version": row.version, "evidence": "All green"}
        )

    assert answer.status_code == 303
    assert answer.url == row.get_absolute_url()
    row = TaskRun.objects.get(pk=row.pk)
    assert (row.state, row.evidence, row.done_by) == ("succeeded", "All green", engineer)
    assert Run.objects.get().state == "succeeded"
    assert "All green" in page(client, run)


def test_only_those_who_may_do_a_task_get_its_form(client, run):
    owner = UserFactory(role="Developer")
    task(run, 1, executor="", owner=owner)
    advance.advance(run.pk)
    url = run.task_runs.get().step_url("complete")

    client.force_login(UserFactory(role="Stakeholder"))
    assert url not in page(client, run)
    assert client.post(url, {}).status_code == 403
    client.force_login(UserFactory(role="Release engineer"))
    assert f"Waits for {owner}: step 1" in page(client, run)
    client.force_login(owner)
    text = page(client, run)
    assert "Your turn: step 1" in text
    assert "Skip…" not in text
    assert "Abort…" not in text


def test_a_failed_run_says_why_what_was_printed_and_how_to_go_on(client, engineer, run, robot):
    task(run, 1, title="Deploy", executor="http", attempts=1)
    claim = turns.turn(run.pk, by=robot)
    said = Outcome(succeeded=False, detail="HTTP 500 <Oh>.", output="disk full\n")
    turns.turn(run.pk, (claim, said), by=robot)

    text = page(client, run)

    assert "Task 1, Deploy: HTTP 500 &lt;Oh&gt;." in text
    assert "disk full" in text
    assert "1 of 1 try" in text
    assert run.turnover.step_url("retry") in text
    assert "hx-get" not in text.partition('id="main"')[2].partition("</main>")[0]
    client.force_login(UserFactory(role="Developer"))
    text = page(client, run)
    assert "Release engineers decide how it goes on." in text
    assert run.turnover.step_url("retry") not in text


def test_an_earlier_run_points_to_the_later_one(client, engineer, run):
    task(run, 1, executor="", owner=engineer)
    advance.advance(run.pk)
    perform(run.task_runs.get(), "report_problem", by=engineer, reason="Wrong disk.")
    advance.advance(run.pk)
    perform(run.turnover, "retry", by=engineer)

    text = page(client, run)

    assert "A later run followed" in text
    assert "Wrong disk." in text
    assert run.turnover.step_url("retry") not in text


def test_a_hold_is_said_on_the_page(client, engineer, run):
    task(run)
    HoldFactory(reason="Payments are down")

    text = page(client, run)

    assert "Payments are down." in text
    assert "Pause after this step" not in text


def test_a_run_of_a_plan_that_has_changed_since_shows_what_it_carried_out(client, engineer, run):
    carried, untouched = task(run, 1, title="Old task"), task(run, 2, title="Never reached")
    TaskRunFactory(run=run, task=carried, state="failed")
    perform(run, "fail", by=User.objects.robot(), reason="Disk full.")
    perform(run.turnover, "back_to_draft", by=engineer, reason="Change it.")
    DeploymentTask.objects.filter(pk=carried.pk).update(removed_at=timezone.now())

    text = page(client, run)

    assert "Old task" in text
    assert untouched.title not in text


class TestLive:
    def test_a_run_that_is_on_is_asked_again(self, client, engineer, run):
        task(run, 1, executor="", owner=engineer)
        advance.advance(run.pk)
        text = page(client, run)
        row = run.task_runs.get()
        assert f'hx-get="/runs/{run.pk}/live/?turn={row.pk}"' in text
        assert 'hx-trigger="every 5s, step"' in text
        assert f'data-live="/runs/{run.pk}/events/"' in text

        answer = live(client, run, str(row.pk))

        assert answer.status_code == 200
        parts = answer.content.decode()
        assert 'id="run-steps"' in parts
        assert 'id="bridge-feed"' in parts
        assert "<form" not in parts, "a form would take away what is being typed"

    def test_a_new_turn_brings_its_form(self, client, engineer, run):
        task(run, 1, executor="", owner=engineer)
        advance.advance(run.pk)

        assert "Your turn" in live(client, run, "").content.decode()
        assert 'id="run-turns"' in live(client, run, "99999999,x,").content.decode()

    def test_a_run_that_is_over_is_not_asked_again(self, client, engineer, run):
        task(run)
        advance.advance(run.pk)

        answer = live(client, run)

        assert answer.status_code == 286
        assert "hx-get" not in answer.content.decode()

    @pytest.mark.parametrize("turns", ["\0", "1" * 400, "-1", "²", "1,,x"])
    def test_whatever_it_is_asked_it_answers(self, client, engineer, run, turns):
        assert live(client, run, turns).status_code in {200, 400}


def test_who_may_not_look_is_told_so(client, run):
    assert client.get(run.get_absolute_url()).status_code == 302
    client.force_login(UserFactory())
    page(client, run, status=404)
    client.force_login(UserFactory(role="Stakeholder"))
    page(client, run)
    assert client.post(run.get_absolute_url()).status_code == 405
    assert client.get(f"/runs/{2**70}/").status_code == 404


def test_estimates_beyond_all_calendars_do_not_break_the_page(client, engineer, run):
    for order in range(1, 40):
        task(run, order, estimate_minutes=2**31 - 1)

    assert "of 39" in page(client, run)
    Run.objects.filter(pk=run.pk).update(started_at=dt.datetime(1970, 1, 1, tzinfo=dt.UTC))
    page(client, run)


@pytest.mark.parametrize("tasks", [1, 3])
def test_the_number_of_queries_does_not_grow(
    client, engineer, run, tasks, django_assert_num_queries
):
    for order in range(1, tasks + 1):
        task(run, order)
        task(run, 10, executor="", owner=engineer)
    advance.advance(run.pk)
    page(client, run)

    with django_assert_num_queries(19):
        page(client, run)
    turns = ",".join(str(row.pk) for row in run.task_runs.filter(state="ready"))
    with django_assert_num_queries(17):
        live(client, run, turns)
