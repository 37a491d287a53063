"""A mark in the run that nothing is done at."""

from __future__ import annotations

from django import forms

from turnovers.executors.base import Executor, Outcome, TaskContext


class CheckpointForm(forms.Form):
    """A checkpoint asks for nothing."""


class Checkpoint(Executor):
    """Succeeds at once. It parts phases, and shows in the history when a run passed it."""

    key = "checkpoint"
    name = "Checkpoint"
    icon = "flag"
    is_instant = True
    form = CheckpointForm

    def run(self, context: TaskContext) -> Outcome:
        return Outcome(succeeded=True, detail="Passed.")
