"""Turnovers, their plans, and the runs that carry them out."""

from turnovers.models.attempts import Attempt, Callback, Followed, Heartbeat, LateWord
from turnovers.models.bridge import Note, Presence, ReviewAction
from turnovers.models.exceptions import FreezeException
from turnovers.models.holds import AllowedCommand, Hold, Secret, SecretValue
from turnovers.models.plans import Content, Delivery, DeploymentTask, LiveTasks, TurnoverWork
from turnovers.models.runs import Run
from turnovers.models.task_runs import TaskRun
from turnovers.models.turnovers import Turnover

__all__ = [
    "AllowedCommand",
    "Attempt",
    "Callback",
    "Content",
    "Delivery",
    "DeploymentTask",
    "Followed",
    "FreezeException",
    "Heartbeat",
    "Hold",
    "LateWord",
    "LiveTasks",
    "Note",
    "Presence",
    "ReviewAction",
    "Run",
    "Secret",
    "SecretValue",
    "TaskRun",
    "Turnover",
    "TurnoverWork",
]
