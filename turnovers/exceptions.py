"""Exceptions from freezes are asked for; and what freezes want to know of turnovers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils import timezone

from releasemgr.accounts.roles import PRODUCT_OWNER, RELEASE_MANAGER
from releasemgr.workflow.edit import create
from releasemgr.workflow.locks import lock, one_transaction
from releasemgr.workflow.refusals import TransitionRefused
from releasemgr.workflow.rules import Blocker, Way
from turnovers.models import FreezeException, Turnover

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Iterator

    from releasemgr.accounts.models import User
    from trains.models import ApplicationRelease, Freeze


def ask_exception(row: FreezeException, *, by: User) -> FreezeException:
    """Ask that a freeze let it pass. Raises ``TransitionRefused`` where that cannot be."""
    with one_transaction(row.freeze):
        row.freeze = lock(row.freeze)
        if found := list(against_asking(row)):
            raise TransitionRefused(*found)
        row.asked_by = by
        return create(row, by=by, reason=row.reason)


def against_asking(row: FreezeException) -> Iterator[Blocker]:
    """What stops an exception from being asked for: no freeze, or another one that is open."""
    freeze = row.freeze
    if not freeze.is_in_force:
        yield Blocker(
            f"“{freeze}” has been lifted",
            needed="A freeze that stops it.",
            action="Open the freeze",
            url=freeze.get_absolute_url(),
        )
    stops = freeze.Stops.SCOPE if row.release is not None else freeze.Stops.DEPLOYMENTS
    if freeze.stops != stops:
        yield Blocker(
            f"“{freeze}” does not stop it",
            needed="A freeze that stops it.",
            now=f"It stops something else. {freeze.get_stops_display()}.",
            action="Open the freeze",
            url=freeze.get_absolute_url(),
        )
    asked = FreezeException.objects.open().filter(
        freeze=freeze, turnover=row.turnover_id, release=row.release_id
    )
    if (other := asked.first()) is not None:
        yield Blocker(
            "An exception has been asked for already",
            needed="One at a time.",
            now="Somebody else has to decide it.",
            action="Open it",
            url=other.get_absolute_url(),
        )


def stops_work_of(freeze: Freeze, user: User) -> bool:
    """Whether a turnover of this person waits for the end of the freeze, or soon would."""
    now = timezone.now()
    period = freeze.occurrence_at(now)
    if period is None or freeze.stops != freeze.Stops.DEPLOYMENTS:
        return False
    mine = Turnover.objects.of_author(user).covered_by(freeze)
    return bool(mine.in_period(now, period.ends).exists())


def let_pass(freezes: Collection[Freeze], at: dt.datetime) -> Iterable[tuple[int, int]]:
    """The application releases that these freezes let pass at the moment."""
    counting = FreezeException.objects.counting(at).filter(freeze__in=freezes)
    pairs: Iterable[tuple[int, int]] = counting.exclude(release=None).values_list(
        "freeze", "release"
    )
    return pairs


def way_for_release(freeze: Freeze, release: ApplicationRelease) -> Way:
    """Where it is asked that a freeze let an application release pass."""
    address = reverse("turnovers:release-exception-new", args=[release.pk, freeze.pk])
    return Way("Ask for an exception", address, PRODUCT_OWNER, (RELEASE_MANAGER,), release.owner_id)


def stopped_by(freeze: Freeze, user: User) -> Any:
    """The turnovers that deploy or are ready in the freeze's present period, or its next one."""
    now = timezone.now()
    period = next(freeze.periods.after(now), None)
    if period is None or not freeze.is_in_force or freeze.stops != freeze.Stops.DEPLOYMENTS:
        return Turnover.objects.none()
    turnovers: Any = Turnover.objects.visible_to(user)
    found = turnovers.covered_by(freeze).in_period(max(now, period.begins), period.ends)
    return found.by_window()


def exceptions_from(freeze: Freeze, user: User) -> Any:
    """What was asked to pass the freeze, newest first."""
    rows: Any = FreezeException.objects.visible_to(user)
    return rows.filter(freeze=freeze).with_facts().order_by("-pk")


def exceptions_of(subject: Turnover | ApplicationRelease, user: User) -> Any:
    """From which freezes it was asked to be let pass, newest first."""
    rows: Any = subject.freeze_exceptions
    return rows.visible_to(user).with_facts().order_by("-pk")
