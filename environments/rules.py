"""Who may change an environment or a booking, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from releasemgr.accounts.roles import RELEASE_ENGINEER, RELEASE_MANAGER
from releasemgr.workflow.rules import Blocker, Way, guard, permission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from environments.models import Booking, Environment
    from releasemgr.accounts.models import User

#: Asked before an environment goes offline or away: what runs or is planned there.
use_questions: list[Callable[[Environment], Iterable[Blocker]]] = []


@permission("Release engineers and release managers look after environments.")
def may_manage(environment: Environment, user: User) -> bool:
    return user.has_perm("environments.manage_environment")


@permission("Release engineers and release managers confirm bookings, but never their own.")
def may_confirm(booking: Booking, user: User) -> bool:
    return (
        user.has_perm("environments.confirm_booking") and user.pk != booking.requested_by_id
    ) or user.is_robot


@permission("Whoever made a booking, and release managers and engineers, give it back.")
def may_release(booking: Booking, user: User) -> bool:
    return (
        user.is_robot
        or user.pk == booking.requested_by_id
        or user.has_perm("environments.confirm_booking")
    )


@permission("Release managers and release engineers book environments.")
def may_book(environment: Environment, user: User) -> bool:
    return user.has_perm("environments.book_environment")


@permission("Whoever made a booking, and release managers and engineers, change it.")
def may_change(booking: Booking, user: User) -> bool:
    return may_release(booking, user) and not user.is_robot


@guard
def nobody_needs_it(environment: Environment) -> Iterator[Blocker]:
    """Nothing is deploying there."""
    for question in use_questions:
        yield from question(environment)


@guard
def no_booking_is_ahead(environment: Environment) -> Iterator[Blocker]:
    ahead = environment.bookings.holding().current_and_coming().select_related("requested_by")
    for booking in ahead.by_time()[:20]:
        yield Blocker(
            f"{booking.title} holds {environment.name}",
            needed="No booking ahead.",
            now=booking.period_words,
            owner=str(booking.requested_by or RELEASE_ENGINEER),
            owner_id=booking.requested_by_id,
            action="Open the booking",
            url=booking.get_absolute_url(),
            clears_at=booking.ends,
        )


@guard
def environment_is_online(booking: Booking) -> Iterator[Blocker]:
    environment = booking.environment
    if not environment.is_online:
        yield Blocker(
            f"{environment.name} is {environment.get_state_display().lower()}",
            needed="An environment that is online.",
            owner=str(environment.owner or RELEASE_ENGINEER),
            owner_id=environment.owner_id,
            action="Open the environment",
            url=environment.get_absolute_url(),
        )


@guard
def nothing_clashes(booking: Booking) -> Iterator[Blocker]:
    """Every confirmed booking in the way, by name."""
    yield from clashes_of(booking)


def clashes_of(booking: Booking) -> Iterator[Blocker]:
    """All that stands in the way of ``booking``, as blockers."""
    others = type(booking).objects.exclude(pk=booking.pk)
    clashes = others.clashing(
        booking.environment, booking.starts, booking.ends, exclusive=booking.exclusive
    )
    for other in clashes.select_related("environment", "requested_by").by_time()[:50]:
        yield Blocker(
            f"{booking.environment.name} is booked by {other.title}",
            needed=f"The environment free, {booking.period_words}.",
            now=f"{other.exclusive_word} booking, {other.period_words}.",
            owner=str(other.requested_by or RELEASE_ENGINEER),
            owner_id=other.requested_by_id,
            action="Open the booking",
            url=other.get_absolute_url(),
            clears_at=other.ends,
            ways=_another_time(booking),
            tone="bad",
            glyph="fail",
        )


def _another_time(booking: Booking) -> tuple[Way, ...]:
    """The way round a clash, for those who may change the booking; none where it is not stored."""
    if not booking.pk:
        return ()
    who = booking.requested_by_id
    way = Way("Choose another time", booking.edit_url, RELEASE_MANAGER, (RELEASE_ENGINEER,), who)
    return (way,)


def against_waiting(booking: Booking) -> Iterator[Blocker]:
    """Whom a request waits for: it is confirmed by somebody else."""
    if booking.state == "requested":
        yield Blocker(
            f"{booking.title} is not confirmed yet",
            needed="A confirmation by somebody who did not ask for it.",
            owner=RELEASE_ENGINEER,
            action="Confirm",
            url=booking.step_url("confirm"),
            tone="wait",
            glyph="wait",
        )


def against_changing(booking: Booking) -> Iterator[Blocker]:
    """What forbids any change of the booking's own page."""
    if not booking.is_live:
        yield Blocker(
            f"{booking} is {booking.status.label.lower()}",
            needed="A booking that holds its environment or asks for it.",
            action="Book anew",
            url=booking.environment.get_absolute_url(),
        )
    elif booking.kind == "turnover":
        yield Blocker(
            f"{booking.title} is the slot of a turnover",
            needed="Another window in the turnover; its slot follows.",
            action="Open the turnover",
            url=booking.url,
        )


def against_having(before: Booking, after: Booking) -> Iterator[Blocker]:
    """What forbids that a live booking, ``before``, becomes ``after``."""
    yield from against_changing(before)
    if (before.environment_id, before.starts, before.ends) != (
        after.environment_id,
        after.starts,
        after.ends,
    ):
        yield from environment_is_online.check(after)
    if before.state != "confirmed":
        return
    yield from clashes_of(after)
    if _takes_more(before, after) and (
        before.environment.is_restricted or after.environment.is_restricted
    ):
        yield Blocker(
            f"{after.environment.name} is restricted",
            needed="A confirmation by somebody else for every new period.",
            now="This booking was confirmed for what it holds now; it can be made shorter.",
            owner=RELEASE_ENGINEER,
            action="Release it and ask anew",
            url=before.get_absolute_url(),
        )


def _takes_more(before: Booking, after: Booking) -> bool:
    """Whether ``after`` holds anything that ``before`` does not."""
    return (
        before.environment_id != after.environment_id
        or not before.covers(after.starts, after.ends)
        or (after.exclusive and not before.exclusive)
    )
