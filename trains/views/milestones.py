"""Milestones of trains, and the copies of them that no longer say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods

from releasemgr.ui.edit_pages import edit_page, remove_page
from trains import rules
from trains.forms.milestones import SettleForm
from trains.forms.trains import MilestoneForm
from trains.http import crumbs, demand, steered_train_or_403
from trains.inheritance import add_milestone, change_milestone, settle
from trains.models import Milestone

if TYPE_CHECKING:
    from django.http import HttpResponse

    from releasemgr.accounts.models import User
    from releasemgr.http import UserRequest
    from trains.models import Train

EDIT_METHODS = ["GET", "HEAD", "POST"]
#: So many copies are settled on one page; the next ones come up when these are.
MOST_COPIES = 50


@login_required
@require_http_methods(EDIT_METHODS)
def milestone_new(request: UserRequest, pk: int) -> HttpResponse:
    """Add a milestone to a train."""
    train = steered_train_or_403(request.user, pk)
    return _page(request, Milestone(train=train), train, "New milestone")


@login_required
@require_http_methods(EDIT_METHODS)
def milestone_edit(request: UserRequest, pk: int) -> HttpResponse:
    """Change a milestone of a train; where copies were changed by hand, ask about them next."""
    milestone, train = _milestone_or_403(request.user, pk)
    return _page(request, milestone, train, f"Edit “{milestone}”")


@login_required
@require_http_methods(EDIT_METHODS)
def milestone_remove(request: UserRequest, pk: int) -> HttpResponse:
    """Take a milestone off a train."""
    milestone, train = _milestone_or_403(request.user, pk)
    return remove_page(
        request,
        milestone,
        crumbs=_crumbs(train, "Remove"),
        back=train.tab_url("milestones"),
        explains="Copies of it on application releases stay. The history keeps it, with your name.",
        allowed=rules.its_work_is_open.check,
    )


@login_required
@require_http_methods(EDIT_METHODS)
def milestone_settle(request: UserRequest, pk: int) -> HttpResponse:
    """The copies that were changed by hand and differ: which of them follow the train's?"""
    milestone, train = _milestone_or_403(request.user, pk)
    behind: Any = Milestone.objects.behind(milestone)
    copies = list(behind.select_related("release__application", "owner")[:MOST_COPIES])

    def save(form: SettleForm) -> Milestone:
        settle(milestone, form.settled, by=request.user)
        return milestone

    title = f"Which copies follow “{milestone}”?"
    return edit_page(
        request,
        SettleForm,
        milestone,
        title=title,
        crumbs=_crumbs(train, "Copies that differ"),
        save=save,
        allowed=rules.its_work_is_open.check,
        back=train.tab_url("milestones"),
        done=lambda _: train.tab_url("milestones"),
        said="“{row}”: its copies are settled as you said.",
        form_kwargs={"copies": copies},
        template="trains/milestone_settle.html",
        milestone=milestone,
        train=train,
    )


def _page(request: UserRequest, milestone: Milestone, train: Train, title: str) -> HttpResponse:
    is_new = milestone._state.adding

    def save(form: MilestoneForm) -> Milestone:
        if is_new:
            new: Milestone = form.instance
            return add_milestone(new, by=request.user)
        return change_milestone(
            milestone, by=request.user, version=form.seen_version, **form.changes
        )

    return edit_page(
        request,
        MilestoneForm,
        milestone,
        save=save,
        title=title,
        crumbs=_crumbs(train, title),
        allowed=rules.its_work_is_open.check,
        back=train.tab_url("milestones"),
        done=_next,
        said="“{row}”: saved.",
    )


def _next(milestone: Milestone) -> str:
    """The copies to be asked about, if there are any; else the milestone in its list."""
    if Milestone.objects.behind(milestone).exists():
        return milestone.settle_url
    return milestone.get_absolute_url()


def _milestone_or_403(user: User, pk: int) -> tuple[Milestone, Train]:
    milestones: Any = Milestone.objects.visible_to(user).filter(train__isnull=False)
    milestone: Milestone = get_object_or_404(milestones.select_related("train"), pk=pk)
    train = milestone.train
    assert train is not None  # noqa: S101 -- the query asked for those
    demand(rules.may_steer, train, user)
    return milestone, train


def _crumbs(train: Train, here: str) -> list[tuple[str, str]]:
    return crumbs(train, ("Milestones", train.tab_url("milestones")), (here, ""))
