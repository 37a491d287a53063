"""Many criteria at once: changed on one page, copied from the library, saved to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods, require_POST

from releasemgr.ui.edit_pages import edit_page, see_other
from releasemgr.ui.paging import paginate
from trains import checking, rules
from trains.collecting import change_together, copy_from_library, save_to_library
from trains.forms.criteria import CopyForm, TogetherForm
from trains.http import crumbs, demand, steered_train_or_403
from trains.models import Criterion, Gate, LibraryCriterion, Train

if TYPE_CHECKING:
    from django.http import HttpResponse

    from releasemgr.http import UserRequest

EDIT_METHODS = ["GET", "HEAD", "POST"]
#: So many criteria are edited on one page: more fields than that a browser does not send.
MOST_TOGETHER = 200


@login_required
@require_http_methods(EDIT_METHODS)
def criteria_together(request: UserRequest, pk: int) -> HttpResponse:
    """Change the criteria of all gates that are still ahead, on one page."""
    train = steered_train_or_403(request.user, pk)
    criteria: list[Criterion] = []
    for gate in train.gates.all():
        if gate.is_ahead:
            criteria += [row for row in gate.criteria.all() if _belongs(row, gate)]

    def save(form: TogetherForm) -> Train:
        change_together(train, form.wanted, by=request.user)
        return train

    return edit_page(
        request,
        TogetherForm,
        train,
        title=f"Exit criteria of {train}",
        crumbs=crumbs(train, ("Gates", train.tab_url("gates")), ("Edit together", "")),
        save=save,
        allowed=rules.train_is_open,
        back=train.tab_url("gates"),
        done=lambda _: train.tab_url("gates"),
        said="{row}: its criteria are saved.",
        form_kwargs={"criteria": criteria[:MOST_TOGETHER]},
        template="trains/criteria.html",
    )


def _belongs(row: Criterion, gate: Gate) -> bool:
    row.gate = gate
    return True


@login_required
@require_http_methods(EDIT_METHODS)
def criteria_from_library(request: UserRequest, pk: int) -> HttpResponse:
    """Copy criteria from the library to a gate."""
    gates = Gate.objects.filter(train__in=Train.objects.visible_to(request.user))
    gate = get_object_or_404(gates.select_related("train"), pk=pk)
    train = gate.train
    demand(rules.may_steer, train, request.user)
    words = request.GET.get("q", "")[:200]
    page = paginate(LibraryCriterion.objects.offered(words), request.GET.get("page"))
    there = set(gate.criteria.values_list("title", flat=True))
    added = 0

    def save(form: CopyForm) -> Gate:
        nonlocal added
        added = copy_from_library(gate, form.cleaned_data["chosen"], by=request.user)
        return gate

    return edit_page(
        request,
        CopyForm,
        gate,
        title=f"Add to the {gate} from the library",
        crumbs=crumbs(train, ("Gates", train.tab_url("gates")), ("From the library", "")),
        save=save,
        allowed=lambda row: rules.gate_is_ahead.check(Criterion(gate=row)),
        back=train.tab_url("gates"),
        done=lambda _: train.tab_url("gates"),
        said="{row}: copied from the library, but for what it had already.",
        submit="Add the chosen",
        template="trains/library.html",
        page=page,
        q=words,
        rows=[(row, _check_words(row), row.title in there) for row in page],
        chosen=set(request.POST.getlist("chosen")),
    )


def _check_words(row: LibraryCriterion) -> str:
    check: Any = checking.get(row.checked_by)
    return check.summary(row.parameters) if check else ""


@login_required
@require_POST
def criterion_to_library(request: UserRequest, pk: int) -> HttpResponse:
    """Keep a criterion as one to copy."""
    criteria: Any = Criterion.objects.visible_to(request.user).select_related("gate__train")
    criterion = get_object_or_404(criteria, pk=pk)
    demand(rules.may_steer, criterion.gate.train, request.user)
    kept = save_to_library(criterion, by=request.user)
    messages.success(request, f"“{kept}” is in the library of criteria.")
    return see_other(criterion.get_absolute_url())
