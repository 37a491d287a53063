"""Who acts through a command: a person of the installation, with the permission for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from releasemgr.accounts.models import User
from turnovers.models import Hold
from turnovers.rules import may_hold

if TYPE_CHECKING:
    from collections.abc import Mapping


def operator(options: Mapping[str, Any]) -> tuple[User, str]:
    """The person and their reason; raises ``CommandError`` where one of them does not do."""
    by = User.objects.filter(username=options["by"], is_active=True).first()
    if by is None:
        raise CommandError(f"There is no active user “{options['by']}”.")
    if not may_hold(Hold(), by):
        raise CommandError(may_hold.sentence)
    reason = str(options["reason"]).strip()
    if not reason:
        raise CommandError("Say why.")
    return by, reason
