"""What of each object has a field here, how it is read from the file and written back.

The file's own words are kept whole in ``extra``. That is what makes an import repeatable and an
export faithful: a value that nobody has changed here is compared, and written, as the file had it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from environments.models import Booking, BookingKind, Environment
from releasemgr.exchange import freezes
from releasemgr.exchange.held import (
    Held,
    date,
    fitted,
    moment,
    number,
    one_of,
    reference,
    same,
    text,
    web_address,
)
from releasemgr.exchange.readings import (
    baseline,
    deployed_at,
    is_production,
    latest_start,
    milestone_due,
    position,
    release_end,
    turnover_place,
    work_title,
)
from releasemgr.exchange.words import (
    BOOKING_KINDS,
    RELEASE_WORDS,
    TRAIN_WORDS,
    WORK_WORDS,
    Surroundings,
    booking_state,
    environment_says,
    environment_state,
    milestone_says,
    milestone_state,
    release_state,
    train_state,
    turnover_says,
    turnover_state,
    work_kind,
    work_state,
)
from trains.models import (
    Application,
    ApplicationRelease,
    Freeze,
    Milestone,
    Team,
    Train,
    WorkItem,
)
from trains.states import Criticality, ReleaseState, TrainState, WorkState
from turnovers.models import Turnover
from turnovers.models.turnovers import MOST_PARALLEL
from turnovers.states import IfLate

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Model

    from releasemgr.exchange.places import Object


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
    environment_says,
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
        date("scoping_end"),
        date("construction_end"),
        date("qa_end"),
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
        Held(
            "baseline",
            baseline,
            lambda value, raw: {"baseline": value.isoformat()} if value else {},
        ),
        same("same_role", empty=False),
        same("for_all", empty=False),
        Held("train", lambda raw: raw["train"], refers_to="train"),
    ),
    milestone_state,
    milestone_says,
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
        one_of("criticality", Criticality.values, Criticality.REQUIRED),
        date("start"),
        date("construction_end"),
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
        text("description", 100_000),
        moment("scheduled_at", "earliest"),
        Held(
            "latest",
            latest_start,
            lambda value, raw: {"latest_at": value.isoformat(timespec="seconds")} if value else {},
        ),
        one_of("if_late", IfLate.values, IfLate.EXPIRE),
        number("most_parallel", range(1, 101), MOST_PARALLEL),
        Held(
            "deployed_at",
            deployed_at,
            lambda value, raw: (
                {"finished_at": value.isoformat(timespec="seconds")} if value else {}
            ),
        ),
    ),
    turnover_state,
    turnover_says,
    lambda raw: "" if turnover_place(raw) else "it names no environment",
)
FREEZE = Kind(
    "freeze",
    "Freezes",
    Freeze,
    freezes.HELD,
    freezes.state,
    freezes.says,
    freezes.left_out,
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
    FREEZE,
)
