"""Stopping the line, and letting it go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from environments.models import Environment
from releasemgr.http import number
from releasemgr.ui.edit_pages import edit_page
from releasemgr.ui.paging import paginate
from trains.models import Train
from turnovers import rules
from turnovers.forms import HoldForm
from turnovers.models import Hold, Run, Turnover
from turnovers.states import HoldScope

if TYPE_CHECKING:
    from django.http import HttpResponse

    from releasemgr.http import UserRequest

SCOPES: dict[HoldScope, type[Any]] = {
    HoldScope.TRAIN: Train,
    HoldScope.ENVIRONMENT: Environment,
    HoldScope.TURNOVER: Turnover,
}


@login_required
@require_safe
def hold_list(request: UserRequest) -> HttpResponse:
    """What is held now, and what was."""
    lifted = request.GET.get("view") == "lifted"
    holds: Any = Hold.objects.visible_to(request.user).with_scope()
    address = reverse("turnovers:holds")
    context = {
        "page": paginate(holds.lifted() if lifted else holds.active(), request.GET.get("page")),
        "lifted": lifted,
        "tabs": [
            {"label": "Held now", "url": address, "current": not lifted, "count": None},
            {
                "label": "Lifted",
                "url": f"{address}?view=lifted",
                "current": lifted,
                "count": None,
            },
        ],
        "crumbs": [("Turnovers", reverse("turnovers:list")), ("Holds", "")],
        "may_hold": request.user.has_perm("turnovers.hold_line"),
    }
    return render(request, "turnovers/holds.html", context)


@login_required
@require_safe
def hold_detail(request: UserRequest, pk: int) -> HttpResponse:
    """Why, by whom, and what it stops."""
    holds: Any = Hold.objects.visible_to(request.user).with_scope()
    hold: Hold = get_object_or_404(holds, pk=pk)
    stopped: Any = Turnover.objects.visible_to(request.user).stopped_by(hold)
    context = {
        "hold": hold,
        "what": hold.turnover or hold.environment or hold.train,
        "crumbs": [
            ("Turnovers", reverse("turnovers:list")),
            ("Holds", reverse("turnovers:holds")),
            (str(hold), ""),
        ],
        "steps": hold.steps(request.user),
        "page": paginate(stopped.select_related("environment"), request.GET.get("page")),
        "entries": hold.history.all()[:20],
    }
    return render(request, "turnovers/hold.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def hold_new(request: UserRequest) -> HttpResponse:
    """Stop everything, or the train, environment or turnover that the address names.

    Where the address names a ``run`` of that turnover, too, its page is the way back.
    """
    if not request.user.has_perm("turnovers.hold_line"):
        raise PermissionDenied(rules.may_hold.sentence)
    hold = Hold(scope=HoldScope.ALL, placed_by=request.user)
    target: Any = None
    for scope, model in SCOPES.items():
        if scope in request.GET:
            rows: Any = model.objects.visible_to(request.user)
            target = get_object_or_404(rows, pk=number(request.GET[scope]))
            hold.scope = scope
            setattr(hold, scope, target)
            break
    name = str(target) if target is not None else "everything"
    back = target.get_absolute_url() if target is not None else reverse("turnovers:holds")
    runs: Any = Run.objects.visible_to(request.user)
    asked = number(request.GET.get("run"))
    run = runs.filter(pk=asked, turnover=hold.turnover_id).first() if asked else None
    return edit_page(
        request,
        HoldForm,
        hold,
        title=f"Stop the line: {name}",
        crumbs=[
            ("Turnovers", reverse("turnovers:list")),
            ("Holds", reverse("turnovers:holds")),
            ("Stop the line", ""),
        ],
        back=run.get_absolute_url() if run is not None else back,
        done=(lambda _: run.get_absolute_url()) if run is not None else None,
        template="turnovers/hold_form.html",
        target=target,
        submit="Stop the line",
        said="{row}: held.",
    )
