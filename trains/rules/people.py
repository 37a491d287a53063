"""Who may move a train and what rides it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from releasemgr.workflow.rules import permission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from releasemgr.accounts.models import User
    from trains.models import ApplicationRelease, Boarding, Criterion, Milestone, Train, Waiver

#: Whose work, as upper apps know, is part of what the executive approval is about.
own_work_questions: list[Callable[[Train], Iterable[User]]] = []


@permission("Release managers steer trains.")
def may_steer(train: Train, user: User) -> bool:
    return user.has_perm("trains.steer_train")


@permission("Release managers steer trains; the last approval does it by itself.")
def may_advance(train: Train, user: User) -> bool:
    return user.is_robot or user.has_perm("trains.steer_train")


@permission("Release engineers consent to production, but never for a train they manage.")
def may_consent(train: Train, user: User) -> bool:
    return user.has_perm("trains.consent_train") and user.pk != train.manager_id


@permission("Release managers and release engineers close trains.")
def may_close(train: Train, user: User) -> bool:
    return user.has_perm("trains.close_train")


@permission("The criterion's owner and release managers decide it.")
def may_decide_criterion(criterion: Criterion, user: User) -> bool:
    return user.pk == criterion.owner_id or user.has_perm("trains.decide_criterion")


@permission("Release managers waive criteria, but never one they own themselves.")
def may_waive(criterion: Criterion, user: User) -> bool:
    return user.has_perm("trains.waive_criterion") and user.pk != criterion.owner_id


@permission("The criterion's owner, release managers and release engineers ask for a waiver.")
def may_ask_waiver(criterion: Criterion, user: User) -> bool:
    return user.pk == criterion.owner_id or (
        user.has_perm("trains.steer_train") or user.has_perm("trains.consent_train")
    )


@permission(
    "Whoever may waive grants it, but nobody one they asked for, or of a criterion of theirs."
)
def may_grant_waiver(waiver: Waiver, user: User) -> bool:
    own = {waiver.asked_by_id, waiver.criterion.owner_id}
    return user.has_perm("trains.waive_criterion") and user.pk not in own


@permission("Whoever asked for it and release managers withdraw it.")
def may_withdraw_waiver(waiver: Waiver, user: User) -> bool:
    return user.pk == waiver.asked_by_id or user.has_perm("trains.steer_train")


@permission("Whoever may waive criteria takes a waiver back.")
def may_revoke_waiver(waiver: Waiver, user: User) -> bool:
    return user.has_perm("trains.waive_criterion")


@permission(
    "The milestone's owner acts, whoever shares the role where it says so, or whoever steers."
)
def may_act_on_milestone(milestone: Milestone, user: User) -> bool:
    if user.pk == milestone.owner_id or user.has_perm("trains.steer_train"):
        return True
    if milestone.release is not None and milestone.release.owner_id == user.pk:
        return True
    owner = milestone.owner
    return bool(milestone.same_role and owner and user.role_names & owner.role_names)


@permission("The release's product owner and release managers move it.")
def may_own(release: ApplicationRelease, user: User) -> bool:
    return user.has_perm("trains.steer_train") or (
        user.has_perm("trains.own_release") and user.pk == release.owner_id
    )


@permission("The release's product owner, release managers, and the train's own end close it.")
def may_close_release(release: ApplicationRelease, user: User) -> bool:
    return user.is_robot or may_own(release, user)


@permission("The train's release managers accept who boards, but not a release of their own.")
def may_judge_boarding(boarding: Boarding, user: User) -> bool:
    return user.has_perm("trains.steer_train") and user.pk != boarding.requested_by_id


@permission("The release's product owner and release managers take it off the train.")
def may_leave(boarding: Boarding, user: User) -> bool:
    return (
        user.is_robot
        or user.has_perm("trains.steer_train")
        or (user.has_perm("trains.own_release") and user.pk == boarding.release.owner_id)
    )


def whose_work_it_is(train: Train, which: str, by: User) -> list[User]:
    """Who does not decide upon an approval, neither directly nor through anybody.

    Whoever asks and whoever manages the train; after Scoping also the owners of what is aboard,
    and for production the release engineer whose consent is part of what is decided, and those
    who wrote the plans for production.
    """
    people = {by.pk: by}
    if train.manager is not None:
        people[train.manager.pk] = train.manager
    if which != "train":
        for place in train.boardings.aboard().select_related("release__owner"):
            if place.release.owner is not None:
                people[place.release.owner.pk] = place.release.owner
    if which == "executive" and train.consent_by is not None:
        people[train.consent_by.pk] = train.consent_by
    if which == "executive":
        for question in own_work_questions:
            people |= {person.pk: person for person in question(train)}
    return list(people.values())
