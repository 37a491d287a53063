"""Cadences: trains that make themselves."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from releasemgr.ui.edit_pages import edit_page
from releasemgr.ui.paging import paginate
from trains import rules
from trains.forms.templates import CadenceForm
from trains.models import Cadence
from trains.views.new import demand_steering

if TYPE_CHECKING:
    from django.http import HttpResponse

    from releasemgr.http import UserRequest

#: How many trains to come are shown, and how many entries of history.
COMING, LATEST = 6, 20


def _crumbs(*more: tuple[str, str]) -> list[tuple[str, str]]:
    return [
        ("Trains", reverse("trains:list")),
        ("Cadences", reverse("trains:cadences") if more else ""),
        *more,
    ]


@login_required
@require_safe
def cadence_list(request: UserRequest) -> HttpResponse:
    """The cadences, each with its next train."""
    cadences: Any = Cadence.objects.visible_to(request.user).with_facts()
    page = paginate(cadences.order_by("state", "name"), request.GET.get("page"))
    context = {
        "page": page,
        "rows": [(cadence, _coming(cadence, 1)) for cadence in page],
        "crumbs": _crumbs(),
        "may_steer": request.user.has_perm("trains.steer_train"),
    }
    return render(request, "trains/cadences.html", context)


def _coming(cadence: Cadence, count: int) -> list[tuple[str, dt.date, dt.date]]:
    """Name, day on which it is made, and start of the trains to come; none after its end."""
    if cadence.state == Cadence.State.ENDED:
        return []
    today = timezone.localdate()
    ahead = dt.timedelta(days=cadence.days_ahead)
    return [
        (cadence.name_of(number, start), max(today, start - ahead), start)
        for number, start in islice(cadence.coming(today), count)
    ]


@login_required
@require_safe
def cadence_detail(request: UserRequest, pk: int) -> HttpResponse:
    """What it will make and when, and what it has made."""
    rows: Any = Cadence.objects.visible_to(request.user).with_facts()
    cadence: Cadence = get_object_or_404(rows, pk=pk)
    turns = cadence.turns.select_related("train__release_type")
    context = {
        "cadence": cadence,
        "crumbs": _crumbs((str(cadence), "")),
        "steps": cadence.steps(request.user),
        "coming": _coming(cadence, COMING),
        "page": paginate(turns, request.GET.get("page")),
        "entries": cadence.history.all()[:LATEST],
        "may_steer": request.user.has_perm("trains.steer_train")
        and cadence.state != Cadence.State.ENDED,
    }
    return render(request, "trains/cadence.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cadence_new(request: UserRequest) -> HttpResponse:
    """A new cadence; its first train is made as soon as it is due."""
    demand_steering(request)
    return _cadence_page(request, Cadence(manager=request.user), "New cadence")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cadence_edit(request: UserRequest, pk: int) -> HttpResponse:
    """Change what it makes from now on; trains that were made stay as they are."""
    demand_steering(request)
    cadence: Cadence = get_object_or_404(Cadence.objects.visible_to(request.user), pk=pk)
    return _cadence_page(request, cadence, f"Edit {cadence}")


def _cadence_page(request: UserRequest, cadence: Cadence, title: str) -> HttpResponse:
    return edit_page(
        request,
        CadenceForm,
        cadence,
        title=title,
        crumbs=_crumbs((title, "")),
        allowed=rules.cadence_goes_on,
        back=cadence.get_absolute_url() if cadence.pk else reverse("trains:cadences"),
    )
