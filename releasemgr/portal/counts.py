"""The numbers in the sidebar: how much waits for a person, in one query on every page.

Django spends ten times longer on phrasing that question than the database on answering it. So it
is phrased seldom, and asked anew for every page: a number is never older than its page.
"""

from __future__ import annotations

import time
from copy import copy
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Value
from django.utils import timezone

from releasemgr.notices.models import Notice
from releasemgr.portal.work import kinds

if TYPE_CHECKING:
    import datetime as dt

    from releasemgr.accounts.models import User

#: The kind that the inbox of approvals counts; all kinds together are My work.
DECISIONS = 0
#: The number of what is unread, which is asked in the same question and is no kind of work.
UNREAD = -1
#: How long a question is kept, for the sake of what it may say about the present hour.
KEPT_SECONDS = 300


def how_much_waits(user: User) -> dict[str, int]:
    """How many things wait for the person, by place."""
    may = (user.is_superuser, user.role_permissions)
    # A copy, or what is kept would hold on to the request that the person came with.
    written = _question(copy(user), may, timezone.localdate(), int(time.time() // KEPT_SECONDS))
    if written is None:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(*written)
        counts = dict(cursor.fetchall())
    told = {"notices:list": counts.pop(UNREAD)} if UNREAD in counts else {}
    waits = {"portal:work": sum(counts.values()), "approvals:inbox": counts.get(DECISIONS, 0)}
    return waits | told


@lru_cache(maxsize=512)
def _question(
    user: User, may: tuple[bool, frozenset[str]], today: dt.date, slot: int
) -> tuple[str, tuple[Any, ...]] | None:
    """The question in SQL; its arguments are all that the querysets read besides the tables."""
    unread = Notice.objects.visible_to(user).unread()
    asked = [(UNREAD, unread), *enumerate(rows for rows, _ in kinds(user))]
    first, *others = [
        rows.order_by().annotate(waits_as=Value(number)).values("waits_as")
        for number, rows in asked
    ]
    try:
        sql, parameters = first.union(*others, all=True).query.sql_with_params()
    except EmptyResultSet:
        return None
    counting = f"SELECT waits_as, COUNT(*) FROM ({sql}) AS waiting GROUP BY waits_as"  # noqa: S608 -- written by Django
    return counting, parameters
