"""Planning a train."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils import timezone

from environments.models import Environment
from releasemgr.accounts.models import User
from releasemgr.ui.forms import EditForm, Sections, SeveralField
from trains.models import (
    ApplicationRelease,
    Boarding,
    Criterion,
    Gate,
    Milestone,
    ReleaseType,
    Train,
)
from trains.planning import SCHEDULE
from trains.states import GateStage

MOST_CRITERIA = 50
LONGEST_TITLE = 300


class TrainForm(EditForm):
    """What a train is, when it goes, who works on it, and which approvals it needs."""

    sections: ClassVar[Sections] = (
        ("What it is", ("name", "version_name", "release_type", "purpose")),
        (
            "Schedule",
            (
                "start",
                "scoping_end",
                "construction_end",
                "qa_end",
                "end",
                "calendar",
                "days_off",
            ),
        ),
        ("People", ("manager", "engineers")),
        (
            "Approvals it needs",
            ("needs_train_approval", "needs_development_approval", "needs_executive_approval"),
        ),
    )

    engineers = SeveralField(
        User.objects.none(),
        label="Release engineers",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    days_off = forms.ChoiceField(
        label="Dates on days off",
        required=False,
        choices=[
            ("", "Keep them, and tell me"),
            ("forward", "Move them to the next working day"),
            ("back", "Move them to the working day before"),
        ],
    )

    class Meta:
        model = Train
        fields = [
            "name",
            "version_name",
            "release_type",
            "purpose",
            "start",
            "scoping_end",
            "construction_end",
            "qa_end",
            "end",
            "calendar",
            "manager",
            "needs_train_approval",
            "needs_development_approval",
            "needs_executive_approval",
        ]
        widgets = {"purpose": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "name": "Shown in every list, such as “Hibiscus 2026.2”.",
            "purpose": "Why it goes, in a sentence or two. Approvers read this first.",
            "end": "The day it is in production.",
            "needs_train_approval": "Asked for after Scoping, before building starts.",
            "needs_development_approval": "Asked for after Construction, before tests start.",
            "needs_executive_approval": "Asked for after Verification, before production.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        train = self.instance
        _offer(self, "manager", User.objects.who_may("trains.steer_train", or_is=train.manager_id))
        engineers = User.objects.who_may("trains.consent_train")
        if train.pk:
            chosen = list(train.crew.values_list("person", flat=True))
            engineers |= User.objects.filter(pk__in=chosen)
            self.initial.setdefault("engineers", chosen)
        _offer(self, "engineers", engineers.distinct())
        types = ReleaseType.objects.offered(or_is=train.release_type_id)
        _offer(self, "release_type", types)
        for name in SCHEDULE:
            self.fields[name].widget.attrs["data-plan"] = ""
        self.fields["calendar"].widget.attrs["data-plan"] = ""

    def clean(self) -> dict[str, Any]:
        """Move the dates that fall on days off, where that is asked for."""
        cleaned = super().clean()
        calendar, how = cleaned.get("calendar"), cleaned.get("days_off")
        if calendar is not None and how:
            workdays = calendar.workdays
            move = workdays.forward if how == "forward" else workdays.back
            for name in SCHEDULE:
                if cleaned.get(name) is not None and name not in self.errors:
                    cleaned[name] = move(cleaned[name])
        return cleaned

    @property
    def engineers_chosen(self) -> list[User]:
        return list(self.cleaned_data["engineers"])


class NewTrainForm(TrainForm):
    """A train to be, with the criteria of its three gates, one on a line."""

    sections: ClassVar[Sections] = (
        *TrainForm.sections,
        (
            "Exit criteria",
            ("criteria_scoping", "criteria_construction", "criteria_qa"),
        ),
    )

    criteria_scoping = forms.CharField(
        label="To leave Scoping",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One on each line. Owners, dates and more can be added later.",
    )
    criteria_construction = forms.CharField(
        label="To leave Construction",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    criteria_qa = forms.CharField(
        label="To leave Verification (the QA gate)",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for stage in GateStage.values:
            name = f"criteria_{stage}"
            lines = _lines(cleaned.get(name, ""))
            if len(lines) > MOST_CRITERIA:
                self.add_error(name, f"These are {len(lines)}. A gate takes up to {MOST_CRITERIA}.")
            if longest := next((line for line in lines if len(line) > LONGEST_TITLE), ""):
                self.add_error(
                    name,
                    f"“{longest[:40]}…” has {len(longest)} characters. "
                    f"A criterion takes up to {LONGEST_TITLE}.",
                )
        return cleaned

    @property
    def criteria(self) -> dict[str, list[str]]:
        """The titles named for each gate."""
        return {stage: _lines(self.cleaned_data[f"criteria_{stage}"]) for stage in GateStage.values}


class HealthForm(EditForm):
    """What the manager says about a train, over what is computed."""

    class Meta:
        model = Train
        fields = ["health_override", "health_note", "health_until"]
        widgets = {"health_override": forms.RadioSelect}
        help_texts = {"health_note": "Why. Shown beside the status, to everybody."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["health_override"]
        field.choices = [("", "As computed"), *list(field.choices)[1:]]

    def clean(self) -> dict[str, Any]:
        """An override says why; without one there is no note."""
        cleaned = super().clean()
        if not cleaned.get("health_override"):
            cleaned["health_note"], cleaned["health_until"] = "", None
            return cleaned
        if not cleaned.get("health_note"):
            self.add_error("health_note", "Say why. Everybody who looks at the train reads it.")
        until = cleaned.get("health_until")
        if until is not None and until < timezone.localdate():
            self.add_error("health_until", "This day has passed. Choose today or a later one.")
        return cleaned


class GateForm(EditForm):
    """When a gate is passed."""

    class Meta:
        model = Gate
        fields = ["date"]


class CriterionForm(EditForm):
    """What must be true to pass a gate."""

    class Meta:
        model = Criterion
        fields = ["title", "description", "owner", "own_due", "environment"]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "title": "What must be true, such as “Upgrade rehearsed on staging”.",
            "owner": "Who says whether it is met. Empty: release managers do.",
            "environment": "Where it is shown, if it is about one.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_people(self, "owner")
        _offer(self, "environment", Environment.objects.in_use())


class MilestoneForm(EditForm):
    """A dated check of a train."""

    class Meta:
        model = Milestone
        fields = ["title", "due", "owner", "same_role", "for_all"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_people(self, "owner")


class BoardingForm(EditForm):
    """Which application release asks for a place on the train."""

    class Meta:
        model = Boarding
        fields = ["release"]
        labels = {"release": "Application release"}
        help_texts = {"release": "Those that ride no train and have not asked for a place."}

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        free = ApplicationRelease.objects.visible_to(user).not_riding()
        if not user.has_perm("trains.steer_train"):
            free = free.of(user)
        _offer(self, "release", free.select_related("application"))


class ReservationForm(EditForm):
    """Which environment is held for a train, and when."""

    class Meta:
        model = Train
        fields: list[str] = []

    environment = forms.ModelChoiceField(
        Environment.objects.none(), empty_label="Choose an environment"
    )
    starts = forms.DateTimeField(help_text="In your time zone.")
    ends = forms.DateTimeField(help_text="The first moment after it: others may start then.")
    exclusive = forms.BooleanField(
        required=False,
        initial=True,
        help_text="Nobody else may use the environment in this period.",
    )
    anyway = forms.BooleanField(
        label="Ask for it even if it clashes",
        required=False,
        help_text="It is then kept as a request that holds nothing. Both sides see the clash, "
        "and release managers resolve it.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "environment", Environment.objects.online())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        starts, ends = cleaned.get("starts"), cleaned.get("ends")
        if starts and ends and ends <= starts:
            self.add_error("ends", "The end must be after the start.")
        return cleaned


def _offer(form: forms.BaseForm, name: str, rows: Any) -> None:
    field: Any = form.fields[name]
    field.queryset = rows


def _offer_people(form: EditForm, name: str) -> None:
    """Everybody who can be given work, and whoever has it already."""
    people = User.objects.people() | User.objects.filter(pk=getattr(form.instance, f"{name}_id"))
    _offer(form, name, people)


def _lines(text: str) -> list[str]:
    """The lines that say something, each once."""
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
