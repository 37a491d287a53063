"""Checks of criteria that need the outside, or know what a turnover is."""

from __future__ import annotations

from trains import checking
from turnovers.evidence.answer import Condition
from turnovers.evidence.ci import PipelineStatus
from turnovers.evidence.verified import VerifiedSomewhere


def register() -> None:
    """Let criteria be checked by these; called once, when all apps are ready."""
    for check in (Condition(), PipelineStatus(), VerifiedSomewhere()):
        checking.register(check)
