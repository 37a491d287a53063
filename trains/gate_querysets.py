"""Which checks are due, and which waivers wait or have run out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from releasemgr.workflow.models import RecordedQuerySet, WorkflowQuerySet
from trains.querysets import OPEN_TRAIN
from trains.words import that_hold

if TYPE_CHECKING:
    from releasemgr.accounts.models import User

#: The states of a train in which a gate is ahead, or being decided upon.
BEFORE = {
    "scoping": OPEN_TRAIN[:2],
    "construction": OPEN_TRAIN[:4],
    "qa": OPEN_TRAIN[:6],
}


def not_passed(gate: str) -> Q:
    """Rows whose gate, by the relation of that name, is not passed yet."""
    found = Q()
    for stage, states in BEFORE.items():
        found |= Q(**{f"{gate}__stage": stage, f"{gate}__train__state__in": states})
    return found


def red_at_gate() -> Q:
    """Criteria before whose gate the train stands and whose check says no, or nothing of use."""
    here = Q(gate__stage="scoping", gate__train__state="scoping")
    here |= Q(gate__stage="construction", gate__train__state="construction")
    here |= Q(gate__stage="qa", gate__train__state="verification")
    red = Q(watch__outcome="failed") | Q(watch__fresh_until__lte=Now())
    red |= Q(watch__fresh_until=None) & ~Q(watch__trouble="")
    return here & red & ~Q(checked_by="") & ~Q(state="waived")


class WatchQuerySet(models.QuerySet[Any]):
    def due(self) -> WatchQuerySet:
        """Those to be looked at now, by the database's clock, on gates that are still ahead."""
        idle = Q(lease_until__isnull=True) | Q(lease_until__lte=Now())
        return (
            self.filter(idle, next_at__lte=Now())
            .exclude(criterion__checked_by="")
            .filter(not_passed("criterion__gate"))
        )

    def unhinted(self) -> WatchQuerySet:
        """Those of which no worker has been told just now."""
        return self.filter(Q(hinted_until__isnull=True) | Q(hinted_until__lte=Now()))


class WaiverQuerySet(WorkflowQuerySet):
    def visible_to(self, user: User) -> WaiverQuerySet:
        """Whoever may see criteria may see what was waived, and why."""
        return self if user.has_perm("trains.view_criterion") else self.none()

    def with_facts(self) -> WaiverQuerySet:
        """With what its page and its steps read of it."""
        return self.select_related("criterion__gate__train", "criterion__watch").select_related(
            "asked_by", "decided_by"
        )

    def matching(self, words: str) -> WaiverQuerySet:
        """Those whose criterion, reason or scope holds every word."""
        found: WaiverQuerySet = that_hold(self, words, "criterion__title", "reason", "scope")
        return found.select_related("criterion")

    def live(self) -> WaiverQuerySet:
        return self.filter(state__in=["requested", "granted"])

    def run_out(self) -> WaiverQuerySet:
        """Granted ones whose last day has passed while their gate is still ahead."""
        granted = self.filter(state="granted", until__lt=timezone.localdate())
        return granted.filter(not_passed("criterion__gate"))

    def waiting_for(self, user: User) -> WaiverQuerySet:
        """Those asked for by others, of criteria of others, for whoever may grant them."""
        if not user.has_perm("trains.waive_criterion"):
            return self.none()
        asked = self.filter(state="requested").filter(not_passed("criterion__gate"))
        return asked.exclude(asked_by=user).exclude(criterion__owner=user)


class LibraryQuerySet(RecordedQuerySet):
    def offered(self, words: str = "") -> LibraryQuerySet:
        """Those to copy from, whose title or description holds every word."""
        rows = self.filter(is_active=True)
        found: LibraryQuerySet = that_hold(rows, words, "title", "description")
        return found
