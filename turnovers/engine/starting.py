"""Start what is due: hundreds in one transaction where nothing stands in the way.

A Saturday night at 22:00 has many turnovers, and none of them may wait for the others. Those for
which one question to the database shows that no guard can object are started together; the rows are
the same as ``perform`` writes. All others are handed back, and go through ``perform`` one by one.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Max

from environments.models import Environment
from releasemgr.workflow.locks import one_transaction
from releasemgr.workflow.refusals import TransitionRefused
from trains.models import ApplicationRelease
from turnovers.engine import together
from turnovers.engine.entries import ask, moment, now_sql
from turnovers.engine.standing import MAY_COVER
from turnovers.models import Run, Turnover
from turnovers.states import TurnoverState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from releasemgr.accounts.models import User

logger = logging.getLogger(__name__)

REASON = "Its window has opened."
#: So many are started in one transaction.
MOST_TOGETHER = 250

#: What no guard of the step "start" objects to; anything else is asked one by one. A turnover of a
#: train, or to production, has more to ask than this.
_PLAIN = f"""
SELECT t.id, {{now}} FROM turnovers_turnover t
JOIN environments_environment e ON e.id = t.environment_id
JOIN environments_booking b ON b.id = t.booking_id
JOIN trains_applicationrelease a ON a.id = t.release_id
WHERE t.id IN ({{ids}}) AND t.state = 'ready' AND t.earliest <= {{now}}
    AND (t.latest IS NULL OR t.latest >= {{now}} OR t.if_late = 'wait')
    AND e.state = 'online' AND NOT e.is_production AND b.state = 'confirmed'
    AND a.state IN ('executing', 'complete')
    AND NOT EXISTS (
        SELECT 1 FROM trains_boarding p WHERE p.release_id = a.id AND p.state = 'aboard')
    AND NOT EXISTS (
        SELECT 1 FROM turnovers_content c JOIN trains_dependency d ON d.release_id = c.release_id
        WHERE c.turnover_id = t.id)
    AND NOT EXISTS (SELECT 1 FROM turnovers_hold h WHERE h.state = 'active')
    AND NOT EXISTS (SELECT 1 FROM trains_freeze f WHERE {MAY_COVER})
ORDER BY t.earliest, t.id
"""  # noqa: S608 -- made of our own words


def start_due(*, by: User) -> Iterator[Turnover]:
    """Start what is due and plain; yield what is due and has to be asked about."""
    due = list(Turnover.objects.due().in_queue()[: MOST_TOGETHER * 8])
    for begin in range(0, len(due), MOST_TOGETHER):
        batch = due[begin : begin + MOST_TOGETHER]
        started = _start_together(batch, by=by)
        yield from (turnover for turnover in batch if turnover.pk not in started)


def _start_together(batch: list[Turnover], *, by: User) -> set[int]:
    """Start those of the batch that are plain and have room; return their ids."""
    try:
        with one_transaction("what is due"):
            rows = _with_room(_plain_and_locked(batch))
            _move(rows, by=by)
    except TransitionRefused as refused:
        logger.info("They are started one by one: %s", refused)
        return set()
    logger.info("%s turnovers started.", len(rows))
    return {row.pk for row in rows}


def _plain_and_locked(batch: list[Turnover]) -> list[Any]:
    """Lock parents and rows in the order in which every step locks them."""
    together.lock_in_order(
        (Environment, [turnover.environment_id for turnover in batch]),
        (ApplicationRelease, [turnover.release_id for turnover in batch]),
    )
    ids = ", ".join(str(int(turnover.pk)) for turnover in batch)
    sql = _PLAIN.format(ids=ids, now=now_sql())
    if connection.vendor == "postgresql":
        sql += " FOR NO KEY UPDATE OF t SKIP LOCKED"
    plain = {pk: moment(now) for pk, now in ask(sql)}
    rows = Turnover._base_manager.filter(pk__in=plain).select_related("environment")
    known: dict[int, Any] = {row.pk: row for row in rows}
    for pk, row in known.items():
        row.locked_at = plain[pk]
    return [known[pk] for pk in plain]


def _with_room(rows: list[Any]) -> list[Any]:
    """Those, in their order, that their environment has room for."""
    places = {row.environment_id for row in rows}
    busy = Turnover.objects.deploying_by_environment(places)
    chosen = []
    for row in rows:
        here = busy.get(row.environment_id, 0)
        if here < row.environment.most_deployments:
            busy[row.environment_id] = here + 1
            chosen.append(row)
    return chosen


def _move(rows: list[Any], *, by: User) -> None:
    """Write what the step "start" writes: the new state, a run, and the history of both."""
    numbers = dict(
        Run.objects.filter(turnover__in=[row.pk for row in rows])
        .order_by()
        .values_list("turnover")
        .annotate(Max("number"))
    )
    started = []
    for alone in (True, False):
        chosen = [row for row in rows if (row.environment.most_deployments == 1) == alone]
        entries = {"state": TurnoverState.DEPLOYING, "deploys_alone": alone}
        started += together.move(chosen, "start", entries, by=by, reason=lambda _: REASON)
    runs = [
        Run(
            turnover=row,
            number=numbers.get(row.pk, 0) + 1,
            started_by=str(by),
            started_at=row.locked_at,
        )
        for row in started
    ]
    together.tell(Run.objects.bulk_create(runs), by=by, reason=REASON, is_new=True)
