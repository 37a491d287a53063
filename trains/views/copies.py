"""Copying a train onto other dates, after a look at what is copied and onto which days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from releasemgr.ui.edit_pages import edit_page
from releasemgr.ui.times import day_in_words, moment_in_words
from trains.copying import (
    Carried,
    carried_outline,
    copy_train,
    first_day_of,
    moved_reservations,
    plan_copy,
)
from trains.forms.templates import CopyForm
from trains.http import crumbs, steered_train_or_403
from trains.models import Calendar, Train
from trains.planning import SCHEDULE, counted_in, first_day
from trains.preview import LABELS, preview_of
from trains.states import GateStage

if TYPE_CHECKING:
    import datetime as dt

    from django.http import HttpResponse

    from releasemgr.http import UserRequest
    from trains.outline import Outline


@dataclass(frozen=True)
class Row:
    """One thing that is copied: what, from which day, onto which."""

    what: str
    before: str
    after: str
    note: str = ""


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def train_copy(request: UserRequest, pk: int) -> HttpResponse:
    """Ask for the start and what goes along; show it; then store the copy."""
    origin = steered_train_or_403(request.user, pk)
    calendar = origin.calendar or Calendar.objects.filter(is_default=True).first()
    copy = Train(
        name=origin.name, manager=request.user, calendar=calendar, release_type=origin.release_type
    )

    def save(form: CopyForm) -> Train:
        return copy_train(origin, form.instance, form.carried, by=request.user)

    page: dict[str, Any] = {
        "title": f"Copy {origin}",
        "crumbs": crumbs(origin, ("Copy", "")),
        "template": "trains/copy.html",
        "origin": origin,
        "submit": "Make the copy",
    }
    if request.method == "POST" and "look" in request.POST:
        form = CopyForm(request.POST, instance=copy)
        status = 200 if form.is_valid() else 422
        if form.is_valid():
            page |= _look(request, origin, form.instance, form.carried)
        page |= {"form": form, "back_url": origin.get_absolute_url()}
        return render(request, "trains/copy.html", page, status=status)
    return edit_page(
        request,
        CopyForm,
        copy,
        save=save,
        back=origin.get_absolute_url(),
        said="{row} is planned as a copy. Its status is that of a new train.",
        **page,
    )


def _look(request: UserRequest, origin: Train, copy: Train, carried: Carried) -> dict[str, Any]:
    """What would be stored, as rows, and how its dates lie."""
    outline = carried_outline(origin, copy, carried)
    plan_copy(origin, copy, outline)
    dates = {name: getattr(copy, name) for name in SCHEDULE}
    rows = [
        Row(label, _day(getattr(origin, name)), _day(dates[name]))
        for label, name in zip(LABELS, SCHEDULE, strict=True)
        if dates[name]
    ]
    rows += _outlined(origin, copy, outline)
    if carried.reservations:
        for moved in moved_reservations(origin, copy):
            note = f"Clashes with {moved.clashes[0].title}" if moved.clashes else ""
            if not moved.environment.is_online:
                note = "Left out: it is not online"
            before = _period(moved.booking.starts, moved.booking.ends)
            after = _period(moved.starts, moved.ends)
            rows.append(Row(f"Reservation of {moved.environment.name}", before, after, note))
    if carried.releases:
        rows += [
            Row(
                f"New release of {place.release.application.name}",
                str(place.release),
                "Asks for a place",
            )
            for place in origin.boardings.aboard().select_related("release__application")
        ]
    for place in origin.crew.select_related("person") if carried.people else ():
        left_out = "" if place.person.is_active else "Left out: no longer here"
        rows.append(Row(f"Release engineer {place.person}", "", "", left_out))
    preview = preview_of(
        dates, copy.calendar, request.user, origin=origin if carried.releases else None
    )
    return {"rows": rows, "preview": preview}


def _outlined(origin: Train, copy: Train, outline: Outline) -> list[Row]:
    """What comes from the outline: gates, criteria, milestones with freezes, approvals."""
    first, workdays = first_day_of(copy), copy.workdays
    start, earlier = first_day(origin), counted_in(origin, copy.calendar)

    def moved(what: str, days: int | None, otherwise: str = "") -> Row:
        if days is None:
            return Row(what, otherwise, otherwise)
        return Row(what, _day(earlier.add(start, days)), _day(workdays.add(first, days)))

    rows = [
        moved(f"Date of the {GateStage(one).label} gate", n) for one, n in outline.gates.items()
    ]
    rows += [
        moved(f"Criterion “{one.title}”", one.days, f"With the {GateStage(one.stage).label} gate")
        for one in outline.criteria
    ]
    for one in outline.milestones:
        rows.append(moved(f"Milestone “{one.title}”", one.days))
        rows += [moved(f"Freeze “{freeze.name}” begins", one.days) for freeze in one.freezes]
    rows += [
        Row(
            f"{which.capitalize()} approval: {len(levels)} level{'s' if len(levels) != 1 else ''}",
            "",
            "",
        )
        for which, levels in outline.levels.items()
    ]
    return rows


def _day(day: dt.date | None) -> str:
    return day_in_words(day) if day else ""


def _period(starts: dt.datetime, ends: dt.datetime) -> str:
    return f"{moment_in_words(starts)} to {moment_in_words(ends)}"
