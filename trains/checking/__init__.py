"""What finds out whether a criterion is true: one small class each, behind one interface.

The apps above register theirs when all apps are ready; ``get`` finds one by the key stored on the
criterion.
"""

from __future__ import annotations

from trains.checking.base import Check, Finding, failed, passed, unknown
from trains.checking.here import NoOpenClash, WorkItemsDone

CHECKS: dict[str, Check] = {}

__all__ = ["CHECKS", "Check", "Finding", "failed", "get", "passed", "register", "unknown"]


def register(check: Check) -> None:
    """Let criteria be checked by it. Raises ``ValueError`` where another has its key."""
    if type(CHECKS.setdefault(check.key, check)) is not type(check):
        raise ValueError(f"Two checks have the key {check.key}.")


def get(key: str) -> Check | None:
    """The check of that key; none where it was taken out since."""
    return CHECKS.get(key)


for own in (WorkItemsDone(), NoOpenClash()):
    register(own)
