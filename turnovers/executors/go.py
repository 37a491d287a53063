"""A point at which a person decides whether the run goes on."""

from __future__ import annotations

from turnovers.executors.base import Executor, Outcome, TaskContext
from turnovers.executors.checkpoint import CheckpointForm


class GoPoint(Executor):
    """Its owner says go or no go. No worker ever takes it."""

    key = "go"
    name = "Go or no-go"
    icon = "user-check"
    is_instant = True
    form = CheckpointForm

    def run(self, context: TaskContext) -> Outcome:
        """Refuse: only a person's word completes it."""
        return Outcome(succeeded=False, detail="A person says go or no go here.")
