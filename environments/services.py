"""Holding environments: what pages, trains and turnovers call."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from environments import rules
from environments.models import Booking, BookingState, Environment, SlotTaken
from releasemgr.accounts.models import User
from releasemgr.workflow.edit import create, edit
from releasemgr.workflow.locks import lock, one_transaction
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from releasemgr.workflow.rules import Blocker


def book(booking: Booking, *, by: User, reason: str = "", anyway: bool = False) -> Booking:
    """Store ``booking`` and hold its environment at once; a restricted one waits for somebody.

    Raises ``TransitionRefused`` with every clash. ``anyway`` keeps it as a request that clashes:
    it holds nothing, both sides see it, and release managers resolve it.
    """
    booking.requested_by = booking.requested_by or by
    booking.zone = by.time_zone
    try:
        with one_transaction(booking):
            # Locked, nobody else can book the environment between the question and the answer.
            booking.environment = lock(booking.environment)
            clashes = list(rules.clashes_of(booking))
            found = [*rules.environment_is_online.check(booking), *clashes]
            if found and not (anyway and found == clashes):
                raise TransitionRefused(*found)
            create(booking, by=by, reason=reason)
            return _confirm_where_nobody_has_to(booking, by)
    except SlotTaken as taken:
        raise TransitionRefused(*(list(rules.clashes_of(booking)) or taken.blockers)) from taken


def change(
    booking: Booking, *, by: User, version: int | None, reason: str = "", **changes: Any
) -> Booking:
    """Give a live booking another period, environment or text; it keeps its number and history.

    A request that no longer clashes is confirmed like a new one. Raises ``Conflict``, or
    ``TransitionRefused`` with every clash.
    """

    def forbids(row: Booking) -> Iterator[Blocker]:
        yield from rules.against_having(row, _changed(row, changes))

    places = {booking.environment_id, changes.get("environment", booking.environment).pk}
    try:
        with one_transaction(booking):
            # In one order, so that two bookings that change places do not wait for each other.
            for environment in Environment.objects.filter(pk__in=places).order_by("pk"):
                lock(environment)
            booking = edit(
                booking, by=by, version=version, reason=reason, allowed=forbids, **changes
            )
            if booking.state == BookingState.REQUESTED:
                return _confirm_where_nobody_has_to(booking, by)
            return booking
    except SlotTaken as taken:
        wanted = _changed(booking, changes)
        raise TransitionRefused(*(list(rules.clashes_of(wanted)) or taken.blockers)) from taken


def _confirm_where_nobody_has_to(booking: Booking, by: User) -> Booking:
    """Confirm the request, unless its environment is restricted or something is in the way."""
    if booking.environment.is_restricted or booking.step_blockers("confirm"):
        return booking
    reason = f"{by} booked it; {booking.environment.name} needs no confirmation."
    return perform(booking, "confirm", by=User.objects.robot(), reason=reason)


def _changed(booking: Booking, changes: dict[str, Any]) -> Booking:
    """The booking as it would be, not stored."""
    wanted = copy.copy(booking)
    for name, value in changes.items():
        setattr(wanted, name, value)
    return wanted
