"""Many runs and few workers: turns that are taken together, fairness, and a run that breaks."""

import time
from typing import ClassVar

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from releasemgr.accounts.models import User
from tests.factories import HoldFactory, RunFactory, TaskFactory
from turnovers import executors
from turnovers.engine import advance
from turnovers.executors import Executor, Outcome
from turnovers.executors.checkpoint import CheckpointForm
from turnovers.models import Attempt, Run, TaskRun

pytestmark = pytest.mark.django_db


class Breaks(Executor):
    """Touches nothing outside, and breaks."""

    key = "breaks"
    name = "Breaks"
    form = CheckpointForm
    is_instant = True

    def run(self, context):
        raise ZeroDivisionError


@pytest.fixture
def worker():
    return advance.Worker(time.monotonic() + 60, by=User.objects.robot())


def run_of(*kinds, orders=None):
    run = RunFactory()
    for order, executor in zip(orders or range(1, len(kinds) + 1), kinds, strict=True):
        TaskFactory(turnover=run.turnover, order=order, executor=executor)
    return run


def done(run):
    return run.task_runs.filter(state="succeeded").count()


def state(run):
    return Run.objects.get(pk=run.pk).state


def test_each_run_has_begun_before_any_is_ahead(worker):
    runs = [run_of(*["checkpoint"] * 6) for _ in range(3)]

    picked, passed = worker._pass_together(set())

    assert set(picked) == passed == {run.pk for run in runs}
    assert [done(run) for run in runs] == [1, 1, 1]
    worker._pass_together(set())
    assert {done(run) for run in runs} == {1 + advance.SLICE_PASSED}


def test_what_is_done_together_reads_as_what_is_done_alone(worker):
    alone, *many = (run_of("checkpoint", "checkpoint") for _ in range(3))
    worker.carry(alone.pk)
    worker.end()
    worker.drain()

    def story(run):
        rows = TaskRun.history.filter(run=run).order_by("history_id")
        tries = Attempt.objects.filter(task_run__run=run).order_by("pk")
        return (
            [
                (row.order, row.state, row.transition, row.actor, row.fence, row.history_type)
                for row in rows
            ],
            [(row.detail, row.history_change_reason) for row in rows],
            [(one.fence, one.outcome, one.detail, one.claimed_at <= one.ended_at) for one in tries],
            [key.rpartition(":")[2] for key in tries.values_list("key", flat=True)],
        )

    assert [state(run) for run in (alone, *many)] == ["succeeded"] * 3
    assert story(alone)[0] == [
        (order, "succeeded", "settle", "Release robot", 1, "+") for order in (1, 2)
    ]
    for run in many:
        assert story(run) == story(alone)


def test_tasks_of_one_order_are_done_together_and_the_next_order_after_them(worker):
    runs = [run_of(*["checkpoint"] * 3, orders=(1, 1, 2)) for _ in range(2)]

    worker._pass_together(set())

    assert [sorted(run.task_runs.values_list("order", flat=True)) for run in runs] == [[1, 1]] * 2


def test_people_are_waited_for_and_what_is_held_stands_still(worker):
    manual, held, free = run_of("checkpoint", ""), run_of("checkpoint"), run_of("checkpoint")
    HoldFactory(scope="turnover", turnover=held.turnover)

    worker.drain()

    states = manual.task_runs.order_by("order").values_list("state", flat=True)
    assert list(states) == ["succeeded", "ready"]
    assert (state(manual), state(held), state(free)) == ("running", "running", "succeeded")
    assert not held.task_runs.exists()


def test_a_run_that_breaks_stands_in_nobodys_way(worker, monkeypatch, caplog):
    monkeypatch.setitem(executors.EXECUTORS, "breaks", Breaks())
    first, broken, last = run_of("checkpoint"), run_of("breaks"), run_of("checkpoint")

    worker.drain()

    assert [state(run) for run in (first, broken, last)] == ["succeeded", "running", "succeeded"]
    assert not broken.task_runs.exists()
    assert f"Run {broken.pk} could not be carried forward." in caplog.text


def test_what_is_over_is_ended_before_anything_that_may_take_long(worker, monkeypatch):
    over = run_of("checkpoint")

    class Looks(Executor):
        """Touches the outside, and sees how the other run stands meanwhile."""

        key = "looks"
        name = "Looks"
        form = CheckpointForm
        seen: ClassVar[list] = []

        def run(self, context):
            self.seen.append(state(over))
            return Outcome(succeeded=True)

    monkeypatch.setitem(executors.EXECUTORS, "looks", Looks())
    longer = run_of("looks")

    worker.drain()

    assert Looks.seen == ["succeeded"]
    assert state(longer) == "succeeded"


def test_a_run_alone_is_done_in_one_turn(worker):
    run = run_of(*["checkpoint"] * 6)

    with CaptureQueriesContext(connection) as queries:
        worker.drain()

    assert state(run) == "succeeded"
    entries = [one for one in queries if "INSERT INTO turnovers_attempt" in one["sql"]]
    assert len(entries) == 1


@pytest.mark.parametrize("count", [2, 4])
def test_more_runs_are_entered_by_as_many_statements(worker, count):
    for _ in range(count):
        run_of("checkpoint", "checkpoint")

    with CaptureQueriesContext(connection) as queries:
        worker._pass_together(set())

    entries = [one for one in queries if "INSERT INTO turnovers_attempt" in one["sql"]]
    assert len(entries) == 1


def test_outcomes_of_an_executor_are_kept_with_the_task(worker, monkeypatch):
    class Says(Breaks):
        key = "says"

        def run(self, context):
            return Outcome(succeeded=True, detail=f"Key {context.key}.")

    monkeypatch.setitem(executors.EXECUTORS, "says", Says())
    runs = [run_of("says", "says") for _ in range(2)]

    worker.drain()

    for row in TaskRun.objects.filter(run__in=runs):
        assert row.detail == f"Key {row.key}."
        assert row.history.latest().history_change_reason == row.detail
