"""Who may move a turnover, a run, a task or a hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from releasemgr.workflow.rules import permission
from turnovers.states import Verdict

if TYPE_CHECKING:
    from releasemgr.accounts.models import User
    from turnovers.models import Hold, ReviewAction, Run, TaskRun, Turnover


@permission("Developers, release engineers and release managers write turnovers.")
def may_write(turnover: Turnover, user: User) -> bool:
    return user.has_perm("turnovers.write_turnover")


@permission("The turnover's developer delivers it.")
def may_deliver(turnover: Turnover, user: User) -> bool:
    return user.has_perm("turnovers.write_turnover") and turnover.author_id in {user.pk, None}


@permission("The turnover's developer and release engineers cancel it.")
def may_cancel(turnover: Turnover, user: User) -> bool:
    return (
        user.is_robot or user.pk == turnover.author_id or user.has_perm("turnovers.judge_turnover")
    )


@permission("Release engineers accept and return turnovers, but never their own.")
def may_judge(turnover: Turnover, user: User) -> bool:
    return user.pk != turnover.author_id and user.has_perm("turnovers.judge_turnover")


@permission("The scheduler starts a turnover at its time, or a release engineer does.")
def may_start(turnover: Turnover, user: User) -> bool:
    return user.is_robot or user.has_perm("turnovers.run_turnover")


@permission("Release managers start a turnover before its window, with a reason.")
def may_start_early(turnover: Turnover, user: User) -> bool:
    return user.has_perm("turnovers.start_early")


@permission("Release engineers decide what becomes of a failed deployment.")
def may_run(turnover: Turnover, user: User) -> bool:
    return user.has_perm("turnovers.run_turnover")


@permission("Release engineers verify a deployment, but never of their own turnover.")
def may_verify(turnover: Turnover, user: User) -> bool:
    return user.pk != turnover.author_id and user.has_perm("turnovers.verify_turnover")


@permission("Release engineers and release managers promote; into restricted ones, managers only.")
def may_promote(turnover: Turnover, user: User) -> bool:
    return user.has_perm("turnovers.promote_turnover")


@permission("Release engineers and release managers give a deployment more time.")
def may_extend(turnover: Turnover, user: User) -> bool:
    return user.has_perm("turnovers.run_turnover") or user.has_perm("turnovers.start_early")


@permission("Release engineers and the train's own end close a turnover.")
def may_close(turnover: Turnover, user: User) -> bool:
    return user.is_robot or user.has_perm("turnovers.verify_turnover")


@permission("Release engineers abort a run.")
def may_abort(run: Run, user: User) -> bool:
    return user.has_perm("turnovers.run_turnover")


def is_owner(task_run: TaskRun, user: User) -> bool:
    """Whether the task is theirs, or their group's."""
    task = task_run.task
    return user.pk == task.owner_id or (
        task.owner_group is not None and task.owner_group.name in user.role_names
    )


@permission("The task's owner says how it went, or a release engineer does.")
def may_do_task(task_run: TaskRun, user: User) -> bool:
    return not task_run.task.is_point and _does_task(task_run, user)


@permission("The owner of a go/no-go point decides there, or a release engineer does.")
def may_decide_point(task_run: TaskRun, user: User) -> bool:
    return task_run.task.is_point and _does_task(task_run, user)


def _does_task(task_run: TaskRun, user: User) -> bool:
    return is_owner(task_run, user) or user.has_perm("turnovers.run_turnover")


@permission("Release engineers and release managers say what became of an unknown task.")
def may_judge_ending(task_run: TaskRun, user: User) -> bool:
    return user.has_perm("turnovers.settle_unknown")


def _confirms(task_run: TaskRun, user: User, verdict: str) -> bool:
    """Whether they are the second person for exactly this verdict."""
    second = user.has_perm("turnovers.settle_unknown") and user.pk != task_run.verdict_by_id
    return second and task_run.verdict == verdict


@permission("A second person confirms that it happened.")
def may_confirm_happened(task_run: TaskRun, user: User) -> bool:
    return _confirms(task_run, user, Verdict.HAPPENED)


@permission("A second person confirms that it has to be run again.")
def may_confirm_again(task_run: TaskRun, user: User) -> bool:
    return _confirms(task_run, user, Verdict.AGAIN)


@permission("A second person confirms that it failed.")
def may_confirm_failed(task_run: TaskRun, user: User) -> bool:
    return _confirms(task_run, user, Verdict.FAILED)


@permission("Release engineers skip a task.")
def may_skip(task_run: TaskRun, user: User) -> bool:
    return user.has_perm("turnovers.run_turnover")


@permission("Release managers and release engineers note down what is to be done.")
def may_review(run: Run, user: User) -> bool:
    return may_extend(run.turnover, user)


@permission("Release managers, release engineers and its owner keep an action up to date.")
def may_keep_action(action: ReviewAction, user: User) -> bool:
    return user.pk == action.owner_id or may_review(action.run, user)


@permission("Release managers and release engineers stop the line.")
def may_hold(hold: Hold, user: User) -> bool:
    return user.has_perm("turnovers.hold_line")


@permission("Release managers and release engineers let the line go on.")
def may_lift(hold: Hold, user: User) -> bool:
    """The robot, too: what held a train goes when the train is cancelled."""
    return user.is_robot or may_hold(hold, user)
