"""The states of turnovers, runs, tasks and holds."""

from __future__ import annotations

from django.db import models

from releasemgr.workflow.states import Status


class TurnoverState(Status):
    DRAFT = "draft", "mute", "draft", "Editable; nobody waits", "Being defined"
    DELIVERED = "delivered", "wait", "wait", "Waits for release engineering", "Delivered"
    READY = "ready", "run", "sched", "Accepted; starts in its window", "Ready to deploy"
    DEPLOYING = "deploying", "run", "run", "Tasks are being carried out", "Deploying"
    DEPLOYED = "deployed", "ok", "up", "All tasks done; not yet verified", "Deployed"
    VERIFIED = "verified", "ok", "verified", "Checked; can be promoted", "Verified"
    CLOSED = "closed", "mute", "done", "Over", "Closed"
    FAILED = "failed", "bad", "fail", "Stopped on a failed task", "Deployment failed"
    CANCELLED = "cancelled", "mute", "cancel", "Will not run", "Cancelled"


class RunState(Status):
    RUNNING = "running", "run", "run", "Tasks are being carried out", "Running"
    SUCCEEDED = "succeeded", "ok", "done", "Every task is complete", "Succeeded"
    FAILED = "failed", "bad", "fail", "Stopped on a failed task", "Failed"
    ABORTED = "aborted", "warn", "cancel", "Stopped by a person", "Aborted"


class TaskState(Status):
    WAITING = "waiting", "mute", "todo", "Its turn has come; no worker has it yet", "Waiting"
    READY = "ready", "wait", "wait", "Waits for its owner", "Ready"
    RUNNING = "running", "run", "run", "Being carried out", "Running"
    SUCCEEDED = "succeeded", "ok", "done", "Complete", "Succeeded"
    UNKNOWN = "unknown", "bad", "warn", "Whether it happened is not known", "Unknown"
    FAILED = "failed", "bad", "fail", "Did not succeed", "Failed"
    SKIPPED = "skipped", "mute", "skip", "Passed over, with a reason", "Skipped"
    CANCELLED = "cancelled", "mute", "cancel", "The run stopped before it", "Cancelled"


class RunKind(models.TextChoices):
    DEPLOY = "deploy", "Deployment"
    UNDO = "undo", "Undoing"


class IfLate(models.TextChoices):
    """What becomes of a turnover whose window has passed before it could start."""

    EXPIRE = "expire", "It expires: a new window has to be set"
    WAIT = "wait", "It waits, and starts as soon as it can"


class Verdict(models.TextChoices):
    """What people found out about a task whose ending is not known."""

    HAPPENED = "happened", "It happened"
    AGAIN = "again", "Run it again"
    FAILED = "failed", "It failed"


class HoldState(Status):
    ACTIVE = "active", "bad", "hold", "No task starts under it", "Held"
    LIFTED = "lifted", "mute", "done", "Work goes on", "Lifted"


class HoldScope(models.TextChoices):
    ALL = "all", "Everything"
    TRAIN = "train", "One train"
    ENVIRONMENT = "environment", "One environment"
    TURNOVER = "turnover", "One turnover"


#: States in which a turnover's plan may be changed.
EDITABLE = frozenset({"draft"})
#: States in which it has not begun, and may yet.
NOT_STARTED = frozenset({"draft", "delivered", "ready"})
#: States in which a turnover's environment is as good as given to it.
SETTLED = frozenset({"deployed", "verified", "closed"})
OVER = frozenset({"closed", "cancelled"})
#: States in which a list shows it under what is over.
PAST = OVER | {"verified"}
COMPLETE_TASK = frozenset({"succeeded", "skipped"})
LIVE_TASK = frozenset({"waiting", "ready", "running", "unknown"})


#: The step that comes next on the straight way, by state, and what it is for, in words.
NEXT_STEP = {
    TurnoverState.DRAFT: ("deliver", "delivery"),
    TurnoverState.DELIVERED: ("accept", "acceptance"),
    TurnoverState.READY: ("start", "the start"),
    TurnoverState.FAILED: ("retry", "another run"),
}


class ExceptionState(Status):
    ASKED = "asked", "wait", "wait", "Somebody else has to grant it", "Asked for"
    GRANTED = "granted", "warn", "waived", "The freeze does not stop it", "Granted"
    REFUSED = "refused", "bad", "reject", "Not granted, with a reason", "Refused"
    WITHDRAWN = "withdrawn", "mute", "cancel", "Taken back: the freeze stops it", "Withdrawn"
