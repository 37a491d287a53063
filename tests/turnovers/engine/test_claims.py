"""What is asked again at every claim, what runs at once, what waits for its time, and undoing."""

import datetime as dt

import pytest
from django.db import transaction
from django.utils import timezone

from environments.models import Booking, Environment
from releasemgr.accounts.models import User
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.factories import (
    BoardingFactory,
    BookingFactory,
    HoldFactory,
    ReleaseTypeFactory,
    RunFactory,
    TaskFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
)
from tests.turnovers.engine.test_advance import fresh, recorder, run_of, states
from trains.models import ApplicationRelease, Train
from turnovers.engine import advance, standing, turns
from turnovers.executors import Outcome
from turnovers.models import DeploymentTask, Turnover

pytestmark = pytest.mark.django_db
__all__ = ["recorder"]


@pytest.fixture
def engineer():
    return UserFactory(role="Release engineer")


@pytest.fixture
def robot():
    return User.objects.robot()


def booked(**booking):
    """A deploying turnover with a slot, of a release that rides a train in Construction."""
    train = TrainFactory(state="construction")
    release = BoardingFactory(train=train, release__state="executing").release
    turnover = TurnoverFactory(state="deploying", release=release)
    slot = BookingFactory(environment=turnover.environment, state="confirmed", **booking)
    Turnover._base_manager.filter(pk=turnover.pk).update(booking=slot)
    return fresh(turnover)


def facts(run):
    with transaction.atomic():
        return standing.lock_run(run.pk)


OBSTACLES = {
    "a hold": lambda t: HoldFactory(scope="turnover", turnover=t),
    "a hold over its train": lambda t: HoldFactory(scope="train", train=t.riding),
    "its environment offline": lambda t: Environment._base_manager.update(state="offline"),
    "its booking released": lambda t: Booking._base_manager.update(state="released"),
    "its slot over": lambda t: Booking.objects.update(
        starts=timezone.now() - dt.timedelta(hours=2), ends=timezone.now() - dt.timedelta(hours=1)
    ),
    "its release cancelled": lambda t: ApplicationRelease._base_manager.update(state="cancelled"),
    "its train back in Scoping": lambda t: Train._base_manager.update(state="scoping"),
    "production before Deployment": lambda t: Environment.objects.update(is_production=True),
}


@pytest.mark.parametrize("obstacle", OBSTACLES.values(), ids=OBSTACLES.keys())
def test_whatever_the_rules_object_to_stops_the_next_claim(recorder, robot, obstacle):
    run = run_of((1, "recorder"), (2, "recorder"), turnover=booked())
    claim = turns.turn(run.pk, by=robot)
    assert facts(run).is_plain

    obstacle(fresh(run.turnover))

    assert not facts(run).is_plain
    assert fresh(run.turnover).claim_blockers()
    turns.turn(run.pk, (claim, Outcome(succeeded=True)), by=robot)
    advance.advance(run.pk)
    assert states(run) == [(1, "succeeded")]
    assert recorder.calls == []


def test_what_is_not_plain_goes_on_where_the_rules_have_no_objection(recorder):
    HoldFactory(scope="turnover", turnover=TurnoverFactory())
    run = run_of((1, "recorder"), turnover=booked())

    assert not facts(run).is_plain
    advance.advance(run.pk)

    assert fresh(run).state == "succeeded"


def test_production_waits_for_an_approval_of_exactly_this_train(recorder, robot):
    kind = ReleaseTypeFactory(needs_executive_approval=True)
    train = TrainFactory(state="deployment", release_type=kind, needs_executive_approval=True)
    turnover = TurnoverFactory(state="deploying", train=train, release=None)
    Environment.objects.filter(pk=turnover.environment_id).update(is_production=True)
    run = run_of((1, "recorder"), turnover=turnover)

    advance.advance(run.pk)

    assert recorder.calls == []
    assert "approval" in str(fresh(turnover).claim_blockers()[0])


def test_a_slot_that_has_ended_is_extended_and_the_run_goes_on(recorder, engineer):
    now = timezone.now()
    turnover = booked(starts=now - dt.timedelta(hours=2), ends=now - dt.timedelta(minutes=1))
    run = run_of((1, "recorder"), turnover=turnover)
    advance.advance(run.pk)
    assert recorder.calls == []

    perform(
        fresh(turnover),
        "extend",
        by=engineer,
        reason="Slow disks.",
        until=now + dt.timedelta(hours=1),
    )
    advance.advance(run.pk)

    assert fresh(run).state == "succeeded"


def test_no_more_tasks_run_at_once_than_the_turnover_allows(recorder, robot):
    turnover = TurnoverFactory(state="deploying", most_parallel=2)
    run = run_of(*[(1, "recorder")] * 3, turnover=turnover)

    first, second = (turns.turn(run.pk, by=robot) for _ in range(2))

    assert None not in (first, second)
    assert turns.turn(run.pk, by=robot) is None
    done = (first, Outcome(succeeded=True))
    assert turns.turn(run.pk, done, by=robot) is not None


def test_a_task_does_not_begin_before_its_own_time(recorder):
    run = run_of((1, "recorder"))
    run.turnover.tasks.update(not_before=timezone.now() + dt.timedelta(hours=1))

    advance.advance(run.pk)

    assert states(run) == [(1, "waiting")]
    assert not type(run).objects.that_can_go_on().exists()


def test_what_touches_nothing_outside_is_done_in_one_go(
    recorder, robot, django_assert_max_num_queries
):
    run = RunFactory()
    for order in range(1, 41):
        TaskFactory(turnover=run.turnover, order=order)

    with django_assert_max_num_queries(200):
        advance.advance(run.pk)

    assert fresh(run).state == "succeeded"
    row = run.task_runs.last()
    assert (row.tries.get().outcome, row.history.count(), row.version) == ("succeeded", 1, 1)


class TestUndo:
    @pytest.fixture
    def run(self, recorder):
        """Three tasks done and the fourth failed; what undoes the first, the third and the last."""
        run = run_of(
            (1, "recorder"), (2, "recorder"), (3, "recorder"), (4, "recorder", {"answers": [False]})
        )
        for task in run.turnover.tasks.in_order():
            if task.order != 2:
                DeploymentTask.objects.create(
                    turnover=run.turnover,
                    order=task.order,
                    title=f"Undo {task.order}",
                    executor="recorder",
                    undoes=task,
                )
        advance.advance(run.pk)
        recorder.calls.clear()
        return run

    def test_what_was_done_is_undone_last_first(self, run, recorder, engineer):
        perform(fresh(run.turnover), "undo", by=engineer, reason="It does not start.")
        advance.advance_turnover(run.turnover_id)

        assert [call.variables["task"] for call in recorder.calls] == ["Undo 3", "Undo 1"]
        undo = run.turnover.runs.get(kind="undo")
        assert fresh(undo).state == "succeeded"
        assert fresh(run.turnover).state == "failed"

    def test_what_is_undone_is_not_undone_again(self, run, engineer):
        perform(fresh(run.turnover), "undo", by=engineer, reason="It does not start.")
        advance.advance_turnover(run.turnover_id)

        with pytest.raises(TransitionRefused, match="can be undone"):
            perform(fresh(run.turnover), "undo", by=engineer, reason="Once more.")

    def test_undo_tasks_are_no_part_of_the_way_forward(self, run):
        assert {task.title for task in run.turnover.tasks.all()} == {
            f"Task at {order}" for order in range(1, 5)
        }
