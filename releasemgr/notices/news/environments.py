"""What the steps of environments and bookings have to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from environments.models import Booking, BookingState, Environment
from releasemgr.accounts.models import User
from releasemgr.notices.news.words import because
from releasemgr.notices.services import News, people_in
from trains.models import Reservation
from turnovers.models import Turnover

if TYPE_CHECKING:
    from collections.abc import Iterator


def booking_asked(booking: Booking, by: User | None, reason: str) -> Iterator[News]:
    if booking.state != Booking.State.REQUESTED:
        return
    asker = f"{booking.requested_by} asks for it. " if booking.requested_by else ""
    yield News(
        "booking_asked",
        booking,
        list(User.objects.who_may("environments.confirm_booking")),
        f"Confirm or decline {booking.title} on {booking.environment.name}",
        f"{asker}{reason}",
        until=booking.starts,
    )


def booking_answered(booking: Booking, by: User, reason: str) -> Iterator[News]:
    yield News(
        "booking_answered",
        booking,
        people_in([booking.requested_by_id]),
        f"{booking.title} on {booking.environment.name}: {booking.status.label.lower()}",
        because(by, "decided so", reason),
    )


def environment_offline(environment: Environment, by: User, reason: str) -> Iterator[News]:
    """To its owner, and to those for whose work it is booked, or is about to be deployed to."""
    reserved: Any = Reservation.objects
    held: Any = environment.bookings.filter(
        state__in=[BookingState.REQUESTED, BookingState.CONFIRMED], ends__gt=timezone.now()
    )
    waits = Turnover.objects.filter(environment=environment, state__in=["delivered", "ready"])
    named = {environment.owner_id}
    named |= set(held.values_list("requested_by", flat=True))
    named |= set(reserved.filter(booking__in=held).values_list("train__manager", flat=True))
    named |= set(waits.values_list("author", flat=True))
    yield News(
        "environment_offline",
        environment,
        people_in(named),
        f"{environment.name} is {environment.status.label.lower()}",
        because(by, "took it out of use", reason),
    )
