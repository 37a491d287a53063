"""Notices and their mails in the administration: to look at, such as what was given up and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from releasemgr.notices.models import Letter, Notice

if TYPE_CHECKING:
    from django.http import HttpRequest


class NoticesAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # no subscript at run time
    """For those who look after people's accounts; nothing is changed here."""

    actions = None
    show_full_result_count = False  # counting all of them takes longer than showing a page
    list_select_related = ["person"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("accounts.view_user"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Letter)
class LetterAdmin(NoticesAdmin):
    list_display = ["subject", "person", "state", "attempts", "not_before", "ended_at", "problem"]
    list_filter = ["state"]
    search_fields = ["subject", "person__username", "person__email"]


@admin.register(Notice)
class NoticeAdmin(NoticesAdmin):
    list_display = ["title", "person", "event", "at", "read_at"]
    list_filter = ["event"]
    search_fields = ["title", "person__username"]
