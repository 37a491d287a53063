"""What finds out whether a criterion is true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from releasemgr.ui.forms import EditForm, Sections
from trains.models import Criterion

if TYPE_CHECKING:
    from trains.checking import Check

#: A year, in minutes: nothing is looked at less often, nor counts for longer.
LONGEST = 366 * 24 * 60
SCHEDULE = ("check_every", "good_for", "green_for")


class CheckForm(EditForm):
    """The parameters of a check, and when its answers count."""

    sections: ClassVar[Sections] = (("When it is checked, and what counts", SCHEDULE),)

    class Meta:
        model = Criterion
        fields = list(SCHEDULE)

    def __init__(self, *args: Any, check: Check, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.check = check
        same = self.instance.checked_by == check.key
        self.asked = check.form(self.data or None)
        for name, field in self.asked.fields.items():
            if same and name in self.instance.parameters:
                field.initial = self.instance.parameters[name]
        self.fields = {**self.asked.fields, **self.fields}
        for name, least in (("check_every", 1), ("good_for", 1), ("green_for", 0)):
            limited: Any = self.fields[name]
            limited.min_value, limited.max_value = least, LONGEST
            limited.widget.attrs |= {"min": least, "max": LONGEST}

    def clean(self) -> dict[str, Any]:
        """The check's own form has the last word on its parameters."""
        cleaned = super().clean()
        self.asked.is_valid()
        for name, errors in self.asked.errors.items():
            if name not in self.errors:
                self.add_error(name if name in self.fields else None, list(errors))
        for name in SCHEDULE:
            value = cleaned.get(name)
            least = 0 if name == "green_for" else 1
            if value is not None and not least <= value <= LONGEST:
                self.add_error(name, f"Give a number from {least} to {LONGEST}.")
        every, good = cleaned.get("check_every"), cleaned.get("good_for")
        if every and good and good < every:
            self.add_error(
                "good_for",
                f"It would be stale most of the time: an answer comes every {every} minutes.",
            )
        return cleaned

    @property
    def changes(self) -> dict[str, Any]:
        """What is stored on the criterion."""
        times = {name: self.cleaned_data[name] for name in SCHEDULE}
        return times | {"checked_by": self.check.key, "parameters": self.asked.cleaned_data}


class PeopleForm(EditForm):
    """No check: people say whether it is met."""

    class Meta:
        model = Criterion
        fields: ClassVar[list[str]] = []

    @property
    def changes(self) -> dict[str, Any]:
        return {"checked_by": "", "parameters": {}}
