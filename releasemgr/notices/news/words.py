"""Words that all news have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from releasemgr.accounts.models import User


def because(by: User | None, did: str, reason: str) -> str:
    """Who did it and, where they said so, why."""
    who = str(by) if by is not None else "Somebody"
    return f"{who} {did}: {reason}" if reason.strip() else f"{who} {did}."
