"""Trains that make themselves: each of a cadence, in its time, exactly once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import IntegrityError
from django.utils import timezone

from releasemgr.accounts.models import User
from releasemgr.workflow.edit import create
from releasemgr.workflow.locks import lock, one_transaction
from releasemgr.workflow.perform import perform, record
from releasemgr.workflow.refusals import TransitionRefused
from trains.models import Cadence, CadenceTrain, Train
from trains.planning import create_planned, dates_of
from trains.rules import its_template_is_offered
from trains.states import CadenceState, GateStage

if TYPE_CHECKING:
    import datetime as dt

logger = logging.getLogger(__name__)


def make_due_trains() -> None:
    """The scheduler's errand: make every train whose time has come.

    Any number of schedulers may run it at once. The cadence's row is locked while its next train is
    made, and the database refuses a second train for the same turn.
    """
    today = timezone.localdate()
    for cadence in Cadence.objects.active().with_facts():
        while _is_due(cadence, today):
            try:
                made = make_next(cadence, today)
            except (IntegrityError, TransitionRefused):
                # Another scheduler is at it, or was faster; what is left is found next time.
                break
            if made is None:
                break
            logger.info("%s made %s.", cadence, made.ref)
            cadence = Cadence.objects.with_facts().get(pk=cadence.pk)  # noqa: PLW2901 -- moved on


def _is_due(cadence: Cadence, today: dt.date) -> bool:
    following = next(cadence.coming(today), None)
    return following is not None and (following[1] - today).days <= cadence.days_ahead


def make_next(cadence: Cadence, today: dt.date) -> Train | None:
    """Make the cadence's next train if it is due, under its lock; otherwise do nothing.

    Where its template or its manager is no longer there, the cadence pauses and says why.
    """
    robot = User.objects.robot()
    with one_transaction(cadence):
        cadence = lock(cadence)
        if cadence.state != CadenceState.ACTIVE or not _is_due(cadence, today):
            return None
        if why := _in_the_way(cadence):
            cadence.problem = why[:300]
            record(cadence, by=robot, reason=why)
            perform(cadence, "pause", by=robot, reason=why)
            return None
        number, start = next(cadence.coming(today))
        train = _train_of(cadence, number, start)
        outline = cadence.template.latest.outline
        criteria = {stage: outline.titles(stage) for stage in GateStage.values}
        train = create_planned(train, outline, by=robot, criteria=criteria)
        create(CadenceTrain(cadence=cadence, number=number, train=train), by=robot)
        cadence.next_number = number + 1
        record(cadence, by=robot, reason=f"{train.ref} was made.")
    return train


def _in_the_way(cadence: Cadence) -> str:
    if blockers := its_template_is_offered.blockers(cadence):
        return str(blockers[0])
    if not cadence.manager.is_active:
        return f"{cadence.manager} no longer works here."
    return ""


def _train_of(cadence: Cadence, number: int, start: dt.date) -> Train:
    template = cadence.template
    version = template.latest
    train = Train(
        name=cadence.name_of(number, start)[:200],
        release_type=template.release_type,
        manager=cadence.manager,
        calendar=cadence.calendar,
        template=version,
    )
    outline, is_short = version.outline, template.release_type.is_emergency
    for name, day in dates_of(outline, start, train.workdays, is_short=is_short).items():
        setattr(train, name, day)
    for which, needed in outline.needs.items():
        setattr(train, f"needs_{which}_approval", needed)
    return train
