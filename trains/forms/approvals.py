"""Who decides upon an approval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.models import Group

from approvals.models import DEFAULT_LEVELS, Signoff
from approvals.services import LevelPlan
from releasemgr.accounts.models import User
from releasemgr.accounts.roles import ROBOT
from releasemgr.ui.forms import EditForm, SeveralField

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.forms import BoundField

GROUPS_A_LEVEL = 2
MOST_VOTES = 50


@dataclass(frozen=True)
class LevelFields:
    """One level of the sheet on the page."""

    number: int
    fields: list[BoundField]
    pairs: list[tuple[BoundField, BoundField]]
    is_open: bool

    @property
    def before(self) -> int:
        return self.number - 1


class ApprovalForm(EditForm):
    """The levels; on each, people who must all approve, and so many of a group or two.

    ``most_levels`` is how many there may be; levels that the sheet has already stay editable.
    ``may_allow`` says whether overrides can be allowed at all.
    """

    class Meta:
        model = Signoff
        fields = ["allows_override"]
        help_texts = {
            "allows_override": "Release managers who have no part in it may decide for somebody "
            "absent, and add or remove approvers while it is being decided, with a reason."
        }

    def __init__(
        self, *args: Any, most_levels: int = DEFAULT_LEVELS, may_allow: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if not may_allow:
            del self.fields["allows_override"]
        people = User.objects.people()
        groups = Group.objects.exclude(name=ROBOT).order_by("name")
        there = self._levels_now()
        self.most_levels = max(most_levels, *there, 1)
        for number in range(1, self.most_levels + 1):
            self._add_level(number, people, groups, there.get(number, {}))

    def _add_level(self, number: int, people: Any, groups: Any, now: dict[str, Any]) -> None:
        prefix = f"level{number}"
        self.fields[f"{prefix}_name"] = forms.CharField(
            label="Name",
            required=False,
            max_length=100,
            initial=now.get("name", ""),
            help_text="Such as “Change advisory board”." if number == 1 else "",
        )
        self.fields[f"{prefix}_people"] = SeveralField(
            people,
            label="Each of these people",
            required=False,
            initial=now.get("people", []),
            widget=forms.SelectMultiple(attrs={"size": 6}),
        )
        for index in range(GROUPS_A_LEVEL):
            group, needed = dict(enumerate(now.get("groups", []))).get(index, (None, None))
            self.fields[f"{prefix}_needed{index}"] = forms.IntegerField(
                label="So many",
                required=False,
                min_value=1,
                max_value=MOST_VOTES,
                initial=needed,
            )
            self.fields[f"{prefix}_group{index}"] = forms.ModelChoiceField(
                groups, label="of this group", required=False, initial=group, empty_label="No group"
            )

    def _levels_now(self) -> dict[int, dict[str, Any]]:
        """What the sheet says, as initial values."""
        if self.instance.pk is None:
            return {}
        found = {}
        for level in self.instance.levels.prefetch_related("rules"):
            rules = list(level.rules.all())
            found[level.number] = {
                "name": level.name,
                "people": [rule.person_id for rule in rules if rule.person_id],
                "groups": [(rule.group_id, rule.needed) for rule in rules if rule.group_id],
            }
        return found

    def levels(self) -> Iterator[LevelFields]:
        """The fields of each level, for the page; those that say something are unfolded."""
        for number in range(1, self.most_levels + 1):
            prefix = f"level{number}"
            alone = [self[f"{prefix}_name"], self[f"{prefix}_people"]]
            pairs = [
                (self[f"{prefix}_needed{index}"], self[f"{prefix}_group{index}"])
                for index in range(GROUPS_A_LEVEL)
            ]
            everything = [*alone, *(bound for pair in pairs for bound in pair)]
            says = any(bound.value() or bound.errors for bound in everything)
            yield LevelFields(number, alone, pairs, is_open=says or number == 1)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        gap = 0
        for number in range(1, self.most_levels + 1):
            self._check_groups(number, cleaned)
            if self._plan(number, cleaned) is None:
                gap = gap or number
            elif gap:
                self.add_error(
                    f"level{gap}_people", f"Level {gap} is empty, but level {number} is not."
                )
                gap = 0
        if not self.errors and not self.plan:
            self.add_error("level1_people", "Name at least one person or group on level 1.")
        return cleaned

    def _check_groups(self, number: int, cleaned: dict[str, Any]) -> None:
        for index in range(GROUPS_A_LEVEL):
            group, needed = (
                cleaned.get(f"level{number}_group{index}"),
                cleaned.get(f"level{number}_needed{index}"),
            )
            if needed and not group and f"level{number}_group{index}" not in self.errors:
                self.add_error(f"level{number}_group{index}", "Choose the group.")
        names = [cleaned.get(f"level{number}_group{index}") for index in range(GROUPS_A_LEVEL)]
        if names[0] is not None and names[0] == names[1]:
            self.add_error(f"level{number}_group1", "This group is named twice on the level.")

    @property
    def plan(self) -> list[LevelPlan]:
        """The levels that name somebody, in order."""
        plans = [self._plan(number, self.cleaned_data) for number in range(1, self.most_levels + 1)]
        return [plan for plan in plans if plan is not None]

    def _plan(self, number: int, cleaned: dict[str, Any]) -> LevelPlan | None:
        prefix = f"level{number}"
        people = list(cleaned.get(f"{prefix}_people") or [])
        groups = [
            (group, cleaned.get(f"{prefix}_needed{index}") or 1)
            for index in range(GROUPS_A_LEVEL)
            if (group := cleaned.get(f"{prefix}_group{index}"))
        ]
        if not people and not groups:
            return None
        return LevelPlan(cleaned.get(f"{prefix}_name") or "", people, groups)


class RenewForm(EditForm):
    """Nothing but the version of the sheet that was looked at."""

    class Meta:
        model = Signoff
        fields: list[str] = []
