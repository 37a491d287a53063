"""Freezes are declared, changed, follow their milestone, and end with their train."""

from __future__ import annotations

import copy
from itertools import islice
from typing import TYPE_CHECKING, Any

from environments.panels import Frozen
from releasemgr.accounts.models import User
from releasemgr.workflow.edit import create, edit
from releasemgr.workflow.perform import perform
from releasemgr.workflow.rules import as_of
from trains import rules
from trains.models import Freeze
from trains.models.freezes import period_in_words
from trains.states import FreezeStops

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterator, Mapping

    from environments.models import Environment
    from releasemgr.workflow.rules import Blocker
    from trains.models import Milestone, Train


def declare(freeze: Freeze, *, by: User) -> Freeze:
    """Store a new freeze; from now on every start and every claim asks it."""
    return create(freeze, by=by, reason=freeze.reason)


def change(
    freeze: Freeze,
    *,
    by: User,
    version: int | None,
    reason: str = "",
    values: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Freeze:
    """Change a freeze that is in force: its fields, and by ``values`` the reason it gives, too.

    Raises ``Conflict``, or ``TransitionRefused`` where it was lifted, or where who changes it would
    free their own work.
    """

    changes |= values or {}

    def forbids(row: Freeze) -> Iterator[Blocker]:
        yield from rules.freeze_can_change(row)
        wanted = copy.copy(row)
        for name, value in changes.items():
            setattr(wanted, name, value)
        yield from rules.against_easing(row, wanted, by, as_of(row))

    return edit(freeze, by=by, version=version, reason=reason, allowed=forbids, values=changes)


def follow_milestone(
    sender: Any, row: Milestone, changed: Collection[str], by: User | None, **_: Any
) -> None:
    """A freeze begins with its milestone's day; its period keeps its length when that moves."""
    if "due" not in changed:
        return
    for freeze in row.freezes.in_force():
        begins = freeze.begin_of(row.due)
        length = freeze.ends - freeze.begins if freeze.ends else None
        ends = begins + length if length is not None else None
        edit(freeze, by=by, begins=begins, ends=ends, reason=f"Its milestone “{row}” has moved.")


def end_with_train(train: Train, *, by: User, **_: Any) -> None:
    """The freezes of a train that is over are lifted."""
    robot = User.objects.robot()
    for freeze in train.freezes.in_force():
        reason = f"{train} is {train.status.label.lower()}, by {by}."
        perform(freeze, "lift", by=robot, reason=reason)


#: A picture shows no more periods of one freeze than this.
MOST_PERIODS = 60


def frozen_in(
    environments: Collection[Environment], starts: dt.datetime, ends: dt.datetime
) -> Iterator[Frozen]:
    """The periods in which freezes stop deployments to these environments."""
    freezes: Any = Freeze.objects.stopping(FreezeStops.DEPLOYMENTS)
    for freeze in freezes.between(starts, ends).of_places(environments).with_scope():
        places = [place for place in environments if freeze.counts_in(place)]
        for period in islice(freeze.periods.all_within(starts, ends), MOST_PERIODS):
            words = period_in_words(period.begins, period.ends)
            for place in places:
                url = freeze.get_absolute_url()
                yield Frozen(place.pk, freeze.name, url, period.begins, period.ends, words)
