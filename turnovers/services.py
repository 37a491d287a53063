"""What else happens around turnovers: slots, runs, promotion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.utils import timezone

from environments.models import BookingKind, BookingState
from environments.services import change
from releasemgr.accounts.models import User
from releasemgr.workflow.edit import create, edit
from releasemgr.workflow.perform import perform
from releasemgr.workflow.rules import as_of
from turnovers.models import Content, Delivery, DeploymentTask, Run, Turnover, TurnoverWork
from turnovers.states import RunKind, TaskState, TurnoverState

if TYPE_CHECKING:
    import datetime as dt

    from environments.models import Environment

COPIED_TASK_FIELDS = (
    "order",
    "section",
    "title",
    "instructions",
    "executor",
    "parameters",
    "owner_id",
    "owner_group_id",
    "estimate_minutes",
    "timeout_seconds",
    "attempts",
    "undo",
    "repeat_safe",
)

# --- Slots ----------------------------------------------------------------------------------------


def hold_slot(turnover: Turnover, *, by: User, **_: Any) -> None:
    """Book the environment for the window, or use the train's reservation that covers it."""
    booking = turnover.covering_reservation()
    if booking is None:
        slot = turnover.slot()
        assert slot is not None  # noqa: S101 -- guarded: it_has_a_window
        create(slot, by=by, reason=f"Slot of {turnover.ref}")
        booking = perform(slot, "confirm", by=User.objects.robot(), reason=f"{by} accepted.")
    edit(turnover, by=by, reason="Environment held", booking=booking)


def release_slot(turnover: Turnover, *, by: User, **_: Any) -> None:
    """Give back the turnover's own slot; a train's reservation stays the train's."""
    booking = turnover.booking
    if booking is None:
        return
    live = booking.state in {BookingState.REQUESTED, BookingState.CONFIRMED}
    if live and booking.kind == BookingKind.TURNOVER:
        reason = f"{turnover.ref} is {turnover.status.label.lower()}."
        perform(booking, "release", by=User.objects.robot(), reason=reason)
    if turnover.state != TurnoverState.DEPLOYED:
        edit(turnover, by=by, reason="Environment given back", booking=None)


def move_slot_forward(turnover: Turnover, *, by: User, reason: str, **_: Any) -> None:
    """An early start needs the environment from now on, not only from the window's begin.

    Raises ``TransitionRefused`` naming whoever holds it until then.
    """
    booking = turnover.booking
    now = as_of(turnover)
    if booking is None or booking.starts <= now:
        return
    release_slot(turnover, by=by)
    turnover = edit(turnover, by=by, reason=f"Started early: {reason}", earliest=now)
    hold_slot(turnover, by=by)


def extend_slot(
    turnover: Turnover, *, by: User, reason: str, until: dt.datetime | None = None, **_: Any
) -> None:
    """Hold the environment longer. Raises ``TransitionRefused`` naming whoever has it then."""
    booking = turnover.booking
    if booking is not None and until is not None and until > booking.ends:
        change(booking, by=by, version=None, reason=f"{turnover.ref}: {reason}", ends=until)


# --- Runs -----------------------------------------------------------------------------------------


def open_run(
    turnover: Turnover, *, by: User, reason: str, skip: list[int] | None = None, **_: Any
) -> Run:
    """A new attempt; the engine carries it out. ``skip`` are the ids of tasks passed over."""
    last = turnover.runs.order_by("-number").first()
    run = Run(
        turnover=turnover,
        number=last.number + 1 if last else 1,
        started_by=str(by),
        started_at=as_of(turnover),
        skip=sorted(skip or []),
    )
    return create(run, by=by, reason=reason)


def open_undo_run(turnover: Turnover, *, by: User, reason: str, **_: Any) -> Run:
    """A run of what undoes the tasks that were carried out, the last first."""
    last = turnover.runs.order_by("-number").first()
    run = Run(
        turnover=turnover,
        number=last.number + 1 if last else 1,
        kind=RunKind.UNDO,
        started_by=str(by),
        started_at=as_of(turnover),
    )
    return create(run, by=by, reason=reason)


