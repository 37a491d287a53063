"""Templates and copies of trains, and cadences."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms

from releasemgr.accounts.models import User
from releasemgr.ui.forms import EditForm, Sections
from trains.copying import Carried
from trains.forms.approvals import ApprovalForm
from trains.forms.trains import LONGEST_TITLE, MOST_CRITERIA
from trains.models import Cadence, LibraryCriterion, ReleaseType, Template, Train
from trains.outline import (
    CHECK_FIELDS,
    CriterionOutline,
    LevelOutline,
    MilestoneOutline,
    Outline,
)
from trains.planning import APPROVALS
from trains.states import GateStage
from trains.workdays import MOST_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from approvals.models import Policy
    from approvals.services import LevelPlan

LENGTHS = ("scoping_days", "construction_days", "verification_days", "deployment_days")
#: No stage is longer than this many working days: four years.
LONGEST_STAGE = 1000
#: "15 Scope frozen", or "15* Scope frozen" for all application releases.
MILESTONE = re.compile(r"(?P<days>-?\d{1,4})\s*(?P<all>\*?)\s*[:.)]?\s+(?P<title>\S.*)", re.ASCII)


def _of_library(wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], CriterionOutline]:
    """What the library says of criteria, by gate and title."""
    rows = LibraryCriterion.objects.offered().filter(title__in={title for _, title in wanted})
    return {
        (row.stage, row.title): CriterionOutline(
            row.stage,
            row.title,
            row.description,
            **{name: getattr(row, name) for name in CHECK_FIELDS},
        )
        for row in rows
    }


def _lines(text: str) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _area(label: str, hint: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=hint,
    )


def _days(label: str) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=0, max_value=LONGEST_STAGE)


class TemplateForm(EditForm):
    """What trains of one kind begin with. Its latest version is what the form shows."""

    sections: ClassVar[Sections] = (
        ("What it is", ("name", "description", "release_type", "is_standard", "is_active")),
        ("How long each stage takes, in working days", LENGTHS),
        ("Approvals it needs", tuple(f"needs_{which}" for which in APPROVALS)),
        ("Exit criteria", tuple(f"criteria_{stage}" for stage in GateStage.values)),
        ("Milestones", ("milestones",)),
    )

    scoping_days = _days("Scoping")
    construction_days = _days("Construction")
    verification_days = _days("Verification")
    deployment_days = _days("Deployment")
    needs_train = forms.BooleanField(label="Train approval", required=False)
    needs_development = forms.BooleanField(label="Development approval", required=False)
    needs_executive = forms.BooleanField(label="Executive approval", required=False)
    criteria_scoping = _area(
        "To leave Scoping",
        "One on each line. One of the library for this gate brings its description and check.",
    )
    criteria_construction = _area("To leave Construction")
    criteria_qa = _area("To leave Verification (the QA gate)")
    milestones = _area(
        "Milestones",
        "One on each line: the working days after the start, then the title, such as "
        "“15 Scope frozen”. With a star, as in “30* Feature freeze”, it is for all application "
        "releases.",
    )

    class Meta:
        model = Template
        fields = ["name", "description", "release_type", "is_standard", "is_active"]

    def __init__(self, *args: Any, outline: Outline, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outline = outline
        field: Any = self.fields["release_type"]
        field.queryset = ReleaseType.objects.offered(or_is=self.instance.release_type_id)
        said: dict[str, Any] = dict(zip(LENGTHS, outline.lengths, strict=True))
        said |= {f"needs_{which}": outline.needs.get(which, True) for which in APPROVALS}
        said |= {f"criteria_{one}": "\n".join(outline.titles(one)) for one in GateStage.values}
        said["milestones"] = "\n".join(
            f"{one.days}{'*' if one.for_all else ''} {one.title}" for one in outline.milestones
        )
        self.initial = {**said, **self.initial}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name in (f"criteria_{stage}" for stage in GateStage.values):
            self._check_lines(name, _lines(cleaned.get(name, "")))
        lines = _lines(cleaned.get("milestones", ""))
        self._check_lines("milestones", lines)
        for line in lines:
            if (found := MILESTONE.fullmatch(line)) is None or abs(int(found["days"])) > MOST_DAYS:
                self.add_error(
                    "milestones",
                    f"“{line[:60]}” should begin with working days, as in “15 Scope frozen”.",
                )
                break
        return cleaned

    def _check_lines(self, name: str, lines: list[str]) -> None:
        if len(lines) > MOST_CRITERIA:
            self.add_error(name, f"These are {len(lines)}; up to {MOST_CRITERIA} are taken.")
        if any(len(line) > LONGEST_TITLE for line in lines):
            self.add_error(name, f"A line takes up to {LONGEST_TITLE} characters.")

    @property
    def new_outline(self) -> Outline:
        """The outline as it was typed; what the form does not show stays as it was."""
        data = self.cleaned_data
        first, second, third, fourth = (data[name] for name in LENGTHS)
        wanted = [
            (stage, title)
            for stage in GateStage.values
            for title in _lines(data[f"criteria_{stage}"])
        ]
        known = _of_library(wanted) | {(one.stage, one.title): one for one in self.outline.criteria}
        criteria = tuple(
            known.get((stage, title), CriterionOutline(stage, title)) for stage, title in wanted
        )
        return replace(
            self.outline,
            lengths=(first, second, third, fourth),
            needs={which: data[f"needs_{which}"] for which in APPROVALS},
            criteria=criteria,
            milestones=self._milestones(),
        )

    def _milestones(self) -> tuple[MilestoneOutline, ...]:
        known = {one.title: one for one in self.outline.milestones}
        found = []
        for line in _lines(self.cleaned_data["milestones"]):
            words = MILESTONE.fullmatch(line)
            assert words is not None  # noqa: S101 -- clean() refuses other lines
            one = known.get(words["title"], MilestoneOutline(words["title"], 0))
            days, for_all = int(words["days"]), bool(words["all"])
            found.append(replace(one, days=days, for_all=for_all))
        return tuple(found)


class KeepForm(EditForm):
    """What a template that is made from a train is called."""

    class Meta:
        model = Template
        fields = ["name", "description", "is_standard"]


class TemplateApprovalForm(ApprovalForm):
    """Who decides upon an approval of the trains that begin with a template."""

    def __init__(
        self, *args: Any, levels: tuple[LevelOutline, ...], policy: Policy | None, **kwargs: Any
    ) -> None:
        self.outlined = levels
        if policy is not None:
            kwargs |= {"most_levels": policy.most_levels, "may_allow": policy.overrides}
        super().__init__(*args, **kwargs)

    def _levels_now(self) -> dict[int, dict[str, Any]]:
        return {
            number: {
                "name": level.name,
                "people": list(level.people),
                "groups": list(level.groups),
            }
            for number, level in enumerate(self.outlined, start=1)
        }

    @property
    def new_levels(self) -> tuple[LevelOutline, ...]:
        """The levels as they were typed."""
        return tuple(_outlined(plan) for plan in self.plan)


def _outlined(plan: LevelPlan) -> LevelOutline:
    people = tuple(person.pk for person in plan.people)
    return LevelOutline(plan.name, people, tuple((g.pk, needed) for g, needed in plan.groups))


class CopyForm(EditForm):
    """When the copy of a train starts, what it is called, and what goes along."""

    sections: ClassVar[Sections] = (
        ("The copy", ("name", "version_name", "start", "calendar", "manager")),
        (
            "What is copied",
            (
                "with_people",
                "with_criteria",
                "with_milestones",
                "with_approvals",
                "with_reservations",
                "with_releases",
            ),
        ),
    )

    with_people = forms.BooleanField(
        label="Release engineers and owners", required=False, initial=True
    )
    with_criteria = forms.BooleanField(label="Exit criteria", required=False, initial=True)
    with_milestones = forms.BooleanField(label="Milestones", required=False, initial=True)
    with_approvals = forms.BooleanField(
        label="Who decides upon the approvals", required=False, initial=True
    )
    with_reservations = forms.BooleanField(
        label="Reservations",
        required=False,
        help_text="Those that clash are kept as requests that hold nothing.",
    )
    with_releases = forms.BooleanField(
        label="Application releases",
        required=False,
        help_text="New ones of the same applications, with their dates and dependencies. "
        "They ask for a place.",
    )

    class Meta:
        model = Train
        fields = ["name", "version_name", "start", "calendar", "manager"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["start"].required = True
        field: Any = self.fields["manager"]
        field.queryset = User.objects.who_may("trains.steer_train", or_is=self.instance.manager_id)

    @property
    def carried(self) -> Carried:
        """What goes along."""
        return Carried(**{name: self.cleaned_data[f"with_{name}"] for name in CARRIED})


CARRIED = ("people", "criteria", "milestones", "approvals", "reservations", "releases")


class CadenceForm(EditForm):
    """From which template, how often, and how long ahead trains are made."""

    sections: ClassVar[Sections] = (
        ("What it makes", ("name", "template", "train_name", "manager")),
        ("When", ("first_start", "every", "unit", "days_ahead", "calendar")),
    )

    class Meta:
        model = Cadence
        fields = [
            "name",
            "template",
            "train_name",
            "manager",
            "first_start",
            "every",
            "unit",
            "days_ahead",
            "calendar",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        template: Any = self.fields["template"]
        template.queryset = Template.objects.offered() | Template.objects.filter(
            pk=self.instance.template_id
        )
        manager: Any = self.fields["manager"]
        manager.queryset = User.objects.who_may(
            "trains.steer_train", or_is=self.instance.manager_id
        )
