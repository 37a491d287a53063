"""How a run goes on: order, manual tasks, failures, retries, holds. Real rows, no workers."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, transaction
from django.utils import timezone

from releasemgr.accounts.models import User
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.factories import (
    FreezeExceptionFactory,
    FreezeFactory,
    HoldFactory,
    RunFactory,
    TaskFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
)
from turnovers import executors
from turnovers.engine import advance, carry, ledger, leftovers, scheduler, standing, turns
from turnovers.engine.ledger import Opening
from turnovers.engine.scheduler import Scheduler
from turnovers.executors import Executor, Outcome
from turnovers.executors.checkpoint import CheckpointForm
from turnovers.models import Attempt, LateWord, Run, TaskRun, Turnover
from turnovers.states import TaskState

pytestmark = pytest.mark.django_db


class Recorder(Executor):
    """Notes each call, and answers what the task's parameters say."""

    key = "recorder"
    name = "Recorder"
    form = CheckpointForm

    def __init__(self):
        self.calls = []

    def run(self, context):
        self.calls.append(context)
        answers = context.parameters.get("answers", [True])
        answer = answers[min(context.attempt, len(answers)) - 1]
        if answer == "raise":
            raise ZeroDivisionError
        return Outcome(succeeded=answer, detail="Fine." if answer else "HTTP 500.")


@pytest.fixture
def recorder(monkeypatch):
    recorder = Recorder()
    monkeypatch.setitem(executors.EXECUTORS, "recorder", recorder)
    return recorder


@pytest.fixture
def robot():
    return User.objects.robot()


@pytest.fixture
def engineer():
    return UserFactory(role="Release engineer")


def run_of(*tasks, **more):
    """A run of a turnover with these tasks, each ``(order, executor, parameters)``."""
    run = RunFactory(**more)
    for order, executor, *rest in tasks:
        parameters = rest[0] if rest else {}
        attempts = parameters.pop("attempts", 1)
        TaskFactory(
            turnover=run.turnover,
            order=order,
            title=f"Task at {order}",
            executor=executor,
            parameters=parameters,
            attempts=attempts,
        )
    return run


def open_waiting(run, by):
    """The run's first task has its turn, and no worker has it yet."""
    task = run.turnover.tasks.in_order()[0]
    with transaction.atomic():
        facts = standing.lock_run(run.pk)
        opening = Opening(task, task.order, "1:1:1", TaskState.WAITING, facts.now)
        ledger.open_task(facts, opening, by=by)


def carried(claim):
    return TaskRun.objects.get(pk=claim.pk)


def expire(claim):
    """The worker has been silent for longer than its lease."""
    past = timezone.now() - dt.timedelta(seconds=1)
    TaskRun.objects.filter(pk=claim.pk).update(lease_until=past)


def states(run):
    return [(row.order, row.state) for row in run.task_runs.order_by("order", "pk")]


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def test_tasks_are_carried_out_in_their_order_and_the_turnover_is_deployed(recorder):
    run = run_of((3, "recorder"), (1, "recorder"), (2, "recorder"))

    advance.advance(run.pk)

    assert [call.variables["order"] for call in recorder.calls] == ["1", "2", "3"]
    assert states(run) == [(1, "succeeded"), (2, "succeeded"), (3, "succeeded")]
    assert fresh(run).state == "succeeded"
    assert fresh(run.turnover).state == "deployed"


def test_a_task_run_is_made_when_its_turn_comes(recorder):
    run = run_of((1, ""), (2, "recorder"))

    advance.advance(run.pk)

    assert states(run) == [(1, "ready")]
    assert recorder.calls == []


def test_a_manual_task_waits_for_its_owner_and_then_the_run_goes_on(recorder, engineer):
    run = run_of((1, ""), (2, "recorder"))
    advance.advance(run.pk)

    perform(run.task_runs.get(), "complete", by=engineer, evidence="Seen.")
    advance.advance_task_run(run.task_runs.get().pk)

    assert len(recorder.calls) == 1
    assert fresh(run).state == "succeeded"


def test_the_next_order_waits_until_all_of_the_previous_are_complete(recorder, engineer):
    run = run_of((1, ""), (1, "recorder"), (2, "recorder"))

    advance.advance(run.pk)

    assert states(run) == [(1, "ready"), (1, "succeeded")]
    perform(run.task_runs.get(state="ready"), "complete", by=engineer)
    advance.advance(run.pk)
    assert fresh(run).state == "succeeded"


