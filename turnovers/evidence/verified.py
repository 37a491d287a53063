"""Whether everything aboard is verified in an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from environments.models import Environment
from trains.checking.base import Check, Finding, failed, passed, unknown
from turnovers.models import Content
from turnovers.states import TurnoverState

if TYPE_CHECKING:
    from trains.models import Criterion, Train

SHOWN = 3
VERIFIED = {TurnoverState.VERIFIED, TurnoverState.CLOSED}
#: Turnovers that have changed nothing in the environment.
NOT_THERE = [
    TurnoverState.DRAFT,
    TurnoverState.DELIVERED,
    TurnoverState.READY,
    TurnoverState.CANCELLED,
]


def _environments() -> list[tuple[str, str]]:
    return [(str(row.pk), row.name) for row in Environment.objects.in_use()]


class VerifiedForm(forms.Form):
    """Which environment."""

    environment = forms.ChoiceField(choices=_environments)


class VerifiedSomewhere(Check):
    """The last turnover of every application release aboard to an environment is verified there."""

    key = "verified"
    name = "Verified in an environment"
    explains = "True when every application release aboard has a verified turnover there."
    icon = "rocket"
    form = VerifiedForm

    def summary(self, parameters: dict[str, Any]) -> str:
        found = Environment.objects.filter(pk=parameters.get("environment") or 0).first()
        return f"Everything aboard is verified in {found.name if found else 'an environment'}"

    def look(self, criterion: Criterion, train: Train, parameters: dict[str, Any]) -> Finding:
        environment = Environment.objects.filter(pk=parameters.get("environment") or 0).first()
        if environment is None:
            return unknown("Its environment is no longer on record.")
        places = train.boardings.aboard().select_related("release__application")
        releases = [place.release for place in places]
        if not releases:
            return failed(f"Nothing is aboard {train}, so nothing is verified.")
        contents = Content.objects.filter(turnover__environment=environment, release__in=releases)
        there = contents.exclude(turnover__state__in=NOT_THERE).order_by("turnover_id", "pk")
        # Of several turnovers the last one counts.
        states: dict[int, str] = dict(there.values_list("release_id", "turnover__state"))
        missing = [row for row in releases if states.get(row.pk) not in VERIFIED]
        total = len(releases)
        if not missing:
            return passed(f"All {total} application releases are verified in {environment.name}.")
        named = ", ".join(f"{row} ({_words(states.get(row.pk))})" for row in missing[:SHOWN])
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        there_are = f"{total - len(missing)} of {total} in {environment.name}"
        return failed(f"{there_are}; not: {named}{more}.")


def _words(state: str | None) -> str:
    return TurnoverState(state).label.lower() if state else "no turnover"
