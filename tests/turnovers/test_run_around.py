"""What is said around a run, what its unknown endings need, how it resumes, and its review."""

import datetime as dt
import json
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from releasemgr.accounts.models import User
from releasemgr.portal.work import waiting_for
from releasemgr.workflow.perform import perform
from tests.factories import (
    HoldFactory,
    ReviewActionFactory,
    RunFactory,
    TaskFactory,
    TaskRunFactory,
    UserFactory,
)
from turnovers import callbacks
from turnovers.engine import advance
from turnovers.models import Note, Presence, ReviewAction

pytestmark = pytest.mark.django_db


@pytest.fixture
def engineer(client):
    engineer = UserFactory(role="Release engineer", first_name="Edo")
    client.force_login(engineer)
    return engineer


@pytest.fixture
def run():
    return RunFactory(started_by="robot")


def page(client, run, status=200):
    answer = client.get(run.get_absolute_url())
    assert answer.status_code == status
    return answer.content.decode()


def url(name, row):
    return reverse(f"turnovers:{name}", args=[row.pk])


class TestBridge:
    def test_what_is_said_is_there_for_everybody(self, client, engineer, run):
        answer = client.post(url("run-say", run), {"words": "Go stays on <plan>."})

        assert (answer.status_code, answer.url) == (303, f"{run.get_absolute_url()}#bridge")
        note = Note.objects.get()
        assert (note.by, note.name, note.words) == (engineer, str(engineer), "Go stays on <plan>.")
        client.force_login(UserFactory(role="Stakeholder"))
        assert "Go stays on &lt;plan&gt;." in page(client, run)

    @pytest.mark.parametrize("words", ["", "   ", "x" * 2001])
    def test_what_cannot_be_said_is_kept_in_its_field(self, client, engineer, run, words):
        answer = client.post(url("run-say", run), {"words": words})

        assert answer.status_code == 422
        assert f'value="{words.strip()}"' in answer.content.decode()
        assert not Note.objects.exists()

    def test_what_happens_is_told_beside_what_is_said(self, client, engineer, run):
        TaskFactory(turnover=run.turnover, order=1, title="Snapshot")
        TaskFactory(turnover=run.turnover, order=2, title="Switch", executor="", owner=engineer)
        advance.advance(run.pk)
        perform(run.task_runs.get(order=2), "complete", by=engineer)
        HoldFactory(scope="turnover", turnover=run.turnover, reason="We look first")

        text = page(client, run)

        assert "Step 1, Snapshot took" in text
        assert f"Step 2, Switch waits for {engineer}." in text
        assert f"<b>{engineer}</b> did step 2, Switch in" in text
        assert "stopped the line: We look first." in text

    def test_who_looks_on_is_shown_until_a_minute_after(self, client, engineer, run):
        now = timezone.now()
        here, gone = UserFactory(), UserFactory()
        Presence.objects.create(run=run, person=here, seen_at=now)
        Presence.objects.create(run=run, person=gone, seen_at=now - dt.timedelta(seconds=61))

        text = page(client, run)
        page(client, run)

        assert f'<li title="{here}">' in text
        assert f'<li title="{engineer}">' in text
        assert f'<li title="{gone}">' not in text
        assert Presence.objects.filter(person=engineer).count() == 1


