"""A year's two clock changes in fast motion, and clocks that jump.

Windows are given in local time and kept as moments. Only the database's clock says what is due.
"""

import datetime as dt
import random
from zoneinfo import ZoneInfo

import pytest
import time_machine

from releasemgr.workflow.perform import perform
from tests.factories import TaskFactory, TurnoverFactory, UserFactory
from tests.turnovers.engine.clock import DatabaseClock
from turnovers.engine.scheduler import Scheduler, seconds_until_next
from turnovers.models import Run, Turnover

pytestmark = pytest.mark.django_db

BERLIN = ZoneInfo("Europe/Berlin")
STEP = dt.timedelta(minutes=15)
#: The nights in which clocks go forward (02:00 to 03:00) and back (03:00 to 02:00).
NIGHTS = [dt.date(2026, 3, 29), dt.date(2026, 10, 25)]


def local_times(night):
    """Every half hour of the night, as clocks on walls show it; the hour that comes twice, too."""
    for hour, minute in [(hour, minute) for hour in range(1, 5) for minute in (0, 30)]:
        for fold in (0, 1):
            moment = dt.datetime(
                night.year, night.month, night.day, hour, minute, tzinfo=BERLIN, fold=fold
            )
            exists = moment.astimezone(dt.UTC).astimezone(BERLIN).replace(fold=fold) == moment
            is_second = moment.utcoffset() != moment.replace(fold=0).utcoffset()
            if exists and (fold == 0 or is_second):
                yield moment


def accepted(earliest):
    earliest = earliest.astimezone(dt.UTC)
    turnover = TurnoverFactory(
        earliest=earliest, latest=earliest + dt.timedelta(minutes=25), zone="Europe/Berlin"
    )
    TaskFactory(turnover=turnover, executor="", owner=turnover.author)
    turnover = perform(turnover, "deliver", by=turnover.author)
    return perform(turnover, "accept", by=UserFactory(role="Release engineer"))


@pytest.fixture
def clock():
    clock = DatabaseClock()
    yield clock
    clock.release()


@pytest.mark.parametrize("night", NIGHTS, ids=["forward", "back"])
@pytest.mark.parametrize("process_clock", ["right", "jumping"])
def test_everything_starts_once_and_never_early(clock, night, process_clock):
    chance = random.Random(night.year)  # noqa: S311 -- chance that can be repeated
    begin = dt.datetime(night.year, night.month, night.day, tzinfo=BERLIN).astimezone(dt.UTC)
    clock.set(begin)
    with time_machine.travel(begin, tick=False) as process:
        windows = {accepted(moment).pk: moment for moment in local_times(night)}
        started = {}
        scheduler = Scheduler()
        now = begin
        while now <= begin + dt.timedelta(hours=6):
            clock.set(now)
            wrong = chance.choice([-2, -1, 0, 1, 2]) if process_clock == "jumping" else 0
            process.move_to(now + dt.timedelta(hours=wrong))
            scheduler.look()
            for pk in Turnover.objects.filter(state="deploying").values_list("pk", flat=True):
                started.setdefault(pk, now)
            now += STEP

    assert len(windows) == {"forward": 6, "back": 10}["forward" if night == NIGHTS[0] else "back"]
    assert set(started) == set(windows)
    for pk, moment in windows.items():
        assert dt.timedelta(0) <= started[pk] - moment.astimezone(dt.UTC) < STEP
        assert Run.objects.filter(turnover=pk).count() == 1


def test_the_hour_that_comes_twice_is_told_apart(clock):
    first, second = (
        dt.datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=fold).astimezone(dt.UTC)
        for fold in (0, 1)
    )

    assert second - first == dt.timedelta(hours=1)


@pytest.mark.parametrize("wrong", [-2, 2])
def test_the_scheduler_sleeps_by_the_databases_clock(clock, wrong):
    due = clock.now.replace(microsecond=0) + dt.timedelta(seconds=2)
    accepted(due)
    clock.set(due - dt.timedelta(seconds=0.25))

    with time_machine.travel(due + dt.timedelta(hours=wrong), tick=False):
        assert seconds_until_next() == pytest.approx(0.25, abs=0.01)
