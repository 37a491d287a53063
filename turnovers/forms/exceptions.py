from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from releasemgr.ui.forms import EditForm
from turnovers.models import FreezeException

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = dt.timedelta(days=31)
A_DAY = dt.timedelta(days=1)


class ExceptionForm(EditForm):
    """Why it cannot wait, what can go wrong, how it is undone, and how long it counts."""

    class Meta:
        model = FreezeException
        fields = ["reason", "risk", "rollback", "expires"]
        labels = {"rollback": "Way back", "expires": "Counts until"}
        widgets: Mapping[str, Any] = {
            name: forms.Textarea(attrs={"rows": 3}) for name in ("reason", "risk", "rollback")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["expires"] = self._proposed()

    def _proposed(self) -> dt.datetime:
        """A day after the latest start, where that is ahead."""
        turnover, now = self.instance.turnover, timezone.now()
        latest = turnover.latest if turnover else None
        until = max(latest, now) if latest else now
        return min(until + A_DAY, now + LONGEST).replace(second=0, microsecond=0)

    def clean_expires(self) -> dt.datetime:
        """A moment to come, and not for ever."""
        expires: dt.datetime = self.cleaned_data["expires"]
        if expires <= timezone.now():
            raise ValidationError("Give a time that is ahead.")
        if expires > timezone.now() + LONGEST:
            raise ValidationError(f"An exception lasts {LONGEST.days} days at most.")
        return expires
