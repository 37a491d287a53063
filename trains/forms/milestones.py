"""Copies of a milestone that were changed by hand: follow their origin, or stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms

from releasemgr.ui.forms import EditForm
from trains.models import Milestone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.forms import BoundField

FOLLOW, STAY, LATER = "follow", "stay", ""
CHOICES = [(FOLLOW, "Take over the train's"), (STAY, "Keep its own"), (LATER, "Decide later")]


class SettleForm(EditForm):
    """One choice for each copy."""

    class Meta:
        model = Milestone
        fields: ClassVar[list[str]] = []

    def __init__(self, *args: Any, copies: list[Milestone], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.copies = copies
        for copy in copies:
            self.fields[f"copy_{copy.pk}"] = forms.ChoiceField(
                label=str(copy.release),
                choices=CHOICES,
                required=False,
                widget=forms.RadioSelect,
            )

    def rows(self) -> Iterator[tuple[Milestone, BoundField]]:
        """Each copy with its field."""
        for copy in self.copies:
            yield copy, self[f"copy_{copy.pk}"]

    @property
    def settled(self) -> dict[int, bool]:
        """The copies about which something was said: whether each follows."""
        said = {copy.pk: self.cleaned_data[f"copy_{copy.pk}"] for copy in self.copies}
        return {pk: choice == FOLLOW for pk, choice in said.items() if choice != LATER}
