"""Where a train stands on its way: the stages with their gates, and the step that comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.formats import date_format

from approvals.models import Signoff
from trains.states import STAGES, GateStage, GateStatus, TrainState

if TYPE_CHECKING:
    import datetime as dt

    from trains.models import Gate, Train

FULL = 100
DEPLOYMENT = 3
CLOSED = 4
#: The step that ends each of the four stages.
ENDS = ["start_construction", "start_verification", "start_deployment", "close"]
#: The step that asks for the approval at the end of the first three stages.
ASKS = ["request_train_approval", "request_development_approval", "request_executive_approval"]


@dataclass(frozen=True)
class Stage:
    """One stage as the stepper draws it."""

    name: str
    state: str
    glyph: str
    tone: str
    percent: int
    dates: str
    gate: str = ""
    gate_tone: str = ""


def destination(train: Train) -> str:
    """The name of what the train goes to next."""
    following = train.stage_number + 1
    return STAGES[following][0] if following < len(STAGES) else TrainState.CLOSED.label


def next_step(train: Train) -> str:
    """The name of the step that takes the train on; nothing where it is over."""
    if train.is_over:
        return ""
    stage = train.stage_number
    sheets = train.signoffs
    if stage == DEPLOYMENT or train.state == STAGES[stage][1][1]:
        return ENDS[stage]
    which, sheet = sheets[stage]
    needs = getattr(train, f"needs_{which}_approval")
    given = sheet is not None and sheet.state == Signoff.State.APPROVED
    return ASKS[stage] if needs and not given else ENDS[stage]


def detours(train: Train) -> set[str]:
    """The steps that lead where the next step leads, but are not the way for this train now."""
    return {*ASKS, *ENDS} - {next_step(train)}


def gate_ahead(train: Train) -> Gate | None:
    """The gate at the end of the present stage."""
    number = train.stage_number
    if not 0 <= number < DEPLOYMENT:
        return None
    stage = GateStage.values[number]
    return next((gate for gate in train.gates.all() if gate.stage == stage), None)


def gate_note(gate: Gate | None) -> str:
    """When the gate ahead is, and how far that is off."""
    if gate is None or gate.day is None:
        return ""
    left = (gate.day - timezone.localdate()).days
    count = f"{abs(left)} day{'' if abs(left) == 1 else 's'}"
    off = "today" if left == 0 else f"{count} left" if left > 0 else f"{count} ago"
    return f"Gate on {_day(gate.day)}, {off}"


def afterwards(train: Train) -> str:
    """What follows the next step, in a sentence."""
    step = next_step(train)
    if step in ASKS:
        which, sheet = train.signoffs[ASKS.index(step)]
        levels = len(sheet.levels.all()) if sheet else 0
        words = f", {levels} level{'s' if levels != 1 else ''}" if levels else ""
        return (
            f"{which} approval{words}; {destination(train)} starts by itself when it is complete."
        )
    if step == ENDS[DEPLOYMENT]:
        return "the train is closed and read-only, and its reservations are released."
    return f"{destination(train)} starts." if step else ""


def stages(train: Train, gates: list[Gate]) -> list[Stage]:
    """The stages and, last, the end; ``gates`` with their criteria prefetched."""
    passed = _passed_on(train)
    here = train.stage_number
    bounds = [train.start, train.scoping_end, train.construction_end, train.qa_end, train.end]
    by_number = {gate.number: gate for gate in gates}
    found = []
    for number, (name, _) in enumerate(STAGES):
        first, last = bounds[number], bounds[number + 1]
        gate, tone = _gate_words(train, number, by_number.get(number), passed.get(number))
        state = "done" if number < here else "now" if number == here else "next"
        glyph, colour, percent = {
            "done": ("done", "ok", FULL),
            "now": (train.status.glyph, train.status.tone, _elapsed(first, last)),
            "next": ("todo", "mute", 0),
        }[state]
        found.append(Stage(name, state, glyph, colour, percent, _span(first, last), gate, tone))
    return [*found, _the_end(train, passed.get(DEPLOYMENT))]


def _the_end(train: Train, closed: dt.date | None) -> Stage:
    if train.state == TrainState.CLOSED:
        words = f"since {_day(closed)}" if closed else ""
        return Stage("Closed", "now", "done", "ok", FULL, words)
    if train.state == TrainState.CANCELLED:
        return Stage("Cancelled", "now", "cancel", "mute", FULL, "")
    return Stage(
        "Closed", "next", "todo", "mute", 0, f"from {_day(train.end)}" if train.end else ""
    )


def _gate_words(
    train: Train, number: int, gate: Gate | None, passed: dt.date | None
) -> tuple[str, str]:
    """What stands under a stage: how its gate is, and the tone of that."""
    if passed is not None and number < train.stage_number:
        return f"Gate passed {_day(passed)}", ""
    if gate is None:
        return (f"Production {_day(train.end)}" if train.end else ""), ""
    criteria = list(gate.criteria.all())
    settled = sum(criterion.is_settled for criterion in criteria)
    if number != train.stage_number or not criteria:
        return (f"Gate on {_day(gate.day)}" if gate.day else f"{len(criteria)} criteria"), ""
    status = gate.status
    if status == GateStatus.ASSESSING:
        return f"Gate: {settled} of {len(criteria)} criteria settled", "warn"
    return f"Gate: {status.label.lower()}", status.tone


def _passed_on(train: Train) -> dict[int, dt.date]:
    """The day on which each stage ended, from the history; a stage passed twice, the last one."""
    if train.stage_number == 0:
        return {}
    entries = train.history.filter(transition__in=ENDS).order_by("history_date", "history_id")
    return {
        ENDS.index(transition): timezone.localtime(at).date()
        for transition, at in entries.values_list("transition", "history_date")
    }


def _elapsed(first: dt.date | None, last: dt.date | None) -> int:
    """How much of the period is over, in per cent."""
    if first is None or last is None or last <= first:
        return 0
    share = (timezone.localdate() - first).days / (last - first).days
    return round(max(0.0, min(1.0, share)) * FULL)


def _span(first: dt.date | None, last: dt.date | None) -> str:
    if first is None and last is None:
        return "No dates yet"
    if first is None or last is None:
        return f"from {_day(first)}" if first else f"until {_day(last)}"
    if first == last:
        return _day(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {_day(last)}"
    return f"{_day(first)} to {_day(last)}"


def _day(day: dt.date | None) -> str:
    """The day, with its year only where it is not this one."""
    if day is None:
        return ""
    return date_format(day, "j F" if day.year == timezone.localdate().year else "j F Y")
