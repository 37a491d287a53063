"""What telling costs the run engine: one statement where a run ends, and none where it begins."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from releasemgr.accounts.models import User
from releasemgr.notices import receivers
from releasemgr.notices.models import Happening
from releasemgr.workflow.models import row_created, row_edited, step_taken
from releasemgr.workflow.perform import perform
from tests.factories import (
    BookingFactory,
    RunFactory,
    TaskFactory,
    TaskRunFactory,
    TurnoverFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

SIGNALS = {
    "step": (step_taken, receivers.TOLD),
    "new": (row_created, receivers.NEW),
    "edit": (row_edited, receivers.EDITED),
}


@pytest.fixture
def in_silence():
    """A way to do something with nobody listening who would tell of it."""
    heard = {name: list(signal.receivers) for name, (signal, _) in SIGNALS.items()}

    def hush():
        for name, (signal, models) in SIGNALS.items():
            for model in models:
                uid = f"notices.{name}.{model}"
                assert signal.disconnect(sender=model, dispatch_uid=uid)

    yield hush
    for name, (signal, _) in SIGNALS.items():
        signal.receivers = heard[name]
        signal.sender_receivers_cache.clear()


def a_run():
    """With a slot of its own, an author, and people who are to hear of its end."""
    UserFactory(role="Release engineer")
    author = UserFactory(role="Developer")
    turnover = TurnoverFactory(state="deploying", author=author)
    turnover.booking = BookingFactory(
        environment=turnover.environment, kind="turnover", state="confirmed", requested_by=author
    )
    turnover.save()
    run = RunFactory(turnover=turnover)
    TaskRunFactory(run=run, task=TaskFactory(turnover=turnover), state="succeeded")
    return run


def asked(deed, *arguments, **named):
    with CaptureQueriesContext(connection) as queries:
        deed(*arguments, **named)
    return len(queries)


@pytest.mark.parametrize("ending", ["succeed", "fail"])
def test_the_end_of_a_run_costs_one_statement_more_for_being_told(in_silence, ending):
    robot = User.objects.robot()
    perform(a_run(), ending, by=robot, reason="So it ended.")  # caches are warm
    told = asked(perform, a_run(), ending, by=robot, reason="So it ended.")

    in_silence()

    assert told == asked(perform, a_run(), ending, by=robot, reason="So it ended.") + 1


def due():
    """A turnover that can start, with a slot of its own."""
    now = timezone.now()
    turnover = TurnoverFactory(
        state="ready", earliest=now - dt.timedelta(hours=1), latest=now + dt.timedelta(hours=1)
    )
    TaskFactory(turnover=turnover)
    turnover.booking = BookingFactory(
        environment=turnover.environment,
        kind="turnover",
        state="confirmed",
        starts=turnover.earliest,
        ends=turnover.latest + dt.timedelta(hours=1),
    )
    turnover.save()
    return turnover


def test_a_start_costs_none(in_silence):
    robot = User.objects.robot()
    perform(due(), "start", by=robot)  # caches are warm
    told = asked(perform, due(), "start", by=robot)
    assert not Happening.objects.exists()

    in_silence()

    assert told == asked(perform, due(), "start", by=robot)
