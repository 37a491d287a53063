"""What one was told, and how one wants to be told."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from releasemgr.http import number
from releasemgr.notices.events import by_group
from releasemgr.notices.forms import PreferencesForm
from releasemgr.notices.models import Notice, Preferences
from releasemgr.notices.services import keep_preferences, mark_read
from releasemgr.ui.edit_pages import see_other
from releasemgr.ui.paging import paginate

if TYPE_CHECKING:
    from django.http import HttpResponse

    from releasemgr.http import UserRequest


@login_required
@require_safe
def notices(request: UserRequest) -> HttpResponse:
    """Everything that the reader was told, the newest first, or what of it is unread."""
    groups = by_group()
    unread_only = request.GET.get("show") == "unread"
    about = request.GET.get("about", "")
    about = about if about in groups else ""
    mine = Notice.objects.visible_to(request.user)
    found = mine.of_events(event.key for event in groups[about]) if about else mine
    found = found.unread() if unread_only else found
    context = {
        "page": paginate(found, request.GET.get("page")),
        "unread_only": unread_only,
        "about": about,
        "has_unread": mine.unread().exists(),
        "tabs": [
            {"label": "All", "url": _with(about=about), "current": not unread_only, "count": None},
            {
                "label": "Unread",
                "url": _with(about=about, show="unread"),
                "current": unread_only,
                "count": None,
            },
        ],
        "filters": [
            {
                "label": name or "Everything",
                "url": _with(about=name, show="unread" if unread_only else ""),
                "current": name == about,
            }
            for name in ["", *groups]
        ],
    }
    return render(request, "notices/list.html", context)


def _with(**query: str) -> str:
    return f"?{urlencode({name: value for name, value in query.items() if value})}"


@login_required
@require_POST
def read(request: UserRequest) -> HttpResponse:
    """Count one notice, or all of them, as read, and go back to the list."""
    mine = Notice.objects.visible_to(request.user)
    if one := request.POST.get("notice"):
        notice: Notice = get_object_or_404(mine, pk=number(one))
        mark_read(mine.filter(pk=notice.pk))
    elif count := mark_read(mine):
        said = "1 notice" if count == 1 else f"{count} notices"
        messages.success(request, f"{said} marked as read.")
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        back, {request.get_host()}, require_https=request.is_secure()
    )
    return see_other(back if safe else reverse("notices:list"))


@login_required
@require_safe
def open_notice(request: UserRequest, pk: int) -> HttpResponse:
    """Lead on to what it is about; who has been there has read it."""
    mine = Notice.objects.visible_to(request.user)
    notice: Notice = get_object_or_404(mine, pk=pk)
    if request.method == "GET":
        mark_read(mine.filter(pk=notice.pk))
    return see_other(notice.url)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: UserRequest) -> HttpResponse:
    """What the reader is told, how and when."""
    person: Any = request.user
    chosen = Preferences.of([person])[person.pk]
    sent = request.POST.copy() if request.method == "POST" else None
    form = PreferencesForm(sent, person=person, chosen=chosen)
    crumbs = [("Your settings", reverse("accounts:me")), ("What you are told", "")]
    context = {"form": form, "crumbs": crumbs}
    if sent is None:
        return render(request, "notices/preferences.html", context)
    if not form.is_valid():
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return render(request, "notices/preferences.html", context, status=status)
    kept = keep_preferences(
        person, ways=form.ways, version=form.cleaned_data["version"], **form.hours
    )
    if kept is None:
        form.add_error(None, "You have changed this elsewhere meanwhile. Save again to keep this.")
        sent["version"] = str(chosen.version)
        return render(request, "notices/preferences.html", context, status=HTTPStatus.CONFLICT)
    messages.success(request, "What you are told is kept.")
    return see_other(reverse("notices:preferences"))
