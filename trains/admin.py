"""Trains in the administration: what administrators keep, and the rest to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from releasemgr.workflow.admin import RecordedAdmin, WorkflowAdmin
from releasemgr.workflow.edit import remove
from releasemgr.workflow.perform import record
from trains.models import (
    Application,
    ApplicationRelease,
    Boarding,
    Cadence,
    Calendar,
    Criterion,
    Freeze,
    Holiday,
    LibraryCriterion,
    Milestone,
    PlanVersion,
    ReleaseType,
    Team,
    Template,
    Train,
    Waiver,
    WorkItem,
)

if TYPE_CHECKING:
    from django.http import HttpRequest

#: Why a part of a record was changed here, for its history.
IN_HERE = "In the administration"


@admin.register(ReleaseType)
class ReleaseTypeAdmin(RecordedAdmin):
    """Kept here: what a new train of each type asks for."""

    list_display = [
        "name",
        "needs_train_approval",
        "needs_development_approval",
        "needs_executive_approval",
        "is_emergency",
        "position",
        "is_active",
        "begins_with",
    ]
    readonly_fields = ["begins_with"]

    @admin.display(description="criteria, milestones and lengths of stages")
    def begins_with(self, row: ReleaseType) -> str:
        """The template that says the rest, one click away."""
        if row._state.adding:
            return "Save it first; then say them here."
        standard = row.templates.standard().first()
        if standard is None:
            return format_html(
                "None of its own. Release managers say them in its standard template, under "
                '<a href="{}">Templates</a>.',
                reverse("trains:templates"),
            )
        url = standard.get_absolute_url()
        return format_html('As its standard template says: <a href="{}">{}</a>', url, standard)


class HolidayInline(admin.TabularInline):  # type: ignore[type-arg]  # no subscript at run time
    model = Holiday
    extra = 3


@admin.register(Calendar)
class CalendarAdmin(RecordedAdmin):
    """Kept here: on which days people work, for the planning of trains."""

    list_display = ["name", "is_default"]
    inlines = [HolidayInline]

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Its holidays, with author and version like the calendar itself."""
        formset.save(commit=False)
        by: Any = request.user
        for holiday in formset.deleted_objects:
            remove(holiday, by=by, reason=IN_HERE)
        for holiday in (*formset.new_objects, *(row for row, _ in formset.changed_objects)):
            record(holiday, by=by, reason=IN_HERE)


@admin.register(Cadence)
class CadenceAdmin(WorkflowAdmin):
    list_display = ["name", "template", "manager", "state"]
    search_fields = ["name"]
    list_select_related = ["template", "manager"]


@admin.register(Template)
class TemplateAdmin(WorkflowAdmin):
    """To look at: templates have pages of their own, which keep versions."""

    list_display = ["name", "release_type", "is_standard", "is_active"]
    list_filter = ["is_active", "release_type"]
    search_fields = ["name"]
    list_select_related = ["release_type"]


@admin.register(Team)
class TeamAdmin(RecordedAdmin):
    search_fields = ["name"]


@admin.register(Application)
class ApplicationAdmin(RecordedAdmin):
    list_display = ["name", "kind", "team", "owner"]
    search_fields = ["name"]
    list_select_related = ["team", "owner"]
    autocomplete_fields = ["team", "owner"]


@admin.register(Train)
class TrainAdmin(WorkflowAdmin):
    list_display = ["name", "version_name", "release_type", "manager", "start", "end", "state"]
    list_filter = ["state", "release_type"]
    search_fields = ["name"]
    list_select_related = ["release_type", "manager"]


@admin.register(ApplicationRelease)
class ApplicationReleaseAdmin(WorkflowAdmin):
    list_display = ["application", "version_name", "owner", "criticality", "state"]
    list_filter = ["state", "criticality"]
    search_fields = ["application__name", "version_name"]
    list_select_related = ["application", "owner"]


@admin.register(Boarding)
class BoardingAdmin(WorkflowAdmin):
    list_display = ["train", "release", "requested_by", "state"]
    list_select_related = ["train", "release__application", "requested_by"]


@admin.register(Criterion)
class CriterionAdmin(WorkflowAdmin):
    list_display = ["title", "gate", "owner", "state"]
    search_fields = ["title"]
    list_select_related = ["gate__train", "owner"]


@admin.register(LibraryCriterion)
class LibraryCriterionAdmin(RecordedAdmin):
    """Kept here, and on the pages of criteria: what gates copy."""

    list_display = ["title", "stage", "checked_by", "is_active"]
    list_filter = ["stage", "is_active"]
    search_fields = ["title", "description"]


@admin.register(Waiver)
class WaiverAdmin(WorkflowAdmin):
    list_display = ["criterion", "until", "asked_by", "decided_by", "state"]
    list_select_related = ["criterion", "asked_by", "decided_by"]


@admin.register(Milestone)
class MilestoneAdmin(WorkflowAdmin):
    list_display = ["title", "train", "release", "due", "owner", "state"]
    search_fields = ["title"]
    list_select_related = ["train", "release__application", "owner"]


@admin.register(WorkItem)
class WorkItemAdmin(WorkflowAdmin):
    list_display = ["key", "title", "kind", "release", "state"]
    list_filter = ["state", "kind"]
    search_fields = ["key", "title"]
    list_select_related = ["release__application"]


@admin.register(PlanVersion)
class PlanVersionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # no subscript at run time
    """What was kept of plans; nobody changes it."""

    list_display = ["train", "number", "occasion", "by_name", "at"]
    list_select_related = ["train"]
    search_fields = ["train__name"]
    show_full_result_count = False
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Freeze)
class FreezeAdmin(WorkflowAdmin):
    """To look at; they are declared, changed and lifted on their own pages, by administrators too:
    only there is it asked whose work that would free."""

    list_display = ["name", "scope", "stops", "begins", "ends", "recurrence", "state"]
    list_filter = ["state", "scope", "stops", "recurrence"]
    search_fields = ["name", "reason"]
