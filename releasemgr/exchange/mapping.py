"""What of each object has a field here, how it is read from the file and written back.

The file's own words are kept whole in ``extra``. That is what makes an import repeatable and an
export faithful: a value that nobody has changed here is compared, and written, as the file had it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from environments.models import Booking, BookingKind, BookingState, Environment, EnvironmentState
from releasemgr.exchange.reader import LONGEST_ID
from trains.models import Application, ApplicationRelease, Milestone, Team, Train, WorkItem
from trains.states import MilestoneState, ReleaseState, TrainState, WorkKind, WorkState
from turnovers.models import Turnover
from turnovers.states import TurnoverState

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Model

    from releasemgr.exchange.reader import Object

MOST_MINUTES = 100_000


class Unfit(Exception):
    """A value cannot be taken as it is; ``instead`` is what stands here for it."""

    def __init__(self, why: str, instead: Any) -> None:
        super().__init__(why)
        self.instead = instead


@dataclass(frozen=True)
class Held:
    """A field of ours: ``read`` makes its value of the object, ``write`` the other way round."""

    attr: str
    read: Callable[[Object], Any]
    write: Callable[[Any, Object], Object] = lambda value, raw: {}
    #: The kind whose id ``read`` answers with, where the field refers to another row.
    refers_to: str = ""


@dataclass(frozen=True)
class Surroundings:
    """What a state follows from besides the object itself."""

    snapshot: dt.date
    train: Object = field(default_factory=dict)


@dataclass(frozen=True)
class Kind:
    """A kind of object that becomes a row."""

    name: str
    label: str
    model: type[Model]
    held: tuple[Held, ...]
    #: The state that follows from the object, where the row has one.
    state: Callable[[Object, Surroundings], str] | None = None
    #: What the file would say of a state that was reached here.
    says: Callable[[str, Object], Object] = lambda state, raw: {}
    #: Why no row can be made of the object, or "".
    left_out: Callable[[Object], str] = lambda raw: ""


# --- Readers --------------------------------------------------------------------------------------


def fitted(text: str, longest: int) -> str:
    """The text, or as much of it as the field holds."""
    if len(text) > longest:
        raise Unfit(f"longer than {longest} characters: shortened", text[: longest - 1] + "…")
    return text


def text(name: str, longest: int, attr: str = "") -> Held:
    return Held(
        attr or name,
        lambda raw: fitted(raw.get(name, ""), longest),
        lambda value, raw: {name: value} if value else {},
    )


def same(name: str, attr: str = "", empty: Any = None) -> Held:
    """A value that both sides write alike."""
    return Held(
        attr or name,
        lambda raw: raw.get(name, empty),
        lambda value, raw: {name: value} if value not in (None, empty) else {},
    )


def date(name: str, attr: str = "") -> Held:
    return Held(
        attr or name,
        lambda raw: dt.date.fromisoformat(raw[name]) if name in raw else None,
        lambda value, raw: {name: value.isoformat()} if value else {},
    )


def moment_of(raw: Object, name: str) -> dt.datetime | None:
    return dt.datetime.fromisoformat(raw[name]) if name in raw else None


def moment(name: str, attr: str) -> Held:
    return Held(
        attr,
        lambda raw: moment_of(raw, name),
        lambda value, raw: {name: value.isoformat(timespec="seconds")} if value else {},
    )


def reference(name: str, kind: str) -> Held:
    return Held(
        name,
        lambda raw: raw.get(name),
        lambda value, raw: {name: value} if value else {},
        refers_to=kind,
    )


def web_address(url: str, longest: int) -> str:
    """The address, where it is one that a link can lead to."""
    if not url:
        return ""
    if len(url) > longest:
        raise Unfit(f"longer than {longest} characters: no link", "")
    try:
        URLValidator(schemes=["http", "https"])(url)
    except ValidationError:
        raise Unfit("not a web address: no link", "") from None
    return url


def is_production(raw: Object) -> bool:
    return "production" in {raw["kind"], raw.get("tier")}


def position(raw: Object) -> int:
    number = raw.get("order", 0)
    if number < 0:
        raise Unfit("below zero: taken as 0", 0)
    return int(number)


def milestone_due(raw: Object) -> dt.date | None:
    """The date that the object gives, in the format's order of precision."""
    window = raw.get("window")
    last = window.get("end") if isinstance(window, dict) else None
    for said in (raw.get("date"), raw.get("end_date"), raw.get("instant"), last):
        if isinstance(said, str):
            try:
                return dt.date.fromisoformat(said[:10])
            except ValueError:  # ``window`` is free, so it may hold anything
                continue
    return None


