"""The parts of an application release: its place on a train, milestones, needs and work items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods

from releasemgr.ui.edit_pages import edit_page, remove_page
from trains import rules
from trains.dependencies import add_dependency
from trains.forms.releases import (
    BoardTrainForm,
    DependencyForm,
    ReleaseMilestoneForm,
    WorkItemForm,
)
from trains.http import crumbs as train_crumbs
from trains.http import demand, train_or_404
from trains.models import ApplicationRelease, Boarding, Dependency, Milestone, Train, WorkItem
from trains.services import add_to, ask_to_board
from trains.views.releases import owned_release_or_403, release_crumbs, release_or_404

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.http import HttpResponse

    from releasemgr.accounts.models import User
    from releasemgr.http import UserRequest
    from releasemgr.workflow.rules import Blocker

EDIT_METHODS = ["GET", "HEAD", "POST"]
MAY_EDIT_WORK = "Developers, product owners, release managers and engineers keep the work items."

# --- Its place on a train -------------------------------------------------------------------------


@login_required
@require_http_methods(EDIT_METHODS)
def release_board(request: UserRequest, pk: int) -> HttpResponse:
    """Ask for a place on a train."""
    release = owned_release_or_403(request.user, pk)

    def forbids(place: Boarding) -> Iterator[Blocker]:
        yield from rules.release_is_open.blockers(place)
        yield from rules.it_is_on_no_train(release)

    def save(form: BoardTrainForm) -> Boarding:
        return ask_to_board(form.cleaned_data["train"], release, by=request.user)

    return edit_page(
        request,
        BoardTrainForm,
        Boarding(release=release, requested_by=request.user),
        title=f"Ask for a place for {release}",
        crumbs=release_crumbs(release, ("Ask for a place", "")),
        save=save,
        allowed=forbids,
        back=release.get_absolute_url(),
        done=lambda _: release.get_absolute_url(),
        said="{row}: a place was asked for.",
        submit="Ask for a place",
        form_kwargs={"user": request.user},
    )


# --- What it needs --------------------------------------------------------------------------------


@login_required
@require_http_methods(EDIT_METHODS)
def dependency_new(request: UserRequest, pk: int) -> HttpResponse:
    """Say what else a release needs; a cycle is refused, and named."""
    release = owned_release_or_403(request.user, pk)

    def save(form: DependencyForm) -> Dependency:
        return add_dependency(release, form.cleaned_data["needs"], by=request.user)

    return edit_page(
        request,
        DependencyForm,
        Dependency(release=release),
        title=f"What does {release} need?",
        crumbs=_tab_crumbs(release, "dependencies", "Dependencies", "Add"),
        save=save,
        allowed=lambda row: rules.release_can_change(release),
        back=release.tab_url("dependencies"),
        done=lambda _: release.tab_url("dependencies"),
        said="{row}.",
        submit="Add",
        form_kwargs={"user": request.user},
    )


@login_required
@require_http_methods(EDIT_METHODS)
def dependency_remove(request: UserRequest, pk: int) -> HttpResponse:
    """Take a need away."""
    edges = Dependency.objects.filter(
        release__in=ApplicationRelease.objects.visible_to(request.user)
    )
    edge = get_object_or_404(
        edges.select_related("release__application", "needs__application"), pk=pk
    )
    demand(rules.may_own, edge.release, request.user)
    return remove_page(
        request,
        edge,
        crumbs=_tab_crumbs(edge.release, "dependencies", "Dependencies", "Remove"),
        back=edge.release.tab_url("dependencies"),
        explains="Deployments no longer wait for it. The history keeps it, with your name.",
        allowed=lambda row: rules.release_can_change(row.release),
    )


# --- Milestones -----------------------------------------------------------------------------------


@login_required
@require_http_methods(EDIT_METHODS)
def release_milestone_new(request: UserRequest, pk: int) -> HttpResponse:
    """Add a milestone to a release."""
    release = owned_release_or_403(request.user, pk)
    milestone = Milestone(release=release, owner=release.owner)

    def save(form: ReleaseMilestoneForm) -> Milestone:
        row: Milestone = form.instance
        row.baseline = row.due
        return add_to(release, row, by=request.user, allowed=rules.release_can_change)

    return _milestone_page(request, milestone, "New milestone", save=save)


@login_required
@require_http_methods(EDIT_METHODS)
def release_milestone_edit(request: UserRequest, pk: int) -> HttpResponse:
    """Change a milestone of a release; one from the train stays a copy of it."""
    milestone = _milestone_or_403(request.user, pk)
    return _milestone_page(request, milestone, f"Edit “{milestone}”")


@login_required
@require_http_methods(EDIT_METHODS)
def release_milestone_remove(request: UserRequest, pk: int) -> HttpResponse:
    """Take a milestone off a release."""
    milestone = _milestone_or_403(request.user, pk)
    release = _holder(milestone)
    return remove_page(
        request,
        milestone,
        crumbs=_tab_crumbs(release, "milestones", "Milestones", "Remove"),
        back=release.tab_url("milestones"),
        explains="The history keeps it, with your name.",
        allowed=rules.its_work_is_open.check,
    )


def _milestone_page(
    request: UserRequest, milestone: Milestone, title: str, **more: Any
) -> HttpResponse:
    release = _holder(milestone)
    return edit_page(
        request,
        ReleaseMilestoneForm,
        milestone,
        title=title,
        crumbs=_tab_crumbs(release, "milestones", "Milestones", title),
        allowed=rules.its_work_is_open.check,
        back=release.tab_url("milestones"),
        said="“{row}”: saved.",
        **more,
    )


def _milestone_or_403(user: User, pk: int) -> Milestone:
    milestones: Any = Milestone.objects.visible_to(user).filter(release__isnull=False)
    milestone: Milestone = get_object_or_404(
        milestones.select_related("release__application", "release__owner"), pk=pk
    )
    demand(rules.may_own, _holder(milestone), user)
    return milestone


def _holder(milestone: Milestone) -> ApplicationRelease:
    release = milestone.release
    assert release is not None  # noqa: S101 -- the views ask for those of releases
    return release


# --- Work items -----------------------------------------------------------------------------------


@login_required
@require_http_methods(EDIT_METHODS)
def work_new(request: UserRequest, pk: int) -> HttpResponse:
    """Add a work item to a release."""
    _demand_work(request.user)
    return _new_work_page(request, release_or_404(request.user, pk))


@login_required
@require_http_methods(EDIT_METHODS)
def train_work_new(request: UserRequest, pk: int) -> HttpResponse:
    """Add a work item to a train itself."""
    _demand_work(request.user)
    return _new_work_page(request, train_or_404(request.user, pk))


@login_required
@require_http_methods(EDIT_METHODS)
def work_edit(request: UserRequest, pk: int) -> HttpResponse:
    """Change a work item."""
    item = _work_or_403(request.user, pk)
    return _work_page(request, item, f"Edit “{item}”")


@login_required
@require_http_methods(EDIT_METHODS)
def work_remove(request: UserRequest, pk: int) -> HttpResponse:
    """Take a work item away; one that a turnover delivers stays."""
    item = _work_or_403(request.user, pk)
    holder = _work_holder(item)
    return remove_page(
        request,
        item,
        crumbs=_tab_crumbs(holder, "work", "Work items", "Remove"),
        back=holder.tab_url("work"),
        explains="The history keeps it, with your name. To leave it for later, defer it instead.",
        allowed=_against_removing,
    )


def _demand_work(user: User) -> None:
    if not user.has_perm("trains.edit_work"):
        raise PermissionDenied(MAY_EDIT_WORK)


def _work_or_403(user: User, pk: int) -> WorkItem:
    items: Any = WorkItem.objects.visible_to(user)
    item: WorkItem = get_object_or_404(
        items.select_related("release__application", "release__owner", "train"), pk=pk
    )
    _demand_work(user)
    return item


def _work_holder(item: WorkItem) -> ApplicationRelease | Train:
    holder = item.release or item.train
    assert holder is not None  # noqa: S101 -- the database's own constraint
    return holder


def _against_work(item: WorkItem) -> Iterable[Blocker]:
    """What forbids a change of the item: its release is built, or its train is over."""
    holder = _work_holder(item)
    if isinstance(holder, Train):
        return rules.train_is_open(holder)
    return rules.work_can_change(holder)


def _against_removing(item: WorkItem) -> Iterable[Blocker]:
    holder = _work_holder(item)
    return _against_work(item) if isinstance(holder, Train) else rules.work_can_be_added(holder)


def _new_work_page(request: UserRequest, holder: ApplicationRelease | Train) -> HttpResponse:
    train = holder if isinstance(holder, Train) else None
    release = holder if isinstance(holder, ApplicationRelease) else None
    item = WorkItem(train=train, release=release)

    def save(form: WorkItemForm) -> WorkItem:
        row: WorkItem = form.instance
        if isinstance(holder, Train):
            return add_to(holder, row, by=request.user, allowed=rules.train_is_open)
        return add_to(holder, row, by=request.user, allowed=rules.work_can_be_added)

    return _work_page(request, item, "New work item", save=save)


def _work_page(request: UserRequest, item: WorkItem, title: str, **more: Any) -> HttpResponse:
    holder = _work_holder(item)
    if item.pk is not None:
        more["remove_url"] = item.remove_url
    return edit_page(
        request,
        WorkItemForm,
        item,
        title=title,
        crumbs=_tab_crumbs(holder, "work", "Work items", title),
        allowed=_against_work,
        back=holder.tab_url("work"),
        said="“{row}”: saved.",
        **more,
    )


def _tab_crumbs(
    holder: ApplicationRelease | Train, tab: str, label: str, here: str
) -> list[tuple[str, str]]:
    if isinstance(holder, Train):
        return train_crumbs(holder, (label, holder.tab_url(tab)), (here, ""))
    return release_crumbs(holder, (label, holder.tab_url(tab)), (here, ""))
