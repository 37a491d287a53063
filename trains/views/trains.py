"""The list of trains, and a train with its overview."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef, prefetch_related_objects
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from releasemgr.accounts.models import User
from releasemgr.http import number
from releasemgr.ui.edit_pages import edit_page, see_other
from releasemgr.ui.paging import paginate
from trains import health, journey, rules
from trains.forms.trains import HealthForm
from trains.http import (
    crumbs,
    releases_of,
    reservations_of,
    sheets_of,
    shown_steps,
    steered_train_or_403,
    train_or_404,
    train_page,
)
from trains.models import ReleaseType, Train
from trains.panels import turnovers_of, what_is_where, with_holds
from trains.querysets import OPEN_TRAIN
from trains.services import follow
from trains.states import TrainState
from trains.timeline import timeline_of

if TYPE_CHECKING:
    from django.http import HttpResponse

    from releasemgr.http import UserRequest
    from releasemgr.workflow.models import StepView

SORTS = {
    "end": ("End date", ("end", "pk")),
    "-end": ("End date, latest first", ("-end", "-pk")),
    "name": ("Name", ("name", "pk")),
    "stage": ("Stage", ("state", "end", "pk")),
}
MOST_ON_OVERVIEW = 50
LATEST = 3


@login_required
@require_safe
def train_list(request: UserRequest) -> HttpResponse:
    """Trains: those on their way, one's own, or those that are over."""
    get = request.GET
    view = get.get("view", "open")
    trains = with_holds(Train.objects.visible_to(request.user).with_list_facts())
    trains = {"mine": trains.open().of(request.user), "over": trains.over()}.get(
        view, trains.open()
    )
    words = get.get("q", "").strip()[:200]
    trains = trains.matching(words)
    if get.get("state") in TrainState.values:
        trains = trains.filter(state=get["state"])
    for name in ("type", "manager"):
        if (chosen := number(get.get(name))) is not None:
            trains = trains.filter(**{{"type": "release_type"}.get(name, name): chosen})
    sort = get.get("sort") if get.get("sort") in SORTS else "-end" if view == "over" else "end"
    page = paginate(trains.order_by(*SORTS[str(sort)][1]), get.get("page"))
    assessments = health.assess(page.rows)
    context = {
        "page": page,
        "rows": [(train, assessments[train.pk]) for train in page],
        "view": view if view in {"mine", "over"} else "open",
        "tabs": _list_tabs(view),
        "words": words,
        "sort": sort,
        "sorts": [(key, label) for key, (label, _) in SORTS.items()],
        "states": [s for s in TrainState if (s in OPEN_TRAIN) == (view != "over")],
        "types": ReleaseType.objects.all(),
        "managers": User.objects.filter(
            Exists(Train.objects.filter(manager=OuterRef("pk"), is_past__in=[view == "over"]))
        ),
        "is_filtered": any(get.get(name) for name in ("q", "type", "state", "manager")),
        "may_steer": request.user.has_perm("trains.steer_train"),
    }
    return render(request, "trains/list.html", context)


def _list_tabs(view: str) -> list[dict[str, Any]]:
    labels = {"open": "Open", "mine": "Mine", "over": "Closed and cancelled"}
    current = view if view in labels else "open"
    return [
        {
            "label": label,
            "url": reverse("trains:list") + (f"?view={name}" if name != "open" else ""),
            "current": name == current,
            "count": None,
        }
        for name, label in labels.items()
    ]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def train_health(request: UserRequest, pk: int) -> HttpResponse:
    """Say how a train is doing, over what is computed, with a note."""
    train = steered_train_or_403(request.user, pk)
    return edit_page(
        request,
        HealthForm,
        train,
        title=f"Status of {train}",
        crumbs=crumbs(train, ("Status", "")),
        allowed=rules.train_is_open,
        template="trains/health.html",
        health=health.of(train),
        said="{row}: its status is kept.",
    )


@login_required
@require_POST
def train_follow(request: UserRequest, pk: int) -> HttpResponse:
    """Follow a train, or no longer; followed trains stand in the sidebar and in My work."""
    train = train_or_404(request.user, pk)
    on = request.POST.get("follow") == "yes"
    follow(train, request.user, on=on)
    messages.success(request, f"You follow {train}." if on else f"You no longer follow {train}.")
    return see_other(train.get_absolute_url())


@login_required
@require_safe
def train_detail(request: UserRequest, pk: int) -> HttpResponse:
    """The overview: what stands between the train and its next stage, and all there is of it."""
    train = train_or_404(request.user, pk)
    approvals = [
        (which, sheet)
        for which, sheet in sheets_of(train)
        if sheet or getattr(train, f"needs_{which}_approval")
    ]
    steps = shown_steps(train, request.user)
    prefetch_related_objects([train], "milestones")
    releases = list(releases_of(train)[: MOST_ON_OVERVIEW + 1])
    reservations = list(reservations_of(train)[:MOST_ON_OVERVIEW])
    environments, places = what_is_where(
        releases[:MOST_ON_OVERVIEW], [one.booking.environment for one in reservations]
    )
    return train_page(
        request,
        train,
        "",
        "trains/detail.html",
        steps=steps,
        **_between(train, steps),
        approvals=approvals,
        reservations=reservations,
        environments=environments,
        milestones=[m for m in train.milestones.all() if m.state == "open"][:MOST_ON_OVERVIEW],
        turnovers=list(turnovers_of(train)[:LATEST]),
        releases=[(release, places[release.pk]) for release in releases[:MOST_ON_OVERVIEW]],
        engineers=train.crew.select_related("person"),
        more_releases=len(releases) > MOST_ON_OVERVIEW,
        timeline=timeline_of(train, releases[:MOST_ON_OVERVIEW], environments),
    )


def _between(train: Train, steps: list[StepView]) -> dict[str, Any]:
    """What stands between the train and its next stage: what refuses the very step there."""
    gate = journey.gate_ahead(train)
    return {
        "between": train.between(steps),
        "gate_note": journey.gate_note(gate),
        "settled": [c for c in gate.criteria.all() if c.is_settled] if gate else [],
        "then": journey.afterwards(train),
    }
