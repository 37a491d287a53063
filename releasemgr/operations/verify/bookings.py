"""V9: confirmed bookings of one environment overlap only where both are shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Case, F, Max, Q, RowRange, When, Window

from environments.models import Booking, BookingState
from releasemgr.operations.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator


def holders_do_not_overlap() -> Iterator[Violation]:
    """V9: each is held against the latest end of all that began before it."""
    before: dict[str, Any] = {
        "partition_by": ["environment"],
        "order_by": ["starts", "pk"],
        "frame": RowRange(end=-1),
    }
    confirmed: Any = Booking.objects.filter(state=BookingState.CONFIRMED).annotate(
        held_until=Window(Max("ends"), **before),
        held_alone_until=Window(Max(Case(When(exclusive=True, then="ends"))), **before),
    )
    overlap = Q(exclusive=True, held_until__gt=F("starts")) | Q(held_alone_until__gt=F("starts"))
    for row in confirmed.filter(overlap).order_by("environment", "starts").iterator():
        yield Violation(
            "It begins before an earlier booking of its environment ends, and one is exclusive.",
            f"environments.booking {row.pk}",
            row.get_absolute_url(),
        )
