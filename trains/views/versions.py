"""The versions of a train's plan, and what lies between two of them."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from releasemgr.http import number
from releasemgr.ui.edit_pages import see_other
from releasemgr.ui.paging import Page, paginate
from releasemgr.ui.times import moment_in_words
from releasemgr.workflow.refusals import TransitionRefused
from trains import rules
from trains.forms.versions import NoteForm
from trains.http import crumbs, steered_train_or_403, train_or_404, train_page
from trains.models import PlanVersion, Train
from trains.plan import baselines
from trains.plan.comparison import Difference, compare, slip_in_words, slip_of, summary, transcript
from trains.plan.facts import plan_of
from trains.plan.witnesses import witnesses

if TYPE_CHECKING:
    import datetime as dt

    from releasemgr.http import UserRequest
    from trains.plan.facts import Plan

NOW = "now"
#: As many versions as can be chosen from; older ones are reached from the list.
MOST_OFFERED = 200
PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Side:
    """One of the two that are compared: a version, or the plan as it is now."""

    value: str
    name: str
    at: dt.datetime
    plan: Plan


@dataclass(frozen=True)
class Comparison:
    """The two sides, the older one first, and every difference between them."""

    train: Train
    before: Side
    after: Side
    differences: list[Difference]

    @property
    def title(self) -> str:
        return f"{self.train}: {self.before.name} and {self.after.name}"

    @property
    def in_short(self) -> str:
        return summary(self.differences)

    @property
    def slip(self) -> int:
        return slip_of(self.differences)

    @property
    def slip_words(self) -> str:
        return slip_in_words(self.slip)

    def told(self, differences: list[Difference]) -> dict[Difference, Any]:
        """Who made these differences, and when."""
        return witnesses(self.train.pk, differences, self.before.at, self.after.at)


@login_required
@require_safe
def version_list(request: UserRequest, pk: int) -> HttpResponse:
    """Every version of the plan, newest first."""
    return _list(request, train_or_404(request.user, pk))


@login_required
@require_POST
def version_keep(request: UserRequest, pk: int) -> HttpResponse:
    """Take a version by hand, with a note; refused with 409 where the train is over."""
    train = steered_train_or_403(request.user, pk)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _list(request, train, form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        version = baselines.keep(train, by=request.user, **form.cleaned_data)
    except TransitionRefused as refused:
        context = {"form": form, "refusal_blockers": refused.blockers}
        return _list(request, train, status=HTTPStatus.CONFLICT, **context)
    messages.success(request, f"{version} of the plan of {train} is kept.")
    return see_other(train.versions_url)


def _list(
    request: UserRequest, train: Train, status: HTTPStatus = HTTPStatus.OK, **context: Any
) -> HttpResponse:
    versions: Any = PlanVersion.objects.filter(train=train)
    page: Page[PlanVersion] = paginate(versions.in_words(), request.GET.get("page"))
    context.setdefault("form", NoteForm(initial={"version": train.version}))
    answer = train_page(
        request,
        train,
        "versions",
        "trains/versions.html",
        page=page,
        may_keep=rules.may_steer(train, request.user) and not train.is_over,
        crumbs=crumbs(train, ("Plan versions", "")),
        **context,
    )
    answer.status_code = status
    return answer


@login_required
@require_safe
def changes(request: UserRequest, pk: int) -> HttpResponse:
    """What lies between two versions, or a version and now; each with who did it, and when."""
    train = train_or_404(request.user, pk)
    versions: Any = PlanVersion.objects.filter(train=train)
    offered = list(versions.in_words().defer("reason")[:MOST_OFFERED])
    context: dict[str, Any] = {"offered": offered, "crumbs": _crumbs(train)}
    if offered:
        found = _comparison(request, train)
        differences: Any = found.differences
        start: Page[Difference] = paginate(differences, request.GET.get("page"))
        told = found.told(list(start))
        context |= {
            "comparison": found,
            "page": start,
            "rows": [(difference, told.get(difference)) for difference in start],
        }
    context["train"] = train
    return render(request, "trains/plan_changes.html", context)


@login_required
@never_cache
@require_safe
def changes_text(request: UserRequest, pk: int) -> HttpResponse:
    """The same as plain text, all of it on one page."""
    train = train_or_404(request.user, pk)
    if not PlanVersion.objects.filter(train=train).exists():
        return _plain([f"No version of the plan of {train} is kept yet."])
    found = _comparison(request, train)
    lines = transcript(found.title, found.differences, found.told(found.differences))
    return _plain(list(lines))


def _plain(lines: list[str]) -> HttpResponse:
    return HttpResponse("\n".join([*lines, ""]), content_type=PLAIN)


def _crumbs(train: Train) -> list[tuple[str, str]]:
    return crumbs(train, ("Plan versions", train.versions_url), ("What changed", ""))


def _comparison(request: UserRequest, train: Train) -> Comparison:
    """The two that the address names, the older first; by default the last version and now."""
    first = _side(train, request.GET.get("from", ""))
    second = _side(train, request.GET.get("to", NOW) or NOW)
    before, after = sorted([first, second], key=lambda side: side.at)
    return Comparison(train, before, after, compare(before.plan, after.plan))


def _side(train: Train, value: str) -> Side:
    if value == NOW:
        return Side(NOW, "now", timezone.now(), plan_of(train))
    versions = PlanVersion.objects.filter(train=train).select_related("content")
    if value:
        versions = versions.filter(number=number(value))
    version = versions.order_by("-number").first()
    if version is None:
        raise Http404
    name = f"version {version.number} ({moment_in_words(version.at)})"
    return Side(str(version.number), name, version.at, version.content.facts)
