"""Where a run stands: what the engine has to know of it, asked with its lock in hand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from django.db import connection

from trains.states import STAGES
from turnovers.engine.entries import ask, change, moment, now_sql
from turnovers.states import LIVE_TASK

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence


@dataclass(frozen=True)
class Balance:
    """Where a run stands: the last order that was opened, and what of it is not over."""

    last: int = 0
    failed: int = 0
    unknown: int = 0
    running: int = 0
    live: int = 0


@dataclass(frozen=True)
class RunFacts:
    """What the engine needs to know of a run, as it was when it was locked.

    ``is_plain`` says that nothing stands in the way of its next task, without asking the rules;
    where it is false, they are asked, and may still say so.
    """

    pk: int
    turnover: int
    number: int
    is_undo: bool
    skip: frozenset[int]
    is_on: bool
    most_parallel: int
    is_plain: bool
    now: dt.datetime
    stands: Balance


#: Freezes ``f`` that may stop deployments in an environment ``e`` now: the rules ask exactly.
MAY_COVER = """
f.state = 'in_force' AND f.stops = 'deployments' AND f.begins <= {now}
    AND (f.recurrence <> 'none' OR f.ends IS NULL OR f.ends > {now})
    AND (f.recurs_until IS NULL OR f.recurs_until > {now})
    AND (f.scope IN ('all', 'application', 'train')
        OR (f.scope = 'kind' AND f.kind = e.kind)
        OR (f.scope = 'environment' AND f.environment_id = e.id))
"""
_MOVING = ", ".join(f"'{state}'" for _, states in STAGES[1:4] for state in states)
_LOCK = "SELECT id FROM turnovers_run WHERE id = %s FOR NO KEY UPDATE"
#: Others come first next time.
_TURNED = "UPDATE turnovers_run SET turned_at = {now} WHERE id {which}"
#: The tasks of the last order, by what they still need: those before it are complete.
_BALANCE = """
SELECT run_id, "order", SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END) AS failed,
    SUM(CASE WHEN state = 'unknown' THEN 1 ELSE 0 END) AS unknown,
    SUM(CASE WHEN state = 'running' THEN 1 ELSE 0 END) AS running,
    SUM(CASE WHEN state IN ({live}) THEN 1 ELSE 0 END) AS live
FROM turnovers_taskrun
WHERE run_id = {run}
    AND "order" = (SELECT MAX("order") FROM turnovers_taskrun WHERE run_id = {run})
GROUP BY run_id, "order"
""".replace("{live}", ", ".join(f"'{state}'" for state in sorted(LIVE_TASK)))
_FACTS = f"""
SELECT r.id, r.turnover_id, r.number, r.kind, r.skip,
    r.state = 'running' AND t.state = 'deploying', t.most_parallel,
    e.state = 'online' AND NOT e.is_production
    AND (b.id IS NULL OR (b.state = 'confirmed' AND b.ends > {{now}}))
    AND (a.id IS NULL OR a.state IN ('executing', 'complete'))
    AND (t.train_id IS NULL OR tr.state IN ({_MOVING}))
    AND NOT EXISTS (
        SELECT 1 FROM trains_boarding p JOIN trains_train o ON o.id = p.train_id
        WHERE p.release_id = t.release_id AND p.state = 'aboard' AND o.state NOT IN ({_MOVING}))
    AND NOT EXISTS (SELECT 1 FROM turnovers_hold h WHERE h.state = 'active')
    AND NOT EXISTS (SELECT 1 FROM trains_freeze f WHERE {MAY_COVER}),
    {{now}}, l."order", l.failed, l.unknown, l.running, l.live
FROM turnovers_run r
JOIN turnovers_turnover t ON t.id = r.turnover_id
JOIN environments_environment e ON e.id = t.environment_id
LEFT JOIN environments_booking b ON b.id = t.booking_id
LEFT JOIN trains_applicationrelease a ON a.id = t.release_id
LEFT JOIN trains_train tr ON tr.id = t.train_id
LEFT JOIN {{lateral}} ({_BALANCE}) l ON l.run_id = r.id
WHERE r.id {{which}}
"""  # noqa: S608 -- made of our own words
_ASK = "EXECUTE releasemgr_facts (%s::bigint[])"
#: The sessions that know that statement: to plan it takes ten times as long as to answer it, so
#: PostgreSQL does that once.
_prepared: WeakSet[Any] = WeakSet()


def _prepare() -> None:
    if connection.connection not in _prepared:
        # Not the time of the message, which may have waited for the lock.
        statement = _FACTS.format(
            now="CLOCK_TIMESTAMP()", lateral="LATERAL", run="r.id", which="= ANY($1)"
        )
        ask(f"PREPARE releasemgr_facts (bigint[]) AS {statement}")
        _prepared.add(connection.connection)


def lock_run(pk: int, *, patiently: bool = True) -> RunFacts | None:
    """Lock the run for this transaction, and mark that it is being carried forward.

    None where there is none, and unless ``patiently`` where somebody else has it: he does what
    there is to do.
    """
    if connection.vendor != "postgresql":
        found = mark([pk])
    elif patiently:
        _prepare()
        # Asked with the lock in hand: what is true and what time it is after whatever wait.
        found = _rows_of(f"{_LOCK}; {_turned_and_asked()}", [pk, [pk], [pk]])
    else:
        found = mark([pk]) if ask(f"{_LOCK} SKIP LOCKED", [pk]) else []
    return found[0] if found else None


def mark(pks: Sequence[int]) -> list[RunFacts]:
    """Mark that these locked runs are carried forward now; say what is to be known of them."""
    if connection.vendor == "postgresql":
        _prepare()
        return _rows_of(_turned_and_asked(), [list(pks), list(pks)])
    facts = _FACTS.format(now=now_sql(), lateral="", run="%s", which="= %s")
    found = []
    for pk in pks:
        change(_TURNED.format(now=now_sql(), which="= %s"), [pk])
        found += _rows_of(facts, [pk] * 3)
    return found


def _turned_and_asked() -> str:
    return f"{_TURNED.format(now='CLOCK_TIMESTAMP()', which='= ANY(%s)')}; {_ASK}"


def _rows_of(sql: str, values: Sequence[Any]) -> list[RunFacts]:
    return [_facts(row) for row in ask(sql, values)]


def _facts(row: tuple[Any, ...]) -> RunFacts:
    pk, turnover, number, kind, skip, is_on, most_parallel, is_plain, now, *stands = row
    skipped = json.loads(skip) if isinstance(skip, str) else skip
    return RunFacts(
        pk=pk,
        turnover=turnover,
        number=number,
        is_undo=kind == "undo",
        skip=frozenset(skipped),
        is_on=bool(is_on),
        most_parallel=most_parallel,
        is_plain=bool(is_plain),
        now=moment(now),
        stands=Balance(*stands) if stands[0] is not None else Balance(),
    )


def balance(run: RunFacts) -> Balance:
    """Where the locked run stands, after something of it was entered."""
    rows = ask(_BALANCE.format(run="%s"), [run.pk, run.pk])
    return Balance(*rows[0][1:]) if rows else Balance()


_NEXT = """
SELECT id, task_id, key FROM turnovers_taskrun
WHERE run_id = %s AND state = 'waiting' AND ready_at <= %s ORDER BY "order", id LIMIT 1
"""


def next_in_line(run: RunFacts) -> tuple[int, int, str] | None:
    """The task run of the locked run that waits and is due: its id, its task's id and its key."""
    rows = ask(_NEXT, [run.pk, run.now])
    return (rows[0][0], rows[0][1], rows[0][2]) if rows else None