def test_every_claim_and_end_is_in_the_history_with_its_author(recorder, robot):
    run = run_of((1, "recorder"))

    advance.advance(run.pk)

    row = run.task_runs.get()
    story = row.history.order_by("history_id").values_list("transition", "state", "actor")
    assert list(story) == [
        ("claim", "running", str(robot)),
        ("settle", "succeeded", str(robot)),
    ]
    attempt = row.tries.get()
    assert (attempt.fence, attempt.outcome, attempt.detail) == (1, "succeeded", "Fine.")
    assert attempt.claimed_at <= attempt.ended_at


def test_a_failed_task_stops_the_run_and_says_why(recorder):
    run = run_of((1, "recorder", {"answers": [False]}), (2, "recorder"))

    advance.advance(run.pk)

    assert len(recorder.calls) == 1
    run = fresh(run)
    assert (run.state, run.reason) == ("failed", "Task 1, Task at 1: HTTP 500.")
    assert fresh(run.turnover).state == "failed"
    assert run.turnover.history.latest().history_change_reason == run.reason


def test_a_failed_task_stops_what_waits_beside_it(recorder):
    run = run_of((1, "recorder", {"answers": [False]}), (1, "recorder"), (1, ""))

    advance.advance(run.pk)

    assert len(recorder.calls) == 1
    assert states(run) == [(1, "failed"), (1, "cancelled"), (1, "cancelled")]


def test_an_executor_that_breaks_fails_its_task_and_not_the_worker(recorder):
    run = run_of((1, "recorder", {"answers": ["raise"]}))

    advance.advance(run.pk)

    assert fresh(run).state == "failed"
    assert "error of its own" in run.task_runs.get().detail


def test_an_unknown_executor_fails_its_task():
    run = run_of((1, "carrier pigeon"))

    advance.advance(run.pk)

    assert "carrier pigeon" in fresh(run).reason


def test_a_task_is_tried_as_often_as_it_says_with_a_pause_and_the_same_key(recorder):
    run = run_of((1, "recorder", {"answers": [False, True], "attempts": 2}))

    advance.advance(run.pk)

    row = run.task_runs.get()
    assert (row.state, row.detail) == ("waiting", "HTTP 500.")
    assert row.ready_at > timezone.now()
    advance.advance(run.pk)
    assert len(recorder.calls) == 1
    TaskRun.objects.filter(pk=row.pk).update(ready_at=timezone.now() - dt.timedelta(seconds=1))
    advance.advance(run.pk)
    assert fresh(run).state == "succeeded"
    assert [call.attempt for call in recorder.calls] == [1, 2]
    assert len({call.key for call in recorder.calls}) == 1


def test_retry_skips_what_it_was_told_to_and_runs_the_rest_under_a_new_key(recorder, engineer):
    run = run_of((1, "recorder"), (2, "recorder", {"answers": [False]}), (3, "recorder"))
    advance.advance(run.pk)
    first, second, _ = run.turnover.tasks.in_order()
    second.parameters = {}
    second.save()

    perform(run.turnover, "retry", by=engineer, reason="Disk was full.", skip=[first.pk])
    advance.advance_turnover(run.turnover_id)

    again = Run.objects.get(number=2)
    assert states(again) == [(1, "skipped"), (2, "succeeded"), (3, "succeeded")]
    assert again.task_runs.get(state="skipped").detail == "Disk was full."
    keys = [call.key.rsplit(":", 1)[1] for call in recorder.calls]
    assert keys == ["1", "1", "2", "1"]
    assert fresh(run.turnover).state == "deployed"


@pytest.mark.parametrize("scope", ["all", "environment", "turnover"])
def test_a_hold_stops_the_next_claim_and_lifting_it_lets_it_go_on(recorder, engineer, scope):
    run = run_of((1, "recorder"), (2, "recorder"))
    named = {"environment": run.turnover.environment, "turnover": run.turnover}
    hold = HoldFactory(scope=scope, **({scope: named[scope]} if scope in named else {}))

    advance.advance(run.pk)
    assert recorder.calls == []

    perform(hold, "lift", by=engineer, reason="It was nothing.")
    advance.advance(run.pk)
    assert fresh(run).state == "succeeded"


