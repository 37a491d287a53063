"""What the steps of criteria, waivers and milestones have to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from releasemgr.accounts.models import User
from releasemgr.notices.news.words import because
from releasemgr.notices.services import News, people_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trains.models import Criterion, Milestone, Train, Waiver


def first_there(*people: User | None) -> list[User]:
    """The first of them who is there: the next answers where the first is gone."""
    return next(([p] for p in people if p is not None and p.is_active), [])


def _whose(criterion: Criterion) -> list[User]:
    """Its owner or, where there is none, the train's release manager."""
    return first_there(criterion.owner, criterion.gate.train.manager)


def criterion_rejected(criterion: Criterion, by: User, reason: str) -> Iterator[News]:
    train = criterion.gate.train
    yield News(
        "criterion_rejected",
        criterion,
        people_in([train.manager_id]),
        f"Not met: {criterion}",
        f"{train}, {criterion.gate}. {because(by, 'rejected it', reason)}",
        ref=train.ref,
    )


def criterion_reopened(criterion: Criterion, by: User, reason: str) -> Iterator[News]:
    yield to_answer(criterion, because(by, "opened it again", reason))


def to_answer(criterion: Criterion, says: str = "") -> News:
    """That somebody has to say whether it is met."""
    train = criterion.gate.train
    return News(
        "criterion_open",
        criterion,
        _whose(criterion),
        f"Is it met? {criterion}",
        f"{train} stands before its {criterion.gate}. {says}",
        ref=train.ref,
        until=criterion.due,
    )


def check_failed(criterion: Criterion, by: User, reason: str) -> Iterator[News]:
    yield to_mend(criterion, f"It was met, and is so no longer. {reason}")


def to_mend(criterion: Criterion, says: str = "") -> News:
    """That its check says no, or nothing that counts, to who sees to it and to the manager."""
    train, watch = criterion.gate.train, criterion.known
    said = says or (watch.trouble or watch.detail if watch else "")
    return News(
        "check_failed",
        criterion,
        [*_whose(criterion), *first_there(train.manager)],
        f"{criterion.status.label}: {criterion}",
        f"{train} stands before its {criterion.gate}. {said}",
        url=criterion.check_url,
        ref=train.ref,
        until=criterion.due,
    )


# --- Waivers --------------------------------------------------------------------------------------


def waiver_asked(waiver: Waiver, by: User | None, reason: str) -> Iterator[News]:
    train = waiver.criterion.gate.train
    yield News(
        "waiver_asked",
        waiver,
        list(User.objects.who_may("trains.waive_criterion")),
        f"Grant it? {waiver}",
        f"{train}, {waiver.criterion.gate}. {because(waiver.asked_by, 'asks', waiver.reason)}",
        ref=train.ref,
    )


def waiver_answered(waiver: Waiver, by: User, reason: str) -> Iterator[News]:
    yield News(
        "waiver_answered",
        waiver,
        people_in([waiver.asked_by_id, waiver.criterion.owner_id]),
        f"{waiver}: {waiver.status.label.lower()}",
        because(by, "decided so", reason),
        ref=waiver.criterion.gate.train.ref,
        until=waiver.until,
    )


def waiver_ended(waiver: Waiver, by: User, reason: str) -> Iterator[News]:
    train = waiver.criterion.gate.train
    yield News(
        "waiver_ended",
        waiver,
        people_in([waiver.asked_by_id, waiver.criterion.owner_id, train.manager_id]),
        f"{waiver}: {waiver.status.label.lower()}",
        f"{reason} The criterion stops the {waiver.criterion.gate} of {train} again.",
        ref=train.ref,
    )


# --- Milestones -----------------------------------------------------------------------------------


def milestone_given(milestone: Milestone, by: User | None, reason: str) -> Iterator[News]:
    yield _of_its_train(milestone, f"Reach the milestone “{milestone}”", reason)


def milestone_moved(milestone: Milestone, by: User | None, reason: str) -> Iterator[News]:
    yield _of_its_train(milestone, f"The milestone “{milestone}” has another date", reason)


def _of_its_train(milestone: Milestone, title: str, says: str) -> News:
    holder = milestone.holder
    return News(
        "milestone_moved",
        milestone,
        milestone_people(milestone),
        title,
        f"It belongs to {holder}. {says}",
        ref=holder.ref if holder else "",
        until=milestone.due,
    )


def milestone_people(milestone: Milestone) -> list[User]:
    """Its owner, or who answers for the work where there is none."""
    return first_there(milestone.owner, _answers_for(milestone))


def _answers_for(milestone: Milestone) -> User | None:
    if milestone.train is not None:
        return milestone.train.manager
    return milestone.release.owner if milestone.release is not None else None


def milestone_missed(milestone: Milestone, by: User, reason: str) -> Iterator[News]:
    """To who answers for the work and, of a copy, to who manages the train it came from."""
    answers, origin = _answers_for(milestone), milestone.origin
    train: Train | None = origin.train if origin is not None else None
    holder = milestone.holder
    yield News(
        "milestone_missed",
        milestone,
        [*first_there(answers), *first_there(train.manager if train else None)],
        f"Missed: “{milestone}”",
        f"It belongs to {holder}. {because(by, 'marked it missed', reason)}",
        ref=holder.ref if holder else "",
        until=milestone.due,
    )
