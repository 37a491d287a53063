"""Who may end a freeze, and what a freeze of scope changes stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from releasemgr.accounts.roles import RELEASE_MANAGER
from releasemgr.workflow.rules import Blocker, as_of, guard, permission

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterable, Iterator

    from releasemgr.accounts.models import User
    from releasemgr.workflow.rules import Way
    from trains.models import ApplicationRelease, Boarding, Freeze, Train

#: Whether a freeze stops work of this person now, as upper apps know.
stopped_questions: list[Callable[[Freeze, User], bool]] = []
#: Which application releases these freezes let pass at a moment: pairs of their ids.
exception_questions: list[
    Callable[[Collection[Freeze], dt.datetime], Iterable[tuple[int, int]]]
] = []
#: The way to ask that a freeze let an application release pass.
exception_ways: list[Callable[[Freeze, ApplicationRelease], Way]] = []


@permission("Release managers and administrators declare and change freezes.")
def may_manage_freezes(freeze: Freeze | None, user: User) -> bool:
    return user.has_perm("trains.manage_freeze")


@permission(
    "Release managers and administrators lift freezes, but not one that now stops a turnover of "
    "theirs: somebody else does."
)
def may_lift_freeze(freeze: Freeze, user: User) -> bool:
    return user.is_robot or (
        user.has_perm("trains.manage_freeze") and not it_stops_work_of(freeze, user)
    )


def it_stops_work_of(freeze: Freeze, user: User) -> bool:
    """Whether the person would free their own work by ending the freeze."""
    return any(question(freeze, user) for question in stopped_questions)


def freeze_can_change(freeze: Freeze) -> Iterator[Blocker]:
    """What forbids an edit: a lifted freeze is history."""
    if not freeze.is_in_force:
        yield Blocker(
            f"“{freeze}” has been lifted",
            needed="A freeze that is in force.",
            now="It stays as it was.",
            owner=RELEASE_MANAGER,
            action="Open the freeze",
            url=freeze.get_absolute_url(),
        )


def against_easing(before: Freeze, after: Freeze, user: User, at: dt.datetime) -> Iterator[Blocker]:
    """What forbids this person to change a freeze so that it stops less than it does now.

    Who would free a turnover of their own leaves that to somebody else.
    """
    if _stops_less(before, after, at) and it_stops_work_of(before, user):
        yield Blocker(
            f"“{before}” stops a turnover of yours now",
            needed="Somebody else who makes it shorter, or an exception that somebody else grants.",
            now="You may make it longer.",
            owner=RELEASE_MANAGER,
            barred_id=user.pk,
            action="Open the freeze",
            url=before.get_absolute_url(),
            tone="bad",
            glyph="reject",
        )


def _stops_less(before: Freeze, after: Freeze, at: dt.datetime) -> bool:
    """Whether a period that is on would end sooner, or be about something else."""
    about = ("scope", "kind", "environment_id", "application_id", "train_id", "team_id", "stops")
    now, then = before.occurrence_at(at), after.occurrence_at(at)
    if now is None:
        return False
    is_same = all(getattr(before, name) == getattr(after, name) for name in about)
    if not is_same or then is None:
        return True
    return then.ends is not None and (now.ends is None or then.ends < now.ends)


@guard
def its_scope_is_not_frozen(boarding: Boarding) -> Iterator[Blocker]:
    """What a train carries does not change in a freeze; asking for a place changes nothing yet."""
    yield from _frozen(boarding.train, boarding.release, as_of(boarding))


@guard
def nobody_leaves_in_a_freeze(boarding: Boarding) -> Iterator[Blocker]:
    """Who only asked for a place may take that back."""
    if boarding.state == "aboard":
        yield from its_scope_is_not_frozen.check(boarding)


def release_is_not_frozen(release: ApplicationRelease) -> Iterator[Blocker]:
    """Asked before the version or the work of what rides a train changes."""
    place = release.place
    if place is not None:
        yield from _frozen(place.train, release, as_of(release))


def _frozen(train: Train, release: ApplicationRelease, at: dt.datetime) -> Iterator[Blocker]:
    """The freezes of the train that count for the release, but for those that let it pass."""
    if train.is_over:
        return
    freezes, passed = _freezes_of(train, at)
    for freeze in freezes:
        if freeze.team_id and freeze.team_id != release.application.team_id:
            continue
        if (freeze.pk, release.pk) in passed:
            continue
        period = freeze.occurrence_at(at)
        yield Blocker(
            f"Held by freeze “{freeze}”",
            needed=f"What {train} carries stays as it is until the freeze is over; or an exception "
            "that somebody else grants.",
            now=f"{freeze.period_words}.",
            owner=RELEASE_MANAGER,
            action="Open the freeze",
            url=freeze.get_absolute_url(),
            clears_at=period.ends if period else None,
            waivable=True,
            ways=tuple(way(freeze, release) for way in exception_ways),
            tone="warn",
            glyph="hold",
        )


def _freezes_of(train: Train, at: dt.datetime) -> tuple[list[Freeze], set[tuple[int, int]]]:
    """The train's freezes of scope at the moment, and what they let pass.

    Read once for all that a page shows of the train; under the lock the train itself is read anew.
    """
    known = train.__dict__.get("_scope_freezes")
    if known is None:
        freezes = train.freezes.stopping("scope").covering(at)
        passed = {
            pair
            for question in exception_questions
            for pair in (question(freezes, at) if freezes else ())
        }
        known = train.__dict__["_scope_freezes"] = (freezes, passed)
    found: tuple[list[Freeze], set[tuple[int, int]]] = known
    return found
