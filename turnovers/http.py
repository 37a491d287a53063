"""What the views of turnovers share: finding what a person may see, and the frame of the page."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from releasemgr.http import number
from releasemgr.ui.edit_pages import see_other
from releasemgr.workflow.refusals import TransitionRefused
from turnovers import rules
from turnovers.models import DeploymentTask, Turnover
from turnovers.timetable import later, length_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.http import HttpResponse

    from releasemgr.accounts.models import User
    from releasemgr.http import UserRequest
    from releasemgr.workflow.models import StepView
    from releasemgr.workflow.rules import Blocker

TABS = {
    "": ("Tasks", "task_count"),
    "contents": ("Contents", "content_count"),
    "work": ("Work items", "work_count"),
    "runs": ("Runs", "run_count"),
    "history": ("History", ""),
}
JUDGED_IN_THE_PANEL = frozenset({"accept", "return_to_author"})


def version_of(request: UserRequest) -> int | None:
    """The version that the person saw, where the form says it."""
    return number(request.POST.get("version"))


def turnover_or_404(user: User, pk: int) -> Turnover:
    """The turnover, with what the head of its pages shows."""
    turnovers: Any = Turnover.objects.visible_to(user).with_page_facts()
    turnover: Turnover = get_object_or_404(turnovers, pk=pk)
    return turnover


def written_turnover_or_403(user: User, pk: int) -> Turnover:
    """The turnover, for those who write plans."""
    turnover = turnover_or_404(user, pk)
    if not rules.may_write(turnover, user):
        raise PermissionDenied(rules.may_write.sentence)
    return turnover


def task_or_404(turnover: Turnover, pk: int) -> DeploymentTask:
    """A task of the plan as it is, or what undoes one."""
    tasks = turnover.whole_plan().select_related("owner", "owner_group", "undoes")
    task: DeploymentTask = get_object_or_404(tasks, pk=pk)
    task.turnover = turnover
    return task


def crumbs(turnover: Turnover, *more: tuple[str, str]) -> list[tuple[str, str]]:
    """The way here: what it carries, the turnovers, this one, and then what is given."""
    item = turnover.item
    first = [(str(item), item.get_absolute_url())] if item is not None else []
    here = (turnover.ref, turnover.get_absolute_url() if more else "")
    return [*first, ("Turnovers", reverse("turnovers:list")), here, *more]


def turnover_page(
    request: UserRequest,
    turnover: Turnover,
    tab: str,
    template: str,
    *,
    refused: Sequence[Blocker] = (),
    **context: Any,
) -> HttpResponse:
    """One tab of a turnover under the head that all share; a refusal is said above it, with 409."""
    user = request.user
    tasks = context.get("tasks")
    estimate = length_of(list(turnover.tasks.all()) if tasks is None else tasks)
    steps = turnover.steps(user)
    judges = any(step.name == "accept" for step in steps)
    context |= {
        "turnover": turnover,
        "crumbs": crumbs(turnover),
        "tabs": _tabs(turnover, tab),
        "steps": _in_order(step for step in steps if step.name not in JUDGED_IN_THE_PANEL),
        "judging": {step.name: step for step in steps} if judges else {},
        "holds": turnover.active_holds() if not turnover.is_over else [],
        "estimate": estimate,
        "spare": _spare(turnover),
        "ends": later(turnover.earliest, estimate),
        "zone": timezone.get_current_timezone_name(),
        "promoted_to": list(turnover.promoted_to.select_related("environment")),
        "between": turnover.between(steps),
        "may_write": rules.may_write(turnover, user),
        "may_edit": rules.may_write(turnover, user) and turnover.is_editable,
        "may_hold": user.has_perm("turnovers.hold_line") and not turnover.is_over,
        "refusal_blockers": refused,
    }
    status = HTTPStatus.CONFLICT if refused else HTTPStatus.OK
    return render(request, template, context, status=status)


def attempt(
    request: UserRequest,
    change: Callable[[], object],
    back: str,
    refused: Callable[[Sequence[Blocker]], HttpResponse],
) -> HttpResponse:
    """Make the change and go ``back``; a refusal is answered by the page that it came from."""
    try:
        change()
    except TransitionRefused as refusal:
        return refused(refusal.blockers)
    return see_other(back)


def _in_order(steps: Any) -> list[StepView]:
    """What is dangerous first, the way on last, where the eye and the thumb end."""
    return sorted(steps, key=lambda step: (step.primary, not step.danger))


def _spare(turnover: Turnover) -> Any:
    """The time between the earliest and the latest start."""
    if turnover.earliest is None or turnover.latest is None:
        return None
    return turnover.latest - turnover.earliest


def _tabs(turnover: Turnover, current: str) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "url": turnover.tab_url(name) if name else turnover.get_absolute_url(),
            "current": name == current,
            "count": getattr(turnover, count) if count else None,
        }
        for name, (label, count) in TABS.items()
    ]
