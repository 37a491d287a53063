"""``manage.py release``: lift a hold on everything."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError

from releasemgr.operations.operator import operator
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from turnovers.models import Hold
from turnovers.states import HoldScope


class Command(BaseCommand):
    help = "Lift a hold on everything; what waits goes on, in order."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--by", required=True, help="User name of who lets it go on")
        parser.add_argument("--reason", required=True, help="Why; everybody reads it")
        parser.add_argument("--hold", type=int, help="Its number, where there are several")

    def handle(self, *args: Any, **options: Any) -> None:
        by, reason = operator(options)
        hold = self._choose(options["hold"])
        try:
            perform(hold, "lift", by=by, reason=reason)
        except (PermissionDenied, TransitionRefused) as refused:
            raise CommandError(str(refused)) from refused
        left = Hold.objects.active().count()
        more = f" {left} more are active." if left else ""
        self.stdout.write(f"Hold {hold.pk} is lifted.{more}")

    def _choose(self, number: int | None) -> Hold:
        """The one that is meant: with several, each may have a reason of its own."""
        active: Any = Hold.objects.active().filter(scope=HoldScope.ALL)
        holds: list[Hold] = list(active if number is None else active.filter(pk=number))
        if not holds:
            raise CommandError("There is no such hold on everything.")
        if len(holds) > 1:
            rows = "\n".join(f"  {hold.pk}  {hold.placed_by}: {hold.reason}" for hold in holds)
            raise CommandError(f"Several hold everything. Name one with --hold:\n{rows}")
        return holds[0]
