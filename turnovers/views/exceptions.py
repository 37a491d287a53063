"""Exceptions from freezes: asked for on one page, shown and decided on another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from releasemgr.ui.edit_pages import edit_page
from releasemgr.ui.paging import paginate
from trains.http import demand
from trains.models import ApplicationRelease, Freeze
from turnovers import rules
from turnovers.exceptions import against_asking, ask_exception
from turnovers.forms import ExceptionForm
from turnovers.http import turnover_or_404
from turnovers.models import FreezeException

if TYPE_CHECKING:
    from django.http import HttpResponse

    from releasemgr.http import UserRequest


@login_required
@require_safe
def exception_page(request: UserRequest, pk: int) -> HttpResponse:
    """An exception: for what, why, what can go wrong, who asked, who decided."""
    rows: Any = FreezeException.objects.visible_to(request.user)
    row: FreezeException = get_object_or_404(rows.with_facts(), pk=pk)
    steps = row.steps(request.user)
    history = row.history.select_related("history_user").order_by("-history_id")
    context = {
        "exception": row,
        "crumbs": _crumbs(row.freeze, "Exception"),
        "steps": steps,
        "between": row.between(steps),
        "page": paginate(history, request.GET.get("page")),
    }
    return render(request, "turnovers/freeze_exception.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def exception_new(request: UserRequest, turnover_pk: int, pk: int) -> HttpResponse:
    """Ask that a freeze let a turnover pass."""
    demand(rules.may_ask_exception, None, request.user)
    turnover = turnover_or_404(request.user, turnover_pk)
    return _ask_page(request, pk, FreezeException(turnover=turnover))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def release_exception_new(request: UserRequest, release_pk: int, pk: int) -> HttpResponse:
    """Ask that a freeze let what a train carries of an application release change."""
    demand(rules.may_ask_exception, None, request.user)
    rows: Any = ApplicationRelease.objects.visible_to(request.user)
    release = get_object_or_404(rows.select_related("application"), pk=release_pk)
    return _ask_page(request, pk, FreezeException(release=release))


def _ask_page(request: UserRequest, pk: int, row: FreezeException) -> HttpResponse:
    freezes: Any = Freeze.objects.visible_to(request.user)
    freeze: Freeze = get_object_or_404(freezes.with_scope(), pk=pk)
    row.freeze, row.asked_by = freeze, request.user
    subject: Any = row.subject
    return edit_page(
        request,
        ExceptionForm,
        row,
        title=f"Ask for an exception for {subject}",
        crumbs=_crumbs(freeze, "Ask for an exception"),
        save=lambda form: ask_exception(form.instance, by=request.user),
        allowed=against_asking,
        back=subject.get_absolute_url(),
        said="{row}: asked for. Somebody else has to grant it.",
        submit="Ask for it",
        template="turnovers/freeze_exception_new.html",
        freeze=freeze,
    )


def _crumbs(freeze: Freeze, here: str) -> list[tuple[str, str]]:
    return [
        ("Environments", reverse("environments:list")),
        ("Freezes", reverse("trains:freezes")),
        (freeze.name, freeze.get_absolute_url()),
        (here, ""),
    ]