class TestUnknownEndings:
    @pytest.fixture
    def row(self, run):
        row = TaskRunFactory(run=run, task__executor="command", state="unknown", fence=1)
        tried = row.tries.create(
            fence=1,
            key=row.key,
            worker="host:1:00000000",
            claimed_at=timezone.now(),
            sent_at=timezone.now(),
        )
        tried.late_words.create(at=timezone.now(), succeeded=True, detail="Exit status 0.")
        return row

    def test_the_page_says_what_is_known_and_what_can_be_said(self, client, engineer, run, row):
        text = page(client, run)

        assert "nobody knows whether it happened" in text
        assert "host:1:00000000 took it at" in text
        assert "Its request was sent at" in text
        assert "came too late with: it succeeded: Exit status 0." in text
        assert "with a new idempotency key. If it did happen, it happens twice." in text
        assert row.step_url("judge") in text
        client.force_login(UserFactory(role="Developer"))
        text = page(client, run)
        assert "Release managers and release engineers say it." in text
        assert row.step_url("judge") not in text

    def test_what_a_receiver_called_back_too_late_is_told_to_those_who_settle_it(
        self, client, engineer, run, row
    ):
        tried = row.tries.get()
        path = urlsplit(callbacks.open_callback(tried.pk)).path
        row.tries.update(ended_at=timezone.now())
        said = json.dumps({"succeeded": True, "detail": "All hosts are up"})

        assert Client().post(path, said, content_type="application/json").status_code == 200

        told = "It called back that it succeeded: All hosts are up"
        assert f"after try 1: {told}" in page(client, run)
        log = client.get(reverse("turnovers:task-log", args=[row.pk])).content.decode()
        assert "too late" in log
        assert told in log
        row.refresh_from_db()
        assert row.state == "unknown"

    def test_a_receiver_that_called_back_in_time_is_not_said_to_be_late(
        self, client, engineer, run, row
    ):
        tried = row.tries.get()
        path = urlsplit(callbacks.open_callback(tried.pk)).path
        Client().post(path, json.dumps({"succeeded": True}), content_type="application/json")
        row.tries.update(ended_at=timezone.now())

        assert "It called back" not in page(client, run)

    def test_where_nothing_was_sent_it_says_so(self, client, engineer, run, row):
        row.tries.update(sent_at=None)

        assert "Nothing was sent" in page(client, run)

    def test_the_first_says_and_the_second_confirms(self, client, engineer, run, row):
        second = UserFactory(role="Release manager")
        perform(row, "judge", by=engineer, verdict="happened", reason="All nodes run it.")

        text = page(client, run)
        assert f"{engineer} says: it happened" in text
        assert "All nodes run it." in text
        assert row.step_url("confirm_happened") not in text
        client.force_login(second)
        text = page(client, run)
        assert row.step_url("confirm_happened") in text
        assert row.step_url("confirm_again") not in text

    def test_my_work_asks_the_first_and_then_another(self, engineer, row):
        second = UserFactory(role="Release manager")
        title = f"Did it happen? {row.task}"
        assert [w.title for w in waiting_for(engineer)] == [title]
        assert [w.title for w in waiting_for(second)] == [title]
        assert waiting_for(UserFactory(role="Developer")) == []

        perform(row, "judge", by=engineer, verdict="again", reason="Nothing there.")

        assert waiting_for(engineer) == []
        asked = f"Confirm what became of {row.task}: run it again?"
        assert [w.title for w in waiting_for(second)] == [asked]


def test_whoever_owns_a_go_point_is_asked_on_the_page_and_in_my_work(client, run):
    owner = UserFactory(role="Stakeholder")
    row = TaskRunFactory(run=run, task__executor="go", task__owner=owner, task__title="Go on?")
    client.force_login(owner)

    text = page(client, run)

    assert row.step_url("go") in text
    assert row.step_url("no_go") in text
    assert row.step_url("complete") not in text
    assert f"Waits for {owner} to decide since" in text
    assert [w.title for w in waiting_for(owner)] == ["Go or no-go: Go on?"]


class TestWhatWaits:
    def test_a_task_that_is_not_to_begin_yet_says_until_when(self, client, engineer, run):
        later = timezone.now() + dt.timedelta(days=400)
        TaskRunFactory(run=run, task__executor="command", task__not_before=later, state="waiting")

        assert "It is not to begin before" in page(client, run)

    def test_a_task_that_is_tried_again_says_when(self, client, engineer, run):
        soon = timezone.now() + dt.timedelta(minutes=5)
        TaskRunFactory(
            run=run,
            task__executor="command",
            task__attempts=3,
            state="waiting",
            fence=1,
            ready_at=soon,
        )

        assert "Try 1 of 3 did not succeed. The next begins at" in page(client, run)

    def test_a_task_under_a_hold_says_so(self, client, engineer, run):
        TaskRunFactory(run=run, task__executor="command", state="waiting")
        HoldFactory()

        assert "Everything is held." in page(client, run)

    def test_a_task_that_nothing_stops_waits_for_a_worker(self, client, engineer, run):
        TaskRunFactory(run=run, task__executor="command", state="waiting")

        assert "Waits for a worker since" in page(client, run)


