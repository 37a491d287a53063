"""The list of turnovers, a turnover with its tabs, and writing one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from environments.models import Environment
from releasemgr.http import number
from releasemgr.ui.edit_pages import edit_page
from releasemgr.ui.paging import paginate
from releasemgr.ui.stories import Source, story
from releasemgr.workflow.refusals import TransitionRefused
from trains.models import ApplicationRelease, Train, WorkItem
from turnovers import plans, review, rules
from turnovers.exceptions import exceptions_of
from turnovers.forms import ContentForm, NewTurnoverForm, TurnoverForm
from turnovers.http import (
    attempt,
    crumbs,
    turnover_or_404,
    turnover_page,
    version_of,
    written_turnover_or_403,
)
from turnovers.models import Content, DeploymentTask, Hold, Run, Turnover
from turnovers.states import PAST, TurnoverState
from turnovers.timetable import timetable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.http import HttpResponse

    from releasemgr.http import UserRequest
    from releasemgr.workflow.rules import Blocker

VIEWS = {"open": "Open", "mine": "Mine", "over": "Over"}
SORTS = {"window": "Window", "newest": "Newest first", "title": "Title"}
MOST_OFFERED = 20
MOST_SOURCES = 100
MOST_EXCEPTIONS = 25


# --- The list -------------------------------------------------------------------------------------


@login_required
@require_safe
def turnover_list(request: UserRequest) -> HttpResponse:
    """Turnovers: those on their way, one's own, or those that are over."""
    get = request.GET
    view = get["view"] if get.get("view") in VIEWS else "open"
    sort = get["sort"] if get.get("sort") in SORTS else "newest" if view == "over" else "window"
    words = get.get("q", "").strip()[:200]
    turnovers = _chosen(request, view).matching(words)
    train = Train.objects.filter(pk__in=_one(get.get("train"))).first()
    if train is not None:
        turnovers = turnovers.of_train(train)
    states = _states_of(view)
    state = get.get("state") if get.get("state") in states else ""
    environment = number(get.get("environment"))
    if state:
        turnovers = turnovers.filter(state=state)
    if environment is not None:
        turnovers = turnovers.filter(environment=environment)
    turnovers = {
        "window": turnovers.by_window(),
        "newest": turnovers.order_by("-pk"),
        "title": turnovers.order_by("title", "pk"),
    }[sort]
    context = {
        "page": paginate(
            turnovers.select_related("environment", "author", "train", "release__application"),
            get.get("page"),
        ),
        "tabs": _list_tabs(view),
        "view": view,
        "words": words,
        "states": states,
        "state": state,
        "environments": Environment.objects.in_use(),
        "environment": environment,
        "sorts": SORTS.items(),
        "sort": sort,
        "train": train,
        "is_filtered": bool(words or state or environment is not None or train),
        "holds": Hold.objects.active().with_scope(),
        "may_write": request.user.has_perm("turnovers.write_turnover"),
    }
    return render(request, "turnovers/list.html", context)


def _one(text: str | None) -> list[int]:
    """The id that an address names, as a list that is empty where it names none."""
    key = number(text)
    return [] if key is None else [key]


def _states_of(view: str) -> list[TurnoverState]:
    """Those that a view can hold."""
    return [
        state for state in TurnoverState if view == "mine" or (state in PAST) == (view == "over")
    ]


def _chosen(request: UserRequest, view: str) -> Any:
    turnovers = Turnover.objects.visible_to(request.user)
    if view == "mine":
        return turnovers.of_author(request.user)
    return turnovers.over() if view == "over" else turnovers.open()


def _list_tabs(view: str) -> list[dict[str, Any]]:
    address = reverse("turnovers:list")
    return [
        {"label": label, "url": f"{address}?view={name}", "current": name == view, "count": None}
        for name, label in VIEWS.items()
    ]


# --- One turnover ---------------------------------------------------------------------------------


@login_required
@require_safe
def turnover_detail(request: UserRequest, pk: int) -> HttpResponse:
    """Its plan, and for release engineers what they need to accept or return it."""
    return tasks_page(request, turnover_or_404(request.user, pk))


def tasks_page(
    request: UserRequest, turnover: Turnover, refused: Sequence[Blocker] = ()
) -> HttpResponse:
    """The tab of tasks; also the answer where a change of them is refused."""
    whole = list(turnover.whole_plan().select_related("owner", "owner_group"))
    for task in whole:
        task.turnover = turnover
    tasks = [task for task in whole if not task.undoes_id]
    undo = [task for task in whole if task.undoes_id]
    looked_at = review.review(turnover)
    gone = DeploymentTask.all_ever.filter(turnover=turnover).taken_out().in_order()
    judged = turnover.state == TurnoverState.DELIVERED
    return turnover_page(
        request,
        turnover,
        "",
        "turnovers/detail.html",
        refused=refused,
        tasks=tasks,
        rows=timetable(tasks, turnover.earliest, looked_at.changes, undo),
        gone=gone if turnover.is_editable else [],
        review=looked_at,
        checks=review.checks(turnover) if judged else [],
        exceptions=list(exceptions_of(turnover, request.user)[:MOST_EXCEPTIONS]),
        copied_from=_copied_from(tasks),
    )


