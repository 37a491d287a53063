"""A train's status colour, computed with its reasons, for any number of trains at once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.formats import date_format

from approvals.models import Signoff
from environments.models import Booking
from trains.models import Criterion, Milestone, Reservation, Train
from trains.states import STAGES, Health

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

#: From quiet to loud.
LEVELS = [Health.ON_TRACK, Health.ATTENTION, Health.AT_RISK]
#: How many things of one kind are told one by one.
NAMED = 3


@dataclass(frozen=True)
class Reason:
    """Why a train is not on track, in a sentence."""

    sentence: str
    level: Health
    url: str


@dataclass(frozen=True)
class AtHand:
    """What a train is judged by besides its own dates; rows that say nothing do no harm."""

    criteria: Iterable[Criterion]
    milestones: Iterable[Milestone]
    sheets: Iterable[Signoff]


@dataclass
class Assessment:
    """What the record says about a train, and what its manager says instead, if anything."""

    train: Train
    reasons: list[Reason] = field(default_factory=list)

    @property
    def computed(self) -> Health:
        """As bad as the worst reason."""
        return max((reason.level for reason in self.reasons), key=LEVELS.index, default=LEVELS[0])

    @property
    def status(self) -> Health:
        return Health(self.train.health_override) if self.is_overridden else self.computed

    @property
    def is_overridden(self) -> bool:
        """Whether somebody has said otherwise, and that still counts today."""
        until = self.train.health_until
        return bool(self.train.health_override) and (until is None or until >= timezone.localdate())

    @property
    def note(self) -> str:
        return str(self.train.health_note)


def of(train: Train) -> Assessment:
    """The assessment of one train, from what its page has fetched already."""
    at_hand = AtHand(
        criteria=[criterion for gate in train.gates.all() for criterion in gate.criteria.all()],
        milestones=train.milestones.all(),
        sheets=[sheet for _, sheet in train.signoffs if sheet],
    )
    return assess([train], at_hand)[train.pk]


def assess(trains: Iterable[Train], at_hand: AtHand | None = None) -> dict[int, Assessment]:
    """The assessment of each train, in a number of queries that does not grow with them.

    Nothing is asked for that is ``at_hand``.
    """
    found = {train.pk: Assessment(train) for train in trains}
    underway = {pk: a for pk, a in found.items() if not a.train.is_over}
    if not underway:
        return found
    for assessment in underway.values():
        assessment.reasons += [*_held(assessment.train), *_late_dates(assessment.train)]
    facts = at_hand or _facts_of(underway)
    _add(underway, _rejected_approvals(underway, facts.sheets))
    _add(underway, _late_criteria(underway, facts.criteria))
    _add(underway, _late_milestones(underway, facts.milestones))
    _add(underway, _clashes(underway))
    return found


def _facts_of(found: dict[int, Assessment]) -> AtHand:
    """The rows that can speak against these trains; each asked for when it is read."""
    late = Milestone.objects.filter(train__in=found, due__lt=timezone.localdate())
    sheets = Signoff.objects.filter(pk__in=_current_sheets(found), state=Signoff.State.REJECTED)
    return AtHand(
        criteria=Criterion.objects.unmet().filter(gate__train__in=found).select_related("gate"),
        milestones=late.filter(state__in=["open", "missed"]),
        sheets=sheets,
    )


def _add(found: dict[int, Assessment], reasons: dict[int, list[Reason]]) -> None:
    """Tell the first few of one kind; say how many more there are."""
    for pk, told in reasons.items():
        found[pk].reasons += told[:NAMED]
        if more := told[NAMED:]:
            found[pk].reasons.append(
                Reason(f"And {len(more)} more like it", more[0].level, more[0].url)
            )


def _held(train: Train) -> list[Reason]:
    """Told where the page knows it; see ``trains.panels.with_holds``."""
    if not getattr(train, "is_held", False):
        return []
    return [Reason("It is held", Health.ATTENTION, train.get_absolute_url())]


def _late_dates(train: Train) -> list[Reason]:
    today = timezone.localdate()
    if train.end is not None and train.end < today:
        sentence = f"The end date, {_day(train.end)}, has passed"
        return [Reason(sentence, Health.AT_RISK, train.get_absolute_url())]
    ends = [train.scoping_end, train.construction_end, train.qa_end, train.end]
    due = ends[train.stage_number]
    if due is not None and due < today:
        stage = STAGES[train.stage_number][0]
        sentence = f"{stage} should have ended on {_day(due)}"
        return [Reason(sentence, Health.AT_RISK, train.get_absolute_url())]
    return []


def _current_sheets(found: dict[int, Assessment]) -> dict[int, int]:
    """The sheet of the gate that each train stands before, and whose it is."""
    current = {}
    for pk, assessment in found.items():
        train = assessment.train
        sheets = [
            train.train_signoff_id,
            train.development_signoff_id,
            train.executive_signoff_id,
            None,
        ]
        if sheet := sheets[train.stage_number]:
            current[sheet] = pk
    return current


def _rejected_approvals(
    found: dict[int, Assessment], sheets: Iterable[Signoff]
) -> dict[int, list[Reason]]:
    current = _current_sheets(found)
    reasons: dict[int, list[Reason]] = defaultdict(list)
    for sheet in sheets:
        if sheet.pk not in current or sheet.state != Signoff.State.REJECTED:
            continue
        sentence = f"{sheet.title} was rejected"
        reasons[current[sheet.pk]].append(
            Reason(sentence, Health.AT_RISK, sheet.get_absolute_url())
        )
    return reasons


def _late_criteria(
    found: dict[int, Assessment], criteria: Iterable[Criterion]
) -> dict[int, list[Reason]]:
    """Unmet criteria past their date, on gates that are still ahead; rejected ones at once."""
    today = timezone.localdate()
    reasons: dict[int, list[Reason]] = defaultdict(list)
    for criterion in criteria:
        if criterion.is_settled:
            continue
        gate = criterion.gate
        gate.train = found[gate.train_id].train
        if gate.train.stage_number > gate.number:
            continue
        url = gate.train.tab_url("gates")
        if criterion.state == criterion.State.REJECTED:
            sentence = f"“{criterion.title}” was rejected"
            reasons[gate.train_id].append(Reason(sentence, Health.AT_RISK, url))
        elif criterion.due is not None and criterion.due < today:
            sentence = f"“{criterion.title}” was due on {_day(criterion.due)}"
            reasons[gate.train_id].append(Reason(sentence, Health.ATTENTION, url))
    return reasons


def _late_milestones(
    found: dict[int, Assessment], milestones: Iterable[Milestone]
) -> dict[int, list[Reason]]:
    today = timezone.localdate()
    reasons: dict[int, list[Reason]] = defaultdict(list)
    for milestone in milestones:
        if milestone.due >= today or milestone.state not in {"open", "missed"}:
            continue
        assert milestone.train_id is not None  # noqa: S101 -- they are milestones of trains
        url = found[milestone.train_id].train.tab_url("milestones")
        sentence = f"Milestone “{milestone.title}” was due on {_day(milestone.due)}"
        if milestone.state == "missed":
            sentence = f"Milestone “{milestone.title}” of {_day(milestone.due)} was missed"
        reasons[milestone.train_id].append(Reason(sentence, Health.ATTENTION, url))
    return reasons


def _clashes(found: dict[int, Assessment]) -> dict[int, list[Reason]]:
    """Reservations that could not be had because somebody else holds the environment."""
    reasons: dict[int, list[Reason]] = defaultdict(list)
    clashing = Booking.objects.in_clash().values("pk")
    for reservation in Reservation.objects.filter(
        train__in=found, booking__in=clashing
    ).select_related("booking__environment"):
        booking = reservation.booking
        sentence = f"{booking.environment.name} is booked twice, {booking.period_words}"
        reasons[reservation.train_id].append(
            Reason(sentence, Health.ATTENTION, booking.get_absolute_url())
        )
    return reasons


def _day(day: dt.date) -> str:
    return date_format(day, "j F Y")
