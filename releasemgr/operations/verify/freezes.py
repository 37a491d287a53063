"""V5 and V6: nothing was claimed in a freeze without an exception, which somebody else granted."""

from __future__ import annotations

import datetime as dt
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q

from releasemgr.operations.verify.circumstances import TOLERANCE, carried
from releasemgr.operations.verify.claims import task_run
from releasemgr.operations.verify.violation import Violation
from trains.models import Boarding, Freeze
from trains.states import FreezeState, FreezeStops
from turnovers.models import FreezeException, Turnover
from turnovers.states import ExceptionState

if TYPE_CHECKING:
    from collections.abc import Iterator

FOR_EVER = dt.datetime.max.replace(tzinfo=dt.UTC)
RUN = "task_run__run"


def claims_were_outside_freezes() -> Iterator[Violation]:
    """Each version of each freeze, from when it was seen until the next, against the claims."""
    history: Any = Freeze.history
    rows = history.order_by("id", "version", "history_id").iterator()
    for _, story in groupby(rows, attrgetter("id")):
        versions = list(story)
        ends = [version.history_date for version in versions[1:]] + [FOR_EVER]
        for version, until in zip(versions, ends, strict=True):
            if version.history_type == "-" or version.state != FreezeState.IN_FORCE:
                continue
            if version.stops == FreezeStops.DEPLOYMENTS:
                yield from _claims_in(version.instance, version.history_date + TOLERANCE, until)


def _claims_in(freeze: Freeze, since: dt.datetime, until: dt.datetime) -> Iterator[Violation]:
    claims = carried().filter(claimed_at__gt=max(since, freeze.begins), claimed_at__lt=until)
    covered = Turnover.objects.covered_by(freeze).values("pk")
    if freeze.scope == Freeze.Scope.TRAIN:
        # What rides it now says nothing of then: who was aboard is asked for each claim.
        rode = Boarding.objects.filter(train=freeze.train_id).values("release")
        of_train = Turnover.objects.filter(Q(train=freeze.train_id) | Q(release__in=rode))
        covered = of_train.values("pk")
    found = claims.filter(task_run__run__turnover__in=covered).values_list(
        "task_run", RUN, f"{RUN}__turnover", f"{RUN}__turnover__release", "claimed_at"
    )
    for pk, run, turnover, release, at in found.iterator():
        # A claim at the edge of a period may have been asked for a moment before.
        covers = freeze.occurrence_at(at - TOLERANCE) and freeze.occurrence_at(at)
        if not covers or not _was_covered(freeze, turnover, release, at):
            continue
        if not _was_excepted(freeze, turnover, at):
            yield task_run(pk, run, f"It was claimed in freeze {freeze.pk}, without an exception.")


def _was_covered(freeze: Freeze, turnover: int, release: int | None, at: dt.datetime) -> bool:
    """Whether a train's freeze was over the turnover: it rode the train then, of that team."""
    if freeze.scope != Freeze.Scope.TRAIN:
        return True
    if freeze.team_id is not None:
        built = Q(release__application__team=freeze.team_id)
        built |= Q(contents__release__application__team=freeze.team_id)
        if not Turnover.objects.filter(built, pk=turnover).exists():
            return False
    if release is None:
        return True
    history: Any = Boarding.history
    rows = history.filter(train_id=freeze.train_id, release_id=release, history_date__lte=at)
    latest: dict[int, str] = dict(rows.order_by("version", "history_id").values_list("id", "state"))
    return "aboard" in latest.values()


def _was_excepted(freeze: Freeze, turnover: int, at: dt.datetime) -> bool:
    history: Any = FreezeException.history
    rows = history.filter(freeze_id=freeze.pk, turnover_id=turnover)
    granted = rows.filter(
        state=ExceptionState.GRANTED,
        history_date__lte=at + TOLERANCE,
        expires__gt=at - TOLERANCE,
    )
    taken_back = rows.filter(state=ExceptionState.WITHDRAWN, history_date__lt=at - TOLERANCE)
    return bool(granted.exclude(id__in=taken_back.values("id")).exists())


def exceptions_are_apart() -> Iterator[Violation]:
    """V6: nobody grants what they asked for, or an exception for work of their own."""
    history: Any = FreezeException.history
    grants = history.filter(transition="grant")
    authors = dict(
        Turnover.objects.filter(freeze_exceptions__state=ExceptionState.GRANTED).values_list(
            "freeze_exceptions", "author"
        )
    )
    told = set()
    for pk, who, by, asked in grants.values_list("id", "actor", "history_user", "asked_by_id"):
        if by is not None and by in {asked, authors.get(pk)}:
            told.add(pk)
            why = "which they had asked for" if by == asked else "for work of their own"
            yield _about(pk, f"{who} granted it, {why}.")
    alone = FreezeException.objects.filter(state=ExceptionState.GRANTED, external_id="").filter(
        Q(decided_by=None) | Q(decided_by=F("asked_by"))
    )
    for pk in alone.exclude(pk__in=told).values_list("pk", flat=True).iterator():
        yield _about(pk, "It is granted without a second person.")


def _about(pk: int, what: str) -> Violation:
    row = FreezeException(pk=pk)
    return Violation(what, f"turnovers.freezeexception {pk}", row.get_absolute_url())
