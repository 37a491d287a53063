"""The tabs of a train besides the overview."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch
from django.http import Http404
from django.views.decorators.http import require_safe

from approvals.content import differences
from approvals.models import Level, Rule, Signoff
from approvals.rules import against_counting
from environments.models import Booking
from releasemgr.ui.paging import paginate
from releasemgr.ui.stories import Source, story
from trains import panels
from trains.http import reservations_of, sheets_of, train_or_404, train_page
from trains.models import (
    Boarding,
    Criterion,
    Evidence,
    Freeze,
    Gate,
    Milestone,
    Reservation,
    Train,
    TrainEngineer,
    Waiver,
    WorkItem,
)
from trains.panels import turnovers_of
from trains.rules import WAITS_FOR, is_relied_on, may_ask_waiver, may_steer
from trains.states import WorkKind, WorkState

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse

    from approvals.content import Change
    from releasemgr.accounts.models import User
    from releasemgr.http import UserRequest
    from releasemgr.workflow.models import StepView


@login_required
@require_safe
def train_tab(request: UserRequest, pk: int, tab: str) -> HttpResponse:
    """One of the other tabs."""
    answer = TAB_CONTENT.get(tab)
    if answer is None:
        raise Http404
    train = train_or_404(request.user, pk)
    return train_page(request, train, tab, f"trains/{tab}.html", **answer(request, train))


def _releases_tab(request: UserRequest, train: Train) -> dict[str, Any]:
    places = train.boardings.select_related(
        "release__application", "release__owner", "requested_by", "postponed_from__train"
    ).prefetch_related("postponed_to__train")
    page = paginate(places.requests_first(), _number(request))
    for place in page:
        place.train = train
    return {
        "page": page,
        "rows": [(place, place.steps(request.user) if place.is_live else []) for place in page],
        "may_add": not train.is_over and request.user.has_perm("trains.own_release"),
    }


def _turnovers_tab(request: UserRequest, train: Train) -> dict[str, Any]:
    return {"page": paginate(turnovers_of(train), _number(request))}


def _work_tab(request: UserRequest, train: Train) -> dict[str, Any]:
    items: Any = WorkItem.objects.visible_to(request.user).of_train(train)
    items = items.select_related("release__application")
    if request.GET.get("state") in WorkState.values:
        items = items.filter(state=request.GET["state"])
    if request.GET.get("kind") in WorkKind.values:
        items = items.filter(kind=request.GET["kind"])
    ordered = items.order_by("release__application__name", "key", "pk")
    return {"page": paginate(ordered, _number(request)), "states": WorkState, "kinds": WorkKind}


def _gates_tab(request: UserRequest, train: Train) -> dict[str, Any]:
    live = Prefetch("criteria__waivers", Waiver.objects.live(), to_attr="live_waivers")
    filed = Prefetch("criteria__filed", Evidence.objects.select_related("added_by"))
    gates = list(
        train.gates.prefetch_related("criteria__owner", "criteria__environment", live, filed)
    )
    rows = []
    for gate in gates:
        gate.train = train
        criteria = list(gate.criteria.all())
        for criterion in criteria:
            criterion.gate = gate
        rows.append((gate, [(c, _steps_of(c, request.user)) for c in criteria]))
    may_ask = may_ask_waiver(Criterion(), request.user)
    return {"gate_rows": rows, "may_ask_waiver": may_ask and not train.is_over}


def _steps_of(criterion: Criterion, user: User) -> list[StepView]:
    """The steps that people take there: not those that its check takes, nor the waiver's own."""
    if not criterion.gate.is_ahead:
        return []
    by_check = {"meet", "reject"} if criterion.is_automatic else set()
    return criterion.steps(user, without={"waive", *by_check})


def _milestones_tab(request: UserRequest, train: Train) -> dict[str, Any]:
    freezes: Any = Freeze.objects.in_force()
    page = paginate(
        train.milestones.with_copies_behind()
        .select_related("owner", "train")
        .prefetch_related(Prefetch("freezes", freezes, to_attr="freezes_in_force")),
        _number(request),
    )
    for milestone in page:
        milestone.train = train
    return {
        "page": page,
        "rows": [(m, [] if train.is_over else m.steps(request.user)) for m in page],
    }


def _approvals_tab(request: UserRequest, train: Train) -> dict[str, Any]:
    return {
        "sheets": [_approval(request, train, which, sheet) for which, sheet in sheets_of(train)]
    }


