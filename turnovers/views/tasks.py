"""The deployment tasks of a turnover: one task, their order, and copies from elsewhere."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from releasemgr.http import number
from releasemgr.ui.edit_pages import edit_page
from releasemgr.ui.paging import paginate
from turnovers import executors, plans, rules
from turnovers.forms import TaskForm
from turnovers.http import (
    attempt,
    crumbs,
    task_or_404,
    turnover_or_404,
    version_of,
    written_turnover_or_403,
)
from turnovers.models import DeploymentTask, Turnover
from turnovers.views.turnovers import tasks_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.http import HttpResponse

    from releasemgr.http import UserRequest
    from releasemgr.workflow.rules import Blocker

MANUAL = "manual"


# --- One task -------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def task(request: UserRequest, turnover_pk: int, pk: int) -> HttpResponse:
    """What it does; those who write plans edit it while the turnover is being defined."""
    turnover = turnover_or_404(request.user, turnover_pk)
    row = task_or_404(turnover, pk)
    writes = rules.may_write(turnover, request.user)
    if request.method == "POST" and not writes:
        raise PermissionDenied(rules.may_write.sentence)
    if request.method != "POST" and not (writes and turnover.is_editable):
        return _task_to_read(request, row)

    def save(form: Any) -> DeploymentTask:
        kept = form.cleaned_data
        changes = form.changes | {"executor": kept["executor"], "parameters": kept["parameters"]}
        return plans.edit_task(row, by=request.user, version=form.seen_version, **changes)

    return _task_form(
        request,
        row,
        save,
        title=_title(row),
        crumbs=_task_crumbs(row),
        undo=_undo_of(row),
        remove_action=reverse("turnovers:task-remove", args=[turnover.pk, row.pk]),
        submit="Save task",
    )


def _task_to_read(request: UserRequest, row: DeploymentTask) -> HttpResponse:
    history = paginate(row.history.all(), request.GET.get("page"))
    carrier = row.carrier
    context = {
        "title": _title(row),
        "task": row,
        "undo": _undo_of(row),
        "turnover": row.turnover,
        "crumbs": _task_crumbs(row),
        "parameters": _in_words(row) if carrier else [],
        "page": history,
    }
    return render(request, "turnovers/task.html", context)


def _title(row: DeploymentTask) -> str:
    return f"Undo task {row.order}: {row}" if row.undoes_id else f"Task {row.order}: {row}"


def _task_crumbs(row: DeploymentTask) -> list[tuple[str, str]]:
    """The way to the task; what undoes it stands below it."""
    here = (f"Task {row.order}", "")
    if row.undoes is None:
        return crumbs(row.turnover, here)
    return crumbs(row.turnover, (here[0], row.undoes.get_absolute_url()), ("What undoes it", ""))


def _undo_of(row: DeploymentTask) -> DeploymentTask | None:
    """What undoes the task, if there is something."""
    if row.undoes_id:
        return None
    return DeploymentTask.all_ever.filter(undoes=row, removed_at=None).first()


def _in_words(row: DeploymentTask) -> list[tuple[str, Any]]:
    """The parameters under the labels of their form."""
    form = executors.get(row.executor).form(initial=row.parameters)
    return [
        (str(form[name].label), row.parameters[name])
        for name in form.fields
        if row.parameters.get(name) not in (None, "", [], {})
    ]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def task_new(request: UserRequest, pk: int) -> HttpResponse:
    """Another task, by hand or by one of the executors; or what undoes the one in the address."""
    turnover = written_turnover_or_403(request.user, pk)
    row = DeploymentTask(turnover=turnover)
    if "undoes" in request.GET:
        return _undo_new(request, task_or_404(turnover, number(request.GET["undoes"]) or 0))

    def save(form: Any) -> DeploymentTask:
        added = form.instance
        kept = form.cleaned_data
        added.executor, added.parameters = kept["executor"], kept["parameters"]
        return plans.add_task(added, by=request.user, after=number(kept["place"]))

    return _task_form(
        request,
        row,
        save,
        title="New task",
        crumbs=crumbs(turnover, ("New task", "")),
        after=number(request.GET.get("after")),
        submit="Add task",
    )


def _undo_new(request: UserRequest, undone: DeploymentTask) -> HttpResponse:
    """What undoes a task of the way forward."""
    if undone.undoes_id:
        raise Http404
    turnover = undone.turnover
    row = DeploymentTask(turnover=turnover, undoes=undone, order=undone.order)

    def save(form: Any) -> DeploymentTask:
        added = form.instance
        kept = form.cleaned_data
        added.executor, added.parameters = kept["executor"], kept["parameters"]
        return plans.add_undo(added, by=request.user)

    task_crumb = (f"Task {undone.order}", undone.get_absolute_url())
    return _task_form(
        request,
        row,
        save,
        title=f"What undoes task {undone.order}: {undone}",
        crumbs=crumbs(turnover, task_crumb, ("What undoes it", "")),
        keep={"undoes": undone.pk},
        submit="Add what undoes it",
    )


def _task_form(
    request: UserRequest,
    row: DeploymentTask,
    save: Callable[[Any], DeploymentTask],
    *,
    after: int | None = None,
    keep: dict[str, int] | None = None,
    **page: Any,
) -> HttpResponse:
    """The form of a task for the kind that the address names, else for the kind that it is."""
    turnover = row.turnover
    chosen = request.GET.get("executor", row.executor or MANUAL)
    if chosen not in {MANUAL, *executors.EXECUTORS}:
        if "executor" in request.GET:
            raise Http404
        chosen = MANUAL

    def allowed(task: DeploymentTask) -> Iterator[Blocker]:
        yield from rules.it_is_being_defined.blockers(turnover)

    kept = keep or ({"after": after} if after is not None else {})
    return edit_page(
        request,
        TaskForm,
        row,
        allowed=allowed,
        save=save,
        back=turnover.get_absolute_url(),
        done=lambda saved: f"{turnover.get_absolute_url()}#task-{_shown_at(saved)}",
        form_kwargs={"executor": "" if chosen == MANUAL else chosen, "after": after},
        template="turnovers/task_form.html",
        turnover=turnover,
        task=row,
        kinds=_kinds(chosen, kept),
        **page,
    )


def _shown_at(task: DeploymentTask) -> int:
    """The id of the task under which the list shows it."""
    return task.undoes_id or task.pk


def _kinds(chosen: str, kept: dict[str, int]) -> list[dict[str, Any]]:
    """The ways to carry a task out, each with the address of its form."""
    place = "".join(f"&{name}={value}" for name, value in kept.items())
    ways = [(MANUAL, "By hand", "hand")]
    ways += [(way.key, way.name, way.icon) for way in executors.EXECUTORS.values()]
    return [
        {
            "label": name,
            "icon": icon,
            "url": f"?executor={key}{place}",
            "current": key == chosen,
        }
        for key, name, icon in ways
    ]


@login_required
@require_POST
def task_remove(request: UserRequest, turnover_pk: int, pk: int) -> HttpResponse:
    """Take it out at once: it stays visible in the list, from where it can be put back."""
    turnover = written_turnover_or_403(request.user, turnover_pk)
    row = task_or_404(turnover, pk)

    def change() -> None:
        plans.remove_task(row, by=request.user)
        messages.success(request, f"{row}: removed. You can put it back.")

    return _change(request, turnover, change)


@login_required
@require_POST
def task_restore(request: UserRequest, turnover_pk: int, pk: int) -> HttpResponse:
    """Put a removed task back where it was."""
    turnover = written_turnover_or_403(request.user, turnover_pk)
    row = get_object_or_404(DeploymentTask.all_ever.filter(turnover=turnover), pk=pk)
    return _change(request, turnover, lambda: plans.put_back(row, by=request.user))


# --- Their order ----------------------------------------------------------------------------------


@login_required
@require_POST
def task_order(request: UserRequest, pk: int) -> HttpResponse:
    """One task up or down, beside the one before it or on its own; or the whole order at once."""
    turnover = written_turnover_or_403(request.user, pk)
    by, version = request.user, version_of(request)
    deeds: dict[str, Callable[[DeploymentTask], None]] = {
        "up": lambda row: plans.shift(row, -1, by=by, version=version),
        "down": lambda row: plans.shift(row, 1, by=by, version=version),
        "join": lambda row: plans.run_with_previous(row, by=by, version=version),
        "part": lambda row: plans.run_alone(row, by=by, version=version),
    }
    for name, deed in deeds.items():
        if name in request.POST:
            row = task_or_404(turnover, number(request.POST[name]) or 0)
            return _change(request, turnover, partial(deed, row))
    wanted = [number(text) or 0 for text in request.POST.getlist("order")]
    moved = number(request.POST.get("moved"))
    return _change(
        request,
        turnover,
        lambda: plans.reorder(turnover, wanted, by=by, moved=moved, version=version),
    )


def _change(request: UserRequest, turnover: Turnover, change: Callable[[], object]) -> HttpResponse:
    return attempt(
        request,
        change,
        turnover.get_absolute_url(),
        lambda blockers: tasks_page(request, turnover_or_404(request.user, turnover.pk), blockers),
    )


# --- Copies ---------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def copy_tasks(request: UserRequest, pk: int) -> HttpResponse:
    """Choose another turnover, see how many tasks it has, and copy them all."""
    turnover = written_turnover_or_403(request.user, pk)
    words = request.GET.get("q", "").strip()[:200]
    sources = (
        Turnover.objects.visible_to(request.user)
        .with_task_count()
        .filter(task_count__gt=0)
        .exclude(pk=turnover.pk)
    )
    if request.method == "POST":
        if not request.POST.get("source"):
            raise BadRequest("Name the turnover whose tasks are to be copied.")
        source = get_object_or_404(sources, pk=number(request.POST["source"]))

        def change() -> None:
            count = plans.copy_tasks(source, turnover, by=request.user, version=version_of(request))
            messages.success(request, f"{count} tasks copied from {source.ref}.")

        return _change(request, turnover, change)
    found = sources.matching(words) if words else _related(sources, turnover)
    context = {
        "turnover": turnover,
        "crumbs": crumbs(turnover, ("Copy tasks", "")),
        "page": paginate(
            found.select_related("environment").order_by("-pk"), request.GET.get("page")
        ),
        "words": words,
        "blockers": rules.it_is_being_defined.blockers(turnover),
    }
    return render(request, "turnovers/copy_tasks.html", context)


def _related(sources: Any, turnover: Turnover) -> Any:
    """Without a search: those of the same train or application."""
    if turnover.riding is not None:
        return sources.of_train(turnover.riding)
    if turnover.release is not None:
        return sources.of_application(turnover.release.application_id)
    return sources
