"""The page of a run, and what of it is fetched again while it is on."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from releasemgr.http import number
from releasemgr.ui.edit_pages import see_other
from turnovers import bridge, endings, lanes, rules, watching
from turnovers.board import board
from turnovers.http import crumbs
from turnovers.models import Run
from turnovers.progress import rest_of
from turnovers.states import RunKind, TurnoverState

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase

    from releasemgr.accounts.models import User
    from releasemgr.http import UserRequest
    from turnovers.board import Board

#: htmx stops asking when it is answered so.
STOP_POLLING = 286
#: What is told by a browser that comes again: the mark that it has seen last.
LAST_SEEN = "Last-Event-ID"


@login_required
@never_cache
@require_safe
def run_page(request: UserRequest, pk: int) -> HttpResponse:
    """How the run goes, step by step; whose turn it is; why it stands still or stopped."""
    return render(request, "turnovers/run.html", _context(request, run_or_404(request.user, pk)))


@login_required
@never_cache
@require_safe
def run_live(request: UserRequest, pk: int) -> HttpResponse:
    """What changes on the page of a run that is on.

    ``turn`` names the tasks whose forms the page shows: they stay as they are, with what is being
    typed into them, until a task comes or goes.
    """
    context = _context(request, run_or_404(request.user, pk))
    shown = {number(text) for text in request.GET.get("turn", "").split(",")} - {None}
    context["turn_changed"] = shown != {turn.task_run.pk for turn in context["turns"]}
    status = HTTPStatus.OK if context["run"].is_on else STOP_POLLING
    return render(request, "turnovers/run_live.html", context, status=status)


@login_required
@never_cache
@require_safe
def run_events(request: UserRequest, pk: int) -> HttpResponseBase:
    """Say within a second that something of the run has changed, without saying what.

    Answers 204 where the run is over or too many look on: the page then asks now and then.
    """
    run = run_or_404(request.user, pk)
    stream = None
    if run.is_on and request.method == "GET":
        stream = watching.open_stream(pk, request.headers.get(LAST_SEEN, "")[:100])
    if stream is None:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    if not connection.in_atomic_block:
        connection.close()  # it would stand idle for as long as the page is open
    answer = StreamingHttpResponse(stream, content_type="text/event-stream")
    answer["X-Accel-Buffering"] = "no"
    return answer


@login_required
@require_POST
def run_say(request: UserRequest, pk: int) -> HttpResponse:
    """Say something to everybody who follows the run."""
    run = run_or_404(request.user, pk)
    words = request.POST.get("words", "").strip()
    if words and len(words) <= bridge.LONGEST_NOTE:
        bridge.say(run, words, by=request.user)
        return see_other(f"{run.get_absolute_url()}#bridge")
    context = _context(request, run) | {
        "typed": words,
        "say_error": f"At most {bridge.LONGEST_NOTE} characters." if words else "Say something.",
    }
    return render(request, "turnovers/run.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def run_or_404(user: User, pk: int) -> Run:
    """The run, with what the head of its pages shows."""
    runs: Any = Run.objects.visible_to(user).with_page_facts()
    run: Run = get_object_or_404(runs, pk=pk)
    return run


def _context(request: UserRequest, run: Run) -> dict[str, Any]:
    user, turnover = request.user, run.turnover
    laid = board(run)
    shown = laid.progress
    axis = lanes.Axis(shown.span)
    turns, loud, whys = laid.turns(user), laid.loud(), laid.whys
    asked = number(request.GET.get("part"))
    part = laid.part(asked)
    return {
        "run": run,
        "crumbs": crumbs(turnover, (f"Run {run.number}", "")),
        "turnover": turnover,
        "now": laid.now,
        "progress": shown,
        "part": part,
        "rows": [
            (line, lanes.lane(axis, line, laid.now if run.is_on else None), whys.get(line.task.pk))
            for line in part.lines
        ],
        "axis": lanes.axis_of_lanes(axis),
        "bar": lanes.run_bar(shown),
        "turns": turns,
        "prints": [row for row in loud if not row.task.is_manual],
        "endings": endings.unknown_endings(loud, user) if run.is_on else [],
        "holds": turnover.active_holds() if run.is_on else [],
        "blockers": [blocker for blocker in laid.blockers if blocker.glyph != "hold"],
        "entries": bridge.lines(run, laid.tasks),
        "people": bridge.present(run, user, laid.now) if run.is_on else [],
        "say_url": reverse("turnovers:run-say", args=[run.pk]),
        "longest_note": bridge.LONGEST_NOTE,
        "events_url": reverse("turnovers:run-events", args=[run.pk]),
        "live_url": _live_url(run, [turn.task_run.pk for turn in turns], asked),
        "text_url": reverse("turnovers:run-text", args=[run.pk]),
        "review_url": reverse("turnovers:run-review", args=[run.pk]),
        "may_abort": run.is_on and rules.may_abort(run, user),
        "may_hold": run.is_on and user.has_perm("turnovers.hold_line"),
        "may_extend": run.is_on and rules.may_extend(turnover, user),
        "abort_url": run.step_url("abort"),
        **_ways_on(laid, user),
    }


def _live_url(run: Run, turns: list[int], part: int | None) -> str:
    """Where the page asks again, telling which forms and which part it shows."""
    asked: dict[str, Any] = {"turn": ",".join(str(pk) for pk in turns)}
    if part:
        asked["part"] = part
    return f"{reverse('turnovers:run-live', args=[run.pk])}?{urlencode(asked)}"


def _ways_on(laid: Board, user: User) -> dict[str, Any]:
    """What can be done after the run has stopped, or when it is to be undone."""
    run, turnover = laid.run, laid.run.turnover
    facts = cast("Any", run)
    stopped = not run.is_on and facts.is_latest
    undoable = stopped and turnover.state in {TurnoverState.FAILED, TurnoverState.DEPLOYED}
    may = stopped and rules.may_run(turnover, user)
    ways: dict[str, Any] = {
        "may_retry": may and turnover.state == TurnoverState.FAILED,
        "may_undo": may and undoable and bool(turnover.tasks_to_undo()),
        "retry_url": turnover.step_url("retry"),
        "undo_url": turnover.step_url("undo"),
        "give_up_url": turnover.step_url("give_up"),
        "back_url": turnover.step_url("back_to_draft"),
    }
    failed = next((line for line in laid.progress.lines if line.needs_people), None)
    if ways["may_retry"] and failed is not None and run.kind == RunKind.DEPLOY:
        ways["failed"] = failed
        ways["again_ends"] = laid.now + rest_of(laid.progress.lines, failed)
    return ways