def _approval(
    request: UserRequest, train: Train, which: str, sheet: Signoff | None
) -> dict[str, Any]:
    """One approval: who decides, what has changed since it was asked, what can be done."""
    asked = sheet is not None and sheet.state in {Signoff.State.READY, Signoff.State.APPROVED}
    changes: list[Change] = []
    if sheet is not None and asked and not train.is_over:
        changes = differences(sheet.content, train.content_for(which))
    waits = train.state == WAITS_FOR[which]
    passed = is_relied_on(train, which)
    is_open = sheet is not None and sheet.state == Signoff.State.READY
    needed = getattr(train, f"needs_{which}_approval")
    lacks = list(against_counting(sheet)) if sheet is not None and asked and not is_open else []
    renewable = bool(changes or lacks) or not (is_open or asked)
    return {
        "which": which,
        "title": f"{which.capitalize()} approval",
        "needed": needed,
        "sheet": sheet,
        "changes": changes,
        "may_define": not asked,
        "lacks": lacks,
        "may_renew": sheet is not None and (waits or (passed and needed)) and renewable,
        "steps": sheet.steps(request.user, only={"void"}) if sheet and asked else [],
    }


def _reservations_tab(request: UserRequest, train: Train) -> dict[str, Any]:
    page = paginate(reservations_of(train), _number(request))
    return {
        "page": page,
        "rows": [
            # To confirm one, its own page shows what it clashes with.
            (r.booking, r.booking.steps(request.user, without={"confirm", "decline"}))
            for r in page
        ],
        "clashing": set(
            Booking.objects.in_clash()
            .filter(pk__in=[r.booking_id for r in page])
            .values_list("pk", flat=True)
        ),
        "may_reserve": not train.is_over and may_steer(train, request.user),
    }


def _history_tab(request: UserRequest, train: Train) -> dict[str, Any]:
    """The train and all that belongs to it."""
    gates = Gate.objects.filter(train=train).values("pk")
    reservations = Reservation.history.filter(train_id=train.pk)
    sheets = [sheet.pk for _, sheet in train.signoffs if sheet]
    levels = Level.history.filter(signoff_id__in=sheets)
    sources = [
        Source("Train", train.history.all()),
        Source("Gate", Gate.history.filter(train_id=train.pk), _gate_words),
        Source("Criterion", Criterion.history.filter(gate_id__in=gates), _title),
        Source(
            "Waiver of",
            Waiver.history.filter(criterion__gate__in=gates),
            lambda entry: entry.criterion,
            ("criterion",),
        ),
        Source(
            "Evidence",
            Evidence.history.filter(criterion__gate__in=gates),
            lambda entry: entry.name or entry.note[:80] or entry.url,
        ),
        Source("Milestone", Milestone.history.filter(train_id=train.pk), _title),
        Source(
            "Place of",
            Boarding.history.filter(train_id=train.pk),
            lambda entry: entry.release,
            ("release__application",),
        ),
        Source(
            "Reservation",
            Booking.history.filter(id__in=reservations.values("booking_id")),
            lambda entry: f"{entry.title} on {entry.environment}",
            ("environment",),
        ),
        Source("Approval", Signoff.history.filter(id__in=sheets), _title),
        Source(
            "Release engineer",
            TrainEngineer.history.filter(train_id=train.pk),
            lambda entry: entry.person,
            ("person",),
        ),
        Source(
            "Approver",
            Rule.history.filter(level_id__in=levels.values("id")),
            _approver,
            ("person", "group"),
        ),
        *(Source("Hold", rows(train), _reason) for rows in panels.histories),
    ]
    return {"page": story(sources, _number(request))}


def _approver(entry: Any) -> object:
    return entry.person or f"{entry.needed} of {entry.group}"


def _reason(entry: Any) -> object:
    return entry.reason


def _title(entry: Any) -> object:
    return entry.title


def _gate_words(entry: Any) -> object:
    return entry.get_stage_display()


def _number(request: UserRequest) -> str | None:
    return request.GET.get("page")


TAB_CONTENT: dict[str, Callable[[UserRequest, Train], dict[str, Any]]] = {
    "releases": _releases_tab,
    "turnovers": _turnovers_tab,
    "work": _work_tab,
    "gates": _gates_tab,
    "milestones": _milestones_tab,
    "approvals": _approvals_tab,
    "reservations": _reservations_tab,
    "history": _history_tab,
}
