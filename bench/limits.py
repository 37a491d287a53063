"""What the database itself can do: commits of one written row, as durable as it makes them."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg2
from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Callable

INSERT = "INSERT INTO bench_limit (worker) VALUES (1)"


def connect() -> Any:
    """A bare connection to the same database, with the same settings for durability."""
    given = connection.settings_dict
    if connection.vendor == "postgresql":
        return psycopg2.connect(
            dbname=given["NAME"],
            host=given["HOST"],
            port=given["PORT"],
            user=given["USER"],
            password=given["PASSWORD"],
        )
    bare = sqlite3.connect(given["NAME"], timeout=30)
    bare.execute("PRAGMA synchronous=NORMAL")
    return bare


def prepare() -> None:
    with closing(connect()) as bare:
        bare.cursor().execute("CREATE TABLE IF NOT EXISTS bench_limit (worker int)")
        bare.commit()


def two_commits(times: int) -> float:
    """Milliseconds for two commits, one after the other, which a durable step cannot do without."""
    with closing(connect()) as bare:
        begin = time.perf_counter()
        for _ in range(times):
            for _ in range(2):
                bare.cursor().execute(INSERT)
                bare.commit()
        return (time.perf_counter() - begin) / times * 1000


def steps_a_second(connections: int, seconds: float) -> float:
    """Pairs of commits a second, by so many connections at once."""
    counts = [0] * connections
    until = time.perf_counter() + seconds

    def commit(number: int) -> None:
        with closing(connect()) as bare:
            while time.perf_counter() < until:
                bare.cursor().execute(INSERT)
                bare.commit()
                counts[number] += 1

    at_once([lambda number=number: commit(number) for number in range(connections)])
    return sum(counts) / 2 / seconds


def at_once(deeds: list[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=deed) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