def test_pausing_asks_why_and_leads_back_to_the_run(client, engineer, run):
    TaskRunFactory(run=run)
    address = f"{reverse('turnovers:hold-new')}?turnover={run.turnover_id}&run={run.pk}"
    assert address.replace("&", "&amp;") in page(client, run)

    answer = client.post(address, {"reason": "We look first."})

    assert (answer.status_code, answer.url) == (303, run.get_absolute_url())
    assert "We look first." in page(client, run)


class TestResuming:
    @pytest.fixture
    def tasks(self, run):
        """Three that succeeded, one that failed, one that was not reached."""
        turnover = run.turnover
        tasks = [TaskFactory(turnover=turnover, order=order) for order in (1, 2, 2, 3, 4)]
        for task in tasks[:3]:
            TaskRunFactory(run=run, task=task, state="succeeded")
        TaskRunFactory(run=run, task=tasks[3], state="failed", detail="Disk full.")
        perform(run, "fail", by=User.objects.robot(), reason="Disk full.")
        return tasks

    def form(self, client, run, **asked):
        run.turnover.refresh_from_db()
        return client.get(run.turnover.step_url("retry"), asked).context["form"]

    def skipped(self, form):
        return [row.task for row in form.rows if row.is_skipped]

    def test_what_succeeded_is_passed_over(self, client, engineer, run, tasks):
        form = self.form(client, run)

        assert self.skipped(form) == tasks[:3]
        assert (form.preview["again"], form.preview["skipped"]) == (2, 3)

    def test_it_resumes_from_any_task(self, client, engineer, run, tasks):
        earlier = self.form(client, run, **{"from": str(tasks[1].pk)})
        later = self.form(client, run, **{"from": str(tasks[4].pk)})

        assert self.skipped(earlier) == [tasks[0], tasks[2]]
        assert self.skipped(later) == tasks[:4]
        assert later.preview["unfinished"] == 1

    def test_the_failed_one_alone_can_be_passed_over(self, client, engineer, run, tasks):
        assert self.skipped(self.form(client, run, skip=str(tasks[3].pk))) == tasks[:4]

    @pytest.mark.parametrize("asked", ["x", "0", "-1", "9" * 30, "²"])
    def test_a_task_that_is_not_there_changes_nothing(self, client, engineer, run, tasks, asked):
        assert self.skipped(self.form(client, run, **{"from": asked})) == tasks[:3]

    def test_passing_over_what_failed_needs_a_reason(self, client, engineer, run, tasks):
        run.turnover.refresh_from_db()
        address = run.turnover.step_url("retry")
        chosen = {f"task_{task.pk}": "skip" for task in tasks[:4]}
        chosen[f"task_{tasks[4].pk}"] = "again"

        refused = client.post(address, chosen)
        taken = client.post(address, chosen | {"reason": "Done by hand."})

        assert refused.status_code == 422
        assert "Say why a task that did not succeed is passed over." in refused.content.decode()
        assert taken.status_code == 303
        assert run.turnover.runs.get(number=2).skip == [task.pk for task in tasks[:4]]

    def test_the_page_of_the_run_offers_the_ways_on(self, client, engineer, run, tasks):
        text = page(client, run)
        retry = run.turnover.step_url("retry")

        assert f"{retry}?from={tasks[3].pk}" in text
        assert f"{retry}?skip={tasks[3].pk}" in text
        assert run.turnover.step_url("give_up") in text
        assert run.turnover.step_url("undo") not in text, "nothing can be undone"
        TaskFactory(turnover=run.turnover, order=2, undoes=tasks[1])
        assert run.turnover.step_url("undo") in page(client, run)


