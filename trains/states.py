"""The states of trains and of what rides them."""

from __future__ import annotations

from django.db import models

from releasemgr.workflow.states import Status


class TrainState(Status):
    SCOPING = "scoping", "run", "half", "Being planned and scoped", "Scoping"
    AWAITING_TRAIN = (
        "awaiting_train",
        "wait",
        "wait",
        "Scoping is done; approvers decide",
        "Awaiting train approval",
    )
    CONSTRUCTION = "construction", "run", "half", "Being built", "Construction"
    AWAITING_DEVELOPMENT = (
        "awaiting_development",
        "wait",
        "wait",
        "Construction is done; approvers decide",
        "Awaiting development approval",
    )
    VERIFICATION = "verification", "run", "half", "Being tested", "Verification"
    AWAITING_EXECUTIVE = (
        "awaiting_executive",
        "wait",
        "wait",
        "Tests are done; executives decide",
        "Awaiting executive approval",
    )
    DEPLOYMENT = "deployment", "run", "run", "Going to production", "Deployment"
    CLOSED = "closed", "ok", "done", "Verified in production; read-only", "Closed"
    CANCELLED = "cancelled", "mute", "cancel", "Stopped; reservations released", "Cancelled"


#: The states of trains that are over.
OVER = frozenset({TrainState.CLOSED, TrainState.CANCELLED})

#: The four stages in order, each with the states in which a train is in it.
STAGES: list[tuple[str, list[str]]] = [
    ("Scoping", ["scoping", "awaiting_train"]),
    ("Construction", ["construction", "awaiting_development"]),
    ("Verification", ["verification", "awaiting_executive"]),
    ("Deployment", ["deployment"]),
]


class Health(Status):
    """A train's status colour, with its reasons."""

    ON_TRACK = "on_track", "ok", "dot", "Nothing is late", "On track"
    ATTENTION = "attention", "warn", "warn", "Something is late or missing", "Attention"
    AT_RISK = "at_risk", "bad", "fail", "The end date is in danger", "At risk"


class GateStage(models.TextChoices):
    SCOPING = "scoping", "Scoping"
    CONSTRUCTION = "construction", "Construction"
    QA = "qa", "QA"


class GateStatus(Status):
    """A gate as people see it: computed from the train's state and the gate's criteria."""

    NOT_REACHED = "not_reached", "mute", "todo", "An earlier stage is still running", "Not reached"
    ASSESSING = "assessing", "run", "half", "Criteria are being met", "In assessment"
    READY = "ready", "you", "ready", "All criteria are met", "Ready"
    APPROVAL = "approval", "wait", "wait", "Approvers are deciding", "Waiting for approval"
    PASSED = "passed", "ok", "done", "The next stage has started", "Passed"
    WAIVED = "waived", "warn", "waived", "At least one criterion was waived", "Passed with waiver"


class CriterionState(Status):
    OPEN = "open", "bad", "todo", "Required and not yet true", "Open"
    MET = "met", "ok", "done", "True, with evidence", "Met"
    REJECTED = "rejected", "bad", "reject", "Found not to be true", "Rejected"
    WAIVED = "waived", "warn", "waived", "Not needed, with reason and name", "Waived"


class CriterionStanding(Status):
    """A criterion as people see it: its state, and what its check and its waiver add to that."""

    OPEN = "open", "bad", "todo", "Required and not yet true", "Open"
    NOT_RUN = "not_run", "bad", "todo", "Its check has never answered", "Not run"
    RUNNING = "running", "run", "run", "Its check is under way", "Running"
    HOLDING = "holding", "run", "half", "True, but not for long enough yet", "Green, must hold"
    MET = "met", "ok", "done", "True, with evidence", "Met"
    REJECTED = "rejected", "bad", "reject", "Found not to be true", "Rejected"
    FAILED = "failed", "bad", "fail", "Its check says that it is not true", "Failed"
    STALE = "stale", "warn", "sched", "The last answer of its check is too old to count", "Stale"
    WAIVED = "waived", "warn", "waived", "Not needed, with reason and name", "Waived"
    EXPIRED = "expired", "bad", "waived", "Its waiver has run out", "Waiver expired"


