"""What every form that edits a record does besides its fields."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models.fields import BLANK_CHOICE_DASH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.forms import BoundField

#: Outside these years calendars, time zones and databases stop agreeing with each other.
EARLIEST_YEAR, LATEST_YEAR = 1970, 2199
#: What Django shows where nothing is chosen: no words, so that screen readers say "dash dash dash".
DASHES = BLANK_CHOICE_DASH[0][1]

#: Headings, each with the names of the fields under it.
Sections = tuple[tuple[str, tuple[str, ...]], ...]


class SeveralField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # as below
    """Several rows to choose from; a number that no key can hold is no choice, not a crash."""

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except OverflowError as error:
            refused = self.error_messages["invalid_choice"] % {"value": "That"}
            raise ValidationError(refused, code="invalid_choice") from error


class EditForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript at run time
    """A record's fields, and the version of it that the person saw when the form was made.

    ``sections`` groups the fields under headings: ``(("Dates", ("start", "end")), …)``.
    """

    sections: ClassVar[Sections] = ()

    version = forms.IntegerField(
        required=False, min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, forms.ModelChoiceField) and field.empty_label == DASHES:
                field.empty_label = "Choose one" if field.required else "None"

    def clean(self) -> dict[str, Any]:
        """Refuse dates that no calendar of ours reaches."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name, value in list(cleaned.items()):
            if isinstance(value, dt.date) and not EARLIEST_YEAR <= value.year <= LATEST_YEAR:
                self.add_error(name, f"Give a year from {EARLIEST_YEAR} to {LATEST_YEAR}.")
        return cleaned

    @property
    def seen_version(self) -> int | None:
        """The version that was on the person's screen; ``None`` where the form did not say."""
        version: int | None = self.cleaned_data.get("version")
        return version

    @property
    def changes(self) -> dict[str, Any]:
        """The cleaned values of the record's own columns, as ``edit`` takes them."""
        meta = self.instance._meta
        columns = {field.name for field in meta.concrete_fields}
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if name in columns - {"version"}
        }

    @property
    def shown_version(self) -> int:
        """The version to send along; after a conflict, the one that was shown beside."""
        return int(getattr(self.instance, "version", 0) or 0)

    def grouped(self) -> Iterator[tuple[str, list[BoundField]]]:
        """The visible fields, section by section; what no section names comes first."""
        named = {name for _, names in self.sections for name in names}
        if rest := [self[name] for name in self.fields if name not in named | {"version"}]:
            yield "", rest
        for heading, names in self.sections:
            if fields := [self[name] for name in names if name in self.fields]:
                yield heading, fields
