"""Declaring and changing freezes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils import timezone

from environments.models import Environment
from releasemgr.accounts.forms import zone_choices
from releasemgr.http import number
from releasemgr.ui.forms import EditForm
from trains.models import Freeze, Milestone, Team, Train
from trains.models.freezes import TARGETS
from trains.states import FreezeScope, Recurrence

if TYPE_CHECKING:
    import datetime as dt

#: The moments that are typed and shown on the clock of the freeze's own zone.
MOMENTS = ("begins", "ends", "recurs_until")
MOST_KINDS = 100


class FreezeForm(EditForm):
    """Where, when, how often, and what it stops."""

    sections: ClassVar = (
        ("What it is", ("name", "reason", "stops")),
        ("Where it counts", ("scope", "kind", "environment", "application", "train", "team")),
        ("When", ("time_zone", "begins", "ends", "recurrence", "recurs_until", "milestone")),
    )

    kind = forms.ChoiceField(required=False, label="Kind of environment")
    time_zone = forms.ChoiceField(help_text="The times below are on the clock of this zone.")

    class Meta:
        model = Freeze
        fields = [
            "name",
            "reason",
            "stops",
            "scope",
            "kind",
            "environment",
            "application",
            "train",
            "team",
            "time_zone",
            "begins",
            "ends",
            "recurrence",
            "recurs_until",
            "milestone",
        ]
        widgets = {"reason": forms.Textarea(attrs={"rows": 3})}
        labels = {"stops": "What it stops", "scope": "Where", "recurs_until": "Comes again until"}
        help_texts = {
            "reason": "Everybody whose work waits reads this.",
            "begins": "Of one train, empty: it begins with a milestone.",
            "recurs_until": "From then on it is over. Empty: it comes again without end.",
            "milestone": "Of the train above. It then begins with the milestone's day, and moves "
            "with it. The milestones of another train are offered once that train is saved.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        freeze: Freeze = self.instance
        fields: Any = self.fields
        kinds = Environment.objects.kinds()[:MOST_KINDS]
        offered = dict.fromkeys([*kinds, *([freeze.kind] if freeze.kind else [])])
        fields["kind"].choices = [("", "None"), *((kind, kind) for kind in offered)]
        # What is over, or was, stays chosen where the freeze names it.
        place = Environment.objects.filter(pk__in=[freeze.environment_id])
        train = Train.objects.filter(pk__in=[freeze.train_id])
        fields["environment"].queryset = Environment.objects.in_use() | place
        fields["train"].queryset = Train.objects.open() | train
        fields["team"].queryset = Team.objects.all()
        fields["milestone"].queryset = Milestone.objects.filter(train__in=self._trains())
        fields["begins"].required = False
        zones = zone_choices()
        if freeze.time_zone not in _zones() | {"UTC"}:
            zones = [(freeze.time_zone, freeze.time_zone), *zones]
        fields["time_zone"].choices = zones
        for name in MOMENTS:
            if (moment := getattr(freeze, name)) is not None:
                self.initial[name] = moment.astimezone(freeze.zone).replace(tzinfo=None)

    def _trains(self) -> list[int]:
        """The train that is chosen, and the one that was."""
        chosen = number(self.data.get("train")) if self.is_bound else None
        return [key for key in (chosen, self.instance.train_id) if key is not None]

    def full_clean(self) -> None:
        """What is typed is on the clock of the zone that is chosen."""
        typed = self.data.get("time_zone", "") if self.is_bound else ""
        zone = typed if typed in {*_zones(), self.instance.time_zone} else "UTC"
        with timezone.override(Freeze(time_zone=zone).zone):
            super().full_clean()

    def clean(self) -> dict[str, Any]:
        """One target, the one that the scope is about; a milestone says when it begins."""
        cleaned = super().clean()
        scope = cleaned.get("scope", "")
        for about, column in TARGETS.items():
            label = str(FreezeScope(about).label)
            if about != scope:
                cleaned[column] = "" if column == "kind" else None
            elif column not in self.errors and not cleaned.get(column):
                self.add_error(column, f"Choose it: the freeze is of “{label.lower()}”.")
        if scope != FreezeScope.TRAIN:
            cleaned["team"] = cleaned["milestone"] = None
        if cleaned.get("recurrence") == Recurrence.NONE:
            cleaned["recurs_until"] = None
        self._begin_with_milestone(cleaned)
        return cleaned

    def _begin_with_milestone(self, cleaned: dict[str, Any]) -> None:
        milestone: Milestone | None = cleaned.get("milestone")
        if milestone is not None and "time_zone" in cleaned:
            day: dt.date = milestone.due
            cleaned["begins"] = Freeze(time_zone=cleaned["time_zone"]).begin_of(day)
        elif cleaned.get("begins") is None and "begins" not in self.errors:
            self.add_error("begins", "Say when it begins, or choose a milestone.")


def _zones() -> set[str]:
    groups = [group for _, group in zone_choices() if isinstance(group, list)]
    return {name for group in groups for name, _ in group}
