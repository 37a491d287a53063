"""Planning the parts of a train: gates, criteria, approvals, places, reservations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods

from approvals.content import differences as content_differences
from approvals.models import DEFAULT_LEVELS, Signoff
from approvals.rules import not_being_decided
from releasemgr.ui.edit_pages import edit_page, remove_page
from trains import rules
from trains.forms.approvals import ApprovalForm, RenewForm
from trains.forms.trains import (
    BoardingForm,
    CriterionForm,
    GateForm,
    ReservationForm,
)
from trains.http import crumbs, demand, steered_train_or_403, train_or_404
from trains.models import Boarding, Criterion, Gate, Train
from trains.services import add_to, ask_to_board, define_approval, renew_approval, reserve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.http import HttpResponse

    from releasemgr.accounts.models import User
    from releasemgr.http import UserRequest
    from releasemgr.workflow.rules import Blocker

EDIT_METHODS = ["GET", "HEAD", "POST"]

# --- Gates and criteria ---------------------------------------------------------------------------


@login_required
@require_http_methods(EDIT_METHODS)
def gate_edit(request: UserRequest, pk: int) -> HttpResponse:
    """When a gate is passed."""
    gate = _gate_or_403(request.user, pk)
    train = gate.train
    return edit_page(
        request,
        GateForm,
        gate,
        title=f"Date of the {gate}",
        crumbs=_tab_crumbs(train, "gates", "Gates", "Date"),
        allowed=lambda row: rules.train_is_open(row.train),
        back=train.tab_url("gates"),
        done=lambda _: train.tab_url("gates"),
    )


@login_required
@require_http_methods(EDIT_METHODS)
def criterion_new(request: UserRequest, pk: int) -> HttpResponse:
    """Add an exit criterion to a gate that is still ahead."""
    gate = _gate_or_403(request.user, pk)
    return _criterion_page(request, Criterion(gate=gate), f"New criterion of the {gate}")


@login_required
@require_http_methods(EDIT_METHODS)
def criterion_edit(request: UserRequest, pk: int) -> HttpResponse:
    """Change what an exit criterion says, who owns it and when it is due."""
    criterion = _criterion_or_403(request.user, pk)
    return _criterion_page(request, criterion, f"Edit “{criterion}”")


@login_required
@require_http_methods(EDIT_METHODS)
def criterion_remove(request: UserRequest, pk: int) -> HttpResponse:
    """Take an exit criterion off its gate."""
    criterion = _criterion_or_403(request.user, pk)
    train = criterion.gate.train
    return remove_page(
        request,
        criterion,
        crumbs=_tab_crumbs(train, "gates", "Gates", "Remove"),
        back=train.tab_url("gates"),
        explains="The gate no longer asks for it. The history keeps it, with your name. "
        "To pass without it this once, waive it instead.",
        allowed=rules.gate_is_ahead.check,
    )


def _criterion_page(request: UserRequest, criterion: Criterion, title: str) -> HttpResponse:
    train = criterion.gate.train

    def ahead(locked: Train) -> Iterable[Blocker]:
        criterion.gate.train = locked
        return rules.gate_is_ahead.check(criterion)

    def add(form: CriterionForm) -> Criterion:
        new: Criterion = form.instance
        return add_to(train, new, by=request.user, allowed=ahead)

    return edit_page(
        request,
        CriterionForm,
        criterion,
        save=add if criterion._state.adding else None,
        title=title,
        crumbs=_tab_crumbs(train, "gates", "Gates", title),
        allowed=rules.gate_is_ahead.check,
        back=train.tab_url("gates"),
        said="“{row}”: saved.",
        template="trains/criterion_edit.html",
    )


def _gate_or_403(user: User, pk: int) -> Gate:
    gates = Gate.objects.filter(train__in=Train.objects.visible_to(user))
    gate: Gate = get_object_or_404(gates.select_related("train"), pk=pk)
    demand(rules.may_steer, gate.train, user)
    return gate


def _criterion_or_403(user: User, pk: int) -> Criterion:
    criteria: Any = Criterion.objects.visible_to(user).select_related("gate__train")
    criterion: Criterion = get_object_or_404(criteria, pk=pk)
    demand(rules.may_steer, criterion.gate.train, user)
    return criterion


# --- Approvals ------------------------------------------------------------------------------------


@login_required
@require_http_methods(EDIT_METHODS)
def approval_define(request: UserRequest, pk: int, which: str) -> HttpResponse:
    """Say who decides upon one of the train's approvals, level by level."""
    train = steered_train_or_403(request.user, pk)
    signoff = _sheet(train, which) or Signoff()

    def forbids(row: Signoff) -> Iterator[Blocker]:
        yield from rules.train_is_open(train)
        yield from not_being_decided(row)

    def save(form: ApprovalForm) -> Signoff:
        return define_approval(
            train,
            which,
            form.plan,
            by=request.user,
            version=form.seen_version if signoff.pk else None,
            allows_override=form.cleaned_data.get("allows_override", False),
        )

    policy = train.release_type.approval_policy
    title = f"{which.capitalize()} approval: who decides"
    return edit_page(
        request,
        ApprovalForm,
        signoff,
        title=title,
        crumbs=_tab_crumbs(train, "approvals", "Approvals", title),
        save=save,
        allowed=forbids,
        back=train.tab_url("approvals"),
        done=lambda _: train.tab_url("approvals"),
        said="{row}: its approvers are named.",
        template="trains/approval.html",
        form_kwargs={
            "most_levels": policy.most_levels if policy else DEFAULT_LEVELS,
            "may_allow": policy is None or policy.overrides,
        },
    )


