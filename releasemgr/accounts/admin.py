"""People and roles in Django's administration. Nobody is ever deleted: history names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from releasemgr.accounts.models import Deputy, User
from releasemgr.workflow.admin import WorkflowAdmin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse


def sign_in(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """Lead to the one sign-in page, which is throttled; Django's own for staff is not."""
    if request.user.is_authenticated:
        raise PermissionDenied("Only administrators use the administration.")
    return redirect_to_login(request.GET.get("next") or reverse("admin:index"))


admin.site.login = sign_in  # type: ignore[method-assign]
admin.site.site_header = "Release Manager administration"
admin.site.site_url = None  # the way back stands in templates/admin/base_site.html
admin.site.site_title = "Release Manager administration"
admin.site.index_title = "Administration"


@admin.register(User)
class PeopleAdmin(UserAdmin):  # type: ignore[type-arg]  # no subscript at run time
    """Add people, give them roles, deactivate those who leave."""

    list_display = ["username", "first_name", "last_name", "email", "is_active", "is_staff"]
    list_filter = ["is_active", "is_staff", "groups"]
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Roles", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Settings", {"fields": ("time_zone", "theme", "single_keys")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ["last_login", "date_joined"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deactivate instead: what a person did stays theirs."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only superusers change a superuser, or they could be impersonated; nobody the robot."""
        if obj is not None and (obj.is_robot or (obj.is_superuser and not _is_super(request))):
            return False
        return super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Only superusers make superusers."""
        fields = [*super().get_readonly_fields(request, obj)]
        return fields if _is_super(request) else [*fields, "is_superuser"]


def _is_super(request: HttpRequest) -> bool:
    return bool(request.user.is_superuser)


@admin.register(Deputy)
class DeputyAdmin(WorkflowAdmin):
    """Who stands in for whom, to look at: each names their own deputies."""

    list_display = ["person", "deputy", "starts", "ends"]
    list_filter: Sequence[str] = []
    list_select_related = ["person", "deputy"]
    search_fields = ["person__last_name", "deputy__last_name", "note"]
