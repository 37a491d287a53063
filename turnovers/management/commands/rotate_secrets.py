"""``manage.py rotate_secrets``: seal every secret with the first of SECRETS_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from turnovers import vault


class Command(BaseCommand):
    help = "Seal every secret with the first of SECRETS_KEYS; afterwards the others may go."

    def handle(self, *args: Any, **options: Any) -> None:
        sealed, unreadable = vault.rotate()
        self.stdout.write(f"Sealed with the first key: {sealed}.")
        if unreadable:
            raise CommandError(
                f"No key of SECRETS_KEYS opens these, so set them anew: {', '.join(unreadable)}."
            )
