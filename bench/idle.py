"""What web, worker and scheduler cost together while nothing happens: memory and processor.

Prints one JSON line per figure. With DATABASE_URL (PostgreSQL) and BROKER_URL (Redis) set it
measures against these servers, in a database of its own that is thrown away; their own cost is not
counted. Else it measures the embedded default. PSS counts each shared page once for all; it needs
Linux.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg2

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTLE_SECONDS, MEASURE_SECONDS, PATIENCE = 15, 60, 300
TICKS = os.sysconf("SC_CLK_TCK")


def say(name: str, value: float, unit: str) -> None:
    print(json.dumps({"name": name, "value": round(value, 2), "unit": unit}), flush=True)


def family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in family(int(child)))]


def memory(pid: int, what: str) -> float:
    """Megabytes of Pss or Rss."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def processor(pids: list[int]) -> float:
    """Seconds of processor time so far."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(row[11]) + int(row[12]) for row in fields) / TICKS


@contextmanager
def own_database(url: str) -> Iterator[str]:
    """A new database on the server that the address names; the address itself where it is none."""
    if not url.startswith("postgres"):
        yield url
        return
    parts, name = urlsplit(url), f"idle_{uuid.uuid4().hex}"
    on_server = psycopg2.connect(parts._replace(path="/postgres").geturl())
    on_server.autocommit = True
    on_server.cursor().execute(f"CREATE DATABASE {name}")
    try:
        yield parts._replace(path=f"/{name}").geturl()
    finally:
        on_server.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")
        on_server.close()


def wait_for(url: str, served: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        if served.poll() is not None:
            raise SystemExit("The application ended instead of starting; `make run` says why.")
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 -- our own
                answer.read()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
        else:
            return


def main() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    given = os.environ.get("DATABASE_URL", "")
    with tempfile.TemporaryDirectory() as folder, own_database(given) as database:
        environment = {**os.environ, "VAR_DIR": folder, "PORT": str(port)}
        if database:
            environment["DATABASE_URL"] = database
        # `serve` also keeps the group together, which a service manager does elsewhere.
        served = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--no-demo"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/readyz", served)
            for _ in range(20):  # as somebody who looked around a moment ago
                wait_for(f"http://127.0.0.1:{port}/login/", served)
            time.sleep(SETTLE_SECONDS)
            pids = [pid for pid in family(served.pid) if pid != served.pid]
            before = processor(pids)
            time.sleep(MEASURE_SECONDS)
            used = processor(pids) - before
            say("idle: web, worker and scheduler, PSS", sum(memory(p, "Pss") for p in pids), "MB")
            say("idle: web, worker and scheduler, RSS", sum(memory(p, "Rss") for p in pids), "MB")
            say("idle: processor", used / MEASURE_SECONDS * 100, "%")
            say("idle: processes", len(pids), "")
        finally:
            served.send_signal(signal.SIGTERM)
            served.wait(30)
    return 0


if __name__ == "__main__":
    sys.exit(main())
