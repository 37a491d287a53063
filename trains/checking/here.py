"""Checks of what trains themselves know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import Count, Q
from django.template.defaultfilters import pluralize

from environments.models import Booking
from trains.checking.base import Check, Finding, failed, passed
from trains.models import Reservation, WorkItem

if TYPE_CHECKING:
    from trains.models import Criterion, Train

SHOWN = 3


class WorkItemsDone(Check):
    """Every work item of the train and of what is aboard is done or deferred."""

    key = "work"
    name = "All work items done"
    explains = "True when every work item of the train and of what is aboard is done or deferred."
    icon = "list-checks"
    form = forms.Form

    def look(self, criterion: Criterion, train: Train, parameters: dict[str, Any]) -> Finding:
        items: Any = WorkItem.objects.of_train(train)
        settled = Q(state__in=["done", "deferred"])
        found = items.aggregate(total=Count("pk"), settled=Count("pk", filter=settled))
        total, left = found["total"], found["total"] - found["settled"]
        if not total:
            return failed("No work item is on record, so nothing shows that the work is done.")
        if not left:
            return passed(f"All {total} work item{pluralize(total)} are done or deferred.")
        named = items.unfinished().by_key()[:SHOWN]
        names = ", ".join(item.key or item.title for item in named)
        return failed(f"{left} of {total} work items are not done: {names}{_more(left)}.")


class NoOpenClash(Check):
    """No environment that the train asked for is held by somebody else."""

    key = "clash"
    name = "No open clash"
    explains = "True when none of the train's reservations clashes with another booking."
    icon = "calendar-x"
    form = forms.Form

    def look(self, criterion: Criterion, train: Train, parameters: dict[str, Any]) -> Finding:
        held = Reservation.objects.filter(train=train)
        clashing = held.filter(booking__in=Booking.objects.in_clash().values("pk"))
        names = list(clashing.values_list("booking__environment__name", flat=True))
        if not names:
            return passed(f"None of {held.count()} reservations clashes with another booking.")
        return failed(f"Booked twice: {', '.join(names[:SHOWN])}{_more(len(names))}.")


def _more(number: int) -> str:
    return f" and {number - SHOWN} more" if number > SHOWN else ""
