"""The schedule of a train while it is being typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from releasemgr.ui.forms import EARLIEST_YEAR, LATEST_YEAR
from trains.models import Calendar
from trains.planning import SCHEDULE

if TYPE_CHECKING:
    import datetime as dt


class ScheduleForm(forms.Form):
    """Dates and a calendar, as far as they can be read; nothing is required."""

    start = forms.DateField(required=False)
    scoping_end = forms.DateField(required=False)
    construction_end = forms.DateField(required=False)
    qa_end = forms.DateField(required=False)
    end = forms.DateField(required=False)
    calendar = forms.ModelChoiceField(Calendar.objects.all(), required=False)

    @property
    def dates(self) -> dict[str, dt.date | None]:
        """The dates that can be read, the others empty."""
        self.is_valid()
        found = {name: self.cleaned_data.get(name) for name in SCHEDULE}
        return {
            name: day if day and EARLIEST_YEAR <= day.year <= LATEST_YEAR else None
            for name, day in found.items()
        }

    @property
    def chosen_calendar(self) -> Calendar | None:
        self.is_valid()
        calendar: Any = self.cleaned_data.get("calendar")
        return calendar  # type: ignore[no-any-return]
