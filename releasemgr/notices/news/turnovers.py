"""What the steps of turnovers and holds have to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from releasemgr.accounts.models import User
from releasemgr.notices.news.words import because
from releasemgr.notices.services import News, people_in
from trains.models import Train
from turnovers.models import Hold, Turnover

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        because(by, "returned it", reason),
    )


def turnover_cancelled(turnover: Turnover, by: User, reason: str) -> Iterator[News]:
    yield News(
        "turnover_cancelled",
        turnover,
        people_in([turnover.author_id]),
        f"{turnover} was cancelled",
        because(by, "cancelled it", reason),
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


def turnover_promoted(turnover: Turnover, by: User | None, reason: str) -> Iterator[News]:
    """To its author, where somebody else promoted what it was made from."""
    yield News(
        "turnover_promoted",
        turnover,
        people_in([turnover.author_id]),
        f"Look through {turnover} and deliver it",
        f"{because(by, 'promoted it', '')} It has the tasks of the turnover before.",
        until=turnover.earliest,
    )


# --- Holds ----------------------------------------------------------------------------------------


def hold_placed(hold: Hold, by: User | None, reason: str) -> Iterator[News]:
    if hold.state == Hold.State.ACTIVE:
        yield News(
            "hold_placed",
            hold,
            _affected_by(hold),
            f"Held: {hold}",
            because(hold.placed_by, "stopped the line", hold.reason),
        )


def hold_lifted(hold: Hold, by: User, reason: str) -> Iterator[News]:
    yield News(
        "hold_lifted",
        hold,
        _affected_by(hold),
        f"No longer held: {hold}",
        because(by, "lifted the hold", reason),
    )


def _affected_by(hold: Hold) -> list[User]:
    """Who writes, manages, owns or runs what is held; nobody where nothing is.

    The hold of a train stops its planning too: it concerns those who plan it, turnovers or not.
    """
    stopped: Any = Turnover.objects.stopped_by(hold)
    ids = stopped.values_list(
        "author", "train__manager", "release__owner", "environment__owner"
    ).distinct()
    named = {pk for row in ids for pk in row}
    managers = Train.objects.filter(
        boardings__state="aboard", boardings__release__in=stopped.values("release")
    ).values_list("manager", flat=True)
    runs = User.objects.who_may("turnovers.run_turnover") if named else []
    if hold.train is not None and hold.scope == Hold.Scope.TRAIN and not hold.train.is_over:
        named |= {hold.train.manager_id, *hold.train.crew.values_list("person", flat=True)}
        named |= set(hold.train.boardings.aboard().values_list("release__owner", flat=True))
    return [*people_in([*named, *managers]), *runs]
