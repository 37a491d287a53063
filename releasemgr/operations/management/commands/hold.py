"""``manage.py hold``: stop everything, such as before the scheduler of a restored copy starts."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from releasemgr.operations.operator import operator
from releasemgr.workflow.edit import create
from turnovers.models import Hold


class Command(BaseCommand):
    help = "Stop everything: no deployment task starts until the hold is lifted."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--by", required=True, help="User name of who stops it")
        parser.add_argument("--reason", required=True, help="Why; everybody reads it")

    def handle(self, *args: Any, **options: Any) -> None:
        by, reason = operator(options)
        hold = create(Hold(reason=reason, placed_by=by), by=by, reason=reason)
        self.stdout.write(f"Everything is held (hold {hold.pk}). Lift it with: manage.py release")
