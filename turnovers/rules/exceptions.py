"""Who may decide upon an exception from a freeze, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.formats import date_format

from releasemgr.ui.times import local
from releasemgr.workflow.rules import Blocker, as_of, guard, permission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from releasemgr.accounts.models import User
    from turnovers.models import FreezeException


@permission("Whoever writes turnovers or plans releases asks for an exception.")
def may_ask_exception(row: FreezeException | None, user: User) -> bool:
    return (
        user.has_perm("turnovers.write_turnover")
        or user.has_perm("trains.own_release")
        or user.has_perm("trains.steer_train")
    )


@permission("Release managers grant exceptions, but never one they asked for, or for their work.")
def may_decide_exception(row: FreezeException, user: User) -> bool:
    own = {
        row.asked_by_id,
        row.turnover.author_id if row.turnover else None,
        row.release.owner_id if row.release else None,
    }
    return user.has_perm("turnovers.decide_exception") and user.pk not in own


@permission("Whoever asked for it and release managers take it back.")
def may_withdraw_exception(row: FreezeException, user: User) -> bool:
    return user.pk == row.asked_by_id or user.has_perm("turnovers.decide_exception")


@guard
def its_freeze_is_in_force(row: FreezeException) -> Iterator[Blocker]:
    if not row.freeze.is_in_force:
        yield Blocker(
            f"“{row.freeze}” has been lifted",
            needed="A freeze that stops it.",
            now="It needs no exception.",
            action="Open the freeze",
            url=row.freeze.get_absolute_url(),
        )


@guard
def its_end_is_ahead(row: FreezeException) -> Iterator[Blocker]:
    if row.is_over(as_of(row)):
        yield Blocker(
            "The time it was asked for has passed",
            needed="A time in which it still counts.",
            now=f"It was asked for until {date_format(local(row.expires), 'j F Y, H:i')}.",
            owner=str(row.asked_by or ""),
            owner_id=row.asked_by_id,
            action="Ask again",
            url=row.freeze.get_absolute_url(),
        )