def test_an_undo_run_shows_what_undoes_the_last_first(client, engineer, run):
    turnover = run.turnover
    first, second = (TaskFactory(turnover=turnover, order=order) for order in (1, 2))
    for task in (first, second):
        TaskRunFactory(run=run, task=task, state="succeeded")
    TaskFactory(turnover=turnover, order=1, undoes=first, title="Undo the first")
    back = TaskFactory(turnover=turnover, order=2, undoes=second, title="Undo the second")
    type(run).objects.filter(pk=run.pk).update(version=2)
    assert "Undo the first" not in page(client, run)
    perform(run, "abort", by=engineer, reason="Wrong.")
    undoing = RunFactory(turnover=turnover, number=2, kind="undo")
    TaskRunFactory(run=undoing, task=back)

    text = page(client, undoing)

    assert "Undoing, run 2" in text
    assert text.index("Undo the second") < text.index("Undo the first")
    assert ">of 2<" in text or "of 2</span>" in text


class TestReview:
    def test_it_says_what_slipped_and_why(self, client, engineer, run):
        begin = timezone.now() - dt.timedelta(hours=1)
        row = TaskRunFactory(
            run=run,
            task__title="Migrate",
            task__estimate_minutes=5,
            state="succeeded",
            started_at=begin,
            ended_at=begin + dt.timedelta(minutes=20),
        )
        for fence in (1, 2):
            row.tries.create(fence=fence, key="k", worker="w", claimed_at=begin, ended_at=begin)

        text = client.get(url("run-review", run)).content.decode()

        assert "15 min over plan" in text
        assert "It took 2 tries." in text

    def test_an_action_is_added_done_and_done_with(self, client, engineer, run):
        owner = UserFactory(role="Developer")
        answer = client.post(
            url("action-new", run), {"words": "Rehearse it", "owner": owner.pk, "due": "2020-01-01"}
        )
        action = ReviewAction.objects.get()
        assert (answer.status_code, answer.url) == (303, action.get_absolute_url())
        assert [w.title for w in waiting_for(owner)] == ["Rehearse it"]
        assert "overdue" in client.get(url("run-review", run)).content.decode()

        client.force_login(owner)
        client.post(action.done_url, {"done": "1"})

        done_at = ReviewAction.objects.get().done_at
        assert done_at is not None
        assert waiting_for(owner) == []
        client.post(action.done_url, {"done": "1"})
        assert ReviewAction.objects.get().done_at == done_at
        client.post(action.done_url, {"done": "0"})
        assert ReviewAction.objects.get().done_at is None
        assert [h.actor for h in action.history.all()] == [str(owner), str(owner), str(engineer)]

    def test_others_only_read_it(self, client, run):
        action = ReviewActionFactory(run=run)
        client.force_login(UserFactory(role="Developer"))

        assert action.words in client.get(url("run-review", run)).content.decode()
        assert client.post(action.done_url, {"done": "1"}).status_code == 403
        assert client.get(url("action-new", run)).status_code == 403


class TestText:
    def test_the_whole_run_is_there_as_text(self, client, engineer, run):
        TaskFactory(turnover=run.turnover, order=1, title="Snapshot <1>", section="Prepare")
        TaskFactory(turnover=run.turnover, order=2, title="Later", executor="", owner=engineer)
        advance.advance(run.pk)
        client.post(url("run-say", run), {"words": "All is well."})

        answer = client.get(url("run-text", run))

        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        text = answer.content.decode()
        for words in (
            run.turnover.ref,
            "[Prepare]",
            "Snapshot <1>: Succeeded, planned 5 min",
            f"Waits for {engineer} since",
            f"{engineer}: All is well.",
        ):
            assert words in text

    def test_the_log_of_a_task_names_every_try(self, client, engineer, run):
        row = TaskRunFactory(run=run, task__executor="command", state="failed", output="one\ntwo")
        for fence, outcome in ((1, "failed"), (2, "unknown")):
            row.tries.create(
                fence=fence,
                key="k",
                worker=f"host:{fence}",
                claimed_at=timezone.now(),
                ended_at=timezone.now(),
                outcome=outcome,
            )

        text = client.get(url("task-log", row)).content.decode()

        for words in ("Try 1, by host:1", "Try 2, by host:2", "outcome  unknown", "one\ntwo"):
            assert words in text