def test_a_freeze_declared_in_a_run_lets_the_running_task_end_and_begins_no_other(
    recorder, robot, engineer
):
    run = run_of((1, "recorder"), (2, "recorder"))
    claim = turns.turn(run.pk, by=robot)
    freeze = FreezeFactory(scope="environment", environment=run.turnover.environment)

    assert turns.turn(run.pk, (claim, Outcome(succeeded=True)), by=robot) is None
    assert states(run) == [(1, "succeeded")]
    assert fresh(run.turnover).claim_blockers()[0].title == f"Held by freeze “{freeze}”"
    assert Run.objects.that_can_go_on().get() == run

    freeze.ends = timezone.now()
    freeze.save()
    advance.advance(run.pk)
    assert fresh(run).state == "succeeded"


@pytest.mark.parametrize("recurrence", ["none", "weekly", "monthly", "yearly"])
def test_a_period_of_a_freeze_holds_a_run_and_an_exception_lets_it_go_on(recorder, recurrence):
    run = run_of((1, "recorder"))
    freeze = FreezeFactory(recurrence=recurrence)
    advance.advance(run.pk)
    assert recorder.calls == []

    FreezeExceptionFactory(freeze=freeze, turnover=run.turnover, state="granted")
    advance.advance(run.pk)
    assert fresh(run).state == "succeeded"


def test_a_run_is_plain_unless_a_freeze_may_cover_it(recorder):
    run = run_of((1, "recorder"))
    now, hour = timezone.now(), dt.timedelta(hours=1)

    def is_plain():
        with transaction.atomic():
            return standing.lock_run(run.pk).is_plain

    past = {"begins": now - 3 * hour, "ends": now - hour}
    FreezeFactory(**past)
    FreezeFactory(state="lifted")
    FreezeFactory(begins=now + hour, ends=now + 2 * hour)
    FreezeFactory(scope="kind", kind="elsewhere")
    FreezeFactory(**past, recurrence="weekly", recurs_until=now - hour)
    FreezeFactory(scope="train", train=TrainFactory(), stops="scope")
    assert is_plain()
    FreezeFactory(**past, recurrence="weekly")
    assert not is_plain()


def test_what_is_due_in_a_freeze_waits_and_starts_when_that_is_lifted(recorder, engineer):
    turnover = TurnoverFactory()
    TaskFactory(turnover=turnover, executor="recorder")
    turnover = perform(turnover, "deliver", by=turnover.author)
    perform(turnover, "accept", by=engineer)
    freeze = FreezeFactory()

    Scheduler().look()
    assert fresh(turnover).state == "ready"

    perform(freeze, "lift", by=UserFactory(role="Release manager"), reason="Over.")
    Scheduler().look()
    assert fresh(turnover).state != "ready"


def test_a_hold_also_stops_a_task_that_has_its_turn_already(recorder, robot):
    run = run_of((1, "recorder"))
    open_waiting(run, robot)
    HoldFactory()

    assert states(run) == [(1, "waiting")]
    assert turns.turn(run.pk, by=robot) is None


def test_a_claim_that_a_lifted_hold_let_through_is_not_dated_before_the_lift(
    recorder, robot, engineer
):
    run = run_of((1, "recorder"))
    hold = HoldFactory()
    turning = turns.Turn(run.pk, by=robot)
    with transaction.atomic():
        turning.run = standing.lock_run(run.pk)
    perform(hold, "lift", by=engineer, reason="It was nothing.")
    claim = turning._follow()

    lifted = hold.history.get(transition="lift").history_date
    lag = claim.attempt().claimed_at - lifted
    assert lag > -dt.timedelta(milliseconds=1)  # as finely as SQLite tells the time


def test_a_task_that_is_done_under_a_hold_is_entered_and_nothing_follows(recorder, robot):
    run = run_of((1, "recorder"), (2, "recorder"))
    claim = turns.turn(run.pk, by=robot)
    HoldFactory()

    assert turns.turn(run.pk, (claim, Outcome(succeeded=True)), by=robot) is None
    assert states(run) == [(1, "succeeded")]


def test_nothing_of_an_aborted_run_is_claimed(recorder, robot, engineer):
    run = run_of((1, "recorder"), (2, "recorder"))
    open_waiting(run, robot)

    perform(run, "abort", by=engineer, reason="Wrong night.")
    advance.advance(run.pk)

    assert recorder.calls == []
    assert states(run) == [(1, "cancelled")]
    assert fresh(run.turnover).state == "failed"