def release_end(raw: Object) -> dt.date | None:
    said = raw.get("date") or raw.get("planned_date")
    return dt.date.fromisoformat(said) if said else None


def work_title(raw: Object) -> str:
    return fitted(
        raw.get("title") or raw.get("id") or raw.get("url") or "Work item without a title", 1000
    )


def turnover_place(raw: Object) -> str | None:
    places = [*([raw["environment"]] if "environment" in raw else []), *raw.get("environments", [])]
    return places[0] if places else None


def deployed_at(raw: Object) -> dt.datetime | None:
    """When it was over: the latest moment given, else the day, from its beginning in UTC."""
    moments = [m for name in ("finished_at", "actual_at") if (m := moment_of(raw, name))]
    if moments:
        return max(moments)
    day = raw.get("actual_date")
    return dt.datetime.fromisoformat(f"{day}T00:00+00:00") if day else None


def instructions(raw: Object) -> str:
    lines = [f"Only if: {raw['condition']}"] if raw.get("condition") else []
    return "\n".join([*lines, *raw.get("commands", [])])


def estimate(raw: Object) -> int:
    minutes = int(raw.get("duration_minutes", 5))
    if not 0 <= minutes <= MOST_MINUTES:
        raise Unfit(f"not from 0 to {MOST_MINUTES:,} minutes: 5 stand there", 5)
    return minutes


# --- Words for states -----------------------------------------------------------------------------

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


def _milestone_says(state: str, raw: Object) -> Object:
    return {"actual": True} if state == MilestoneState.COMPLETED else {}


def _environment_says(state: str, raw: Object) -> Object:
    return {"active": state == EnvironmentState.ONLINE}


def _turnover_says(state: str, raw: Object) -> Object:
    deployed = {TurnoverState.DEPLOYED, TurnoverState.VERIFIED, TurnoverState.CLOSED}
    return {"outcome": "succeeded"} if state in deployed else {}


def _booking_left_out(raw: Object) -> str:
    if "environment" not in raw:
        return "it names no environment of the file"
    return "it begins and ends at the same moment" if _is_empty(raw) else ""


def _is_empty(raw: Object) -> bool:
    return dt.datetime.fromisoformat(raw["start"]) == dt.datetime.fromisoformat(raw["end"])


def _milestone_left_out(raw: Object) -> str:
    if raw.get("status") == "removed-from-schedule":
        return "it was removed from the schedule"
    return "" if milestone_due(raw) else "it has no date"


# --- The kinds ------------------------------------------------------------------------------------

