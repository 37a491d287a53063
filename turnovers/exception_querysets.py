"""Which exceptions from freezes wait, count, or are over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils import timezone

from releasemgr.workflow.models import WorkflowQuerySet
from trains.words import that_hold

if TYPE_CHECKING:
    import datetime as dt

    from releasemgr.accounts.models import User


class ExceptionQuerySet(WorkflowQuerySet):
    def visible_to(self, user: User) -> ExceptionQuerySet:
        """Whoever may see turnovers may see what a freeze let pass, and why."""
        return self if user.has_perm("turnovers.view_turnover") else self.none()

    def open(self) -> ExceptionQuerySet:
        """Those that nobody has decided."""
        return self.filter(state="asked")

    def counting(self, at: dt.datetime) -> ExceptionQuerySet:
        """Granted ones that have not expired."""
        return self.filter(state="granted", expires__gt=at)

    def waiting_for(self, user: User) -> ExceptionQuerySet:
        """Those asked for by others, for work of others, for whoever may grant them."""
        if not user.has_perm("turnovers.decide_exception"):
            return self.none()
        asked = self.open().filter(freeze__state="in_force", expires__gt=timezone.now())
        mine = Q(asked_by=user) | Q(turnover__author=user) | Q(release__owner=user)
        return asked.exclude(pk__in=self.model.objects.filter(mine).values("pk"))

    def with_facts(self) -> ExceptionQuerySet:
        """With what its row, its page and its steps read of it."""
        rows: ExceptionQuerySet = self.select_related(
            "freeze", "turnover", "release__application", "asked_by", "decided_by"
        )
        return rows

    def matching(self, words: str) -> ExceptionQuerySet:
        """Those whose freeze, work or reason holds every word."""
        where = ("freeze__name", "turnover__title", "release__application__name", "reason")
        found: ExceptionQuerySet = that_hold(self, words, *where)
        return found
