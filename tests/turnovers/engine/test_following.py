"""What goes on elsewhere: no worker waits for it, and whichever asks next goes on with the run."""

import datetime as dt

import pytest
from django.db import connection
from django.utils import timezone

from releasemgr.accounts.models import User
from releasemgr.workflow.edit import create
from releasemgr.workflow.perform import perform
from tests.factories import (
    BoardingFactory,
    EnvironmentFactory,
    HoldFactory,
    TrainFactory,
    UserFactory,
)
from tests.turnovers.engine.test_advance import fresh, run_of, states
from tests.turnovers.executors.vaults import make_secret
from turnovers import executors
from turnovers.engine import advance, following, leftovers, wake
from turnovers.engine.scheduler import Scheduler, seconds_until_next
from turnovers.executors import Executor, Following, Outcome
from turnovers.executors.checkpoint import CheckpointForm
from turnovers.models import Attempt, DeploymentTask, Followed, Hold, TaskRun
from turnovers.redaction import INSTEAD

pytestmark = pytest.mark.django_db
SECOND = dt.timedelta(seconds=1)


class Remote(Executor):
    """Begins something that goes on, and then says what it is told to say, the last word again."""

    key = "remote"
    name = "Remote"
    form = CheckpointForm

    def __init__(self):
        self.begun = []
        self.asked = []
        self.says = []

    def run(self, context):
        self.begun.append(context.key)
        assert context.still_ours()
        context.write("begun\n")
        return Following({"job": 7}, 5)

    def follow(self, context, handle):
        self.asked.append((context.key, handle, context.left))
        context.write("asked\n")
        said = self.says.pop(0) if self.says else None
        if context.is_stopped():
            return Outcome(succeeded=False, detail="It was stopped here.", unknown=True)
        if said == "raise":
            raise ZeroDivisionError
        if context.left <= 0 and said is None:
            return Outcome(succeeded=False, detail="Its time is over.", unknown=True)
        return said or Following(handle | {"times": len(self.asked)}, 5)


@pytest.fixture
def remote(monkeypatch):
    remote = Remote()
    monkeypatch.setitem(executors.EXECUTORS, "remote", remote)
    return remote


@pytest.fixture
def robot():
    return User.objects.robot()


@pytest.fixture
def engineer():
    return UserFactory(role="Release engineer")


def begun(*tasks, **more):
    """A run whose first tasks go on elsewhere."""
    run = run_of(*(tasks or [(1, "remote"), (2, "checkpoint")]), **more)
    advance.advance(run.pk)
    return run


def is_due():
    """So much time has passed that all of it is to be asked."""
    Followed.objects.update(ask_at=timezone.now() - SECOND)


def time_is_over():
    Followed.objects.update(ends_at=timezone.now() - SECOND, ask_at=timezone.now() - SECOND)


DONE = Outcome(succeeded=True, detail="Done there.")
FAILED = Outcome(succeeded=False, detail="Failed there.")


def test_no_worker_has_it_and_nobody_asks_before_its_time(remote):
    run = begun()

    row = TaskRun.objects.get()
    assert (row.state, row.worker, row.output) == ("running", "", "begun\n")
    followed = Followed.objects.get()
    assert followed.handle == {"job": 7}
    assert followed.ask_at > timezone.now() + 3 * SECOND
    following.ask_all()
    advance.advance(run.pk)
    assert (remote.begun, remote.asked) == ([remote.begun[0]], [])


def test_the_run_goes_on_when_it_has_ended(remote):
    run = begun()
    is_due()
    following.ask_all()
    assert states(run) == [(1, "running")]
    remote.says = [DONE]

    is_due()
    following.ask_all()

    assert states(run) == [(1, "succeeded"), (2, "succeeded")]
    assert fresh(run.turnover).state == "deployed"
    row = TaskRun.objects.get(order=1)
    assert (row.detail, row.output) == ("Done there.", "begun\nasked\nasked\n")
    assert [handle for _, handle, _ in remote.asked] == [{"job": 7}, {"job": 7, "times": 1}]
    assert Attempt.objects.filter(task_run=row).count() == 1
    assert not Followed.objects.exists()


def test_its_page_says_that_it_goes_on_elsewhere(remote, client, engineer):
    run = begun()
    client.force_login(engineer)

    page = client.get(run.get_absolute_url()).content.decode()

    assert "It was accepted, and is asked how it stands." in page
    assert "begun" in page


def test_a_failure_there_fails_it_here(remote):
    run = begun()
    remote.says = [FAILED]
    is_due()

    following.ask_all()

    assert states(run) == [(1, "failed")]
    assert fresh(run.turnover).state == "failed"


def test_what_is_beside_it_begins_as_far_as_the_turnover_allows(remote):
    run = begun(*[(1, "remote")] * 5, (2, "checkpoint"), turnover__most_parallel=3)
    for _ in range(5):
        advance.advance(run.pk)

    assert [state for _, state in states(run)].count("running") == 3
    assert len(remote.begun) == Followed.objects.count() == 3


def test_the_scheduler_wakes_for_it_and_calls_workers_when_it_is_due(
    remote, monkeypatch, django_capture_on_commit_callbacks
):
    begun()
    assert 3 < seconds_until_next() <= 5
    called = []
    monkeypatch.setattr("turnovers.tasks.drain.delay", called.append)

    with django_capture_on_commit_callbacks(execute=True):
        following.look()
    assert called == []
    is_due()
    with django_capture_on_commit_callbacks(execute=True):
        following.look()
    assert called == [0]


