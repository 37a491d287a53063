"""What application releases inherit from their train: milestones that follow those of the train.

A copy that nobody has touched follows its origin by itself. One that was changed by hand is never
overruled: whoever steers the train is shown the difference and decides, copy by copy. What a copy
was last told by its origin stands on it, so that the two cases can be told apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from releasemgr.workflow.edit import create, edit
from releasemgr.workflow.locks import lock, one_transaction
from releasemgr.workflow.refusals import TransitionRefused
from trains import rules
from trains.models import Milestone, Train
from trains.states import MilestoneState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from releasemgr.accounts.models import User
    from trains.models import ApplicationRelease, Boarding


def copy_flagged_milestones(train: Train, *, by: User, **_: Any) -> None:
    """Building begins: dates become baselines, and all aboard get the flagged milestones."""
    for milestone in train.milestones.filter(baseline=None):
        edit(milestone, by=by, reason="Building begins.", baseline=milestone.due)
    flagged = list(train.milestones.filter(for_all=True))
    for place in train.boardings.aboard().select_related("release"):
        _copy(flagged, place.release, by)


def give_train_milestones(boarding: Boarding, *, by: User, **_: Any) -> None:
    """Who boards in Construction still gets the flagged milestones."""
    if boarding.train.stage_number >= 1:
        _copy(boarding.train.milestones.filter(for_all=True), boarding.release, by)


def add_milestone(milestone: Milestone, *, by: User) -> Milestone:
    """Store a new milestone of a train; while building, all aboard get it where it is flagged.

    Raises ``TransitionRefused`` where the train is over.
    """
    assert milestone.train is not None  # noqa: S101 -- callers make those of trains
    with one_transaction(milestone.train):
        train = lock(milestone.train)
        if found := list(rules.train_is_open(train)):
            raise TransitionRefused(*found)
        if train.stage_number >= 1:
            milestone.baseline = milestone.due
        row = create(milestone, by=by)
        hand_out(row, train, by)
    return row


def change_milestone(
    milestone: Milestone, *, by: User, version: int | None, **changes: Any
) -> Milestone:
    """Edit a train's milestone; copies that nobody has touched move along.

    Those changed by hand stay as they are until somebody decides: see ``Milestone.objects.behind``.
    Raises ``Conflict`` or ``TransitionRefused``.
    """
    assert milestone.train is not None  # noqa: S101 -- callers change those of trains
    with one_transaction(milestone.train):
        train = lock(milestone.train)
        row = edit(
            milestone, by=by, version=version, allowed=rules.its_work_is_open.check, **changes
        )
        tell_copies(row, by=by)
        hand_out(row, train, by)
    return row


def tell_copies(milestone: Milestone, *, by: User) -> None:
    """Let the copies that nobody has touched say what a train's milestone says now."""
    for copy in Milestone.objects.behind(milestone):
        if not copy.is_changed_by_hand:
            _take_over(copy, milestone, by)


def settle(origin: Milestone, choices: Mapping[int, bool], *, by: User) -> None:
    """Let each named copy take over what its origin says, or stay as it is and be asked no more.

    Copies that have settled it since, or can follow no longer, are left alone.
    """
    assert origin.train is not None  # noqa: S101 -- callers settle those of trains
    with one_transaction(origin.train):
        lock(origin.train)
        for copy in Milestone.objects.behind(origin).filter(pk__in=choices):
            if choices[copy.pk]:
                _take_over(copy, origin, by)
            else:
                edit(
                    copy,
                    by=by,
                    reason=f"It stays as it is; {origin.train} says {origin.due:%-d %B %Y}.",
                    origin_title=origin.title,
                    origin_due=origin.due,
                )


def hand_out(row: Milestone, train: Train, by: User) -> None:
    """One that is flagged goes to all aboard who have none of it, once building has begun."""
    if row.for_all and train.stage_number >= 1:
        for place in train.boardings.aboard().select_related("release"):
            if not place.release.is_over:
                _copy([row], place.release, by)


def _take_over(copy: Milestone, origin: Milestone, by: User) -> None:
    edit(
        copy,
        by=by,
        reason=f"The milestone of {origin.train} moved.",
        title=origin.title,
        due=origin.due,
        origin_title=origin.title,
        origin_due=origin.due,
    )


def _copy(milestones: Iterable[Milestone], release: ApplicationRelease, by: User) -> None:
    """A copy knows its origin; nothing is copied twice."""
    there = set(release.milestones.values_list("origin_id", flat=True))
    for origin in milestones:
        if origin.pk not in there:
            copy = Milestone(
                release=release,
                title=origin.title,
                due=origin.due,
                owner=release.owner or origin.owner,
                same_role=origin.same_role,
                origin=origin,
                origin_title=origin.title,
                origin_due=origin.due,
                baseline=origin.due,
                state=MilestoneState.OPEN,
            )
            create(copy, by=by, reason=f"From {origin.train}")
