"""The list of application releases, and one with its tabs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import F, Prefetch, Q
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from releasemgr.http import number
from releasemgr.ui.edit_pages import edit_page
from releasemgr.ui.paging import paginate
from releasemgr.ui.stories import Source, story
from trains import rules
from trains.forms.releases import NewReleaseForm, ReleaseForm
from trains.http import demand, train_or_404
from trains.models import (
    Application,
    ApplicationRelease,
    Boarding,
    Dependency,
    Milestone,
    Train,
    WorkItem,
)
from trains.panels import exceptions_of_release, turnovers_of_release
from trains.services import create_release, keep_release
from trains.states import Criticality, ReleaseState, WorkKind, WorkState

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from django.http import HttpResponse

    from releasemgr.accounts.models import User
    from releasemgr.http import UserRequest

TABS = {
    "": "Overview",
    "work": "Work items",
    "milestones": "Milestones",
    "dependencies": "Dependencies",
    "turnovers": "Turnovers",
    "history": "History",
}
VIEWS = {"open": "Open", "mine": "Mine", "free": "On no train", "over": "Closed and cancelled"}
SORTS = {
    "name": ("Name", ("application__name", "version_name", "pk")),
    "end": ("End date", (F("end").asc(nulls_last=True), "pk")),
    "new": ("Newest first", ("-pk",)),
}
#: The states of those that are over; all other views hold only the others.
ENDED = (ReleaseState.CLOSED, ReleaseState.CANCELLED)
SHOWN = 5
LONGEST_QUERY = 200
MAY_OWN = "Product owners and release managers plan application releases."


@dataclass(frozen=True)
class ScheduleRow:
    """A date of the release beside the date of its train that it has to keep."""

    label: str
    own: dt.date | None
    trains: dt.date | None
    late_words: str

    @property
    def is_late(self) -> bool:
        return self.own is not None and self.trains is not None and self.own > self.trains


# --- The list -------------------------------------------------------------------------------------


@login_required
@require_safe
def release_list(request: UserRequest) -> HttpResponse:
    """Application releases: open ones, one's own, those on no train, or those that are over."""
    get = request.GET
    view = get.get("view", "") if get.get("view") in VIEWS else "open"
    words = get.get("q", "").strip()[:LONGEST_QUERY]
    sort = get.get("sort", "") if get.get("sort") in SORTS else "name"
    found = _of_view(request.user, view).matching(words)
    if get.get("state") in ReleaseState.values:
        found = found.filter(state=get["state"])
    if get.get("criticality") in Criticality.values:
        found = found.filter(criticality=get["criticality"])
    context = {
        "page": paginate(found.order_by(*SORTS[sort][1]), get.get("page")),
        "view": view,
        "tabs": [
            {"label": label, "url": f"?view={name}", "current": name == view, "count": None}
            for name, label in VIEWS.items()
        ],
        "words": words,
        "sort": sort,
        "sorts": [(name, label) for name, (label, _) in SORTS.items()],
        "states": [s for s in ReleaseState if (s in ENDED) == (view == "over")],
        "criticalities": Criticality,
        "is_filtered": any(get.get(name) for name in ("q", "state", "criticality")),
        "may_add": request.user.has_perm("trains.own_release"),
    }
    return render(request, "trains/release_list.html", context)


def _of_view(user: User, view: str) -> Any:
    releases: Any = listed(ApplicationRelease.objects.visible_to(user))
    return {
        "open": releases.open(),
        "mine": releases.open().of(user),
        "free": releases.not_riding(),
        "over": releases.over(),
    }[view]


def listed(releases: Any) -> Any:
    """With what a row of a list shows: application, owner, work, and the place it has or wants."""
    places = Boarding.objects.live().select_related("train")
    return (
        releases.with_work_counts()
        .select_related("application", "owner")
        .prefetch_related(Prefetch("boardings", places, to_attr="live_places"))
    )


# --- One of them ----------------------------------------------------------------------------------


def release_or_404(user: User, pk: int) -> ApplicationRelease:
    """The release, with what its pages read of it."""
    releases: Any = ApplicationRelease.objects.visible_to(user)
    release: ApplicationRelease = get_object_or_404(
        releases.select_related("application", "owner"), pk=pk
    )
    return release