def finish_turnover(run: Run, *, by: User, **_: Any) -> None:
    if run.kind == RunKind.UNDO:
        perform(run.turnover, "undone", by=by, reason=f"Run {run.number} undid it.")
    else:
        perform(run.turnover, "finish", by=by, reason=f"Run {run.number} succeeded.")


def fail_turnover(run: Run, *, by: User, reason: str, **_: Any) -> None:
    """The run stopped: so did the deployment, and the reason says why."""
    words = reason if by.is_robot else f"{by} aborted run {run.number}: {reason}"
    perform(run.turnover, "fail", by=User.objects.robot(), reason=words)


def cancel_open_tasks(run: Run, *, reason: str, **_: Any) -> None:
    """What waits for its owner or for a worker is not done any more."""
    robot = User.objects.robot()
    for task_run in run.task_runs.filter(state__in=[TaskState.WAITING, TaskState.READY]):
        perform(task_run, "cancel", by=robot, reason=reason)


# --- Plans ----------------------------------------------------------------------------------------


def keep_delivery(turnover: Turnover, *, by: User, **_: Any) -> Delivery:
    """Remember exactly what was delivered, for whoever compares the next version with it."""
    return Delivery.objects.create(
        turnover=turnover,
        number=turnover.deliveries.count() + 1,
        plan=turnover.plan(),
        delivered_by=str(by),
        delivered_at=timezone.now(),
    )


def copy_tasks(source: Turnover, target: Turnover, *, by: User, after: int = 0) -> int:
    """Copy every task of ``source``, with what undoes it, behind order ``after`` of ``target``.

    Returns how many tasks there are more. No copy waits for the moment that its model waited for.
    """
    copies: dict[int, DeploymentTask] = {}
    for task in sorted(source.whole_plan(), key=lambda task: task.undoes_id is not None):
        copy = DeploymentTask(
            turnover=target,
            undoes=copies.get(task.undoes_id),
            **{name: getattr(task, name) for name in COPIED_TASK_FIELDS},
        )
        copy.order += after
        copies[task.pk] = create(copy, by=by, reason=f"Copied from {source.ref}")
    return sum(copy.undoes is None for copy in copies.values())


def make_next(
    turnover: Turnover,
    *,
    by: User,
    environment: Environment,
    earliest: dt.datetime | None = None,
    latest: dt.datetime | None = None,
    **_: Any,
) -> Turnover:
    """Promotion: the next turnover, with the same contents, work items and a copy of the tasks.

    Raises ``PermissionDenied`` where the environment is restricted and ``by`` may not.
    """
    if environment.is_restricted and not by.has_perm("turnovers.promote_restricted"):
        raise PermissionDenied("Only release managers promote into a restricted environment.")
    promoted = Turnover(
        title=title_for(turnover.item, environment),
        description=turnover.description,
        train=turnover.train,
        release=turnover.release,
        environment=environment,
        author=turnover.author,
        earliest=earliest,
        latest=latest,
        if_late=turnover.if_late,
        most_parallel=turnover.most_parallel,
        zone=turnover.zone,
        promoted_from=turnover,
    )
    create(promoted, by=by, reason=f"Promoted from {turnover.ref}")
    for content in turnover.contents.all():
        copy = Content(
            turnover=promoted,
            release=content.release,
            version_name=content.version_name,
            position=content.position,
        )
        create(copy, by=by)
    for link in turnover.work_links.all():
        create(TurnoverWork(turnover=promoted, item=link.item), by=by)
    copy_tasks(turnover, promoted, by=by)
    turnover.lands_at = promoted.get_absolute_url()
    return promoted


def title_for(item: Any, environment: Environment) -> str:
    """What a turnover is called when nobody names it."""
    return f"{item} to {environment.name}"[:200]