def _copied_from(tasks: Sequence[DeploymentTask]) -> str:
    """Where the oldest task of the plan came from, if it was copied."""
    first = min((task.pk for task in tasks), default=None)
    if first is None:
        return ""
    made: Any = DeploymentTask.history.filter(id=first, history_type="+").first()
    reason = (made.history_change_reason or "") if made else ""
    return reason.removeprefix("Copied from ") if reason.startswith("Copied from ") else ""


@login_required
@require_safe
def turnover_tab(request: UserRequest, pk: int, tab: str) -> HttpResponse:
    """Contents, work items, runs or history."""
    pages = {"contents": contents_page, "work": work_page, "runs": _runs, "history": _history}
    if tab not in pages:
        raise Http404
    return pages[tab](request, turnover_or_404(request.user, pk))


def _runs(request: UserRequest, turnover: Turnover) -> HttpResponse:
    page = paginate(Run.objects.latest_of(turnover), request.GET.get("page"))
    return turnover_page(request, turnover, "runs", "turnovers/runs.html", page=page)


def _history(request: UserRequest, turnover: Turnover) -> HttpResponse:
    runs: Any = Run.history
    sources = [
        Source("turnover", turnover.history.all()),
        Source("run", runs.filter(turnover=turnover.pk), lambda row: f"Run {row.number}"),
    ]
    page = story(sources, request.GET.get("page"))
    return turnover_page(request, turnover, "history", "turnovers/history.html", page=page)


# --- Writing one ----------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def turnover_new(request: UserRequest) -> HttpResponse:
    """A new turnover of the train or application release named in the address, or choose one."""
    if not request.user.has_perm("turnovers.write_turnover"):
        raise PermissionDenied(rules.may_write.sentence)
    train, release = _item(request)
    if train is None and release is None:
        return _choose_item(request)
    row = Turnover(train=train, release=release, author=request.user)
    environment: Any = Environment.objects.filter(
        pk__in=_one(request.GET.get("environment"))
    ).first()
    if environment is not None:
        row.environment = environment
    item: Any = train or release

    def save(form: Any) -> Turnover:
        copy_from = form.cleaned_data["copy_from"]
        return plans.new_turnover(form.instance, by=request.user, copy_from=copy_from)

    return edit_page(
        request,
        NewTurnoverForm,
        row,
        title=f"New turnover of {item}",
        crumbs=[(str(item), item.get_absolute_url()), ("New turnover", "")],
        back=item.get_absolute_url(),
        save=save,
        form_kwargs={"sources": _sources(train, release)},
        said="{row}: written down. Add its tasks, then deliver it.",
        submit="Write turnover",
    )


def _item(request: UserRequest) -> tuple[Train | None, ApplicationRelease | None]:
    """The train or the application release that the address names, if the person may see it."""
    train = release = None
    if request.GET.get("train"):
        trains = Train.objects.visible_to(request.user)
        train = get_object_or_404(trains, pk=number(request.GET["train"]))
    elif request.GET.get("release"):
        releases = ApplicationRelease.objects.visible_to(request.user)
        release = get_object_or_404(
            releases.select_related("application"), pk=number(request.GET["release"])
        )
    return train, release


def _sources(train: Train | None, release: ApplicationRelease | None) -> Any:
    """Turnovers whose tasks can be copied, newest first: of the same train or application."""
    turnovers = Turnover.objects.with_task_count()
    if train is not None:
        related = turnovers.of_train(train)
    else:
        assert release is not None  # noqa: S101 -- the caller has one or the other
        related = turnovers.of_application(release.application_id)
    newest = related.filter(task_count__gt=0).order_by("-pk").values_list("pk", flat=True)
    return turnovers.filter(pk__in=list(newest[:MOST_SOURCES]))


