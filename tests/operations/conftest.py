import pytest

from releasemgr.accounts.models import User
from releasemgr.workflow.perform import perform
from tests.factories import TaskFactory, TurnoverFactory, UserFactory
from turnovers import executors
from turnovers.engine import advance
from turnovers.executors import Executor, Outcome
from turnovers.executors.checkpoint import CheckpointForm


class Quiet(Executor):
    """Succeeds, and is no checkpoint: it is claimed, attempted and settled."""

    key = "quiet"
    name = "Quiet"
    form = CheckpointForm

    def run(self, context):
        return Outcome(succeeded=True, detail="Fine.")


@pytest.fixture
def robot():
    return User.objects.robot()


@pytest.fixture
def engineer():
    return UserFactory(username="eng", role="Release engineer")


@pytest.fixture
def started(robot, engineer, monkeypatch):
    """A turnover that was delivered, accepted and started, with tasks at these orders."""

    monkeypatch.setitem(executors.EXECUTORS, "quiet", Quiet())

    def start(*orders, **more):
        turnover = TurnoverFactory(**more)
        for order in orders:
            TaskFactory(turnover=turnover, order=order, executor="quiet")
        turnover = perform(turnover, "deliver", by=turnover.author)
        turnover = perform(turnover, "accept", by=engineer)
        return perform(turnover, "start", by=robot)

    return start


@pytest.fixture
def deployed(started):
    """A turnover whose tasks the engine has carried out."""

    def deploy(*orders, **more):
        turnover = started(*orders, **more)
        advance.advance_turnover(turnover.pk)
        turnover.refresh_from_db()
        assert turnover.state == "deployed"
        return turnover

    return deploy
