"""Asking that a criterion be let pass."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import date_format

from releasemgr.ui.forms import EditForm
from trains.models import Waiver

if TYPE_CHECKING:
    from typing import Any

LONGEST = dt.timedelta(days=366)


class WaiverForm(EditForm):
    """Why, how far, and how long."""

    class Meta:
        model = Waiver
        fields = ["reason", "scope", "until"]
        widgets = {
            "reason": forms.Textarea(attrs={"rows": 3}),
            "scope": forms.Textarea(attrs={"rows": 3}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        day = self.instance.criterion.gate.day
        if day is not None:
            self.initial["until"] = max(day, timezone.localdate())

    def clean_until(self) -> dt.date:
        """A day to come, and not for ever."""
        day: dt.date = self.cleaned_data["until"]
        today = timezone.localdate()
        if day < today:
            raise ValidationError("Choose today or a later day.")
        if day > today + LONGEST:
            latest = date_format(today + LONGEST, "j F Y")
            raise ValidationError(f"A waiver lasts a year at most: until {latest}.")
        return day
