"""Waivers: asked for on one page, shown and decided on another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_safe

from releasemgr.ui.edit_pages import edit_page
from releasemgr.ui.paging import paginate
from trains import rules
from trains.forms.waivers import WaiverForm
from trains.http import crumbs, demand
from trains.models import Criterion, Waiver
from trains.waivers import ask_waiver

if TYPE_CHECKING:
    from django.http import HttpResponse

    from releasemgr.http import UserRequest


@login_required
@require_safe
def waiver_page(request: UserRequest, pk: int) -> HttpResponse:
    """A waiver: why, how far, how long, who asked, who granted."""
    waivers: Any = Waiver.objects.visible_to(request.user)
    waiver = get_object_or_404(waivers.with_facts(), pk=pk)
    criterion = waiver.criterion
    context = {
        "waiver": waiver,
        "criterion": criterion,
        "train": criterion.gate.train,
        "crumbs": _crumbs(criterion, "Waiver"),
        "steps": waiver.steps(request.user),
        "page": paginate(
            waiver.history.order_by("-history_date", "-history_id"), request.GET.get("page")
        ),
    }
    return render(request, "trains/waiver.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def waiver_new(request: UserRequest, pk: int) -> HttpResponse:
    """Ask that a criterion be let pass."""
    criteria: Any = Criterion.objects.visible_to(request.user).select_related(
        "gate__train", "watch"
    )
    criterion = get_object_or_404(criteria, pk=pk)
    demand(rules.may_ask_waiver, criterion, request.user)

    def save(form: WaiverForm) -> Waiver:
        waiver: Waiver = form.instance
        return ask_waiver(waiver, by=request.user)

    return edit_page(
        request,
        WaiverForm,
        Waiver(criterion=criterion, asked_by=request.user),
        title=f"Ask to pass without “{criterion}”",
        crumbs=_crumbs(criterion, "Ask for a waiver"),
        save=save,
        allowed=lambda row: rules.a_waiver_can_be_asked(row.criterion),
        back=criterion.get_absolute_url(),
        said="{row}: asked for. Somebody else has to grant it.",
        submit="Ask for it",
        template="trains/waiver_new.html",
    )


def _crumbs(criterion: Criterion, here: str) -> list[tuple[str, str]]:
    train = criterion.gate.train
    return crumbs(train, ("Gates", train.tab_url("gates")), (here, ""))
