"""``manage.py describe_states > docs/states.md``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from releasemgr.workflow.describe import document


class Command(BaseCommand):
    help = "Print every record's states and steps as Markdown (docs/states.md)."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(document(), ending="")