def owned_release_or_403(user: User, pk: int) -> ApplicationRelease:
    """The release, for those who plan it."""
    release = release_or_404(user, pk)
    demand(rules.may_own, release, user)
    return release


def release_crumbs(release: ApplicationRelease, *more: tuple[str, str]) -> list[tuple[str, str]]:
    """The way here: the list, the release, and then what is given."""
    top = ("Application releases", reverse("trains:releases"))
    if not more:
        return [top, (release.ref, "")]
    return [top, (f"{release.ref} {release}", release.get_absolute_url()), *more]


def release_page(
    request: UserRequest, release: ApplicationRelease, tab: str, **context: Any
) -> HttpResponse:
    """One tab of a release, under the head that all of them share."""
    counts = ApplicationRelease.objects.filter(pk=release.pk).page_counts()
    user = request.user
    context |= {
        "release": release,
        "crumbs": release_crumbs(release),
        "place": _live_place(release),
        "counts": counts,
        "tabs": [
            {
                "label": label,
                "url": release.tab_url(name) if name else release.get_absolute_url(),
                "current": name == tab,
                "count": counts.get(name),
            }
            for name, label in TABS.items()
        ],
        "may_own": rules.may_own(release, user),
        "may_work": user.has_perm("trains.edit_work") and not list(rules.work_can_change(release)),
    }
    return render(request, f"trains/release_{tab or 'detail'}.html", context)


def _live_place(release: ApplicationRelease) -> Boarding | None:
    """The place it has or asks for."""
    places: Any = release.boardings.live().select_related("train__manager", "requested_by")
    place: Boarding | None = places.first()
    if place is not None:
        place.release = release
    return place


@login_required
@require_safe
def release_detail(request: UserRequest, pk: int) -> HttpResponse:
    """The overview: what stands before its next step, its dates, its place, and what it needs."""
    release = release_or_404(request.user, pk)
    place = _live_place(release)
    steps = release.steps(request.user)
    return release_page(
        request,
        release,
        "",
        between=release.between(steps),
        steps=sorted(steps, key=lambda step: (step.primary, not step.danger)),
        place_steps=place.steps(request.user) if place and not place.train.is_over else [],
        schedule=schedule_beside(release, place.train if place else None),
        earlier=release.boardings.exclude(state__in=["requested", "aboard"]).select_related(
            "train"
        )[:SHOWN],
        needs=_needs(release)[:SHOWN],
        needed_by=_needed_by(release)[:SHOWN],
        milestones=[] if release.is_over else release.milestones.open()[:SHOWN],
        turnovers=list(turnovers_of_release(release)[:SHOWN]),
        exceptions=exceptions_of_release(release, request.user),
    )


def schedule_beside(release: ApplicationRelease, train: Train | None) -> list[ScheduleRow]:
    """The release's dates, each beside the train's date that it must not pass."""
    return [
        ScheduleRow("Start", release.start, train.start if train else None, ""),
        ScheduleRow(
            "Construction complete",
            release.construction_end,
            train.construction_end if train else None,
            "after the train’s construction ends",
        ),
        ScheduleRow("End", release.end, train.end if train else None, "after the train’s end"),
    ]


def _needs(release: ApplicationRelease) -> Any:
    return release.dependencies.select_related("needs__application", "needs__owner")


def _needed_by(release: ApplicationRelease) -> Any:
    return release.dependents.select_related("release__application", "release__owner")


@login_required
@require_safe
def release_tab(request: UserRequest, pk: int, tab: str) -> HttpResponse:
    """One of the other tabs."""
    answer = TAB_CONTENT.get(tab)
    if answer is None:
        raise Http404
    release = release_or_404(request.user, pk)
    return release_page(request, release, tab, **answer(request, release))


