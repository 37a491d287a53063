from __future__ import annotations

import datetime as dt
import math
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils import timezone

from releasemgr.accounts.models import Deputy, User
from releasemgr.accounts.services import SignInLocked, begin_sign_in, forget_failures
from releasemgr.ui.forms import EditForm

#: What a deputy must be allowed to look at.
DECIDES = "approvals.view_signoff"
LONGEST_ABSENCE = dt.timedelta(days=366)
#: Zones that are places people live in; the others are old names, kept for old data.
REGIONS = (
    "Africa",
    "America",
    "Antarctica",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)


class SignInForm(AuthenticationForm):
    """User name and password, under the throttle."""

    #: Set when too many failures have locked the name for this address.
    locked_until: dt.datetime | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "User name"

    def clean(self) -> dict[str, Any]:
        name = self.cleaned_data.get("username")
        if not name or not self.cleaned_data.get("password"):
            return self.cleaned_data
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        try:
            left = begin_sign_in(name, address)
        except SignInLocked as locked:
            self.locked_until = locked.until
            raise ValidationError(_locked_sentence(locked.until), code="locked") from locked
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError as wrong:
            raise ValidationError(_wrong_sentence(left), code="invalid_login") from wrong
        forget_failures(name, address)
        return cleaned


def _locked_sentence(until: dt.datetime) -> str:
    minutes = max(1, math.ceil((until - timezone.now()).total_seconds() / 60))
    wait = "1 minute" if minutes == 1 else f"{minutes} minutes"
    return (
        f"Too many attempts with this name. Signing in with it from here is locked for {wait}. "
        "Ask an administrator if you need a new password."
    )


def _wrong_sentence(left: int) -> str:
    attempts = {0: "No attempts left for 15 minutes", 1: "1 attempt left"}
    return f"That name and password do not match. {attempts.get(left, f'{left} attempts left')}."


@cache
def zone_choices() -> list[tuple[str, list[tuple[str, str]]] | tuple[str, str]]:
    """UTC, then the zones of each region, as a drop-down groups them."""
    regions: dict[str, list[tuple[str, str]]] = {region: [] for region in REGIONS}
    for name in sorted(available_timezones()):
        region, _, place = name.partition("/")
        if place and region in regions:
            regions[region].append((name, place.replace("_", " ").replace("/", ", ")))
    return [("UTC", "UTC"), *((region, places) for region, places in regions.items() if places)]


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript at run time
    """What people choose for themselves."""

    class Meta:
        model = User
        fields = ["time_zone", "theme", "single_keys"]
        widgets = {"theme": forms.RadioSelect}
        help_texts = {
            "time_zone": "Every time is shown and read in this zone.",
            "single_keys": "Such as G then T for trains. The list is below.",
        }
        labels = {"single_keys": "Shortcuts with single keys"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = self.instance.time_zone
        choices = zone_choices()
        listed = {name for _, group in choices if isinstance(group, list) for name, _ in group}
        if known not in listed | {"UTC"}:
            # A zone under an old name stays chosen instead of being changed silently.
            choices = [(known, known), *choices]
        self.fields["time_zone"] = forms.ChoiceField(
            choices=choices, help_text=self.fields["time_zone"].help_text
        )


class ThemeForm(forms.Form):
    """The one field behind the button in the sidebar."""

    theme = forms.ChoiceField(choices=User.Theme.choices)


class DeputyForm(EditForm):
    """Who decides for the person, from then until then."""

    class Meta:
        model = Deputy
        fields = ["deputy", "starts", "ends", "note"]
        labels = {"note": "Note for the deputy"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        others = User.objects.who_may(DECIDES).exclude(pk=self.instance.person_id).distinct()
        fields["deputy"].queryset = others
        fields["deputy"].empty_label = "Choose a person"
        zone = timezone.get_current_timezone_name()
        fields["starts"].help_text = f"Times are {zone}."
        self.initial["starts"] = timezone.localtime().replace(second=0, microsecond=0)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        starts, ends = cleaned.get("starts"), cleaned.get("ends")
        if ends and ends <= timezone.now():
            self.add_error("ends", "Give a time that is ahead.")
        elif starts and ends and ends <= starts:
            self.add_error("ends", "It must end after it begins.")
        elif starts and ends and ends - starts > LONGEST_ABSENCE:
            self.add_error("ends", "A deputy is named for a year at most.")
        return cleaned
