"""Environments and bookings in the administration: to look at."""

from __future__ import annotations

from django.contrib import admin

from environments.models import Booking, Environment
from releasemgr.workflow.admin import WorkflowAdmin


@admin.register(Environment)
class EnvironmentAdmin(WorkflowAdmin):
    list_display = ["name", "kind", "state", "is_production", "is_restricted", "position"]
    list_filter = ["state", "is_production", "is_restricted"]
    search_fields = ["name", "kind", "owner_name"]


@admin.register(Booking)
class BookingAdmin(WorkflowAdmin):
    list_display = ["title", "environment", "kind", "starts", "ends", "exclusive", "state"]
    list_filter = ["state", "kind"]
    search_fields = ["title"]
    list_select_related = ["environment"]
