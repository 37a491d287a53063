"""Made-up content for the gallery of components: each one once, in all its forms."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils import timezone

from releasemgr.ui.paging import Page
from releasemgr.workflow.rules import Blocker
from releasemgr.workflow.states import TONES, Status

if TYPE_CHECKING:
    from collections.abc import Iterator


class SampleForm(forms.Form):
    """One field of each kind."""

    name = forms.CharField(help_text="Shown in every list")
    production_date = forms.DateField(
        error_messages={"invalid": "28 November is inside a freeze. Next free night: 1 December."}
    )
    start = forms.DateTimeField(required=False)
    kind = forms.ChoiceField(choices=[("major", "Major"), ("patch", "Patch")])
    people = forms.MultipleChoiceField(choices=[("a", "Asa Berg"), ("k", "Kofi Mensah")])
    approval = forms.ChoiceField(
        choices=[("one", "One person"), ("two", "Two people")], widget=forms.RadioSelect
    )
    follow = forms.BooleanField(required=False, label="Follow this train", help_text="In My work")
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)


def vocabularies(base: type[Status] = Status) -> Iterator[tuple[str, list[Any]]]:
    """Every status vocabulary that a model declares, by its dotted name."""
    for vocabulary in base.__subclasses__():
        app = vocabulary.__module__.removeprefix("releasemgr.").partition(".")[0]
        if list(vocabulary):
            yield f"{app}: {vocabulary.__qualname__.replace('.', ', ')}", list(vocabulary)
        yield from vocabularies(vocabulary)


def context() -> dict[str, Any]:
    """What the gallery's template shows."""
    filled = SampleForm(
        {"name": "Hibiscus 2026.2", "production_date": "in winter", "kind": "major"}
    )
    return {
        "vocabularies": sorted(vocabularies()),
        "tones": TONES.items(),
        "form": filled,
        "blockers": [
            Blocker(
                "Nimbus 29.0 has no release candidate",
                needed="Every application release has one.",
                now="8 of 9 do.",
                owner="Kofi Mensah",
                action="Open Nimbus",
                url="#refusal",
            ),
            Blocker(
                "The window opens at 22:00",
                now="It is too early.",
                clears_at=timezone.now() + dt.timedelta(hours=3),
                waivable=True,
                tone="wait",
                glyph="wait",
            ),
        ],
        "page": Page(list(range(50)), number=2, has_next=True),
        "crumbs": [("Trains", "#main"), ("RT-142", "")],
        "tabs": [
            {"label": "Overview", "url": "#main", "current": True, "count": None},
            {"label": "Turnovers", "url": "#main", "current": False, "count": 14},
        ],
        "stages": [
            _stage("Scoping", "done", "done", "ok", 100),
            _stage("Construction", "done", "done", "ok", 100),
            _stage("Verification", "now", "half", "run", 60, gate="4 left", gate_tone="warn"),
            _stage("Deployment", "next", "todo", "mute", 0),
        ],
        "moments": [timezone.now() + dt.timedelta(days=days) for days in (-400, -1, 0, 1, 3, 30)],
    }


def _stage(name: str, state: str, glyph: str, tone: str, percent: int, **gate: str) -> Any:
    dates = "2 to 9 December"
    stage = {"name": name, "state": state, "glyph": glyph, "tone": tone, "percent": percent}
    return stage | {"dates": dates} | gate