def test_a_task_is_claimed_once(recorder, robot):
    run = run_of((1, "recorder"))

    assert turns.turn(run.pk, by=robot) is not None
    assert turns.turn(run.pk, by=robot) is None
    assert Attempt.objects.count() == 1


def test_an_aborted_run_keeps_the_outcome_of_what_was_running_and_blocks_the_retry(
    recorder, robot, engineer
):
    run = run_of((1, "recorder"))
    claim = turns.turn(run.pk, by=robot)
    perform(run, "abort", by=engineer, reason="Wrong night.")

    assert not ledger.is_ours_to_send(claim)
    with pytest.raises(TransitionRefused, match="still running"):
        perform(run.turnover, "retry", by=engineer)
    assert turns.turn(run.pk, (claim, Outcome(succeeded=True, detail="Done.")), by=robot) is None

    assert states(run) == [(1, "succeeded")]
    assert perform(fresh(run.turnover), "retry", by=engineer).state == "deploying"


class TestLostWorkers:
    def test_what_may_have_happened_is_unknown_and_stops_the_run(self, recorder, robot):
        run = run_of((1, "recorder", {"attempts": 3}), (2, "recorder"))
        claim = turns.turn(run.pk, by=robot)
        assert ledger.is_ours_to_send(claim)
        assert Scheduler().take_over(by=robot) == set()
        expire(claim)

        assert not ledger.is_ours_to_send(claim)
        assert Scheduler().take_over(by=robot) == {run.pk}
        assert not ledger.renew(claim)
        advance.advance(run.pk)

        assert states(run) == [(1, "unknown")]
        assert fresh(run).state == "running"
        assert "Whether it happened is not known." in carried(claim).detail
        assert Attempt.objects.get().outcome == "unknown"
        assert recorder.calls == []

    def test_the_late_word_of_a_worker_changes_nothing_and_is_kept(self, recorder, robot):
        run = run_of((1, "recorder"))
        claim = turns.turn(run.pk, by=robot)
        assert ledger.is_ours_to_send(claim)
        expire(claim)
        Scheduler().take_over(by=robot)

        late = (claim, Outcome(succeeded=True, detail="HTTP 200."))
        assert turns.turn(run.pk, late, by=robot) is None

        assert states(run) == [(1, "unknown")]
        word = LateWord.objects.get()
        assert (word.attempt.fence, word.succeeded, word.detail) == (1, True, "HTTP 200.")

    def test_what_was_not_sent_is_resumed_with_the_same_key(self, recorder, robot):
        run = run_of((1, "recorder"))
        claim = turns.turn(run.pk, by=robot)
        expire(claim)

        Scheduler().take_over(by=robot)
        advance.advance(run.pk)

        assert fresh(run).state == "succeeded"
        assert [call.key for call in recorder.calls] == [claim.key]
        assert recorder.calls[0].fence == 2
        assert [attempt.outcome for attempt in Attempt.objects.order_by("fence")] == [
            "lost",
            "succeeded",
        ]

    def test_what_may_be_repeated_is_resumed_with_the_same_key(self, recorder, robot):
        run = run_of((1, "recorder"))
        run.turnover.tasks.update(repeat_safe=True)
        claim = turns.turn(run.pk, by=robot)
        assert ledger.is_ours_to_send(claim)
        expire(claim)

        Scheduler().take_over(by=robot)
        advance.advance(run.pk)

        assert fresh(run).state == "succeeded"
        assert [call.key for call in recorder.calls] == [claim.key]

    def test_what_loses_every_worker_is_left_to_people(self, recorder, robot):
        run = run_of((1, "recorder"))
        for _ in range(leftovers.MOST_LOST + 1):
            TaskRun.objects.update(ready_at=timezone.now() - dt.timedelta(seconds=1))
            expire(turns.turn(run.pk, by=robot))
            Scheduler().take_over(by=robot)
        advance.advance(run.pk)

        assert fresh(run).state == "failed"
        assert "It may be what stops them." in fresh(run).reason

    def test_a_worker_that_is_gone_is_not_waited_for(self, recorder, robot, monkeypatch):
        run = run_of((1, "recorder"))
        claim = turns.turn(run.pk, by=robot)
        history = TaskRun.history.count()
        TaskRun.objects.filter(pk=claim.pk).update(worker="elsewhere:1:0000007b")
        assert Scheduler().take_over(by=robot) == set()
        monkeypatch.setattr(scheduler, "SILENCE_SECONDS", 0)

        assert Scheduler().take_over(by=robot) == {run.pk}

        assert states(run) == [(1, "waiting")]
        assert TaskRun.history.count() == history + 1


