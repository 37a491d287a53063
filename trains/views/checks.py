"""Criteria that are checked by themselves: what the check asks, what it found, when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from releasemgr.ui.edit_pages import edit_page, see_other
from releasemgr.ui.paging import paginate
from trains import checking, rounds, rules
from trains.forms.checks import CheckForm, PeopleForm
from trains.http import crumbs, demand
from trains.models import Criterion

if TYPE_CHECKING:
    from django.http import HttpResponse

    from releasemgr.accounts.models import User
    from releasemgr.http import UserRequest
    from releasemgr.ui.forms import EditForm

PEOPLE = "people"


@login_required
@require_safe
def check_page(request: UserRequest, pk: int) -> HttpResponse:
    """What the check of a criterion asks and found, look by look, newest first."""
    criterion = _criterion_or_404(request.user, pk)
    gate = criterion.gate
    check = checking.get(criterion.checked_by)
    context = {
        "criterion": criterion,
        "train": gate.train,
        "crumbs": _crumbs(criterion, "Check"),
        "check": check,
        "summary": check.summary(criterion.parameters) if check else "",
        "watch": criterion.known,
        "page": paginate(criterion.results.all(), request.GET.get("page")),
        "may_ask": rules.may_decide_criterion(criterion, request.user) and not gate.is_passed,
        "may_steer": rules.may_steer(gate.train, request.user) and gate.is_ahead,
    }
    return render(request, "trains/check.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def check_edit(request: UserRequest, pk: int) -> HttpResponse:
    """Choose what finds out whether a criterion is true, and say what it asks and when."""
    criterion = _criterion_or_404(request.user, pk)
    demand(rules.may_steer, criterion.gate.train, request.user)
    chosen = request.GET.get("by", criterion.checked_by)
    check = checking.get(chosen)
    title = f"What finds out whether “{criterion}” is true?"
    if check is None and chosen != PEOPLE:
        context = {
            "title": title,
            "crumbs": _crumbs(criterion, "Choose"),
            "criterion": criterion,
            "checks": list(checking.CHECKS.values()),
            "blockers": rules.gate_is_ahead.blockers(criterion),
        }
        return render(request, "trains/check_choose.html", context)
    form: type[EditForm] = CheckForm if check is not None else PeopleForm

    def save(sent: Any) -> Criterion:
        return rounds.set_check(
            criterion, by=request.user, version=sent.seen_version, **sent.changes
        )

    return edit_page(
        request,
        form,
        criterion,
        title=f"{check.name}: {criterion}" if check else f"People decide: {criterion}",
        crumbs=_crumbs(criterion, check.name if check else "People decide"),
        save=save,
        allowed=rules.gate_is_ahead.check,
        back=criterion.get_absolute_url(),
        done=lambda row: row.check_url if row.is_automatic else row.get_absolute_url(),
        said="“{row}”: saved.",
        form_kwargs={"check": check} if check else {},
        template="trains/check_edit.html",
        explains=check.explains if check else "",
        criterion=criterion,
    )


@login_required
@require_POST
def check_now(request: UserRequest, pk: int) -> HttpResponse:
    """Have a criterion looked at now, before its time."""
    criterion = _criterion_or_404(request.user, pk)
    demand(rules.may_decide_criterion, criterion, request.user)
    if criterion.gate.is_passed or not criterion.is_automatic:
        messages.warning(request, "Nothing is checked: the gate is passed, or people decide.")
    elif rounds.ask(criterion):
        messages.success(request, f"“{criterion}” is being checked.")
    else:
        messages.info(request, f"“{criterion}” is being checked already.")
    return see_other(criterion.check_url)


def _criterion_or_404(user: User, pk: int) -> Criterion:
    criteria: Any = Criterion.objects.visible_to(user).select_related(
        "gate__train", "owner", "environment", "watch"
    )
    criterion: Criterion = get_object_or_404(criteria, pk=pk)
    if not type(criterion.gate.train).objects.visible_to(user).exists():
        raise Http404
    return criterion


def _crumbs(criterion: Criterion, here: str) -> list[tuple[str, str]]:
    train = criterion.gate.train
    return crumbs(train, ("Gates", train.tab_url("gates")), (here, ""))
