"""What freezes and exceptions from them have to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from releasemgr.accounts.models import User
from releasemgr.notices.news.words import because
from releasemgr.notices.services import News, people_in
from trains.models import Boarding
from turnovers.models import Turnover

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trains.models import Freeze
    from turnovers.models import FreezeException


def freeze_declared(freeze: Freeze, by: User | None, reason: str) -> Iterator[News]:
    if freeze.is_in_force:
        yield News(
            "freeze_declared",
            freeze,
            _affected_by(freeze),
            f"Freeze: {freeze}",
            f"{freeze.where_words}, {freeze.period_words}. {freeze.reason}".strip(),
        )


def freeze_changed(freeze: Freeze, by: User | None, reason: str) -> Iterator[News]:
    if freeze.is_in_force:
        yield News(
            "freeze_declared",
            freeze,
            _affected_by(freeze),
            f"Changed: the freeze {freeze}",
            f"{freeze.where_words}, {freeze.period_words}. {reason}".strip(),
        )


def freeze_lifted(freeze: Freeze, by: User, reason: str) -> Iterator[News]:
    yield News(
        "freeze_lifted",
        freeze,
        _affected_by(freeze),
        f"No longer frozen: {freeze}",
        because(by, "lifted the freeze", reason),
    )


def _affected_by(freeze: Freeze) -> list[User]:
    """Whose turnovers deploy or are ready in its present period, or its next one; and who carries
    them out. Of a freeze of scope, who owns what the train carries."""
    if freeze.stops == freeze.Stops.SCOPE:
        places: Any = Boarding.objects.filter(
            train=freeze.train_id, state__in=["requested", "aboard"]
        )
        if freeze.team_id:
            places = places.filter(release__application__team=freeze.team_id)
        ids = {pk for row in places.values_list("release__owner", "train__manager") for pk in row}
        return people_in(ids)
    period = next(freeze.periods.after(timezone.now()), None)
    if period is None:
        return []
    covered: Any = Turnover.objects.covered_by(freeze)
    stopped = covered.in_period(max(timezone.now(), period.begins), period.ends)
    rows = stopped.values_list("author", "train__manager", "environment__owner").distinct()
    return people_in({pk for row in rows for pk in row})


# --- Exceptions -----------------------------------------------------------------------------------


def exception_asked(row: FreezeException, by: User | None, reason: str) -> Iterator[News]:
    yield News(
        "exception_asked",
        row,
        list(User.objects.who_may("turnovers.decide_exception")),
        f"Grant it? {row}",
        because(row.asked_by, "asks", row.reason),
        until=row.expires,
    )


def exception_answered(row: FreezeException, by: User, reason: str) -> Iterator[News]:
    author = row.turnover.author_id if row.turnover else None
    owner = row.release.owner_id if row.release else None
    yield News(
        "exception_answered",
        row,
        people_in([row.asked_by_id, author, owner]),
        f"{row}: {row.status.label.lower()}",
        because(by, "decided so", reason),
        until=row.expires,
    )
