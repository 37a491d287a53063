"""What must always hold, as checks that anybody may run at any time: ``manage.py verify``.

The numbers are those by which the invariants are known outside. All checks read one snapshot of
the database and write nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from django.db import connection, transaction

from releasemgr.operations.verify import (
    bookings,
    circumstances,
    claims,
    freezes,
    histories,
    people,
    seals,
    waiting,
    waivers,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from releasemgr.operations.verify.violation import Violation


@dataclass(frozen=True)
class Invariant:
    """One thing that must hold; without a check it can only be seen from outside, and why."""

    number: str
    says: str
    check: Callable[[], Iterable[Violation]] | None = None
    why_not: str = ""


def _all_of(*checks: Callable[[], Iterable[Violation]]) -> Callable[[], Iterable[Violation]]:
    """One check of several, told one after the other."""
    return lambda: chain.from_iterable(check() for check in checks)


INVARIANTS = (
    Invariant(
        "V1",
        "What succeeded has exactly one attempt that succeeded, or a person who did it; "
        "every attempt belongs to a claim in the history, and every claim has its attempt.",
        claims.attempts_fit_outcomes,
    ),
    Invariant(
        "V2",
        "No task begins before every task of a lower order of its run is complete; no task has "
        "two open attempts, and no turnover two running runs.",
        claims.orders_follow_each_other,
    ),
    Invariant(
        "V3",
        "The history of each record is a path of declared steps that leads to its present state; "
        "what counts as approved was decided upon the content that it is for, and what is waived "
        "was granted.",
        _all_of(
            histories.states_are_reached,
            seals.approvals_fit_contents,
            waivers.waivers_fit_criteria,
        ),
    ),
    Invariant(
        "V4",
        "Each record has one row of history for each of its versions, without a gap; each kept "
        "version of a plan says what its digest says.",
        _all_of(histories.versions_are_whole, seals.plan_versions_are_whole),
    ),
    Invariant(
        "V5",
        "At every claim the turnover was deploying, no hold was over it, no freeze without an "
        "exception covered it, and its booking was confirmed; none started before its window.",
        _all_of(circumstances.claims_were_allowed, freezes.claims_were_outside_freezes),
    ),
    Invariant(
        "V6",
        "Nobody holds two incompatible parts: of the author and the one who accepts or verifies, "
        "of the two who settle an unknown ending, of those who ask and approve or grant.",
        _all_of(people.parts_are_apart, waivers.grants_are_apart, freezes.exceptions_are_apart),
    ),
    Invariant(
        "V7",
        "Everything that is not over has something or somebody that moves it on.",
        waiting.somebody_moves_it,
    ),
    Invariant(
        "V8",
        "No answer of 5xx, no unhandled exception, no secret in a log.",
        why_not="logs are kept outside; search them there.",
    ),
    Invariant(
        "V9",
        "Confirmed bookings of one environment overlap only where both are shared.",
        bookings.holders_do_not_overlap,
    ),
    Invariant(
        "V10",
        "Whatever becomes of messages changes latency and nothing else.",
        why_not="it is shown by flushing the broker while runs go on, and then by the others.",
    ),
)


@contextmanager
def snapshot() -> Iterator[None]:
    """Let all checks see the same moment, without holding up whoever writes."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield
    else:
        # An atomic block would be IMMEDIATE here, which is a writer's.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
