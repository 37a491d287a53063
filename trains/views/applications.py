"""Applications: what is released, who builds it, and its releases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from releasemgr.ui.edit_pages import edit_page
from releasemgr.ui.paging import paginate
from trains.forms.releases import ApplicationForm
from trains.models import Application, ApplicationRelease
from trains.services import keep_application
from trains.views.releases import listed

if TYPE_CHECKING:
    from django.http import HttpResponse

    from releasemgr.accounts.models import User
    from releasemgr.http import UserRequest

MAY_EDIT = "Release managers and product owners add and change applications."
LONGEST_QUERY = 200


@login_required
@require_safe
def application_list(request: UserRequest) -> HttpResponse:
    """All applications, by name."""
    words = request.GET.get("q", "").strip()[:LONGEST_QUERY]
    found: Any = Application.objects.visible_to(request.user).matching(words)
    found = found.with_release_counts().select_related("team", "owner")
    context = {
        "page": paginate(found.order_by("name", "pk"), request.GET.get("page")),
        "words": words,
        "may_edit": request.user.has_perm("trains.edit_application"),
    }
    return render(request, "trains/application_list.html", context)


@login_required
@require_safe
def application_detail(request: UserRequest, pk: int) -> HttpResponse:
    """One application with its releases, newest first."""
    application = _application_or_404(request.user, pk)
    releases: Any = ApplicationRelease.objects.visible_to(request.user)
    rows = listed(releases.filter(application=application)).order_by("-pk")
    context = {
        "application": application,
        "crumbs": [("Applications", reverse("trains:applications")), (str(application), "")],
        "page": paginate(rows, request.GET.get("page")),
        "may_edit": request.user.has_perm("trains.edit_application"),
        "may_add": request.user.has_perm("trains.own_release"),
        "entries": application.history.select_related("history_user").order_by("-history_id")[:20],
    }
    return render(request, "trains/application.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def application_new(request: UserRequest) -> HttpResponse:
    """Add an application."""
    _demand_edit(request.user)
    return _application_page(request, Application(owner=request.user), "New application")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def application_edit(request: UserRequest, pk: int) -> HttpResponse:
    """Change an application."""
    application = _application_or_404(request.user, pk)
    _demand_edit(request.user)
    return _application_page(request, application, f"Edit {application}")


def _application_or_404(user: User, pk: int) -> Application:
    applications: Any = Application.objects.visible_to(user)
    application: Application = get_object_or_404(
        applications.select_related("team", "owner"), pk=pk
    )
    return application


def _demand_edit(user: User) -> None:
    if not user.has_perm("trains.edit_application"):
        raise PermissionDenied(MAY_EDIT)


def _application_page(request: UserRequest, application: Application, title: str) -> HttpResponse:
    def save(form: ApplicationForm) -> Application:
        return keep_application(
            application,
            form.team,
            by=request.user,
            version=form.seen_version,
            repositories=form.repositories,
            **form.changes,
        )

    return edit_page(
        request,
        ApplicationForm,
        application,
        title=title,
        crumbs=[("Applications", reverse("trains:applications")), (title, "")],
        save=save,
        back=application.get_absolute_url() if application.pk else reverse("trains:applications"),
    )
