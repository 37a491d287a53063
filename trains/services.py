"""What else happens around trains: sheets, milestones, places, reservations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from approvals import services as approvals
from approvals.models import Signoff
from environments import services as environments
from environments.models import Booking, BookingKind
from releasemgr.accounts.models import User
from releasemgr.workflow.edit import create, edit, remove
from releasemgr.workflow.locks import lock, one_transaction
from releasemgr.workflow.models import Recorded, Workflow
from releasemgr.workflow.perform import perform, record
from releasemgr.workflow.refusals import TransitionRefused
from trains import rules
from trains.models import (
    Boarding,
    Criterion,
    Gate,
    Reservation,
    Train,
    TrainEngineer,
)
from trains.states import GateStage, ReleaseState, TrainState

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator

    from approvals.services import LevelPlan
    from environments.models import Environment
    from releasemgr.workflow.rules import Blocker
    from trains.models import Application, ApplicationRelease, Team

H = TypeVar("H", bound=Workflow)
R = TypeVar("R", bound=Recorded)

#: What says which version of what an application release is.
WHICH = ("application", "version_name")
QUESTIONS = {
    "train": "Start building {train}?",
    "development": "Take {train} into verification?",
    "executive": "Put {train} into production?",
}

# --- Trains ---------------------------------------------------------------------------------------


def create_train(
    train: Train, *, by: User, engineers: Iterable[User], criteria: dict[str, list[str]]
) -> Train:
    """Store a new train with its crew, its three gates, and the criteria named for each gate."""
    with one_transaction(train):
        create(train, by=by)
        _set_engineers(train, engineers, by)
        for stage in GateStage.values:
            gate = create(Gate(train=train, stage=stage), by=by)
            for title in criteria.get(stage, []):
                create(Criterion(gate=gate, title=title), by=by)
    return train


def change_train(
    train: Train, *, by: User, version: int | None, engineers: Iterable[User], **changes: Any
) -> Train:
    """Edit a train's own fields and its crew, together."""
    with one_transaction(train):
        train = edit(train, by=by, version=version, allowed=rules.train_is_open, **changes)
        _set_engineers(train, engineers, by)
    return train


def _set_engineers(train: Train, engineers: Iterable[User], by: User) -> None:
    wanted = {person.pk: person for person in engineers}
    for place in train.crew.all():
        if wanted.pop(place.person_id, None) is None:
            remove(place, by=by)
    for person in wanted.values():
        create(TrainEngineer(train=train, person=person), by=by)


def follow(train: Train, user: User, *, on: bool) -> None:
    """Let a train be among those that a person follows, or no longer."""
    if on:
        train.followers.add(user)
    else:
        train.followers.remove(user)


# --- Approvals ------------------------------------------------------------------------------------


def define_approval(
    train: Train,
    which: str,
    plan: list[LevelPlan],
    *,
    by: User,
    version: int | None,
    allows_override: bool = False,
) -> Signoff:
    """Say who decides upon the approval ``which``, level by level; makes the sheet where needed.

    Raises ``TransitionRefused`` while it is being decided upon, or was approved.
    """
    name = f"{which}_signoff"
    with one_transaction(train):
        train = lock(train)
        if blockers := list(rules.train_is_open(train)):
            raise TransitionRefused(*blockers)
        signoff = getattr(train, name)
        if signoff is None:
            signoff = Signoff(
                title=f"{which.capitalize()} approval of {train}"[:200],
                question=QUESTIONS[which].format(train=train),
                url=train.get_absolute_url(),
            )
            create(signoff, by=by)
            setattr(train, name, signoff)
            record(train, by=by, reason=f"{which.capitalize()} approval defined")
            version = None
        policy = train.release_type.approval_policy
        return approvals.define(
            signoff,
            plan,
            by=by,
            version=version,
            policy=policy,
            allows_override=allows_override and (policy is None or policy.overrides),
        )


def ask_for_train_approval(train: Train, *, by: User, **_: Any) -> None:
    _ask(train, "train", by)


def ask_for_development_approval(train: Train, *, by: User, **_: Any) -> None:
    _ask(train, "development", by)


def ask_for_executive_approval(train: Train, *, by: User, **_: Any) -> None:
    _ask(train, "executive", by)


def _ask(train: Train, which: str, by: User) -> Signoff:
    return approvals.ask(
        getattr(train, f"{which}_signoff"),
        by=by,
        question=QUESTIONS[which].format(train=train),
        barred=rules.whose_work_it_is(train, which, by),
        url=train.get_absolute_url(),
    )


def renew_approval(train: Train, which: str, *, by: User, version: int | None) -> Signoff:
    """Ask again for the content as it is now; earlier decisions of the round no longer count.

    Raises ``TransitionRefused`` where the train does not wait for this approval.
    """
    with one_transaction(train):
        train = lock(train)
        if blockers := list(rules.waits_for_approval(train, which)):
            raise TransitionRefused(*blockers)
        signoff: Signoff = getattr(train, f"{which}_signoff")
        edit(signoff, by=by, version=version)
        if signoff.state == Signoff.State.APPROVED:
            perform(signoff, "void", by=by, reason="Asked again: the content has changed.")
        return _ask(train, which, by)