def _choose_item(request: UserRequest) -> HttpResponse:
    words = request.GET.get("q", "").strip()[:200]
    trains = Train.objects.visible_to(request.user).open().matching(words)
    releases: Any = ApplicationRelease.objects.visible_to(request.user).open().matching(words)
    context = {
        "words": words,
        "trains": trains[:MOST_OFFERED],
        "releases": releases.select_related("application")[:MOST_OFFERED],
        "most": MOST_OFFERED,
    }
    return render(request, "turnovers/choose_item.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def turnover_edit(request: UserRequest, pk: int) -> HttpResponse:
    """Its title, environment, window and developer; only while it is being defined."""
    turnover = written_turnover_or_403(request.user, pk)
    return edit_page(
        request,
        TurnoverForm,
        turnover,
        title=f"Edit {turnover.ref}",
        crumbs=crumbs(turnover, ("Edit", "")),
        allowed=rules.it_is_being_defined.blockers,
    )


# --- Contents -------------------------------------------------------------------------------------


def contents_page(
    request: UserRequest, turnover: Turnover, refused: Sequence[Blocker] = ()
) -> HttpResponse:
    """Which application releases it deploys, in which version and order."""
    contents = list(
        turnover.contents.select_related("release__application", "release__owner").order_by(
            "position", "pk"
        )
    )
    aboard, missing, unordered = _aboard(turnover, contents)
    return turnover_page(
        request,
        turnover,
        "contents",
        "turnovers/contents.html",
        refused=refused,
        contents=[(content, content.release_id in aboard) for content in contents],
        missing=missing,
        unordered=unordered,
        needs=turnover.missing_predecessors({content.release_id for content in contents}),
    )


def _aboard(
    turnover: Turnover, contents: Sequence[Content]
) -> tuple[set[int], list[ApplicationRelease], list[Blocker]]:
    """What its item has aboard now, what of it is not carried, and why there is no order."""
    try:
        releases = plans.releases_for(turnover)
    except TransitionRefused as refusal:
        return {content.release_id for content in contents}, [], refusal.blockers
    carried = {content.release_id for content in contents}
    missing = [release for release in releases if release.pk not in carried]
    return {release.pk for release in releases}, missing, []


@login_required
@require_POST
def contents_refresh(request: UserRequest, pk: int) -> HttpResponse:
    """Take in what has boarded since, in dependency order."""
    turnover = written_turnover_or_403(request.user, pk)
    return attempt(
        request,
        lambda: plans.refresh_contents(turnover, by=request.user, version=version_of(request)),
        turnover.tab_url("contents"),
        lambda blockers: contents_page(request, turnover, blockers),
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def content_edit(request: UserRequest, turnover_pk: int, pk: int) -> HttpResponse:
    """Another version of an application release that it carries."""
    turnover = written_turnover_or_403(request.user, turnover_pk)
    content = get_object_or_404(turnover.contents.select_related("release__application"), pk=pk)

    def allowed(row: Content) -> Iterator[Blocker]:
        yield from rules.it_is_being_defined.blockers(turnover)

    def save(form: Any) -> Content:
        name = form.cleaned_data["version_name"]
        return plans.set_version(content, name, by=request.user, version=form.seen_version)

    back = turnover.tab_url("contents")
    return edit_page(
        request,
        ContentForm,
        content,
        title=f"Version of {content.release.application.name}",
        crumbs=crumbs(turnover, ("Contents", back), ("Version", "")),
        allowed=allowed,
        save=save,
        back=back,
        done=lambda row: back,
    )


@login_required
@require_POST
def content_remove(request: UserRequest, turnover_pk: int, pk: int) -> HttpResponse:
    """Leave an application release out; "refresh from the train" takes it in again."""
    turnover = written_turnover_or_403(request.user, turnover_pk)
    content = get_object_or_404(turnover.contents.all(), pk=pk)
    return attempt(
        request,
        lambda: plans.leave_out(content, by=request.user, version=version_of(request)),
        turnover.tab_url("contents"),
        lambda blockers: contents_page(request, turnover, blockers),
    )


# --- Work items -----------------------------------------------------------------------------------


def work_page(
    request: UserRequest, turnover: Turnover, refused: Sequence[Blocker] = ()
) -> HttpResponse:
    """The work items it delivers, or the finished ones that it could."""
    offers = request.GET.get("show") == "finished"
    if offers:
        items = plans.finished_work(turnover)
    else:
        items = WorkItem.objects.filter(turnover_links__turnover=turnover)
    items = items.select_related("release__application").order_by("release", "pk")
    return turnover_page(
        request,
        turnover,
        "work",
        "turnovers/work.html",
        refused=refused,
        page=paginate(items, request.GET.get("page")),
        offers=offers,
        offered_count=plans.finished_work(turnover).count(),
    )


@login_required
@require_POST
def work_change(request: UserRequest, pk: int) -> HttpResponse:
    """Attach the chosen finished work items, or all of them; or detach the chosen ones."""
    turnover = written_turnover_or_403(request.user, pk)
    chosen = [key for text in request.POST.getlist("item") if (key := number(text)) is not None]
    by, version = request.user, version_of(request)
    deeds = {
        "attach": lambda: plans.attach_work(turnover, chosen, by=by, version=version),
        "attach-all": lambda: plans.attach_work(turnover, None, by=by, version=version),
        "detach": lambda: plans.detach_work(turnover, chosen, by=by, version=version),
    }
    deed = deeds.get(request.POST.get("do", ""))
    if deed is None:
        raise BadRequest("Say whether to attach or to detach work items.")
    return attempt(
        request,
        lambda: messages.success(request, _counted(deed(), request.POST["do"])),
        turnover.tab_url("work"),
        lambda blockers: work_page(request, turnover, blockers),
    )


def _counted(count: int, deed: str) -> str:
    items = "1 work item" if count == 1 else f"{count} work items"
    return f"{items} {'detached' if deed == 'detach' else 'attached'}."
