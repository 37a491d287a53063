"""The page and the endpoint behind every step, on the site and in the admin."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from releasemgr.workflow.forms import StepForm
from releasemgr.workflow.models import StepView
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from releasemgr.workflow.rules import Blocker, blockers

if TYPE_CHECKING:
    from django.http import HttpResponse

    from releasemgr.http import UserRequest
    from releasemgr.workflow.models import Workflow


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def take_step(request: UserRequest, model: type[Workflow], pk: int, name: str) -> HttpResponse:
    """GET asks what the step needs and shows what blocks it; POST takes it.

    Answers 303 to the record, 409 with every blocker, 422 with the form, 403 or 404.
    """
    rows: Any = model._default_manager
    record = get_object_or_404(rows.visible_to(request.user), pk=pk)
    step = _step(record, name.replace("-", "_"), request.user)
    form_class = import_string(step.step.custom["form"]) if "form" in step.step.custom else StepForm
    if request.method != "POST":
        form = form_class(step=step, user=request.user, asked=request.GET)
        return _page(request, step, form, step.blockers, HTTPStatus.OK)
    form = form_class(request.POST, step=step, user=request.user)
    if not form.is_valid():
        return _page(request, step, form, [], HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        moved = perform(record, step.name, by=request.user, **form.cleaned_data)
    except TransitionRefused as refused:
        return _page(request, step, form, refused.blockers, HTTPStatus.CONFLICT)
    messages.success(request, _said(moved, step))
    return HttpResponseRedirect(
        moved.lands_at or moved.get_absolute_url(), status=HTTPStatus.SEE_OTHER
    )


@login_required
@never_cache
@require_safe
def blockers_json(request: UserRequest, model: type[Workflow], pk: int) -> HttpResponse:
    """What stands between a record and its next step, for programs; 404 where one may not look."""
    rows: Any = model._default_manager
    visible = rows.visible_to(request.user).with_guard_facts()
    record: Workflow = get_object_or_404(visible, pk=pk)
    return JsonResponse(record.between().as_data(request.user))


def _step(record: Workflow, name: str, user: Any) -> StepView:
    """The step as declared for the present state; where it is not, as declared at all."""
    steps = [step for step in record.get_all_state_transitions() if step.name == name]
    if not steps:
        raise Http404
    here = [step for step in steps if step.source == record.state]
    step = (here or steps)[0]
    if not step.has_perm(record, user):
        rule: Any = step.permission
        raise PermissionDenied(rule.sentence)
    wrong_state = Blocker(
        f"{record} is “{record.get_state_display()}”",
        now="This step is not possible from there.",
        action="Look at it",
        url=record.get_absolute_url(),
    )
    return StepView(record, step, blockers(record, step) if here else [wrong_state])


def _page(
    request: UserRequest,
    step: StepView,
    form: StepForm,
    found: list[Blocker],
    status: HTTPStatus,
) -> HttpResponse:
    context = {"record": step.record, "step": step, "form": form, "blockers": found}
    context["refused"] = status == HTTPStatus.CONFLICT
    return render(request, form.page, context, status=status)


def _said(row: Workflow, step: StepView) -> str:
    """What the next page says: where the record is now."""
    said = step.step.custom.get("said", "{row}: {state}.")
    return str(said).format(row=row, state=row.get_state_display())