def test_two_do_not_ask_at_the_same_time_and_one_that_died_asking_is_not_waited_for(remote):
    begun()
    is_due()

    assert following._take(set()) is not None
    assert following._take(set()) is None
    Followed.objects.update(taken_until=timezone.now() - SECOND)
    assert following._take(set()) is not None

    following.look()
    assert following._take(set()) is None
    Followed.objects.update(taken_by="elsewhere:1:0000007b")
    following.look()
    assert following._take(set()) is not None


def test_no_lost_worker_makes_it_unknown_while_its_time_lasts(remote, robot, settings):
    settings.LEASE_SECONDS = 2
    run = begun()

    assert Scheduler().take_over(by=robot) == set()
    (left,) = leftovers.carried()
    timeout = TaskRun.objects.get().task.timeout_seconds
    assert left.lease_left > timeout

    over = timezone.now() - SECOND
    TaskRun.objects.update(lease_until=over)
    assert Scheduler().take_over(by=robot) == {run.pk}
    assert states(run) == [(1, "unknown")]
    assert not Followed.objects.exists()


def test_when_its_time_is_over_it_is_asked_once_more(remote):
    run = begun()
    time_is_over()
    remote.says = [DONE]
    following.ask_all()
    assert states(run)[0] == (1, "succeeded")
    assert remote.asked[0][2] < 0

    other = begun()
    time_is_over()
    following.ask_all()
    assert states(other) == [(1, "unknown")]
    assert "Its time is over." in TaskRun.objects.get(run=other).detail


def test_an_executor_that_breaks_is_asked_later_until_the_time_is_over(remote):
    run = begun()
    remote.says = ["raise", "raise"]
    is_due()

    following.ask_all()

    assert states(run) == [(1, "running")]
    followed = Followed.objects.get()
    assert (followed.handle, followed.taken_until) == ({"job": 7}, None)
    assert followed.ask_at > timezone.now() + 20 * SECOND
    time_is_over()
    following.ask_all()
    assert states(run) == [(1, "unknown")]


def test_an_executor_that_there_is_no_more_leaves_it_to_people_and_nobody_waits(remote):
    run, other = begun(), begun()
    is_due()
    DeploymentTask.objects.filter(turnover=run.turnover, order=1).update(executor="gone")
    remote.says = [DONE]

    following.ask_all()

    assert states(run) == [(1, "unknown")]
    assert states(other)[0] == (1, "succeeded")


def test_an_aborted_run_leaves_off_at_once(remote, engineer):
    run = begun()
    perform(run, "abort", by=engineer, reason="Wrong night.")
    assert remote.asked == []

    following.ask_all()

    assert states(run) == [(1, "unknown")]
    assert "It was stopped here." in TaskRun.objects.get().detail
    assert not Followed.objects.exists()


HELD = {
    "everything": lambda turnover: {"scope": "all"},
    "the turnover": lambda turnover: {"scope": "turnover", "turnover": turnover},
    "its environment": lambda turnover: {
        "scope": "environment",
        "environment": turnover.environment,
    },
    "its train": lambda turnover: {"scope": "train", "train": turnover.riding},
}


@pytest.mark.parametrize("held", HELD.values(), ids=HELD)
def test_a_hold_that_stops_what_runs_leaves_off_and_one_that_does_not_waits(remote, held):
    release = BoardingFactory(train__state="construction", release__state="executing").release
    run = begun(turnover__release=release)
    where = held(fresh(run.turnover))
    hold = HoldFactory(**where)
    following.ask_all()
    assert remote.asked == []

    HoldFactory(**where, stops_running=True)
    following.ask_all()

    assert states(run) == [(1, "unknown")]
    assert hold.state == "active"


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="on PostgreSQL the commit carries the call"
)
def test_the_scheduler_is_woken_by_what_stops_it(
    remote, engineer, tmp_path, settings, django_capture_on_commit_callbacks
):
    settings.VAR_DIR = tmp_path
    run = begun()
    calls = [wake._called_at()]

    with django_capture_on_commit_callbacks(execute=True):
        hold = Hold(scope="all", reason="Stop.", placed_by=engineer, stops_running=True)
        create(hold, by=engineer)
    calls.append(wake._called_at())
    with django_capture_on_commit_callbacks(execute=True):
        perform(run, "abort", by=engineer, reason="Wrong night.")
    calls.append(wake._called_at())

    assert calls == sorted(set(calls))


def test_a_hold_over_another_turnover_makes_nobody_ask(remote):
    begun()
    HoldFactory(scope="environment", environment=EnvironmentFactory(), stops_running=True)
    HoldFactory(scope="train", train=TrainFactory(), stops_running=True)

    following.ask_all()

    assert remote.asked == []


def test_a_call_back_while_somebody_asks_is_not_put_off(remote):
    begun()
    is_due()
    row = following._take(set())
    soon = timezone.now()
    Followed.objects.update(ask_at=soon)

    following._leave(row, Following({"job": 7}, 60))

    assert Followed.objects.get().ask_at == soon


def test_what_is_remembered_and_shown_holds_no_secret(remote, monkeypatch):
    make_secret(targets=["deploy.example:443"])

    def run(context):
        value = context.secrets("deployer", "deploy.example:443")
        context.write(f"with {value} inside\n")
        return Following({"words": f"with {value} inside"}, 5)

    monkeypatch.setattr(remote, "run", run)

    begun()

    assert Followed.objects.get().handle == {"words": f"with {INSTEAD} inside"}
    assert TaskRun.objects.get().output == f"with {INSTEAD} inside\n"