class TestUnknownEndings:
    @pytest.fixture
    def run(self, recorder, robot):
        run = run_of((1, "recorder"), (2, "recorder"))
        claim = turns.turn(run.pk, by=robot)
        unclear = Outcome(succeeded=False, unknown=True, detail="Sent; no answer.")
        turns.turn(run.pk, (claim, unclear), by=robot)
        return run

    @pytest.fixture
    def manager(self):
        return UserFactory(role="Release manager")

    def judge(self, run, verdict, by):
        row = run.task_runs.get(state="unknown")
        return perform(row, "judge", by=by, verdict=verdict, reason="I looked at the server.")

    def test_it_happened_when_two_people_say_so(self, run, recorder, engineer, manager):
        row = self.judge(run, "happened", engineer)
        with pytest.raises(PermissionDenied):
            perform(row, "confirm_happened", by=engineer)
        with pytest.raises(PermissionDenied):
            perform(row, "confirm_failed", by=manager)

        perform(row, "confirm_happened", by=manager)
        advance.advance(run.pk)

        assert states(run) == [(1, "succeeded"), (2, "succeeded")]
        assert [call.variables["order"] for call in recorder.calls] == ["2"]

    def test_run_again_has_a_new_key(self, run, recorder, engineer, manager):
        row = self.judge(run, "again", engineer)

        perform(row, "confirm_again", by=manager)
        advance.advance(run.pk)

        assert fresh(run).state == "succeeded"
        assert recorder.calls[0].key == row.key[:-1] + "2"

    def test_it_failed_stops_the_run(self, run, recorder, engineer, manager):
        perform(self.judge(run, "failed", engineer), "confirm_failed", by=manager)
        advance.advance(run.pk)

        assert fresh(run).state == "failed"
        assert "I looked at the server." in fresh(run).reason

    def test_nothing_is_repeated_that_a_silent_worker_may_yet_do(
        self, recorder, robot, engineer, manager, settings
    ):
        run = run_of((1, "recorder"))
        claim = turns.turn(run.pk, by=robot)
        assert ledger.is_ours_to_send(claim)
        expire(claim)
        Scheduler().take_over(by=robot)
        row = self.judge(run, "again", engineer)

        with pytest.raises(TransitionRefused, match="holds its lock"):
            perform(row, "confirm_again", by=manager)
        TaskRun.objects.filter(pk=row.pk).update(worker="elsewhere:1:0000007b")
        with pytest.raises(TransitionRefused, match="lease has just ended"):
            perform(row, "confirm_again", by=manager)

        settings.LEASE_SECONDS = 0
        assert perform(row, "confirm_again", by=manager).state == "waiting"

    def test_one_person_cannot_get_round_it_by_another_run(self, run, engineer):
        perform(run, "abort", by=engineer, reason="Too late.")

        with pytest.raises(TransitionRefused, match="is not known"):
            perform(fresh(run.turnover), "retry", by=engineer)

    def test_repeat_safe_tasks_are_called_again_before_people_are(self, recorder, robot):
        run = run_of((1, "recorder"))
        run.turnover.tasks.update(repeat_safe=True)
        claim = turns.turn(run.pk, by=robot)
        unclear = Outcome(succeeded=False, unknown=True, detail="Sent; no answer.")

        turns.turn(run.pk, (claim, unclear), by=robot)

        assert states(run) == [(1, "waiting")]


def test_output_can_be_read_along_and_holds_what_databases_refuse(recorder, robot):
    run = run_of((1, "recorder"))
    claim = turns.turn(run.pk, by=robot)

    ledger.write_output(claim, "one\n")
    ledger.write_output(claim, "two\0\n")

    assert carried(claim).output == "one\ntwo\N{REPLACEMENT CHARACTER}\n"
    turns.turn(run.pk, (claim, Outcome(succeeded=True, output="x" * 100_000)), by=robot)
    assert len(carried(claim).output) == ledger.MOST_OUTPUT


