"""Records in Django's administration: to look at, with their history. Steps have their own pages.

What takes steps is never changed here, because nothing would be checked; the little that
administrators do keep here is stored with author and version like every other edit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from simple_history.admin import SimpleHistoryAdmin

from releasemgr.workflow.perform import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest


class RecordedAdmin(SimpleHistoryAdmin):
    """Rows that administrators keep: added and changed with history, removed never."""

    actions = None
    history_list_display: Sequence[str] = ["transition", "actor"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Store with author and a new version, as the pages do."""
        record(obj, by=request.user, reason="In the administration")  # type: ignore[arg-type]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was used stays readable: deactivate instead."""
        return False

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        """History is looked at, not gone back to: an old version would check nothing."""
        return True

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: Any = None
    ) -> Any:
        """Show an old version; a form that would bring it back is not taken."""
        if request.method not in {"GET", "HEAD"}:
            raise PermissionDenied("History is looked at, not gone back to.")
        return super().history_form_view(request, object_id, version_id, extra_context)


class WorkflowAdmin(RecordedAdmin):
    """Rows that take steps: every field, to look at only."""

    list_filter: Sequence[Any] = ["state"]
    show_full_result_count = False  # counting years of rows takes longer than showing a page

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in self.model._meta.concrete_fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.get_fields(request, obj)
