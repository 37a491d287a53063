"""What is promised on the embedded default: SQLite, and messages in files, on one machine."""

from functools import partial

import pytest

from tests.faults.receiver import Manners
from tests.faults.rig import LEASE, Fault
from tests.faults.test_servers import misbehaving

pytestmark = pytest.mark.faults


def test_killed_workers_and_two_schedulers(embedded, flawless):
    report = embedded.storm(
        Fault(2, embedded.kill_a_worker),
        Fault(0.9, embedded.kill_a_child),
        Fault(3, embedded.kill_a_scheduler),
        manners=lambda tasks: Manners(work_seconds=0.1),
        schedulers=2,
        seconds=14,
    )

    flawless(embedded, report)


def test_workers_that_sleep_past_their_lease_and_wake(embedded, flawless):
    pause = partial(embedded.pause_a_worker, LEASE * 2)

    report = embedded.storm(Fault(1.5, pause), manners=lambda tasks: Manners(0.2), seconds=12)

    flawless(embedded, report)


def test_what_goes_on_elsewhere_while_workers_and_schedulers_die(embedded, flawless):
    report = embedded.storm(
        Fault(2, embedded.kill_a_worker),
        Fault(0.9, embedded.kill_a_child),
        Fault(3, embedded.kill_a_scheduler),
        manners=lambda tasks: Manners(work_seconds=1.5, accepts=True),
        schedulers=2,
        seconds=14,
        asks=True,
        timeout=60,
    )

    flawless(embedded, report)
    assert report.unknown < report.steps / 10


def test_a_receiver_that_misbehaves(embedded, flawless):
    flawless(embedded, embedded.storm(manners=misbehaving, seconds=1))


def test_the_books_agree_afterwards(embedded):
    assert embedded.verify() == ""