def void_open_approval(train: Train, *, by: User, reason: str, **_: Any) -> None:
    """What was asked for at the present gate no longer counts."""
    robot = User.objects.robot()
    current = {
        TrainState.SCOPING: [train.train_signoff],
        TrainState.CONSTRUCTION: [train.development_signoff],
        TrainState.VERIFICATION: [train.executive_signoff],
    }.get(train.state, [sheet for _, sheet in train.signoffs if sheet and sheet.state == "ready"])
    for sheet in current:
        if sheet is not None and sheet.state in {Signoff.State.READY, Signoff.State.APPROVED}:
            perform(sheet, "void", by=robot, reason=f"{by}: {reason}")


# --- Places ---------------------------------------------------------------------------------------


def ask_to_board(train: Train, release: ApplicationRelease, *, by: User) -> Boarding:
    """Ask for a place; the train's release manager accepts or rejects.

    Raises ``IntegrityError`` where the release has a live place already; forms ask first.
    """
    return create(Boarding(train=train, release=release, requested_by=by), by=by)


def create_release(release: ApplicationRelease, *, by: User, train: Train | None) -> None:
    """Store a new application release and, where a train is named, ask for a place on it."""
    with one_transaction(release):
        create(release, by=by)
        if train is not None:
            train = lock(train)
            place = Boarding(train=train, release=release)
            if blockers := rules.train_still_boards.blockers(place):
                raise TransitionRefused(*blockers)
            ask_to_board(train, release, by=by)


def keep_release(
    release: ApplicationRelease, *, by: User, version: int | None, **changes: Any
) -> ApplicationRelease:
    """Change an application release; in a freeze of its train it stays the version that it is."""

    def forbids(row: ApplicationRelease) -> Iterator[Blocker]:
        yield from rules.release_can_change(row)
        is_same = all(getattr(row, name) == changes.get(name, getattr(row, name)) for name in WHICH)
        if not is_same:
            yield from rules.release_is_not_frozen(row)

    return edit(release, by=by, version=version, allowed=forbids, **changes)


def add_to(holder: H, row: R, *, by: User, allowed: Callable[[H], Iterable[Blocker]]) -> R:
    """Store a new part of a train or an application release that may still get one.

    ``allowed`` is asked under the holder's lock, so that nothing slips in behind a step.
    """
    with one_transaction(holder):
        if blockers := list(allowed(lock(holder))):
            raise TransitionRefused(*blockers)
        return create(row, by=by)


def keep_application(
    application: Application, team: Team | None, *, by: User, version: int | None, **values: Any
) -> Application:
    """Store an application, new or changed, with its team, which may be new as well."""
    with one_transaction(application):
        if team is not None and team._state.adding:
            create(team, by=by)
        if application._state.adding:
            application.team = team
            for name, value in values.items():
                setattr(application, name, value)
            return create(application, by=by)
        return edit(application, by=by, version=version, team=team, **values)


def board_later_train(boarding: Boarding, *, by: User, reason: str, train: Train, **_: Any) -> None:
    """The postponed release asks the other train, and its new place knows the old one."""
    later = Boarding(
        train=train, release=boarding.release, requested_by=by, postponed_from=boarding
    )
    create(later, by=by, reason=f"Postponed from {boarding.train}: {reason}")


def close_releases(train: Train, *, by: User, **_: Any) -> None:
    """What rode a closed train is closed with it."""
    robot = User.objects.robot()
    for place in train.boardings.aboard().select_related("release"):
        if place.release.state == ReleaseState.COMPLETE:
            perform(place.release, "close", by=robot, reason=f"{train} was closed by {by}.")


def free_releases(train: Train, *, by: User, reason: str, **_: Any) -> None:
    """What rode a cancelled train, or asked to, may board another one."""
    robot = User.objects.robot()
    for place in train.boardings.live():
        perform(place, "leave", by=robot, reason=f"{train} was cancelled by {by}: {reason}")


# --- Reservations ---------------------------------------------------------------------------------


def reserve(
    train: Train,
    environment: Environment,
    starts: dt.datetime,
    ends: dt.datetime,
    *,
    exclusive: bool,
    anyway: bool,
    by: User,
) -> Reservation:
    """Hold an environment for a train. Raises ``TransitionRefused`` with every clash.

    ``anyway`` keeps it as a request where others stand in the way.
    """
    booking = Booking(
        environment=environment,
        kind=BookingKind.TRAIN,
        title=train.name,
        starts=starts,
        ends=ends,
        exclusive=exclusive,
        url=train.get_absolute_url(),
    )
    with one_transaction(train):
        # The environment is locked before the train: lowest app first.
        booking = environments.book(booking, by=by, reason=f"For {train}", anyway=anyway)
        train = lock(train)
        if blockers := list(rules.train_is_open(train)):
            raise TransitionRefused(*blockers)
        return create(Reservation(train=train, booking=booking), by=by)


def release_reservations(train: Train, *, by: User, reason: str, **_: Any) -> None:
    """Every booking of the train is given back."""
    robot = User.objects.robot()
    for reservation in train.reservations.select_related("booking"):
        if reservation.booking.state in {"requested", "confirmed"}:
            perform(
                reservation.booking,
                "release",
                by=robot,
                reason=f"{train} is {train.status.label.lower()}. {reason}".strip(),
            )
