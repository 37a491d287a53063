"""What carries out an automated task: one small class each, behind one interface.

``problems`` says what a task still lacks; ``get`` finds an executor by the key stored on the task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from turnovers.executors.awx import Awx
from turnovers.executors.base import (
    ON_WORKER,
    CalledBack,
    Executor,
    Following,
    Outcome,
    SecretRefused,
    TaskContext,
)
from turnovers.executors.checkpoint import Checkpoint
from turnovers.executors.command import Command
from turnovers.executors.github import GitHub
from turnovers.executors.gitlab import GitLab
from turnovers.executors.go import GoPoint
from turnovers.executors.jenkins import Jenkins
from turnovers.executors.wait import Wait
from turnovers.executors.webhook import Webhook

if TYPE_CHECKING:
    from turnovers.models import DeploymentTask

EXECUTORS: dict[str, Executor] = {
    executor.key: executor
    for executor in (
        GoPoint(),
        Webhook(),
        Command(),
        Jenkins(),
        GitHub(),
        GitLab(),
        Awx(),
        Wait(),
        Checkpoint(),
    )
}

__all__ = [
    "EXECUTORS",
    "ON_WORKER",
    "CalledBack",
    "Executor",
    "Following",
    "Outcome",
    "SecretRefused",
    "TaskContext",
    "get",
    "problems",
]


def get(key: str) -> Executor:
    """Return the executor of that key; raises ``KeyError`` where there is none."""
    return EXECUTORS[key]


def problems(task: DeploymentTask) -> list[str]:
    """What stops the task from being delivered, in sentences; [] where it is ready."""
    if task.is_manual:
        return [] if task.owner_id or task.owner_group_id else ["A person or a group who does it."]
    if task.executor not in EXECUTORS:
        return ["Something that carries it out: choose one."]
    return EXECUTORS[task.executor].problems(task.parameters)
