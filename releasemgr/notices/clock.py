"""The database's clock, by which all of it goes: machines may differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from turnovers.engine.entries import ask, moment, now_sql

if TYPE_CHECKING:
    import datetime as dt


def now() -> dt.datetime:
    """What time it is."""
    return moment(ask(f"SELECT {now_sql()}")[0][0])
