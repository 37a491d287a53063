"""Approvals in the administration: the policies that are kept here, and the rest to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin

from approvals.models import Condition, Decision, Part, Policy, Signoff
from releasemgr.workflow.admin import RecordedAdmin, WorkflowAdmin

if TYPE_CHECKING:
    from django.http import HttpRequest


class PolicyForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript at run time
    """The parts that count, to tick."""

    parts = forms.MultipleChoiceField(
        label="Bound to",
        choices=Part.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="An approval counts no longer as soon as one of these differs from what was "
        "decided upon.",
    )


@admin.register(Policy)
class PolicyAdmin(RecordedAdmin):
    """Kept here: what release types ask of their approvals."""

    form = PolicyForm
    list_display = ["name", "most_levels", "overrides", "asks_password", "valid_days"]
    autocomplete_fields = ["escalate_to"]


class DecisionInline(admin.TabularInline):  # type: ignore[type-arg]  # no subscript at run time
    """Who said what; decisions are never changed."""

    model = Decision
    fields = [
        "round",
        "level_number",
        "person_name",
        "on_behalf_name",
        "is_override",
        "verdict",
        "comment",
        "at",
    ]
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("approvals.view_signoff"))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Signoff)
class SignoffAdmin(WorkflowAdmin):
    list_display = ["title", "state", "round", "requested_by", "requested_at"]
    search_fields = ["title", "question"]
    list_select_related = ["requested_by"]
    inlines = [DecisionInline]


@admin.register(Condition)
class ConditionAdmin(WorkflowAdmin):
    list_display = ["words", "state", "signoff", "asked_by"]
    search_fields = ["words"]
    list_select_related = ["signoff", "asked_by"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A condition is a part of an approval."""
        return bool(request.user.has_perm("approvals.view_signoff"))
