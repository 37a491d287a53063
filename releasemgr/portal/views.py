"""My work, and search."""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from releasemgr.portal import outlook, search, together, told, work
from releasemgr.portal.newcomers import welcome
from releasemgr.ui.edit_pages import see_other
from trains.models import Train
from turnovers.models import Hold

if TYPE_CHECKING:
    from django.http import HttpResponse

    from releasemgr.http import UserRequest

SHOWS = {"": "All", told.DECIDE: "To decide", told.DO: "To do"}
LONGEST_QUERY = 200
LONGEST_COMMENT = 2000
IN_PALETTE, ON_PAGE = 6, 25


@login_required
@require_safe
def home(request: UserRequest) -> HttpResponse:
    """The front door leads to one's own work."""
    return redirect("portal:work")


@login_required
@require_safe
def my_work(request: UserRequest) -> HttpResponse:
    """What waits for the reader, what deploys next, and which of their trains are at risk."""
    waiting = work.waiting_for(request.user)
    show = request.GET.get("show", "")
    show = show if show in SHOWS else ""
    trains = outlook.trains_of(request.user)
    shown = [row for row in waiting if show in {"", row.kind}]
    context = {
        "now": timezone.now(),
        "total": len(waiting),
        "shown": len(shown),
        "groups": work.grouped(shown),
        "most": work.MOST_OF_A_KIND,
        "filters": [
            {
                "label": label,
                "url": f"?show={kind}" if kind else "?",
                "current": kind == show,
                "count": sum(kind in {"", row.kind} for row in waiting),
            }
            for kind, label in SHOWS.items()
        ],
        "together": [
            (train, count)
            for train, count in Counter(row.train for row in waiting if row.train).most_common(5)
            if count > 1
        ],
        "deployments": outlook.next_deployments(request.user),
        "has_trains": bool(trains),
        "at_risk": outlook.at_risk(trains),
        "fortnight": outlook.fortnight(trains),
        "welcome": welcome(request.user),
        "holds": Hold.objects.visible_to(request.user).active().with_scope(),
    }
    return render(request, "portal/work.html", context)


@login_required
@require_safe
@vary_on_headers("HX-Request")
def find(request: UserRequest) -> HttpResponse:
    """The results, as a page or as the palette's fragment; a reference leads to its record."""
    words = request.GET.get("q", "").strip()[:LONGEST_QUERY]
    if request.headers.get("HX-Request"):
        groups = search.answer(request.user, words, IN_PALETTE)
        return render(request, "portal/_palette.html", {"groups": groups})
    if (record := search.referred_to(request.user, words)) is not None:
        return redirect(record.get_absolute_url())
    groups = search.answer(request.user, words, ON_PAGE)
    context = {"words": words, "groups": groups, "most": ON_PAGE}
    return render(request, "portal/search.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def decide_together(request: UserRequest, pk: int) -> HttpResponse:
    """Decide several things about one train with one comment; each refused one is told why."""
    train = get_object_or_404(
        Train.objects.visible_to(request.user).select_related(
            "train_signoff", "development_signoff", "executive_signoff"
        ),
        pk=pk,
    )
    context: dict[str, Any] = {"train": train, "chosen": None}
    if request.method != "POST":
        context["choices"] = together.choices(train, request.user)
        return render(request, "portal/together.html", context)
    verdict = request.POST.get("verdict", "")
    keys = set(request.POST.getlist("chosen"))
    comment = request.POST.get("comment", "").strip()
    listed = together.choices(train, request.user)
    chosen = [choice for choice in listed if choice.key in keys and not choice.alone]
    context |= {"chosen": keys, "comment": comment, "choices": listed}
    if problem := _problem(verdict, chosen, comment):
        context["error_at"], context["error"] = problem
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return render(request, "portal/together.html", context, status=status)
    seen = {choice.key: request.POST.get(f"seen-{choice.key}", "") for choice in chosen}
    outcome = together.decide(chosen, verdict, seen=seen, reason=comment, by=request.user)
    if not outcome.refused:
        messages.success(request, f"{train}: {len(outcome.done)} decided.")
        return see_other(reverse("portal:work"))
    context |= {"outcome": outcome, "choices": together.choices(train, request.user)}
    return render(request, "portal/together.html", context, status=HTTPStatus.CONFLICT)


def _problem(verdict: str, chosen: list[together.Choice], comment: str) -> tuple[str, str] | None:
    """What is wrong with what was sent: the field, and a sentence."""
    if not chosen or verdict not in {together.YES, together.NO}:
        return "choices", "Choose what you decide; some of it may not wait for you any more."
    if verdict == together.NO and not comment:
        return "comment", "Say why. The comment is kept in the history."
    if len(comment) > LONGEST_COMMENT:
        return "comment", f"At most {LONGEST_COMMENT} characters."
    return None
