"""The words of files for states, and ours for theirs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from environments.models import BookingKind, BookingState, EnvironmentState
from releasemgr.exchange.readings import deployed_at, milestone_due
from trains.states import MilestoneState, ReleaseState, TrainState, WorkKind, WorkState
from turnovers.states import TurnoverState

if TYPE_CHECKING:
    import datetime as dt

    from releasemgr.exchange.places import Object

TRAIN_STATES = {
    "planned": TrainState.SCOPING,
    "in-progress": TrainState.CONSTRUCTION,
    "released": TrainState.CLOSED,
    "end-of-life": TrainState.CLOSED,
    "abandoned": TrainState.CANCELLED,
    "not-completed": TrainState.CANCELLED,
    "rolled-back": TrainState.CANCELLED,
}
RELEASE_STATES = {
    "planned": ReleaseState.PLANNING,
    "in-progress": ReleaseState.EXECUTING,
    "released": ReleaseState.CLOSED,
    "abandoned": ReleaseState.CANCELLED,
    "cancelled": ReleaseState.CANCELLED,
    "no-release": ReleaseState.CANCELLED,
    "not-completed": ReleaseState.CANCELLED,
}
#: The other way: what a file says of a state that was reached here.
TRAIN_WORDS = {
    TrainState.SCOPING: "planned",
    TrainState.AWAITING_TRAIN: "planned",
    TrainState.CLOSED: "released",
    TrainState.CANCELLED: "abandoned",
}
RELEASE_WORDS = {
    ReleaseState.PLANNING: "planned",
    ReleaseState.CLOSED: "released",
    ReleaseState.CANCELLED: "cancelled",
}
WORK_STATES = {
    "done": WorkState.DONE,
    "merged": WorkState.DONE,
    "closed": WorkState.DONE,
    "resolved": WorkState.DONE,
    "in-progress": WorkState.PROGRESS,
    "in progress": WorkState.PROGRESS,
    "deferred": WorkState.DEFERRED,
    "abandoned": WorkState.DEFERRED,
    "cancelled": WorkState.DEFERRED,
}
WORK_WORDS = {
    WorkState.PROPOSED: "open",
    WorkState.PROGRESS: "in-progress",
    WorkState.DONE: "done",
    WorkState.DEFERRED: "deferred",
}
#: Words of sources that tell the kind; every other one is a development task.
REQUESTS = {"feature", "features", "enhancement", "enhancements", "request", "added"}
DEFECTS = {"bug", "bugs", "bug fix", "bug fixes", "bugfix", "defect", "fixes", "fixed", "security"}
BOOKING_KINDS = {"maintenance": BookingKind.MAINTENANCE, "outage": BookingKind.OUTAGE}


@dataclass(frozen=True)
class Surroundings:
    """What a state follows from besides the object itself."""

    snapshot: dt.date
    train: Object = field(default_factory=dict)


def work_kind(raw: Object) -> str:
    word = raw.get("kind", "").strip().lower()
    if word in REQUESTS:
        return WorkKind.REQUEST
    return WorkKind.DEFECT if word in DEFECTS else WorkKind.TASK


def work_state(raw: Object) -> str:
    return WORK_STATES.get(raw.get("state", "").strip().lower(), WorkState.PROPOSED)


def train_state(raw: Object, around: Surroundings) -> str:
    return TRAIN_STATES[raw["status"]]


def release_state(raw: Object, around: Surroundings) -> str:
    """Where the file is silent, the train's status speaks for the release."""
    if "status" in raw:
        return RELEASE_STATES[raw["status"]]
    over = {TrainState.CLOSED: ReleaseState.CLOSED, TrainState.CANCELLED: ReleaseState.CANCELLED}
    return over.get(TRAIN_STATES[around.train["status"]], ReleaseState.PLANNING)


def milestone_state(raw: Object, around: Surroundings) -> str:
    """What happened, or lay in the past when the data were taken, was reached."""
    due = milestone_due(raw)
    if raw.get("actual") or (due is not None and due < around.snapshot):
        return MilestoneState.COMPLETED
    return MilestoneState.OPEN


def environment_state(raw: Object, around: Surroundings) -> str:
    if raw.get("disabled") or not raw.get("active", True):
        return EnvironmentState.OFFLINE
    return EnvironmentState.ONLINE


def booking_state(raw: Object, around: Surroundings) -> str:
    return BookingState.CONFIRMED


def turnover_state(raw: Object, around: Surroundings) -> str:
    """What was deployed is over; what was not, is over where its train is, else a draft."""
    train = TRAIN_STATES[around.train["status"]]
    over = train in {TrainState.CLOSED, TrainState.CANCELLED}
    if deployed_at(raw) or "outcome" in raw:
        return TurnoverState.CLOSED if over else TurnoverState.VERIFIED
    return TurnoverState.CANCELLED if over else TurnoverState.DRAFT


def milestone_says(state: str, raw: Object) -> Object:
    return {"actual": True} if state == MilestoneState.COMPLETED else {}


def environment_says(state: str, raw: Object) -> Object:
    return {"active": state == EnvironmentState.ONLINE}


def turnover_says(state: str, raw: Object) -> Object:
    deployed = {TurnoverState.DEPLOYED, TurnoverState.VERIFIED, TurnoverState.CLOSED}
    return {"outcome": "succeeded"} if state in deployed else {}
