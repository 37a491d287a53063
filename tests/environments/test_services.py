"""Holding an environment: at once, on request, and against others."""

import datetime as dt

import pytest
from django.utils import timezone

from environments.models import Booking
from environments.services import book, change
from releasemgr.accounts.models import User
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import Conflict, TransitionRefused
from tests.factories import BookingFactory, EnvironmentFactory, UserFactory

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2030, 6, 3, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def engineer():
    return UserFactory(role="Release engineer", first_name="Tomás", last_name="Herrera")


def wanted(environment, starts=NOON, hours=2, **others):
    return Booking(
        environment=environment, title="Mine", starts=starts, ends=starts + hours * HOUR, **others
    )


def held(environment, starts=NOON, hours=2, **others):
    booking = BookingFactory(
        environment=environment, starts=starts, ends=starts + hours * HOUR, **others
    )
    return perform(booking, "confirm", by=User.objects.robot())


def test_an_environment_is_held_at_once(engineer):
    booking = book(wanted(EnvironmentFactory()), by=engineer)

    assert booking.state == "confirmed"
    assert booking.requested_by == engineer
    last = booking.history.latest()
    assert last.actor == str(User.objects.robot())
    assert str(engineer) in last.history_change_reason


def test_a_restricted_environment_waits_for_somebody_else(engineer):
    booking = book(wanted(EnvironmentFactory(is_restricted=True)), by=engineer)

    assert booking.state == "requested"
    assert not booking.steps(engineer) or {s.name for s in booking.steps(engineer)} == {"release"}
    other = UserFactory(role="Release manager")
    assert perform(booking, "confirm", by=other).state == "confirmed"


def test_a_refusal_names_every_clash(engineer):
    environment = EnvironmentFactory()
    held(environment, title="First")
    held(environment, NOON + 2 * HOUR, title="Second")

    with pytest.raises(TransitionRefused) as refused:
        book(wanted(environment, NOON + HOUR, hours=4), by=engineer)

    said = str(refused.value)
    assert "First" in said
    assert "Second" in said
    assert Booking.objects.filter(title="Mine").count() == 0


def test_the_end_of_one_is_the_begin_of_the_next(engineer):
    environment = EnvironmentFactory()
    held(environment)

    assert book(wanted(environment, NOON + 2 * HOUR), by=engineer).state == "confirmed"


def test_shared_bookings_go_together_and_exclude_the_exclusive(engineer):
    environment = EnvironmentFactory()
    held(environment, exclusive=False)

    assert book(wanted(environment, exclusive=False), by=engineer).state == "confirmed"
    with pytest.raises(TransitionRefused):
        book(wanted(environment, exclusive=True), by=engineer)


def test_a_clash_can_be_asked_for_anyway_and_holds_nothing(engineer):
    environment = EnvironmentFactory()
    held(environment)

    booking = book(wanted(environment), by=engineer, anyway=True)

    assert booking.state == "requested"
    assert list(Booking.objects.in_clash()) == [booking]


@pytest.mark.parametrize("state", ["commissioned", "offline", "decommissioned"])
def test_only_online_environments_are_booked_even_anyway(engineer, state):
    with pytest.raises(TransitionRefused, match="is"):
        book(wanted(EnvironmentFactory(state=state)), by=engineer, anyway=True)


def test_a_booking_is_moved_and_confirmed_where_it_is_free(engineer):
    environment = EnvironmentFactory()
    held(environment)
    booking = book(wanted(environment), by=engineer, anyway=True)

    later = NOON + 5 * HOUR
    moved = change(booking, by=engineer, version=booking.version, starts=later, ends=later + HOUR)

    assert (moved.state, moved.starts) == ("confirmed", later)


def test_a_confirmed_booking_does_not_move_into_another(engineer):
    environment = EnvironmentFactory()
    held(environment, title="In the way")
    booking = book(wanted(environment, NOON + 5 * HOUR), by=engineer)

    with pytest.raises(TransitionRefused, match="In the way"):
        change(booking, by=engineer, version=None, starts=NOON, ends=NOON + HOUR)

    booking.refresh_from_db()
    assert booking.starts == NOON + 5 * HOUR


def test_moving_an_outdated_booking_is_a_conflict(engineer):
    booking = book(wanted(EnvironmentFactory()), by=engineer)
    change(booking, by=engineer, version=booking.version, title="Renamed")

    with pytest.raises(Conflict):
        change(booking, by=engineer, version=booking.version, title="Again")


def test_what_was_confirmed_in_a_restricted_environment_only_shrinks(engineer):
    booking = book(wanted(EnvironmentFactory(is_restricted=True), hours=4), by=engineer)
    booking = perform(booking, "confirm", by=UserFactory(role="Release manager"))

    shorter = change(booking, by=engineer, version=None, ends=NOON + HOUR)
    assert shorter.ends == NOON + HOUR
    with pytest.raises(TransitionRefused, match="restricted"):
        change(shorter, by=engineer, version=None, ends=NOON + 8 * HOUR)


def test_a_turnovers_slot_is_changed_in_the_turnover(engineer):
    slot = held(EnvironmentFactory(), kind="turnover", url="/turnovers/TO-1/")

    with pytest.raises(TransitionRefused) as refused:
        change(slot, by=engineer, version=None, title="Other")

    assert refused.value.blockers[0].url == "/turnovers/TO-1/"


def test_a_given_back_booking_is_not_changed(engineer):
    booking = perform(held(EnvironmentFactory()), "release", by=engineer)

    with pytest.raises(TransitionRefused, match="released"):
        change(booking, by=engineer, version=None, title="Other")


def test_the_next_free_slot_lies_behind_all_that_is_too_close():
    environment = EnvironmentFactory()
    held(environment)
    held(environment, NOON + 3 * HOUR)
    held(environment, NOON + 8 * HOUR)

    slot = environment.next_free_slot(NOON, NOON + 2 * HOUR, exclusive=True)

    assert (slot.starts, slot.ends) == (NOON + 5 * HOUR, NOON + 7 * HOUR)


def test_a_shared_booking_finds_room_beside_shared_ones():
    environment = EnvironmentFactory()
    held(environment, exclusive=False)

    slot = environment.next_free_slot(NOON, NOON + HOUR, exclusive=False)

    assert slot.starts == NOON


def test_there_is_no_slot_behind_the_end_of_time():
    environment = EnvironmentFactory()
    end = dt.datetime(9999, 12, 31, 12, tzinfo=dt.UTC)
    BookingFactory(environment=environment, starts=NOON, ends=end, state="confirmed")

    assert environment.next_free_slot(NOON, NOON + dt.timedelta(days=2), exclusive=True) is None


def test_the_list_knows_who_holds_and_who_is_next():
    from environments.models import Environment  # noqa: PLC0415 -- only here

    environment = EnvironmentFactory()
    now = timezone.now()
    holder = held(environment, now - HOUR)
    following = held(environment, now + 3 * HOUR)
    held(environment, now + 9 * HOUR)

    row = Environment.objects.with_holders().get()

    assert (row.holder_id, row.next_id) == (holder.pk, following.pk)