def test_a_reader_writes_now_and_then(recorder, robot, monkeypatch):
    run = run_of((1, "recorder"))
    claim = turns.turn(run.pk, by=robot)
    reader = carry.Reader(claim)

    reader.write("one\n")
    assert carried(claim).output == ""
    monkeypatch.setattr(carry, "WRITE_SECONDS", 0)
    reader.write("two\n")

    assert carried(claim).output == "one\ntwo\n"


def test_executors_are_told_for_whom_they_work(recorder):
    turnover = TurnoverFactory(state="deploying", environment__name="prod-eu")
    turnover.contents.create(release=turnover.release, version_name="4.2")
    run = run_of((7, "recorder"), turnover=turnover)

    advance.advance(run.pk)

    told = recorder.calls[0].variables
    assert (told["environment"], told["version"], told["turnover"]) == (
        "prod-eu",
        "4.2",
        turnover.ref,
    )
    assert recorder.calls[0].key == f"{turnover.pk}:{turnover.tasks.get().pk}:1"


def test_a_worker_hands_a_long_run_on_after_its_slice(
    recorder, monkeypatch, django_capture_on_commit_callbacks
):
    run = run_of((1, "recorder"), (2, "recorder"))
    with monkeypatch.context() as impatience, django_capture_on_commit_callbacks() as calls:
        impatience.setattr(advance, "SLICE_SECONDS", 0)
        advance.advance(run.pk)
    assert len(recorder.calls) == 1
    calls[0]()

    assert fresh(run).state == "succeeded"


def test_an_outcome_is_entered_when_the_database_comes_back(recorder, robot, monkeypatch):
    run = run_of((1, "recorder"))
    real, failures = ledger.settle, [OperationalError("gone"), OperationalError("gone")]

    def settle(*args, **more):
        if failures:
            raise failures.pop()
        return real(*args, **more)

    monkeypatch.setattr(ledger, "settle", settle)
    monkeypatch.setattr(advance, "PATIENCE", (0, 0, 0))
    monkeypatch.setattr(advance.connection, "close", lambda: None)
    advance.advance(run.pk)

    assert fresh(run).state == "succeeded"
    assert len(recorder.calls) == 1


def test_what_was_opened_in_a_transaction_that_is_lost_is_opened_again(recorder, robot):
    run = run_of((1, "recorder"), (2, "checkpoint"), (3, "checkpoint"), (4, "recorder"))
    turned = turns.Turn(run.pk, by=robot)
    claim = turned.take()
    finished = (claim, Outcome(succeeded=True))

    with transaction.atomic():
        turned.take(finished)
        transaction.set_rollback(True)
    assert states(run) == [(1, "running")]
    turned.take(finished)

    assert [order for order, _ in states(run)] == [1, 2, 3, 4]


def test_a_run_of_which_all_is_skipped_succeeds(recorder, engineer):
    run = run_of((1, "recorder", {"answers": [False]}))
    advance.advance(run.pk)
    skip = [run.turnover.tasks.get().pk]

    perform(run.turnover, "retry", by=engineer, reason="Done by hand.", skip=skip)
    advance.advance_turnover(run.turnover_id)

    assert Turnover.objects.get().state == "deployed"


class TestRunsThatCanGoOn:
    def test_one_with_a_waiting_task_or_with_nothing_open(self, recorder, robot):
        run = run_of((1, "recorder"))
        assert list(Run.objects.that_can_go_on()) == [run]
        open_waiting(run, robot)
        assert list(Run.objects.that_can_go_on()) == [run]

    def test_not_one_that_waits_for_a_worker_or_a_person(self, recorder, robot):
        carried, manual = run_of((1, "recorder")), run_of((1, ""))
        for run in (carried, manual):
            turns.turn(run.pk, by=robot)

        assert not Run.objects.that_can_go_on().exists()

    def test_not_one_that_pauses_before_the_next_try(self, recorder):
        run = run_of((1, "recorder", {"answers": [False], "attempts": 2}))
        advance.advance(run.pk)

        assert not Run.objects.that_can_go_on().exists()

    def test_one_that_failed_and_has_not_ended(self, recorder, robot):
        run = run_of((1, "recorder"), (1, ""))
        claim = turns.turn(run.pk, by=robot)
        failed = Outcome(succeeded=False, detail="HTTP 500.")
        with transaction.atomic():
            ledger.settle(claim, failed, now=standing.lock_run(run.pk).now, by=robot)

        assert list(Run.objects.that_can_go_on()) == [run]
