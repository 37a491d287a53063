"""Environments and their bookings: lists, pages, forms, the board."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods, require_safe

from environments import panels, rules, services
from environments.board import WEEKS, draw, read_period
from environments.forms import BookingForm, EnvironmentForm
from environments.models import Booking, BookingKind, BookingState, Environment, EnvironmentState
from releasemgr.http import number
from releasemgr.ui.edit_pages import edit_page
from releasemgr.ui.paging import paginate

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.http.request import QueryDict

    from environments.board import Board
    from environments.querysets import BookingQuerySet, EnvironmentQuerySet
    from releasemgr.http import UserRequest
    from releasemgr.workflow.rules import Permission

#: What becomes of a request that others stand in the way of.
CLASHES_END = "one of you gives way: it is moved, shared or given back, and then confirmed."
LIST = ("Environments", "environments:list")
SORTS = {
    "order": ("position", "name", "pk"),
    "name": ("name", "pk"),
    "kind": ("kind", "name", "pk"),
}
WHEN = {"coming": "Now and coming", "past": "Past", "all": "All"}
#: How many bookings an environment's own page shows; the list has them all.
SHOWN_BOOKINGS = 10
HISTORY_PAGE = 20
#: How far ahead an environment's own page names its freezes.
FREEZES_AHEAD = dt.timedelta(days=90)
BOARD_ROWS = 25
BOARD_BOOKINGS = 1000

# --- Environments ---------------------------------------------------------------------------------


@login_required
@require_safe
def environments(request: UserRequest) -> HttpResponse:
    """Every environment, with who holds it now and who is next."""
    chosen = _chosen(request.GET)
    sort = request.GET.get("sort", "")
    found = _narrowed(request, chosen).with_holders().select_related("owner")
    page = paginate(found.order_by(*SORTS.get(sort, SORTS["order"])), request.GET.get("page"))
    ids = [pk for row in page for pk in (row.holder_id, row.next_id) if pk]
    bookings = Booking.objects.in_bulk(ids)
    context = chosen | {
        "sort": sort if sort in SORTS else "order",
        "page": page,
        "rows": [(row, bookings.get(row.holder_id), bookings.get(row.next_id)) for row in page],
        "kinds": _kinds(),
        "states": EnvironmentState,
        "may_manage": request.user.has_perm("environments.manage_environment"),
        "may_book": request.user.has_perm("environments.book_environment"),
    }
    return render(request, "environments/list.html", context)


@login_required
@require_safe
def board(request: UserRequest) -> HttpResponse:
    """Who holds what in the coming weeks, as a picture and as a table."""
    chosen = _chosen(request.GET) | {"state": "online"}
    found = _narrowed(request, chosen).order_by("position", "kind", "name", "pk")
    page = paginate(found, request.GET.get("page"), BOARD_ROWS)
    period = read_period(request.GET.get("from", ""), request.GET.get("weeks", ""))
    bookings = Booking.objects.visible_to(request.user).live()
    context = chosen | {
        "page": page,
        "board": _board(list(page), bookings, period),
        "kinds": _kinds(),
        "weeks": WEEKS,
        "may_book": request.user.has_perm("environments.book_environment"),
    }
    return render(request, "environments/board.html", context)


def _chosen(query: QueryDict) -> dict[str, str]:
    """The filters of an address; what is unknown is left out."""
    state, production = query.get("state", ""), query.get("production", "")
    return {
        "words": query.get("q", "").strip()[:200],
        "kind": query.get("kind", "")[:60],
        "state": state if state in {*EnvironmentState.values, "all"} else "",
        "production": production if production in {"yes", "no"} else "",
    }


def _narrowed(request: UserRequest, chosen: dict[str, str]) -> EnvironmentQuerySet:
    visible: EnvironmentQuerySet = Environment.objects.visible_to(request.user)
    return visible.matching(chosen["words"]).narrowed(
        kind=chosen["kind"], state=chosen["state"], production=chosen["production"]
    )


def _kinds() -> list[str]:
    kinds = Environment.objects.kinds()
    return list(kinds[:100])


def _board(rows: list[Environment], bookings: BookingQuerySet, period: Any) -> Board:
    held = bookings.filter(environment__in=rows).overlapping(period.starts, period.ends)
    shown = held.select_related("environment", "requested_by").by_time()[:BOARD_BOOKINGS]
    freezes = panels.frozen_in(rows, period.starts, period.ends) if rows else []
    return draw(rows, shown, period, freezes)


@login_required
@require_safe
def environment(request: UserRequest, pk: int) -> HttpResponse:
    """One environment: facts, what is on it, who holds it when, what happened to it."""
    rows = Environment.objects.visible_to(request.user).select_related("owner", "parent")
    row = get_object_or_404(rows, pk=pk)
    bookings = Booking.objects.visible_to(request.user).filter(environment=row)
    coming = bookings.live().current_and_coming().select_related("requested_by").by_time()
    period = read_period(request.GET.get("from", ""), request.GET.get("weeks", ""))
    history = row.history.select_related("history_user").order_by("-history_id")
    now = timezone.now()
    context = {
        "environment": row,
        "crumbs": [(LIST[0], reverse(LIST[1])), (row.name, "")],
        "steps": row.steps(request.user),
        "children": row.children.all()[:SHOWN_BOOKINGS],
        "deployed": panels.deployed_in(row),
        "queue": panels.queue_of(row),
        "coming": coming[:SHOWN_BOOKINGS],
        "board": _board([row], bookings.live(), period),
        "weeks": WEEKS,
        "freezes": panels.frozen_in([row], now, now + FREEZES_AHEAD)[:SHOWN_BOOKINGS],
        "entries": paginate(history, request.GET.get("page"), HISTORY_PAGE),
        "may_manage": rules.may_manage(row, request.user),
        "may_book": row.is_online and rules.may_book(row, request.user),
    }
    return render(request, "environments/detail.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: UserRequest) -> HttpResponse:
    """Make an environment known; it is placed online afterwards."""
    _require(rules.may_manage, None, request)
    return edit_page(
        request,
        EnvironmentForm,
        Environment(),
        title="New environment",
        crumbs=[(LIST[0], reverse(LIST[1])), ("New", "")],
        back=reverse(LIST[1]),
        submit="Add environment",
        said="{row} was added. Place it online when it can be used.",
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: UserRequest, pk: int) -> HttpResponse:
    """Change what is known about an environment."""
    row = get_object_or_404(Environment.objects.visible_to(request.user), pk=pk)
    _require(rules.may_manage, row, request)
    crumbs = [(LIST[0], reverse(LIST[1])), (row.name, row.get_absolute_url()), ("Edit", "")]
    return edit_page(request, EnvironmentForm, row, title=f"Edit {row.name}", crumbs=crumbs)


# --- Bookings -------------------------------------------------------------------------------------


@login_required
@require_safe
def bookings(request: UserRequest) -> HttpResponse:
    """Every booking, of all environments or of one."""
    query = request.GET
    when = query.get("when", "") if query.get("when", "") in WHEN else "coming"
    state = query.get("state", "") if query.get("state", "") in BookingState.values else ""
    kind = query.get("kind", "") if query.get("kind", "") in BookingKind.values else ""
    words = query.get("q", "").strip()[:200]
    place = _environment(request, query.get("environment", ""))
    found = Booking.objects.visible_to(request.user).matching(words)
    if place is not None:
        found = found.filter(environment=place)
    if state:
        found = found.filter(state=state)
    if kind:
        found = found.filter(kind=kind)
    if query.get("clash") == "yes":
        found = found.in_clash()
    if when == "coming":
        found = found.current_and_coming()
    elif when == "past":
        found = found.past()
    order = ["starts", "pk"] if when == "coming" else ["-starts", "-pk"]
    rows = found.select_related("environment", "requested_by").order_by(*order)
    context = {
        "page": paginate(rows, query.get("page")),
        "when": when,
        "whens": WHEN.items(),
        "state": state,
        "states": BookingState,
        "kind": kind,
        "kinds": BookingKind.choices,
        "words": words,
        "clash": query.get("clash") == "yes",
        "environment": place,
        "may_book": request.user.has_perm("environments.book_environment"),
    }
    return render(request, "environments/bookings.html", context)


@login_required
@require_safe
def booking(request: UserRequest, pk: int) -> HttpResponse:
    """One booking: when, what for, what stands in its way, and the ways out."""
    rows = Booking.objects.visible_to(request.user)
    row = get_object_or_404(rows.select_related("environment__owner", "requested_by"), pk=pk)
    may_change = rules.may_change(row, request.user)
    steps = row.steps(request.user)
    between = row.between(steps)
    history = row.history.select_related("history_user").order_by("-history_id")
    context: dict[str, Any] = {
        "booking": row,
        "crumbs": [
            (LIST[0], reverse(LIST[1])),
            (row.environment.name, row.environment.get_absolute_url()),
            (row.ref, ""),
        ],
        "steps": steps,
        "between": between,
        "clashes_end": CLASHES_END if between.blockers else "",
        "wanted_by": _wanted_by(row),
        "freezes": _freezes_over(row),
        "may_change": may_change and not list(rules.against_changing(row)),
        "entries": paginate(history, request.GET.get("page"), HISTORY_PAGE),
    }
    if between.blockers and context["may_change"]:
        context["form"] = _ways_out(row)
    return render(request, "environments/booking.html", context)


def _freezes_over(row: Booking) -> list[panels.Frozen]:
    """The freezes in the time of a live booking: nothing is deployed then."""
    if not row.is_live:
        return []
    return panels.frozen_in([row.environment], row.starts, row.ends)[:SHOWN_BOOKINGS]


def _wanted_by(row: Booking) -> list[Booking]:
    """The requests that a confirmed booking stands in the way of."""
    if row.state != BookingState.CONFIRMED:
        return []
    wanting = Booking.objects.wanting(row).select_related("environment", "requested_by")
    return list(wanting.by_time()[:SHOWN_BOOKINGS])


def _ways_out(row: Booking) -> BookingForm:
    """The booking's own values as a form, which knows the free slots and environments."""
    form = BookingForm(instance=row)
    values = {
        name: field.prepare_value(form.initial[name])
        for name, field in form.fields.items()
        if name in form.initial
    }
    return BookingForm(values, instance=row)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def book(request: UserRequest) -> HttpResponse:
    """Book an environment; a clash is named, with the ways out of it."""
    _require(rules.may_book, None, request)
    row = _from_query(request)
    crumbs = [(LIST[0], reverse(LIST[1]))]
    if row.environment_id:
        crumbs.append((row.environment.name, row.environment.get_absolute_url()))
    return edit_page(
        request,
        BookingForm,
        row,
        title=f"Book {row.environment.name}" if row.environment_id else "Book an environment",
        crumbs=[*crumbs, ("Book", "")],
        back=row.environment.get_absolute_url() if row.environment_id else reverse(LIST[1]),
        save=lambda form: services.book(form.instance, by=request.user, anyway=form.anyway),
        submit="Book",
        said="{row}: {row.status.label}.",
        template="environments/book.html",
        may_ask_anyway=True,
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def booking_edit(request: UserRequest, pk: int) -> HttpResponse:
    """Move a booking, or change what it is for."""
    rows = Booking.objects.visible_to(request.user).select_related("environment")
    row = get_object_or_404(rows, pk=pk)
    _require(rules.may_change, row, request)
    return edit_page(
        request,
        BookingForm,
        row,
        title=f"Change {row.title}",
        crumbs=[
            (LIST[0], reverse(LIST[1])),
            (row.environment.name, row.environment.get_absolute_url()),
            (row.ref, row.get_absolute_url()),
            ("Change", ""),
        ],
        allowed=rules.against_changing,
        save=lambda form: services.change(
            row, by=request.user, version=form.seen_version, **form.changes
        ),
        template="environments/book.html",
    )


def _from_query(request: UserRequest) -> Booking:
    """A new booking with what the address says; by default the coming hour and the next two."""
    query = request.GET
    hour = timezone.now().replace(minute=0, second=0, microsecond=0) + dt.timedelta(hours=1)
    starts = _moment(query.get("starts", "")) or hour
    ends = _moment(query.get("ends", "")) or starts + dt.timedelta(hours=2)
    row = Booking(title=query.get("title", "")[:300], starts=starts, ends=ends)
    place = _environment(request, query.get("environment", ""))
    if place is not None:
        row.environment = place
    return row


def _moment(text: str) -> dt.datetime | None:
    """A moment from an address, in the reader's zone where it names none."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    if moment is None or not 1970 <= moment.year <= 2199:  # noqa: PLR2004 -- as EditForm
        return None
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment


def _environment(request: UserRequest, text: str) -> Environment | None:
    """The environment that an address names by its id, if the reader may see one."""
    if (key := number(text)) is None:
        return None
    found: Environment | None = Environment.objects.visible_to(request.user).filter(pk=key).first()
    return found


def _require(rule: Permission, row: Any, request: UserRequest) -> None:
    """Refuse with the rule's own sentence."""
    if not rule(row, request.user):
        raise PermissionDenied(rule.sentence)
