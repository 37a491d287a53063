"""Two people at the same instant, on PostgreSQL: one wins, the other is told."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from environments.models import Booking, SlotTaken
from environments.services import book
from releasemgr.accounts.models import User
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.factories import BookingFactory, EnvironmentFactory, UserFactory

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("as_installed"),
]

NOON = dt.datetime(2030, 6, 3, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def at_once(*deeds):
    """Run all deeds in threads that start together; each answers with its result or refusal."""
    barrier = Barrier(len(deeds))

    def run(deed):
        try:
            barrier.wait()
            return deed()
        except TransitionRefused as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


def wanted(environment, title):
    return Booking(environment=environment, title=title, starts=NOON, ends=NOON + HOUR)


def test_two_book_the_same_slot():
    environment = EnvironmentFactory()
    people = [UserFactory(role="Release engineer") for _ in range(6)]

    results = at_once(
        *(lambda user=user: book(wanted(environment, user.username), by=user) for user in people)
    )

    won = [r for r in results if isinstance(r, Booking)]
    refused = [r for r in results if isinstance(r, TransitionRefused)]
    assert (len(won), len(refused)) == (1, 5)
    assert all(won[0].title in str(refusal) for refusal in refused)
    assert Booking.objects.get().state == "confirmed"


def test_two_confirm_requests_that_clash():
    environment = EnvironmentFactory(is_restricted=True)
    requests = [
        BookingFactory(environment=environment, starts=NOON, ends=NOON + HOUR) for _ in range(2)
    ]
    managers = [UserFactory(role="Release manager") for _ in range(2)]

    results = at_once(
        *(
            lambda row=row, user=user: perform(row, "confirm", by=user)
            for row, user in zip(requests, managers, strict=True)
        )
    )

    assert sum(isinstance(r, TransitionRefused) for r in results) == 1
    assert Booking.objects.holding().count() == 1


def test_two_confirm_the_same_request():
    row = BookingFactory(starts=NOON, ends=NOON + HOUR)
    managers = [UserFactory(role="Release manager") for _ in range(2)]

    results = at_once(*(lambda user=user: perform(row, "confirm", by=user) for user in managers))

    assert sum(isinstance(r, TransitionRefused) for r in results) == 1
    assert row.history.filter(transition="confirm").count() == 1


def test_the_database_itself_refuses_what_was_written_around_the_lock():
    environment = EnvironmentFactory()
    BookingFactory(environment=environment, starts=NOON, ends=NOON + HOUR, state="confirmed")

    with pytest.raises(SlotTaken, match="just been booked"), transaction.atomic():
        BookingFactory(environment=environment, starts=NOON, ends=NOON + HOUR, state="confirmed")

    assert Booking.objects.holding().count() == 1


def test_a_booking_that_the_guard_cannot_see_yet_is_named_all_the_same():
    """An import writes without the lock and commits while somebody books."""
    environment = EnvironmentFactory()
    engineer = UserFactory(role="Release engineer")
    written, asked = Barrier(2), Barrier(2)

    def imports():
        with transaction.atomic():
            BookingFactory(
                environment=environment,
                title="Imported",
                starts=NOON,
                ends=NOON + HOUR,
                state="confirmed",
            )
            written.wait()
            asked.wait()
        return User.objects.robot()

    def books():
        written.wait()
        asked.wait()
        return book(wanted(environment, "Mine"), by=engineer)

    _, refusal = at_once(imports, books)

    assert isinstance(refusal, TransitionRefused)
    assert "Imported" in str(refusal)
    assert Booking.objects.get().title == "Imported"
