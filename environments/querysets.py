from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Now
from django.utils import timezone

from releasemgr.workflow.models import WorkflowQuerySet

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from environments.models import Booking, Environment
    from releasemgr.accounts.models import User


class EnvironmentQuerySet(WorkflowQuerySet):
    def online(self) -> EnvironmentQuerySet:
        """Those that can be booked and deployed to."""
        return self.filter(state="online")

    def in_use(self) -> EnvironmentQuerySet:
        """All but the decommissioned."""
        return self.exclude(state="decommissioned")

    def kinds(self) -> QuerySet[Environment, str]:
        """The kinds that there are, by name."""
        return self.order_by("kind").values_list("kind", flat=True).distinct()

    def matching(self, words: str) -> EnvironmentQuerySet:
        """Those whose name, kind, owner or description holds every word."""
        found = self
        for word in words.split()[:8]:
            found = found.filter(
                Q(name__icontains=word)
                | Q(kind__icontains=word)
                | Q(owner_name__icontains=word)
                | Q(description__icontains=word)
            )
        return found

    def narrowed(self, *, kind: str, state: str, production: str) -> EnvironmentQuerySet:
        """Those of a kind, in a state ("" for all in use, "all" for all), in production or not."""
        found = self.filter(kind=kind) if kind else self
        if state == "":
            found = found.in_use()
        elif state != "all":
            found = found.filter(state=state)
        return found.filter(is_production=production == "yes") if production else found

    def with_holders(self) -> EnvironmentQuerySet:
        """With ``holder_id`` and ``next_id``, who holds each now and who is next, by booking id."""
        now = timezone.now()
        bookings = self.model._meta.get_field("bookings").related_model.objects.holding()
        of_this = bookings.filter(environment=OuterRef("pk")).by_time().values("pk")
        holding = of_this.filter(starts__lte=now, ends__gt=now)
        rows: EnvironmentQuerySet = self.annotate(
            holder_id=Subquery(holding[:1]),
            next_id=Subquery(of_this.filter(starts__gt=now)[:1]),
        )
        return rows

    def free_in(self, starts: datetime, ends: datetime, *, exclusive: bool) -> EnvironmentQuerySet:
        """Those that such a booking could have for the whole period."""
        bookings = self.model._meta.get_field("bookings").related_model.objects.holding()
        held = bookings.filter(environment=OuterRef("pk")).overlapping(starts, ends)
        return self.exclude(Exists(held if exclusive else held.filter(exclusive=True)))


class BookingQuerySet(WorkflowQuerySet):
    def holding(self) -> BookingQuerySet:
        """Those that hold their environment."""
        return self.filter(state="confirmed")

    def live(self) -> BookingQuerySet:
        """Those that hold it or ask for it."""
        return self.filter(state__in=["requested", "confirmed"])

    def of_turnovers(self) -> BookingQuerySet:
        """The slots that turnovers made for themselves."""
        return self.filter(kind="turnover")

    def overlapping(self, starts: datetime, ends: datetime) -> BookingQuerySet:
        """Those that share an instant with the half-open period ``[starts, ends)``."""
        return self.filter(starts__lt=ends, ends__gt=starts)

    def clashing(
        self, environment: Environment, starts: datetime, ends: datetime, *, exclusive: bool
    ) -> BookingQuerySet:
        """The confirmed ones that forbid this one: any, for an exclusive; else the exclusive."""
        clashes = self.holding().filter(environment=environment).overlapping(starts, ends)
        return clashes if exclusive else clashes.filter(exclusive=True)

    def current_and_coming(self) -> BookingQuerySet:
        return self.filter(ends__gt=Now())

    def past(self) -> BookingQuerySet:
        return self.filter(ends__lte=Now())

    def waiting_for(self, user: User) -> BookingQuerySet:
        """Requests that this person may confirm, and that are not over."""
        if not user.has_perm("environments.confirm_booking"):
            return self.none()
        asked = self.current_and_coming().filter(state="requested")
        return asked.exclude(requested_by=user)

    def in_clash(self) -> BookingQuerySet:
        """The requested ones that a confirmed one stands in the way of."""
        others = self.model.objects.holding().filter(
            environment=OuterRef("environment"),
            starts__lt=OuterRef("ends"),
            ends__gt=OuterRef("starts"),
        )
        return self.filter(state="requested").filter(
            Q(exclusive=True) & Exists(others) | Exists(others.filter(exclusive=True))
        )

    def wanting(self, booking: Booking) -> BookingQuerySet:
        """The requests that ``booking``, which is confirmed, stands in the way of."""
        others = self.filter(state="requested", environment=booking.environment_id)
        overlapping = others.exclude(pk=booking.pk).overlapping(booking.starts, booking.ends)
        return overlapping if booking.exclusive else overlapping.filter(exclusive=True)

    def matching(self, words: str) -> BookingQuerySet:
        """Those whose title, note or environment holds every word."""
        found = self
        for word in words.split()[:8]:
            found = found.filter(
                Q(title__icontains=word)
                | Q(note__icontains=word)
                | Q(environment__name__icontains=word)
            )
        return found

    def by_time(self) -> BookingQuerySet:
        return self.order_by(F("starts"), "pk")
