"""The forms of environments and bookings."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils.datastructures import MultiValueDict

from environments.models import Booking, BookingKind, Environment
from releasemgr.accounts.models import User
from releasemgr.http import number
from releasemgr.ui.forms import EditForm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from environments.models import Slot

#: How many other environments a refusal offers.
OFFERED = 5
#: What people book by hand; trains and turnovers make the other kinds themselves.
BY_HAND = [
    (kind.value, kind.label)
    for kind in (BookingKind.MAINTENANCE, BookingKind.OUTAGE, BookingKind.OTHER)
]


def _lists(data: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """A plain mapping as a browser would send it; an unset box is not sent."""
    return [(name, [str(value)]) for name, value in data.items() if value not in (None, False)]


class EnvironmentForm(EditForm):
    """What is known about an environment."""

    sections: ClassVar = (
        ("What it is", ("name", "kind", "description", "host", "parent")),
        ("Who looks after it", ("owner", "owner_name")),
        ("How it is used", ("is_production", "is_restricted", "most_deployments", "position")),
    )

    class Meta:
        model = Environment
        fields = [
            "name",
            "kind",
            "description",
            "host",
            "parent",
            "owner",
            "owner_name",
            "is_production",
            "is_restricted",
            "most_deployments",
            "position",
        ]
        labels = {
            "host": "Host or address",
            "parent": "Part of",
            "owner_name": "Owner without an account here",
            "is_production": "It is production",
            "is_restricted": "It is restricted",
            "position": "Place in the order of promotion",
        }
        help_texts = {"owner_name": "", "position": "The lowest comes first."}
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = self.fields["owner"]
        parent = self.fields["parent"]
        # Who has left, or was, stays chosen where the record names them.
        owner.queryset = User.objects.people() | User.objects.filter(pk=self.instance.owner_id)  # type: ignore[attr-defined]
        owner.empty_label = parent.empty_label = "Nobody"  # type: ignore[attr-defined]
        parent.empty_label = "Nothing"  # type: ignore[attr-defined]
        parents = Environment.objects.in_use().exclude(pk=self.instance.pk)
        parent.queryset = parents | Environment.objects.filter(pk=self.instance.parent_id)  # type: ignore[attr-defined]

        self.fields["most_deployments"].required = False

    def clean_most_deployments(self) -> int:
        """One, where nothing is said."""
        most: int | None = self.cleaned_data["most_deployments"]
        return 1 if most is None else most

    def clean_name(self) -> str:
        """Refuse a name that another environment made here has; imported ones may repeat."""
        name: str = self.cleaned_data["name"]
        others = Environment.objects.filter(name=name, external_id="").exclude(pk=self.instance.pk)
        if not self.instance.external_id and others.exists():
            raise forms.ValidationError("There is an environment of this name already.")
        return name

    def clean_parent(self) -> Environment | None:
        """Refuse to make an environment a part of one of its own parts."""
        parent: Environment | None = self.cleaned_data["parent"]
        seen: set[int] = set()
        above = parent
        while above is not None and above.pk not in seen:
            if above.pk == self.instance.pk:
                raise forms.ValidationError(f"{parent} is itself a part of {self.instance}.")
            seen.add(above.pk)
            above = above.parent
        return parent


class BookingForm(EditForm):
    """Which environment, when, and what for.

    ``way`` is the way out of a clash that was chosen: another period or environment, or "anyway".
    """

    class Meta:
        model = Booking
        fields = ["environment", "title", "kind", "starts", "ends", "exclusive", "note"]
        labels = {"title": "What for", "exclusive": "Exclusive", "note": "Note"}
        widgets = {"note": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        booking = self.instance
        environment, kind = self.fields["environment"], self.fields["kind"]
        mine = Environment.objects.filter(pk=booking.environment_id)
        environment.queryset = Environment.objects.online() | mine  # type: ignore[attr-defined]
        if booking.pk and booking.kind not in dict(BY_HAND):
            del self.fields["kind"]
        else:
            kind.choices = BY_HAND  # type: ignore[attr-defined]
        self.way = self.data.get("way", "") if self.is_bound else ""

    def clean(self) -> dict[str, Any]:
        """Put the chosen way out in the place of what was typed."""
        kind, _, chosen = self.way.partition(":")
        if kind == "slot":
            self._take_slot(chosen)
        elif kind == "environment":
            online = self.fields["environment"].queryset  # type: ignore[attr-defined]
            found = online.filter(pk=number(chosen)).first()
            if found is not None:
                self.cleaned_data["environment"] = found
        return super().clean()

    def _take_slot(self, chosen: str) -> None:
        """Move to another begin; the length stays."""
        starts, ends = self.cleaned_data.get("starts"), self.cleaned_data.get("ends")
        try:
            begin = dt.datetime.fromisoformat(chosen)
        except ValueError:
            return
        if begin.tzinfo is not None and starts is not None and ends is not None:
            try:
                self.cleaned_data |= {"starts": begin, "ends": begin + (ends - starts)}
            except OverflowError:
                return

    @property
    def anyway(self) -> bool:
        """Whether the clash was seen, and the request is to be kept all the same."""
        return self.way == "anyway"

    @property
    def typed(self) -> list[tuple[str, str]]:
        """All that was typed, for the small forms that offer a way out of a clash."""
        lists = self.data.lists() if isinstance(self.data, MultiValueDict) else _lists(self.data)
        left_out = {"way", "csrfmiddlewaretoken", "version"}
        return [(name, text) for name, texts in lists for text in texts if name not in left_out]

    @property
    def next_slot(self) -> Slot | None:
        """The next free period of the wanted length in the wanted environment."""
        wanted = self._wanted
        if wanted is None:
            return None
        slot = wanted.environment.next_free_slot(
            wanted.starts, wanted.ends, exclusive=wanted.exclusive, besides=self._stored
        )
        return None if slot is None or slot.starts == wanted.starts else slot

    @property
    def other_environments(self) -> list[Environment]:
        """Online environments of the same kind that are free in the wanted period."""
        wanted = self._wanted
        if wanted is None:
            return []
        place = wanted.environment
        alike = Environment.objects.online().filter(kind=place.kind).exclude(pk=place.pk)
        free = alike.free_in(wanted.starts, wanted.ends, exclusive=wanted.exclusive)
        return list(free[:OFFERED])

    @property
    def _stored(self) -> Booking | None:
        return self.instance if self.instance.pk else None

    @property
    def _wanted(self) -> Booking | None:
        """The booking as typed, where what was typed makes one."""
        if self.errors or not {"environment", "starts", "ends"} <= self.cleaned_data.keys():
            return None
        names = ("environment", "starts", "ends", "exclusive")
        return Booking(**{name: self.cleaned_data[name] for name in names})
