"""What each step has to say, and to whom it might be said; rules say to whom it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q

from approvals.models import Signoff
from environments.models import Booking
from releasemgr.accounts.models import User
from releasemgr.notices.services import News, people_in
from releasemgr.notices.sources import on_open_level
from trains.models import Boarding, Criterion, Train
from turnovers.models import Hold, Turnover

if TYPE_CHECKING:
    from collections.abc import Iterator

# --- Approvals ------------------------------------------------------------------------------------


def approval_went_on(signoff: Signoff, by: User, reason: str) -> Iterator[News]:
    """To the next level, or to its end."""
    if signoff.state == Signoff.State.APPROVED:
        yield News(
            "approval_given",
            signoff,
            people_in([signoff.requested_by_id]),
            f"{signoff.title}: approved",
            f"{by} gave the last vote that was needed.",
        )
    yield from approval_asked(signoff, by, reason)


def approval_asked(signoff: Signoff, by: User, reason: str) -> Iterator[News]:
    """Whoever is named on the level that is open now; those who were told already are not again."""
    if signoff.state != Signoff.State.READY:
        return
    sheet = Signoff.objects.with_levels().get(pk=signoff.pk)
    renewed = sheet.round > 1
    asker = f"{sheet.requested_by} asks" if sheet.requested_by else "It is asked"
    again = " again: what it is about has changed, or it was withdrawn" if renewed else ""
    yield News(
        "approval_renewed" if renewed else "approval_asked",
        sheet,
        on_open_level(sheet),
        sheet.question or sheet.title,
        f"{sheet.title}, level {sheet.open_level}. {asker}{again}.",
        occasion=f"{sheet.round}:{sheet.open_level}",
        until=sheet.due,
    )


def approval_refused(signoff: Signoff, by: User, reason: str) -> Iterator[News]:
    managers = _trains_of(signoff).values_list("manager", flat=True)
    yield News(
        "approval_refused",
        signoff,
        people_in([signoff.requested_by_id, *managers]),
        f"{signoff.title}: rejected",
        _because(by, "rejected it", reason),
    )


def approval_void(signoff: Signoff, by: User, reason: str) -> Iterator[News]:
    yield News(
        "approval_void",
        signoff,
        people_in([signoff.requested_by_id]),
        f"{signoff.title}: withdrawn",
        _because(by, "withdrew it", reason),
    )


def _trains_of(signoff: Signoff) -> Any:
    sheets = ("train_signoff", "development_signoff", "executive_signoff")
    owned = Q()
    for sheet in sheets:
        owned |= Q(**{sheet: signoff})
    return Train.objects.filter(owned)


# --- Trains ---------------------------------------------------------------------------------------


def train_returned(train: Train, by: User, reason: str) -> Iterator[News]:
    aboard = train.boardings.aboard().values_list("release__owner", flat=True)
    yield News(
        "train_returned",
        train,
        people_in([train.manager_id, *aboard]),
        f"{train} is back in {train.status.label}",
        _because(by, "returned it", reason),
    )


def train_cancelled(train: Train, by: User, reason: str) -> Iterator[News]:
    """To those who ran it; who rode it is told that its place is gone."""
    yield News(
        "train_cancelled",
        train,
        people_in([train.manager_id, *train.crew.values_list("person", flat=True)]),
        f"{train} was cancelled",
        _because(by, "cancelled it", reason),
    )


def criterion_rejected(criterion: Criterion, by: User, reason: str) -> Iterator[News]:
    train = criterion.gate.train
    yield News(
        "criterion_rejected",
        criterion,
        people_in([train.manager_id]),
        f"Not met: {criterion}",
        f"{train}, {criterion.gate}. {_because(by, 'rejected it', reason)}",
        ref=train.ref,
    )


def boarding_asked(boarding: Boarding, by: User | None, reason: str) -> Iterator[News]:
    if boarding.state != Boarding.State.REQUESTED:
        return
    asker = f"{boarding.requested_by} asks for it." if boarding.requested_by else ""
    yield News(
        "boarding_asked",
        boarding,
        people_in([boarding.train.manager_id]),
        f"Give {boarding.release} a place on {boarding.train}",
        f"{asker} {reason}",
        ref=boarding.train.ref,
    )


def boarding_answered(boarding: Boarding, by: User, reason: str) -> Iterator[News]:
    says = {
        Boarding.State.ABOARD: "is aboard",
        Boarding.State.REJECTED: "gets no place on",
        Boarding.State.LEFT: "was taken off",
    }[boarding.state]
    yield News(
        "boarding_answered",
        boarding,
        people_in([boarding.requested_by_id, boarding.release.owner_id]),
        f"{boarding.release} {says} {boarding.train}",
        _because(by, "decided so", reason),
        ref=boarding.train.ref,
    )


# --- Turnovers ------------------------------------------------------------------------------------


def turnover_delivered(turnover: Turnover, by: User, reason: str) -> Iterator[News]:
    yield News(
        "turnover_delivered",
        turnover,
        list(User.objects.who_may("turnovers.judge_turnover")),
        f"Accept or return {turnover}",
        f"{by} delivered it for {turnover.environment.name}.",
        until=turnover.earliest,
    )


def turnover_returned(turnover: Turnover, by: User, reason: str) -> Iterator[News]:
    yield News(
        "turnover_returned",
        turnover,
        people_in([turnover.author_id]),
        f"{turnover} came back to you",
        _because(by, "returned it", reason),
    )


def turnover_cancelled(turnover: Turnover, by: User, reason: str) -> Iterator[News]:
    yield News(
        "turnover_cancelled",
        turnover,
        people_in([turnover.author_id]),
        f"{turnover} was cancelled",
        _because(by, "cancelled it", reason),
    )


def turnover_deployed(turnover: Turnover, by: User, reason: str) -> Iterator[News]:
    yield News(
        "turnover_deployed",
        turnover,
        list(User.objects.who_may("turnovers.verify_turnover")),
        f"Verify {turnover}",
        f"It was deployed in {turnover.environment.name}. Check that it works.",
    )


def turnover_failed(turnover: Turnover, by: User, reason: str) -> Iterator[News]:
    yield News(
        "turnover_failed",
        turnover,
        [
            *User.objects.who_may("turnovers.run_turnover"),
            *people_in([turnover.author_id]),
        ],
        f"{turnover}: {turnover.status.label.lower()}",
        f"{turnover.environment.name}. {reason}",
    )


# --- Holds and bookings ---------------------------------------------------------------------------


def hold_placed(hold: Hold, by: User | None, reason: str) -> Iterator[News]:
    if hold.state == Hold.State.ACTIVE:
        yield News(
            "hold_placed",
            hold,
            _affected_by(hold),
            f"Held: {hold}",
            _because(hold.placed_by, "stopped the line", hold.reason),
        )


def hold_lifted(hold: Hold, by: User, reason: str) -> Iterator[News]:
    yield News(
        "hold_lifted",
        hold,
        _affected_by(hold),
        f"No longer held: {hold}",
        _because(by, "lifted the hold", reason),
    )


def _affected_by(hold: Hold) -> list[User]:
    """Who writes, manages, owns or runs what is held; nobody where nothing is."""
    stopped: Any = Turnover.objects.stopped_by(hold)
    ids = stopped.values_list(
        "author", "train__manager", "release__owner", "environment__owner"
    ).distinct()
    named = {pk for row in ids for pk in row}
    managers = Train.objects.filter(
        boardings__state="aboard", boardings__release__in=stopped.values("release")
    ).values_list("manager", flat=True)
    runs = User.objects.who_may("turnovers.run_turnover") if named else []
    return [*people_in([*named, *managers]), *runs]


def booking_asked(booking: Booking, by: User | None, reason: str) -> Iterator[News]:
    if booking.state != Booking.State.REQUESTED:
        return
    asker = f"{booking.requested_by} asks for it. " if booking.requested_by else ""
    yield News(
        "booking_asked",
        booking,
        list(User.objects.who_may("environments.confirm_booking")),
        f"Confirm or decline {booking.title} on {booking.environment.name}",
        f"{asker}{reason}",
        until=booking.starts,
    )


def booking_answered(booking: Booking, by: User, reason: str) -> Iterator[News]:
    yield News(
        "booking_answered",
        booking,
        people_in([booking.requested_by_id]),
        f"{booking.title} on {booking.environment.name}: {booking.status.label.lower()}",
        _because(by, "decided so", reason),
    )


def _because(by: User, did: str, reason: str) -> str:
    """Who did it and, where they said so, why."""
    return f"{by} {did}: {reason}" if reason.strip() else f"{by} {did}."