TEAM = Kind("team", "Teams", Team, (text("name", 200),))
APPLICATION = Kind(
    "application",
    "Applications",
    Application,
    (
        text("name", 200),
        reference("team", "team"),
        Held(
            "kind",
            lambda raw: fitted(raw.get("type") or raw.get("kind", ""), 100),
            lambda value, raw: {"type" if "type" in raw else "kind": value} if value else {},
        ),
        same("repositories", empty=[]),
        text("tracker", 500),
    ),
)
ENVIRONMENT = Kind(
    "environment",
    "Environments",
    Environment,
    (
        text("name", 200),
        text("kind", 60),
        text("description", 100_000),
        text("owner", 200, "owner_name"),
        reference("parent", "environment"),
        Held(
            "is_production",
            is_production,
            lambda value, raw: {"tier": "production" if value else "integration-test"},
        ),
        Held("position", position, lambda value, raw: {"order": value}),
        text("host", 300),
        same("services", empty=[]),
    ),
    environment_state,
    _environment_says,
)
RESERVATION = Kind(
    "reservation",
    "Bookings",
    Booking,
    (
        reference("environment", "environment"),
        Held("kind", lambda raw: BOOKING_KINDS.get(raw["kind"], BookingKind.OTHER)),
        Held(
            "title",
            lambda raw: fitted(raw.get("title") or raw["kind"].capitalize(), 300),
            lambda value, raw: {"title": value},
        ),
        moment("start", "starts"),
        moment("end", "ends"),
    ),
    booking_state,
    left_out=_booking_left_out,
)
TRAIN = Kind(
    "train",
    "Trains",
    Train,
    (
        text("name", 200),
        text("version", 100, "version_name"),
        text("purpose", 100_000),
        date("start"),
        date("end"),
        Held(
            "source_status",
            lambda raw: fitted(raw.get("status_in_source", "") or raw["status"], 60),
        ),
    ),
    train_state,
    lambda state, raw: {"status": TRAIN_WORDS.get(TrainState(state), "in-progress")},
)
MILESTONE = Kind(
    "milestone",
    "Milestones",
    Milestone,
    (
        text("name", 300, "title"),
        Held("due", milestone_due, lambda value, raw: {"date": value.isoformat()}),
        Held("train", lambda raw: raw["train"], refers_to="train"),
    ),
    milestone_state,
    _milestone_says,
    _milestone_left_out,
)
RELEASE = Kind(
    "application_release",
    "Application releases",
    ApplicationRelease,
    (
        reference("application", "application"),
        text("version", 100, "version_name"),
        text("note", 100_000, "description"),
        Held(
            "end",
            release_end,
            lambda value, raw: (
                {"date" if "date" in raw else "planned_date": value.isoformat()} if value else {}
            ),
        ),
        Held("source_status", lambda raw: fitted(raw.get("status", ""), 60)),
    ),
    release_state,
    lambda state, raw: {"status": RELEASE_WORDS.get(ReleaseState(state), "in-progress")},
)
WORK_ITEM = Kind(
    "work_item",
    "Work items",
    WorkItem,
    (
        Held("train", lambda raw: raw.get("train"), refers_to="train"),
        Held("release", lambda raw: raw.get("release"), refers_to="application_release"),
        Held("kind", work_kind, lambda value, raw: {"kind": value}),
        text("id", 200, "key"),
        Held("title", work_title, lambda value, raw: {"title": value}),
        Held(
            "url",
            lambda raw: web_address(raw.get("url", ""), 500),
            lambda value, raw: {"url": value} if value else {},
        ),
        Held("state", work_state, lambda value, raw: {"state": WORK_WORDS[WorkState(value)]}),
    ),
)
TURNOVER = Kind(
    "turnover",
    "Turnovers",
    Turnover,
    (
        text("name", 200, "title"),
        Held("train", lambda raw: raw["train"], refers_to="train"),
        Held(
            "environment",
            turnover_place,
            lambda value, raw: {"environment": value},
            refers_to="environment",
        ),
        moment("scheduled_at", "earliest"),
        Held(
            "deployed_at",
            deployed_at,
            lambda value, raw: (
                {"finished_at": value.isoformat(timespec="seconds")} if value else {}
            ),
        ),
    ),
    turnover_state,
    _turnover_says,
    lambda raw: "" if turnover_place(raw) else "it names no environment",
)
#: In the order in which rows need each other.
KINDS = (
    TEAM,
    APPLICATION,
    ENVIRONMENT,
    RESERVATION,
    TRAIN,
    MILESTONE,
    RELEASE,
    WORK_ITEM,
    TURNOVER,
)
TASK_FIELDS: tuple[Held, ...] = (
    Held("order", lambda raw: raw["order"]),
    Held(
        "title",
        lambda raw: fitted(raw["title"] or "Task without a title", 500),
        lambda value, raw: {"title": value},
    ),
    Held(
        "section",
        lambda raw: fitted(raw.get("section", ""), 200),
        lambda value, raw: {"section": value} if value else {},
    ),
    Held(
        "instructions",
        instructions,
        lambda value, raw: {"commands": value.splitlines()} if value else {},
    ),
    Held("estimate_minutes", estimate, lambda value, raw: {"duration_minutes": value}),
)


def values_of(held: tuple[Held, ...], raw: Object) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What our fields hold of the object, and (field, why) of what could not be taken as it is."""
    values, unfit = {}, []
    for one in held:
        try:
            values[one.attr] = one.read(raw)
        except Unfit as found:
            values[one.attr] = found.instead
            unfit.append((one.attr, str(found)))
    return values, unfit


def known_by(holder: str, own: str) -> str:
    """The id of what is only named within its holder; short enough to be stored."""
    whole = f"{holder}#{own}"
    return whole if len(whole) <= LONGEST_ID else hashlib.sha256(whole.encode()).hexdigest()
