"""Freezes: the list, a freeze, declaring and changing one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from environments.models import Environment
from releasemgr.http import number
from releasemgr.ui.edit_pages import edit_page
from releasemgr.ui.paging import paginate
from trains import freezes, panels, rules
from trains.forms.freezes import FreezeForm
from trains.http import demand
from trains.models import Application, Freeze, Train
from trains.states import FreezeScope, FreezeStops

if TYPE_CHECKING:
    from django.http import HttpResponse

    from releasemgr.http import UserRequest
    from trains.freeze_querysets import FreezeQuerySet

EDIT_METHODS = ["GET", "HEAD", "POST"]
WHEN = {
    "open": "Now and coming",
    "now": "Begun",
    "coming": "Coming",
    "over": "Over or lifted",
    "all": "All",
}
#: How many periods of a freeze its page foretells.
NEXT_ONES = 10
HISTORY_PAGE = 20
#: What an address may name for a new freeze to be about.
ABOUT: dict[str, Any] = {"environment": Environment, "application": Application, "train": Train}


@login_required
@require_safe
def freeze_list(request: UserRequest) -> HttpResponse:
    """Freezes: begun, coming, or over; of everywhere, or those that count in one environment."""
    get = request.GET
    when = get["when"] if get.get("when") in WHEN else "open"
    words = get.get("q", "").strip()[:200]
    key = number(get.get("environment"))
    seen = Environment.objects.visible_to(request.user)
    environment = seen.filter(pk=key).first() if key is not None else None
    visible: Any = Freeze.objects.visible_to(request.user)
    found = _when(visible.matching(words), when)
    if environment is not None:
        found = found.of_places([environment])
    order = ("-begins", "-pk") if when in {"over", "all"} else ("begins", "pk")
    context = {
        "page": paginate(found.with_scope().order_by(*order), get.get("page")),
        "when": when,
        "whens": WHEN.items(),
        "words": words,
        "environments": Environment.objects.visible_to(request.user).in_use(),
        "environment": environment,
        "crumbs": [("Environments", reverse("environments:list")), ("Freezes", "")],
        "now": timezone.now(),
        "may_manage": rules.may_manage_freezes(None, request.user),
    }
    return render(request, "trains/freezes.html", context)


def _when(rows: FreezeQuerySet, when: str) -> FreezeQuerySet:
    now = timezone.now()
    if when == "all":
        return rows
    chosen = {
        "open": rows.current_and_coming,
        "now": rows.current,
        "coming": rows.coming,
        "over": rows.past,
    }
    return chosen[when](now)


@login_required
@require_safe
def freeze_detail(request: UserRequest, pk: int) -> HttpResponse:
    """A freeze: where and when, what it stops now, what it let pass, what becomes of it."""
    freeze = _freeze_or_404(request, pk)
    now = timezone.now()
    may_change = rules.may_manage_freezes(freeze, request.user)
    history = freeze.history.select_related("history_user").order_by("-history_id")
    context = {
        "freeze": freeze,
        "crumbs": _crumbs((freeze.name, "")),
        "steps": freeze.steps(request.user),
        "period": freeze.occurrence_at(now) if freeze.is_in_force else None,
        "next_ones": freeze.periods.next_ones(now, NEXT_ONES) if freeze.is_in_force else [],
        "is_own": may_change and rules.it_stops_work_of(freeze, request.user),
        "may_change": may_change and freeze.is_in_force,
        "stopped": panels.stopped_by(freeze, request.user),
        "exceptions": panels.exceptions_from(freeze, request.user),
        "most": panels.MOST_STOPPED,
        "entries": paginate(history, request.GET.get("page"), HISTORY_PAGE),
    }
    return render(request, "trains/freeze.html", context)


@login_required
@require_http_methods(EDIT_METHODS)
def freeze_new(request: UserRequest) -> HttpResponse:
    """Declare a freeze; the address may name what it is about."""
    demand(rules.may_manage_freezes, None, request.user)
    freeze = Freeze(time_zone=request.user.time_zone)
    for scope, model in ABOUT.items():
        if scope in request.GET:
            rows: Any = model.objects.visible_to(request.user)
            freeze.scope = FreezeScope(scope)
            setattr(freeze, scope, get_object_or_404(rows, pk=number(request.GET[scope])))
            if request.GET.get("stops") == FreezeStops.SCOPE and scope == "train":
                freeze.stops = FreezeStops.SCOPE
            break
    return edit_page(
        request,
        FreezeForm,
        freeze,
        title="Declare a freeze",
        crumbs=_crumbs(("New", "")),
        save=lambda form: freezes.declare(form.instance, by=request.user),
        back=reverse("trains:freezes"),
        submit="Declare it",
        said="{row}: declared.",
    )


@login_required
@require_http_methods(EDIT_METHODS)
def freeze_edit(request: UserRequest, pk: int) -> HttpResponse:
    """Change a freeze that is in force."""
    freeze = _freeze_or_404(request, pk)
    demand(rules.may_manage_freezes, freeze, request.user)
    return edit_page(
        request,
        FreezeForm,
        freeze,
        title=f"Change {freeze}",
        crumbs=_crumbs((freeze.name, freeze.get_absolute_url()), ("Change", "")),
        allowed=rules.freeze_can_change,
        save=lambda form: freezes.change(
            freeze, by=request.user, version=form.seen_version, values=form.changes
        ),
    )


def _freeze_or_404(request: UserRequest, pk: int) -> Freeze:
    rows: Any = Freeze.objects.visible_to(request.user)
    freeze: Freeze = get_object_or_404(rows.with_scope(), pk=pk)
    return freeze


def _crumbs(*more: tuple[str, str]) -> list[tuple[str, str]]:
    return [
        ("Environments", reverse("environments:list")),
        ("Freezes", reverse("trains:freezes")),
        *more,
    ]
