"""A pause in the run: some minutes, or until a moment."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from turnovers.executors.base import Executor, Outcome, TaskContext

if TYPE_CHECKING:
    from collections.abc import Iterator

FOR, UNTIL = "for", "until"
LONGEST = dt.timedelta(days=30)
#: A time of day that passed less than so long ago has come; one that passed earlier is tomorrow's.
JUST_PASSED = dt.timedelta(hours=4)


class WaitForm(forms.Form):
    """How long, or until when on the clocks of which zone."""

    how = forms.ChoiceField(
        label="Wait",
        choices=[(FOR, "For some minutes"), (UNTIL, "Until a time")],
        initial=FOR,
        widget=forms.RadioSelect,
    )
    minutes = forms.IntegerField(
        label="Minutes", required=False, min_value=1, max_value=LONGEST // dt.timedelta(minutes=1)
    )
    time = forms.TimeField(
        label="Time of day",
        required=False,
        help_text="Without a date, the next time it is so late. If that was less than four hours "
        "ago, the run goes on at once.",
    )
    day = forms.DateField(label="Date", required=False)
    zone = forms.CharField(
        label="Time zone",
        required=False,
        max_length=64,
        help_text="On whose clocks, such as Europe/London. Summer time is minded.",
    )

    def clean_zone(self) -> str:
        zone: str = self.cleaned_data["zone"] or timezone.get_current_timezone_name()
        if zone not in available_timezones():
            raise ValidationError("There is no such time zone. Write it like Europe/London.")
        return zone

    def clean_time(self) -> str:
        time: dt.time | None = self.cleaned_data["time"]
        return f"{time:%H:%M:%S}" if time else ""

    def clean_day(self) -> str:
        day: dt.date | None = self.cleaned_data["day"]
        return day.isoformat() if day else ""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        how = cleaned.get("how")
        if how == FOR and "minutes" in cleaned and cleaned["minutes"] is None:
            self.add_error("minutes", "Say how many minutes.")
        if how == UNTIL and cleaned.get("time") == "":
            self.add_error("time", "Say until when.")
        return cleaned


class Wait(Executor):
    """Begins, and is over, when the time has come; until then no worker is occupied."""

    key = "wait"
    name = "Wait"
    icon = "clock"
    is_instant = True
    form = WaitForm

    def summary(self, parameters: dict[str, Any]) -> str:
        if parameters.get("how") != UNTIL:
            return f"Wait {parameters.get('minutes', '?')} min"
        day = f"{parameters['day']} " if parameters.get("day") else ""
        time = str(parameters.get("time", "?")).removesuffix(":00")
        return f"Wait until {day}{time} ({parameters.get('zone', 'UTC')})"

    def begins_at(self, parameters: dict[str, Any], now: dt.datetime) -> dt.datetime | None:
        """The end of the pause, in UTC."""
        if parameters.get("how") != UNTIL:
            return now + dt.timedelta(minutes=int(parameters.get("minutes") or 0))
        zone = ZoneInfo(str(parameters.get("zone") or "UTC"))
        time = dt.time.fromisoformat(parameters["time"])
        if day := parameters.get("day"):
            return _on_clocks(dt.date.fromisoformat(day), time, zone)
        return next(moment for moment in _days(now, time, zone) if moment > now - JUST_PASSED)

    def run(self, context: TaskContext) -> Outcome:
        return Outcome(succeeded=True, detail="The time has come.")


def _days(now: dt.datetime, time: dt.time, zone: ZoneInfo) -> Iterator[dt.datetime]:
    """When it is so late, from yesterday on."""
    today = now.astimezone(zone).date()
    for offset in range(-1, 3):
        yield _on_clocks(today + dt.timedelta(days=offset), time, zone)


def _on_clocks(day: dt.date, time: dt.time, zone: ZoneInfo) -> dt.datetime:
    """The moment in UTC: of a time that comes twice the first; one that is left out, right after.

    ``fold=0`` counts a time that the clocks skip by the offset before the change, which lands as
    far behind the change as the time lies inside the gap.
    """
    return dt.datetime.combine(day, time, zone).astimezone(dt.UTC)
