"""What must hold for criteria to move, and what they hold up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import prefetch_related_objects
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from releasemgr.accounts.roles import RELEASE_ENGINEER, RELEASE_MANAGER
from releasemgr.workflow.rules import Blocker, Way, as_of, guard

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from trains.models import Criterion, Train, Waiver

#: Standings that clear by themselves, if all goes well.
BY_ITSELF = {"not_run", "running", "stale", "holding"}


def _open_criteria(train: Train, stage: str) -> Iterator[Blocker]:
    """Reads what the page has fetched already; under the lock, where nothing is, it asks anew."""
    at = as_of(train)
    prefetch_related_objects([train], "gates__criteria__owner")
    gates = [gate for gate in train.gates.all() if gate.stage == stage]
    for gate in gates:
        gate.train = train
        for criterion in gate.criteria.all():
            if not criterion.settles(at):
                criterion.gate = gate
                yield _in_the_way(criterion, at)


def _in_the_way(criterion: Criterion, at: dt.datetime) -> Blocker:
    """Who can clear it, how, and when it clears by itself, if it does."""
    standing = criterion.standing(at)
    is_automatic = criterion.is_automatic and standing != "expired"
    return Blocker(
        criterion.title,
        needed=f"Met or waived at the {criterion.gate.get_stage_display()} gate.",
        now=_now(criterion, at),
        owner=str(criterion.owner or RELEASE_MANAGER),
        owner_id=criterion.owner_id,
        action="Open its check" if is_automatic else "Decide it",
        url=criterion.check_url if is_automatic else criterion.get_absolute_url(),
        clears_at=_clears_at(criterion, str(standing)) if is_automatic else None,
        expected=criterion.due,
        waivable=True,
        ways=(
            Way(
                "Ask for a waiver",
                reverse("trains:waiver-new", args=[criterion.pk]),
                RELEASE_MANAGER,
                (RELEASE_ENGINEER,),
                criterion.owner_id,
            ),
        ),
        tone=standing.tone if standing in {"rejected", *BY_ITSELF} else "bad",
        glyph=standing.glyph,
    )


def _clears_at(criterion: Criterion, standing: str) -> dt.datetime | None:
    """When it is looked at next, or has been true for long enough."""
    watch = criterion.known
    if watch is None or standing not in BY_ITSELF:
        return None
    found: dt.datetime | None = watch.holds_at if standing == "holding" else watch.next_at
    return found


def _now(criterion: Criterion, at: dt.datetime) -> str:
    """How it stands, in words, with what its check said."""
    standing, watch = criterion.standing(at), criterion.known
    said = f"{standing.label}."
    if standing == "expired" and criterion.waived_until:
        return f"{said} It was waived until {date_format(criterion.waived_until, 'j F Y')}."
    if watch is None:
        return said
    trouble = f" {watch.trouble}" if watch.trouble else ""
    if standing == "failed":
        said = f"Failed at {_clock(watch.checked_at, at)}. {watch.detail}"
    elif standing == "stale":
        age = f"{criterion.good_for} minutes"
        said = f"Stale: answered last at {_clock(watch.checked_at, at)}, and good for {age}."
    elif standing == "holding":
        since = _clock(watch.green_since, at)
        said = f"Green since {since}, and must be for {criterion.green_for} minutes."
    return f"{said}{trouble}"


def _clock(moment: Any, at: dt.datetime) -> str:
    """The time of day; with its date where that is not the day of ``at``."""
    if moment is None:
        return "an unknown time"
    here = timezone.localtime(moment)
    same = here.date() == timezone.localdate(at)
    return str(date_format(here, "H:i" if same else "j F H:i"))


@guard
def scoping_criteria_are_met(train: Train) -> Iterator[Blocker]:
    yield from _open_criteria(train, "scoping")


@guard
def construction_criteria_are_met(train: Train) -> Iterator[Blocker]:
    yield from _open_criteria(train, "construction")


@guard
def qa_criteria_are_met(train: Train) -> Iterator[Blocker]:
    yield from _open_criteria(train, "qa")


@guard
def gate_is_ahead(criterion: Criterion) -> Iterator[Blocker]:
    """A gate that has been passed, or is being decided upon, is not changed any more."""
    train, gate = criterion.gate.train, criterion.gate
    if not gate.is_ahead:
        yield Blocker(
            f"The {gate.get_stage_display()} gate of {train} has been passed",
            needed="A gate that is still ahead.",
            now=f"{train} is in {train.status.label}.",
            action="Open the train",
            url=train.get_absolute_url(),
        )


@guard
def gate_is_not_passed(criterion: Criterion) -> Iterator[Blocker]:
    """While approvers decide, checks go on: what they decide upon must stay true."""
    if criterion.gate.is_passed:
        yield from gate_is_ahead.check(criterion)


@guard
def people_decide_it(criterion: Criterion) -> Iterator[Blocker]:
    """Nobody says by hand what a check says."""
    if criterion.is_automatic:
        yield Blocker(
            "It is checked by itself",
            needed="Its check says that it is true; or a waiver.",
            now=_now(criterion, as_of(criterion)),
            owner=str(criterion.owner or RELEASE_MANAGER),
            owner_id=criterion.owner_id,
            action="Open its check",
            url=criterion.check_url,
        )


@guard
def its_check_decides_it(criterion: Criterion) -> Iterator[Blocker]:
    """What people decide, no check overrules: it may have been theirs only since a moment ago."""
    if not criterion.is_automatic:
        yield Blocker(
            "People decide it",
            needed="A check that finds out whether it is true.",
            owner=str(criterion.owner or RELEASE_MANAGER),
            owner_id=criterion.owner_id,
            action="Decide it",
            url=criterion.get_absolute_url(),
        )


@guard
def a_waiver_is_granted(criterion: Criterion) -> Iterator[Blocker]:
    """Nobody waives alone: one person asks, another one grants."""
    if not criterion.waivers.filter(state="granted").exists():
        yield Blocker(
            "Nobody has granted a waiver",
            needed="A waiver that one person asks for and another one grants.",
            owner=RELEASE_MANAGER,
            action="Ask for one",
            url=reverse("trains:waiver-new", args=[criterion.pk]),
        )


def a_waiver_can_be_asked(criterion: Criterion) -> Iterator[Blocker]:
    """What stops a waiver from being asked for: a passed gate, nothing to waive, another one."""
    yield from gate_is_ahead.check(criterion)
    if criterion.settles(as_of(criterion)):
        yield Blocker(
            f"“{criterion}” does not stop its gate",
            needed="Something to let pass.",
            now=f"{criterion.standing(as_of(criterion)).label}.",
        )
    live = criterion.waivers.filter(state__in=["requested", "granted"]).first()
    if live is not None:
        yield Blocker(
            f"There is a waiver already: {live.status.label.lower()}",
            needed="One at a time.",
            action="Open it",
            url=live.get_absolute_url(),
        )


@guard
def waived_gate_is_ahead(waiver: Waiver) -> Iterator[Blocker]:
    yield from gate_is_ahead.check(waiver.criterion)


@guard
def its_last_day_is_ahead(waiver: Waiver) -> Iterator[Blocker]:
    if waiver.is_over(as_of(waiver)):
        yield Blocker(
            "Its last day has passed",
            needed="A day on which it still counts.",
            now=f"It was asked for until {date_format(waiver.until, 'j F Y')}.",
            owner=str(waiver.asked_by),
            owner_id=waiver.asked_by_id,
            action="Ask again",
            url=reverse("trains:waiver-new", args=[waiver.criterion_id]),
        )
