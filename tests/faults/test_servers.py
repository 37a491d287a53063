"""What is promised on PostgreSQL and Redis, while everything fails that can.

Each storm carries out 50 turnovers of 5 HTTP steps, half of them repeat-safe and half once-only.
Afterwards the receiver's book must show each step done, once, in order, and nothing at once that
was to be apart; and all turnovers must have come to their end, soon after all is calm.
"""

from functools import partial

import pytest

from tests.faults.hints import Forger
from tests.faults.receiver import Manners
from tests.faults.rig import LEASE, QUEUE, Fault

pytestmark = pytest.mark.faults


def test_killed_workers_and_a_flushed_broker(servers, flawless):
    report = servers.storm(
        Fault(2, servers.kill_a_worker),
        Fault(0.9, servers.kill_a_child),
        Fault(5, servers.flush_broker),
        manners=lambda tasks: Manners(work_seconds=0.1),
        seconds=16,
    )

    flawless(servers, report)
    assert report.struck["kills"] >= 3


def test_workers_that_sleep_past_their_lease_with_two_schedulers_and_with_none(servers, flawless):
    report = servers.storm(
        Fault(1.5, partial(servers.pause_a_worker, LEASE * 2)),
        Fault(2.5, servers.kill_a_scheduler),
        Fault(6, partial(servers.do_without_schedulers, 3)),
        manners=lambda tasks: Manners(work_seconds=0.2),
        schedulers=2,
        seconds=12,
    )

    flawless(servers, report)


def test_a_broker_that_is_down_or_brings_doubled_and_forged_hints(servers, flawless):
    forger = Forger(servers.stack.environment["BROKER_URL"], QUEUE)

    report = servers.storm(
        Fault(0.7, partial(forger.double, range(1, 30))),
        Fault(1.1, forger.forge),
        Fault(3, partial(servers.stop_broker, 2)),
        seconds=9,
    )

    flawless(servers, report)


def test_a_database_that_restarts_and_crashes_while_workers_die_and_sleep(servers, flawless):
    report = servers.storm(
        Fault(3, partial(servers.restart_database, "fast")),
        Fault(4, partial(servers.restart_database, "immediate")),
        Fault(5, servers.kill_a_worker),
        Fault(4.5, partial(servers.pause_a_worker, LEASE + 1)),
        manners=lambda tasks: Manners(work_seconds=0.2),
        seconds=14,
    )

    flawless(servers, report)


def test_what_goes_on_elsewhere_while_workers_die_and_messages_are_lost(servers, flawless):
    report = servers.storm(
        Fault(2, servers.kill_a_worker),
        Fault(0.7, servers.flush_broker),
        Fault(4, partial(servers.restart_database, "immediate")),
        manners=lambda tasks: Manners(work_seconds=1.5, accepts=True),
        seconds=14,
        asks=True,
        timeout=60,
    )

    flawless(servers, report)
    assert report.unknown < report.steps / 10


def test_a_receiver_that_misbehaves(servers, flawless):
    flawless(servers, servers.storm(manners=misbehaving, seconds=1))


def misbehaving(tasks):
    """One step in six meets each of five faults at its first call."""
    kinds = ("slow", "hang", "drop before", "drop after", "late", "")
    numbers = sorted({turnover for turnover, _, _ in tasks})
    return Manners(
        faults={
            (turnover, 1 + place % 5): kinds[place % len(kinds)]
            for place, turnover in enumerate(numbers)
        }
    )


def test_the_line_stops_within_a_second_under_fire(servers, flawless):
    overruns = []

    def hold():
        pk, held_at = servers.insist("hold")
        servers.after(1.5, lambda: overruns.append(servers.insist("lift", pk=pk) - held_at))

    report = servers.storm(
        Fault(2, hold),
        Fault(2, servers.kill_a_worker),
        manners=lambda tasks: Manners(work_seconds=0.1),
        seconds=12,
    )

    assert len(overruns) >= 2
    report.struck["latest claim after a hold, ms"] = max(0, round(max(overruns) * 1000))
    flawless(servers, report)
    assert max(overruns) <= 1.0


def test_the_books_agree_afterwards(servers):
    """``manage.py verify`` finds nothing that contradicts itself after all of this.

    Before the last storm: a machine whose clock is wrong signs the history with its own time, and
    that contradicts the database's, as ``verify`` then says.
    """
    assert servers.verify() == ""


def test_workers_and_schedulers_whose_clocks_are_wrong(servers, flawless):
    servers.rest()
    servers.shifts = [7200, -7200]
    try:
        report = servers.storm(turnovers=10, schedulers=2, seconds=1, opens_in=15)
        starts = servers.insist("starts", first=report.first, last=report.last)
    finally:
        servers.shifts = []
        servers.rest()

    flawless(servers, report)
    assert [len(runs) for runs in starts] == [1] * 10
    assert all(seconds >= 0 for runs in starts for seconds in runs)
