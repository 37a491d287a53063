"""A run to read at leisure: its logs, its text, its review and what came of it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from releasemgr.ui.edit_pages import edit_page
from releasemgr.ui.paging import PAGE_SIZE, Page, page_number
from releasemgr.ui.times import local
from releasemgr.workflow.edit import edit
from turnovers import bridge, lookback, rules
from turnovers.board import board
from turnovers.callbacks import told_too_late
from turnovers.forms import ReviewActionForm
from turnovers.http import attempt, crumbs
from turnovers.models import ReviewAction, TaskRun
from turnovers.views.runs.page import run_or_404

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from releasemgr.accounts.models import User
    from releasemgr.http import UserRequest
    from releasemgr.workflow.rules import Blocker
    from turnovers.models import Attempt, Run

PLAIN = "text/plain; charset=utf-8"
#: As many lines of the bridge as the text of a run holds.
LINES_IN_TEXT = 500
#: A review names no more steps that slipped than people can talk about.
MOST_SLIPPED = 50


# --- As text --------------------------------------------------------------------------------------


@login_required
@never_cache
@require_safe
def run_text(request: UserRequest, pk: int) -> HttpResponse:
    """The run as plain text: steps, plan, what happened, and what was said."""
    run = run_or_404(request.user, pk)
    laid = board(run)
    said = bridge.lines(run, laid.tasks, LINES_IN_TEXT)
    return _plain(lookback.transcript(laid.progress, said, laid.whys))


@login_required
@never_cache
@require_safe
def task_log(request: UserRequest, pk: int) -> HttpResponse:
    """Every try of a task, and all that is kept of what it printed."""
    rows: Any = TaskRun.objects.visible_to(request.user).with_log()
    return _plain(_log_of(get_object_or_404(rows, pk=pk)))


def _plain(lines: Iterator[str]) -> HttpResponse:
    return HttpResponse("\n".join([*lines, ""]), content_type=PLAIN)


def _log_of(row: TaskRun) -> Iterator[str]:
    yield f"Step {row.order}: {row.task.title}"
    yield f"Run {row.run.number}: {row.status.label}"
    if row.detail:
        yield row.detail
    for one in row.tries.all():
        yield ""
        yield from _of_try(one)
    yield from ("", "OUTPUT (its end, if it was long)", "", row.output)


def _of_try(one: Attempt) -> Iterator[str]:
    yield f"Try {one.fence}, by {one.worker}"
    for word, moment in (
        ("claimed", one.claimed_at),
        ("sent", one.sent_at),
        ("ended", one.ended_at),
    ):
        yield f"  {word:<8} {_stamp(moment) if moment else '–'}"
    if one.outcome:
        yield f"  outcome  {one.outcome}"
    if one.detail:
        yield f"  {one.detail}"
    for late in one.late_words.all():
        said = "succeeded" if late.succeeded else "did not succeed"
        yield f"  too late {_stamp(late.at)}: it {said}. {late.detail}".rstrip()
    if told := told_too_late(one):
        yield f"  too late {_stamp(told[0])}: {told[1]}"


def _stamp(moment: dt.datetime) -> str:
    return f"{local(moment):%Y-%m-%d %H:%M:%S %Z}"


# --- The review -----------------------------------------------------------------------------------


@login_required
@require_safe
def run_review(request: UserRequest, pk: int) -> HttpResponse:
    """Plan against what happened, what slipped and why, what was said, and what is to be done."""
    return _review(request, run_or_404(request.user, pk), [])


def _review(request: UserRequest, run: Run, refused: Sequence[Blocker]) -> HttpResponse:
    laid = board(run)
    steps = lookback.steps_of(laid.progress)
    page = page_number(request.GET.get("page"))
    start = (page - 1) * PAGE_SIZE
    may_review = rules.may_review(run, request.user)
    actions = list(run.actions.select_related("owner"))
    for action in actions:
        action.may_keep = may_review or action.owner_id == request.user.pk
    context = {
        "run": run,
        "turnover": run.turnover,
        "progress": laid.progress,
        "page": Page(steps[start : start + PAGE_SIZE], page, len(steps) > start + PAGE_SIZE),
        "slipped": [step for step in steps if step.slipped][:MOST_SLIPPED],
        "notes": run.notes.all()[:LINES_IN_TEXT],
        "actions": actions,
        "may_review": may_review,
        "new_url": reverse("turnovers:action-new", args=[run.pk]),
        "text_url": reverse("turnovers:run-text", args=[run.pk]),
        "crumbs": _crumbs(run, ("Review", "")),
        "refusal_blockers": refused,
    }
    status = HTTPStatus.CONFLICT if refused else HTTPStatus.OK
    return render(request, "turnovers/run_review.html", context, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def action_new(request: UserRequest, pk: int) -> HttpResponse:
    """Note down something to do that the review brought up."""
    run = run_or_404(request.user, pk)
    if not rules.may_review(run, request.user):
        raise PermissionDenied(rules.may_review.sentence)
    return _action_page(request, ReviewAction(run=run), "Add an action", "Add action")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def action_edit(request: UserRequest, pk: int) -> HttpResponse:
    """Change what is to be done, by whom, or until when."""
    action = _action_or_403(request.user, pk)
    return _action_page(request, action, "Change the action", "Save")


@login_required
@require_POST
def action_done(request: UserRequest, pk: int) -> HttpResponse:
    """Mark it done, or with ``done=0`` to be done after all."""
    action = _action_or_403(request.user, pk)
    done_at = None if request.POST.get("done") == "0" else action.done_at or timezone.now()
    return attempt(
        request,
        lambda: edit(action, by=request.user, done_at=done_at),
        action.get_absolute_url(),
        lambda blockers: _review(request, run_or_404(request.user, action.run_id), blockers),
    )


def _action_or_403(user: User, pk: int) -> ReviewAction:
    rows: Any = ReviewAction.objects.visible_to(user)
    action: ReviewAction = get_object_or_404(rows.select_related("run__turnover"), pk=pk)
    if not rules.may_keep_action(action, user):
        raise PermissionDenied(rules.may_keep_action.sentence)
    return action


def _action_page(
    request: UserRequest, action: ReviewAction, title: str, submit: str
) -> HttpResponse:
    review = reverse("turnovers:run-review", args=[action.run_id])
    return edit_page(
        request,
        ReviewActionForm,
        action,
        title=title,
        crumbs=_crumbs(action.run, ("Review", review), (title, "")),
        back=review,
        submit=submit,
        said="{row}: noted.",
    )


def _crumbs(run: Run, *more: tuple[str, str]) -> list[tuple[str, str]]:
    return crumbs(run.turnover, (f"Run {run.number}", run.get_absolute_url()), *more)
