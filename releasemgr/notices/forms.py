from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django import forms

from releasemgr.notices.events import EVENTS, Way, by_group
from releasemgr.notices.hours import Hours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.forms import BoundField

    from releasemgr.accounts.models import User
    from releasemgr.notices.models import Preferences

TIME = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class PreferencesForm(forms.Form):
    """How somebody is told of each event, when the digest comes, and when there is quiet."""

    digest_hour = forms.TimeField(
        label="Daily digest at",
        widget=TIME,
        help_text="One mail a day, with all that is for the digest; none on days without any.",
    )
    quiet_from = forms.TimeField(
        label="Quiet hours from",
        widget=TIME,
        required=False,
        help_text="No mail comes in them; it waits until they end.",
    )
    quiet_until = forms.TimeField(
        label="Quiet hours until",
        widget=TIME,
        required=False,
        help_text="Leave both empty to be reached at any hour.",
    )
    urgent_always = forms.BooleanField(
        label="What holds up a deployment may come in quiet hours",
        required=False,
        help_text="A failed deployment, a task that is your turn, an ending that is unknown.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args: Any, person: User, chosen: Preferences, **kwargs: Any) -> None:
        self._person, self._chosen = person, chosen
        names = ("digest_hour", "quiet_from", "quiet_until", "urgent_always", "version")
        initial = {name: getattr(chosen, name) for name in names}
        kwargs["initial"] = initial
        super().__init__(*args, **kwargs)
        for event in EVENTS.values():
            self.fields[event.key] = forms.ChoiceField(
                label=event.label, choices=Way.choices, initial=chosen.way(event, person).value
            )

    @property
    def hours_fields(self) -> list[BoundField]:
        return [
            self[name] for name in ("digest_hour", "urgent_always", "quiet_from", "quiet_until")
        ]

    @property
    def groups(self) -> Iterator[tuple[str, list[BoundField]]]:
        """The events under their headings."""
        for name, events in by_group().items():
            yield name, [self[event.key] for event in events]

    @property
    def ways(self) -> dict[str, str]:
        """What was chosen for each event."""
        return {key: self.cleaned_data[key] for key in EVENTS}

    @property
    def hours(self) -> dict[str, Any]:
        names = ("digest_hour", "quiet_from", "quiet_until", "urgent_always")
        return {name: self.cleaned_data[name] for name in names}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        begins, ends = cleaned.get("quiet_from"), cleaned.get("quiet_until")
        if not {"quiet_from", "quiet_until"} & set(self.errors):
            if (begins is None) != (ends is None):
                missing = "quiet_from" if begins is None else "quiet_until"
                self.add_error(missing, "Give both, or leave both empty.")
            elif begins is not None and begins == ends:
                self.add_error("quiet_until", "They would last no time at all, or all day.")
        digest = cleaned.get("digest_hour")
        if digest and begins and ends and not self.errors:
            hours = Hours(dt.UTC, quiet_from=begins, quiet_until=ends)
            if hours.is_quiet(dt.datetime.combine(dt.date(2000, 1, 1), digest, dt.UTC)):
                self.add_error("digest_hour", "This is within your quiet hours.")
        return cleaned