class CheckOutcome(Status):
    """What one run of a check came to."""

    PASSED = "passed", "ok", "done", "It is true", "Passed"
    FAILED = "failed", "bad", "fail", "It is not true", "Failed"
    UNKNOWN = "unknown", "warn", "warn", "It could not be found out", "No answer"


class WaiverState(Status):
    REQUESTED = "requested", "wait", "wait", "Somebody else has to grant it", "Asked for"
    GRANTED = "granted", "warn", "waived", "The gate is passed without it", "Granted"
    REFUSED = "refused", "bad", "reject", "Not granted, with a reason", "Refused"
    WITHDRAWN = "withdrawn", "mute", "cancel", "No longer asked for", "Withdrawn"
    REVOKED = "revoked", "mute", "cancel", "Taken back; it is needed again", "Revoked"
    EXPIRED = "expired", "mute", "sched", "Its last day has passed", "Expired"


class MilestoneState(Status):
    OPEN = "open", "mute", "dia", "Ahead", "Open"
    COMPLETED = "completed", "ok", "diaf", "Reached", "Completed"
    MISSED = "missed", "bad", "diaf", "The date passed without it", "Missed"


class ReleaseState(Status):
    PLANNING = "planning", "mute", "draft", "Not started", "Planning"
    EXECUTING = "executing", "run", "half", "Being built", "Executing"
    COMPLETE = (
        "complete",
        "ok",
        "accept",
        "Built; nothing is added any more",
        "Construction complete",
    )
    CLOSED = "closed", "ok", "done", "Done", "Closed"
    CANCELLED = "cancelled", "mute", "cancel", "Will not be released", "Cancelled"


class BoardingState(Status):
    REQUESTED = "requested", "wait", "wait", "Asks for a place on the train", "Requested"
    ABOARD = "aboard", "ok", "accept", "Rides the train", "Aboard"
    REJECTED = "rejected", "bad", "reject", "Not taken aboard, with a reason", "Rejected"
    LEFT = "left", "mute", "cancel", "No longer rides the train", "Left"


class Criticality(models.TextChoices):
    REQUIRED = "required", "Required"
    CRITICAL = "critical", "Critical"
    DESIRABLE = "desirable", "Desirable"
    OPTIONAL = "optional", "Optional"


class WorkKind(models.TextChoices):
    REQUEST = "request", "Business request"
    TASK = "task", "Development task"
    DEFECT = "defect", "Defect"


class WorkState(Status):
    PROPOSED = "proposed", "mute", "draft", "Not started", "Proposed"
    PROGRESS = "progress", "run", "half", "Being worked on", "In progress"
    DONE = "done", "ok", "done", "Finished", "Done"
    DEFERRED = "deferred", "mute", "skip", "Not in this release", "Deferred"


class CadenceState(Status):
    ACTIVE = "active", "run", "sched", "Makes the next train by itself", "Active"
    PAUSED = "paused", "warn", "hold", "Makes no train until it is resumed", "Paused"
    ENDED = "ended", "mute", "done", "Makes no more trains", "Ended"


class FreezeState(Status):
    IN_FORCE = "in_force", "warn", "hold", "What it covers is stopped in its periods", "In force"
    LIFTED = "lifted", "mute", "done", "It stops nothing any more", "Lifted"


class FreezeScope(models.TextChoices):
    """Where a freeze counts."""

    ALL = "all", "Everything"
    KIND = "kind", "One kind of environment"
    ENVIRONMENT = "environment", "One environment"
    APPLICATION = "application", "One application"
    TRAIN = "train", "One train"


class FreezeStops(models.TextChoices):
    """What a freeze stops."""

    DEPLOYMENTS = "deployments", "Deployments: no turnover starts, and no task of one begins"
    SCOPE = "scope", "Scope changes: what the train carries stays as it is"


class Recurrence(models.TextChoices):
    """How often a period comes again."""

    NONE = "none", "Once"
    WEEKLY = "weekly", "Every week"
    MONTHLY = "monthly", "Every month"
    YEARLY = "yearly", "Every year"
