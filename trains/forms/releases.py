"""Planning an application release, its work, its milestones and what it needs."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from releasemgr.accounts.models import User
from releasemgr.ui.forms import EditForm, Sections
from trains.models import (
    Application,
    ApplicationRelease,
    Boarding,
    Dependency,
    Milestone,
    Team,
    Train,
    WorkItem,
)

LONGEST_LINE = 500


class ReleaseForm(EditForm):
    """One version of one application: what, when, who, and how much the train needs it."""

    sections: ClassVar[Sections] = (
        ("What it is", ("application", "version_name", "description")),
        ("Schedule", ("start", "construction_end", "end")),
        ("Who, and how important", ("owner", "criticality")),
    )

    class Meta:
        model = ApplicationRelease
        fields = [
            "application",
            "version_name",
            "description",
            "start",
            "construction_end",
            "end",
            "owner",
            "criticality",
        ]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "version_name": "Such as 33.0.2.",
            "construction_end": "From this day on nothing is added.",
            "owner": "Moves it, and asks for its place on a train.",
            "criticality": "How much the train needs it.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owners = User.objects.who_may("trains.own_release", or_is=self.instance.owner_id)
        _offer(self, "owner", owners)
        _offer(self, "application", Application.objects.all())


class NewReleaseForm(ReleaseForm):
    """A new application release; it may ask for a place on a train at once."""

    sections: ClassVar[Sections] = (*ReleaseForm.sections, ("Place on a train", ("train",)))

    train = forms.ModelChoiceField(
        Train.objects.none(),
        required=False,
        empty_label="No train yet",
        help_text="A place is asked for; the train’s release manager accepts or rejects.",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "train", Train.objects.visible_to(user).that_board())


class BoardTrainForm(EditForm):
    """Which train an application release asks for a place on."""

    class Meta:
        model = Boarding
        fields = ["train"]
        help_texts = {"train": "Trains in Scoping or Construction."}

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "train", Train.objects.visible_to(user).that_board())


class DependencyForm(EditForm):
    """Which other application release is needed."""

    class Meta:
        model = Dependency
        fields = ["needs"]
        labels = {"needs": "It needs"}
        help_texts = {"needs": "What it needs is deployed before it, in every environment."}

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        release = self.instance.release
        others = ApplicationRelease.objects.visible_to(user).open().exclude(pk=release.pk)
        others = others.exclude(pk__in=release.dependencies.values("needs"))
        _offer(self, "needs", others.select_related("application"))


class ReleaseMilestoneForm(EditForm):
    """A dated check of an application release."""

    class Meta:
        model = Milestone
        fields = ["title", "due", "owner", "same_role"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.people() | User.objects.filter(pk=self.instance.owner_id)
        _offer(self, "owner", people)


class WorkItemForm(EditForm):
    """What is asked for, built or mended."""

    url = forms.URLField(label="Link", required=False, max_length=500, assume_scheme="https")

    class Meta:
        model = WorkItem
        fields = ["kind", "title", "key", "url", "state"]
        help_texts = {
            "key": "Its number in your tracker, such as NOVA-1234.",
            "state": "Construction is complete when every item is done or deferred.",
        }


class ApplicationForm(EditForm):
    """What is released, who builds it, and where its source and its tracker are."""

    sections: ClassVar[Sections] = (
        ("What it is", ("name", "kind", "description")),
        ("Who", ("team_name", "owner")),
        ("Where", ("addresses", "tracker")),
    )

    team_name = forms.CharField(
        label="Team",
        required=False,
        max_length=200,
        help_text="Who builds it. A name that is new makes a new team.",
    )
    addresses = forms.CharField(
        label="Repositories",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One on each line.",
    )

    class Meta:
        model = Application
        fields = ["name", "kind", "description", "owner", "tracker"]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "kind": "Such as service, library or client.",
            "tracker": "Where its work is tracked.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        application = self.instance
        people = User.objects.people() | User.objects.filter(pk=application.owner_id)
        _offer(self, "owner", people)
        self.initial["team_name"] = str(application.team or "")
        self.initial["addresses"] = "\n".join(map(str, application.repositories))

    def clean_name(self) -> str:
        """One application of a name, among those that did not come from a file."""
        name: str = self.cleaned_data["name"]
        others = Application.objects.filter(name=name, external_id="").exclude(pk=self.instance.pk)
        if not self.instance.external_id and others.exists():
            raise forms.ValidationError("There is an application of this name already.")
        return name

    def clean_addresses(self) -> list[str]:
        """The lines that say something, each once."""
        lines = [line.strip() for line in self.cleaned_data["addresses"].splitlines()]
        found = list(dict.fromkeys(line for line in lines if line))
        if longest := next((line for line in found if len(line) > LONGEST_LINE), ""):
            raise forms.ValidationError(
                f"“{longest[:40]}…” is too long. An address takes up to {LONGEST_LINE} characters."
            )
        return found

    @property
    def repositories(self) -> list[str]:
        return list(self.cleaned_data["addresses"])

    @property
    def team(self) -> Team | None:
        """The team of that name, not stored yet where it is new."""
        name = self.cleaned_data["team_name"]
        if not name:
            return None
        return Team.objects.filter(name=name).order_by("pk").first() or Team(name=name)


def _offer(form: forms.BaseForm, name: str, rows: Any) -> None:
    field: Any = form.fields[name]
    field.queryset = rows
