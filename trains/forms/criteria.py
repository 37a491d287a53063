"""Many criteria on one page, and copies from the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms

from environments.models import Environment
from releasemgr.accounts.models import User
from releasemgr.ui.forms import EditForm, SeveralField
from trains.collecting import Change
from trains.models import Gate, LibraryCriterion, Train

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.forms import BoundField

    from trains.models import Criterion

NOBODY = "nobody"
GIVE = "give"
OWNERS = [("", "As they are"), (GIVE, "This person"), (NOBODY, "Nobody in particular")]


class TogetherForm(EditForm):
    """Title and date of each criterion, and one change for all that are ticked."""

    class Meta:
        model = Train
        fields: ClassVar[list[str]] = []

    owners = forms.ChoiceField(
        label="Their owner", choices=OWNERS, required=False, widget=forms.RadioSelect
    )
    owner = forms.ModelChoiceField(User.objects.none(), label="This person", required=False)
    environment = forms.ModelChoiceField(
        Environment.objects.none(),
        label="On environment",
        required=False,
        empty_label="As they are",
    )
    removed = forms.BooleanField(
        label="Remove them", required=False, help_text="The history keeps them, with your name."
    )

    def __init__(self, *args: Any, criteria: list[Criterion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.criteria = criteria
        people: Any = self.fields["owner"]
        people.queryset = User.objects.people()
        environments: Any = self.fields["environment"]
        environments.queryset = Environment.objects.in_use()
        for row in criteria:
            name = f"of “{row.title[:60]}”"
            self.fields[f"tick_{row.pk}"] = forms.BooleanField(
                label=f"Choose “{row.title[:60]}”", required=False
            )
            self.fields[f"title_{row.pk}"] = forms.CharField(
                label=f"Title {name}", max_length=300, initial=row.title
            )
            self.fields[f"due_{row.pk}"] = forms.DateField(
                label=f"Due date {name}",
                required=False,
                initial=row.own_due,
                widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            )
            self.fields[f"seen_{row.pk}"] = forms.IntegerField(
                initial=row.version, min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("owners") == GIVE and not cleaned.get("owner"):
            self.add_error("owner", "Say who.")
        asked = cleaned.get("owners") or cleaned.get("environment") or cleaned.get("removed")
        if asked and not any(cleaned.get(f"tick_{row.pk}") for row in self.criteria):
            self.add_error(None, "Tick the criteria that this is for.")
        return cleaned

    def rows(self) -> Iterator[tuple[Criterion, BoundField, BoundField, BoundField]]:
        """Each criterion with its fields."""
        for row in self.criteria:
            names = (f"tick_{row.pk}", f"title_{row.pk}", f"due_{row.pk}")
            yield row, *(self[name] for name in names)  # type: ignore[misc]  # three of them

    def common(self) -> list[BoundField]:
        """The fields for all that are ticked."""
        return [self[name] for name in ("owners", "owner", "environment", "removed")]

    @property
    def wanted(self) -> list[Change]:
        """What becomes of each criterion that does not stay as it is."""
        data, found = self.cleaned_data, []
        for row in self.criteria:
            values = {"title": data[f"title_{row.pk}"], "own_due": data[f"due_{row.pk}"]}
            ticked = data[f"tick_{row.pk}"]
            if ticked and data["owners"]:
                values["owner"] = data["owner"] if data["owners"] == GIVE else None
            if ticked and data["environment"]:
                values["environment"] = data["environment"]
            is_removed = ticked and data["removed"]
            if is_removed or any(getattr(row, name) != new for name, new in values.items()):
                found.append(Change(row, data[f"seen_{row.pk}"], values, is_removed=is_removed))
        return found


class CopyForm(EditForm):
    """Which criteria of the library a gate gets."""

    class Meta:
        model = Gate
        fields: ClassVar[list[str]] = []

    chosen = SeveralField(
        LibraryCriterion.objects.none(),
        label="Criteria",
        error_messages={"required": "Choose at least one."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen: Any = self.fields["chosen"]
        chosen.queryset = LibraryCriterion.objects.offered()