def _work_tab(request: UserRequest, release: ApplicationRelease) -> dict[str, Any]:
    get = request.GET
    words = get.get("q", "").strip()[:LONGEST_QUERY]
    items: Any = release.work_items.all()
    for word in words.split()[:8]:
        items = items.filter(Q(title__icontains=word) | Q(key__icontains=word))
    if get.get("state") in WorkState.values:
        items = items.filter(state=get["state"])
    if get.get("kind") in WorkKind.values:
        items = items.filter(kind=get["kind"])
    return {
        "page": paginate(items.by_key(), get.get("page")),
        "words": words,
        "states": WorkState,
        "kinds": WorkKind,
        "is_filtered": any(get.get(name) for name in ("q", "state", "kind")),
    }


def _milestones_tab(request: UserRequest, release: ApplicationRelease) -> dict[str, Any]:
    rows = release.milestones.select_related("owner", "origin__train")
    page = paginate(rows, request.GET.get("page"))
    for milestone in page:
        milestone.release = release
    return {
        "page": page,
        "rows": [(m, [] if release.is_over else m.steps(request.user)) for m in page],
    }


def _dependencies_tab(request: UserRequest, release: ApplicationRelease) -> dict[str, Any]:
    return {
        "page": paginate(_needs(release), request.GET.get("page")),
        "needed_by": _needed_by(release)[:50],
    }


def _turnovers_tab(request: UserRequest, release: ApplicationRelease) -> dict[str, Any]:
    return {"page": paginate(turnovers_of_release(release), request.GET.get("page"))}


def _history_tab(request: UserRequest, release: ApplicationRelease) -> dict[str, Any]:
    """The release and all that belongs to it."""
    sources = [
        Source("Release", release.history.all()),
        Source(
            "Place on",
            Boarding.history.filter(release_id=release.pk),
            lambda entry: entry.train,
            ("train",),
        ),
        Source("Work item", WorkItem.history.filter(release_id=release.pk), _title),
        Source("Milestone", Milestone.history.filter(release_id=release.pk), _title),
        Source(
            "Need of",
            Dependency.history.filter(release_id=release.pk),
            lambda entry: entry.needs,
            ("needs__application",),
        ),
    ]
    return {"page": story(sources, request.GET.get("page"))}


def _title(entry: Any) -> object:
    return entry.title


TAB_CONTENT: dict[str, Callable[[UserRequest, ApplicationRelease], dict[str, Any]]] = {
    "work": _work_tab,
    "milestones": _milestones_tab,
    "dependencies": _dependencies_tab,
    "turnovers": _turnovers_tab,
    "history": _history_tab,
}

# --- Planning it ----------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def release_new(request: UserRequest) -> HttpResponse:
    """Plan an application release: from a train (``?train=``), of an application, or alone."""
    if not request.user.has_perm("trains.own_release"):
        raise PermissionDenied(MAY_OWN)
    train = train_or_404(request.user, pk) if (pk := number(request.GET.get("train"))) else None
    release = ApplicationRelease(owner=request.user)
    if pk := number(request.GET.get("application")):
        release.application_id = get_object_or_404(Application, pk=pk).pk

    def save(form: NewReleaseForm) -> ApplicationRelease:
        create_release(form.instance, by=request.user, train=form.cleaned_data["train"])
        created: ApplicationRelease = form.instance
        return created

    here = ("New application release", "")
    crumbs = [("Application releases", reverse("trains:releases")), here]
    if train is not None:
        crumbs = [("Trains", reverse("trains:list")), (str(train), train.get_absolute_url()), here]
    return edit_page(
        request,
        NewReleaseForm,
        release,
        title="New application release",
        crumbs=crumbs,
        save=save,
        back=train.tab_url("releases") if train else reverse("trains:releases"),
        said="{row} is planned. Add its work items, milestones and dependencies next.",
        submit="Create application release",
        form_kwargs={"user": request.user, "initial": {"train": train.pk if train else None}},
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def release_edit(request: UserRequest, pk: int) -> HttpResponse:
    """A release's own plan."""
    release = owned_release_or_403(request.user, pk)

    def save(form: ReleaseForm) -> ApplicationRelease:
        return keep_release(release, by=request.user, version=form.seen_version, **form.changes)

    return edit_page(
        request,
        ReleaseForm,
        release,
        title=f"Edit {release}",
        crumbs=release_crumbs(release, ("Edit", "")),
        allowed=rules.release_can_change,
        save=save,
    )