@login_required
@require_http_methods(EDIT_METHODS)
def approval_renew(request: UserRequest, pk: int, which: str) -> HttpResponse:
    """Show what has changed since an approval was asked for, and ask again for the content now."""
    train = steered_train_or_403(request.user, pk)
    signoff = _sheet(train, which)
    if signoff is None:
        raise Http404

    def save(form: RenewForm) -> Signoff:
        return renew_approval(train, which, by=request.user, version=form.seen_version)

    title = f"Ask again for the {which} approval?"
    return edit_page(
        request,
        RenewForm,
        signoff,
        title=title,
        crumbs=_tab_crumbs(train, "approvals", "Approvals", "Ask again"),
        save=save,
        allowed=lambda _: rules.waits_for_approval(train, which),
        back=train.tab_url("approvals"),
        done=lambda _: train.tab_url("approvals"),
        said="{row}: asked for again.",
        submit="Ask again",
        template="trains/renew.html",
        changes=content_differences(signoff.content, train.content_for(which)),
    )


def _sheet(train: Train, which: str) -> Signoff | None:
    sheets = dict(train.signoffs)
    if which not in sheets:
        raise Http404
    sheet: Signoff | None = sheets[which]
    return sheet


# --- Places and reservations ----------------------------------------------------------------------


@login_required
@require_http_methods(EDIT_METHODS)
def board(request: UserRequest, pk: int) -> HttpResponse:
    """Ask for a place on the train for an application release."""
    train = train_or_404(request.user, pk)
    if not request.user.has_perm("trains.own_release"):
        raise PermissionDenied("Product owners and release managers ask for a place on a train.")

    def save(form: BoardingForm) -> Boarding:
        return ask_to_board(train, form.cleaned_data["release"], by=request.user)

    return edit_page(
        request,
        BoardingForm,
        Boarding(train=train, requested_by=request.user),
        title=f"Ask for a place on {train}",
        crumbs=_tab_crumbs(train, "releases", "Application releases", "Ask for a place"),
        save=save,
        allowed=rules.train_still_boards.check,
        back=train.tab_url("releases"),
        said="{row}: a place was asked for.",
        submit="Ask for a place",
        form_kwargs={"user": request.user},
    )


@login_required
@require_http_methods(EDIT_METHODS)
def reservation_new(request: UserRequest, pk: int) -> HttpResponse:
    """Hold an environment for a train; a refusal names every clash."""
    train = steered_train_or_403(request.user, pk)

    def save(form: ReservationForm) -> Any:
        data = form.cleaned_data
        return reserve(
            train,
            data["environment"],
            data["starts"],
            data["ends"],
            exclusive=data["exclusive"],
            anyway=data["anyway"],
            by=request.user,
        ).booking

    return edit_page(
        request,
        ReservationForm,
        train,
        title=f"Reserve an environment for {train}",
        crumbs=_tab_crumbs(train, "reservations", "Reservations", "Reserve"),
        save=save,
        allowed=rules.train_is_open,
        back=train.tab_url("reservations"),
        done=lambda _: train.tab_url("reservations"),
        said="{row}: on record.",
        submit="Reserve",
    )


def _tab_crumbs(train: Train, tab: str, label: str, here: str) -> list[tuple[str, str]]:
    return crumbs(train, (label, train.tab_url(tab)), (here, ""))
