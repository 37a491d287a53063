"""Several runs that have succeeded end together: each as it would alone, and none too soon."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from environments.models import Booking, Environment
from releasemgr.accounts.models import User
from releasemgr.notices.models import Happening
from releasemgr.workflow.perform import perform
from tests.factories import BookingFactory, RunFactory, TaskFactory, TaskRunFactory, UserFactory
from turnovers.engine.ending import SUCCEED, end, succeed_together
from turnovers.models import Run, Turnover

pytestmark = pytest.mark.django_db


@pytest.fixture
def robot():
    return User.objects.robot()


def done(kind="turnover", **more):
    """A run of two tasks that are complete, with a slot of that kind."""
    run = RunFactory(**more)
    booking = BookingFactory(environment=run.turnover.environment, kind=kind, state="confirmed")
    Turnover.objects.filter(pk=run.turnover_id).update(booking=booking)
    for order, state in ((1, "succeeded"), (2, "skipped")):
        task = TaskFactory(turnover=run.turnover, order=order)
        TaskRunFactory(run=run, task=task, order=order, state=state)
    return run


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def story(row, step):
    """What the row and its history say of a step, but for what is each row's own."""
    entry = row.history.get(transition=step)
    own = {"id", "history_id", "history_date", "number", "turnover_id", "title", "booking_id"}
    own |= {"environment_id", "release_id", "author_id", "started_at", "starts", "ends", "url"}
    own |= {"ended_at", "deployed_at", "earliest", "latest", "history_change_reason", "share_key"}
    said = {field.attname: getattr(entry, field.attname) for field in entry._meta.concrete_fields}
    return {name: value for name, value in said.items() if name not in own}


def all_of(run):
    run = fresh(run)
    turnover = run.turnover
    slot = turnover.booking
    assert run.ended_at is not None
    assert turnover.deployed_at == run.ended_at or turnover.deployed_at > run.ended_at
    assert run.history.get(transition="succeed").ended_at == run.ended_at
    assert turnover.history.get(transition="finish").deployed_at == turnover.deployed_at
    reasons = [
        run.history.get(transition="succeed").history_change_reason,
        turnover.history.get(transition="finish").history_change_reason,
        slot.history.get(transition="release").history_change_reason.replace(turnover.ref, "TO"),
    ]
    told = Happening.objects.filter(row_id=turnover.pk, kind="turnovers.turnover")
    return (
        reasons,
        (run.state, run.version, turnover.state, turnover.version, slot.state, slot.version),
        [story(run, "succeed"), story(turnover, "finish"), story(slot, "release")],
        list(told.values_list("step", "version", "by", "reason")),
    )


def test_several_end_together_as_one_ends_alone(robot):
    alone, *many = (done() for _ in range(4))
    perform(alone, "succeed", by=robot)

    succeed_together([run.pk for run in many], by=robot)

    for run in many:
        assert all_of(run) == all_of(alone)


def test_a_reservation_of_a_train_stays_the_trains(robot):
    run = done(kind="train")

    succeed_together([run.pk], by=robot)

    assert fresh(run).state == "succeeded"
    assert fresh(run.turnover).booking.state == "confirmed"


def test_a_run_with_a_task_that_is_not_complete_does_not_end(robot):
    good, short, stuck = done(), done(), done()
    TaskFactory(turnover=short.turnover, order=3)
    stuck.task_runs.filter(order=2).delete()
    TaskRunFactory(run=stuck, task=stuck.turnover.tasks.get(order=2), order=2, state="ready")

    succeed_together([run.pk for run in (good, short, stuck)], by=robot)

    assert [fresh(run).state for run in (good, short, stuck)] == ["succeeded", "running", "running"]
    assert [fresh(run.turnover).state for run in (short, stuck)] == ["deploying", "deploying"]


def test_what_is_over_already_stays_as_it_is(robot):
    aborted, good = done(), done()
    perform(aborted, "abort", by=UserFactory(role="Release engineer"), reason="Wrong night.")
    before = fresh(aborted).version

    succeed_together([aborted.pk, good.pk], by=robot)

    assert (fresh(aborted).state, fresh(aborted).version) == ("aborted", before)
    assert fresh(aborted.turnover).state == "failed"
    assert fresh(good).state == "succeeded"


def test_a_run_that_undoes_is_ended_by_its_own_step(robot):
    run = done()
    Run.objects.filter(pk=run.pk).update(kind="undo")

    end(run.pk, SUCCEED, by=robot)

    assert fresh(run).state == "succeeded"
    assert fresh(run.turnover).history.filter(transition="undone").exists()


def test_whoever_waits_for_the_environment_may_have_it_at_once(robot):
    run = done()

    succeed_together([run.pk], by=robot)

    place = Environment.objects.get(pk=run.turnover.environment_id)
    assert not Booking.objects.holding().filter(environment=place).exists()


@pytest.mark.parametrize("count", [1, 3])
def test_ending_more_runs_asks_no_more_but_to_have_people_told(robot, count):
    pks = [done().pk for _ in range(count)]

    with CaptureQueriesContext(connection) as queries:
        succeed_together(pks, by=robot)

    asked = [query["sql"] for query in queries if "notices_happening" not in query["sql"]]
    assert len([sql for sql in asked if "SAVEPOINT" not in sql]) == 14
