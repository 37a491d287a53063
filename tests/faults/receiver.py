"""The system that deployments change: it does what it is told, writes everything down, and fails.

Its book is what counts. The engine's own rows say what the engine believes; this says what really
happened outside. Like a good receiver it honours the ``Idempotency-Key``: work is done once a key,
and a second call with the same key waits for the first and gets the same answer.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWER = b'{"status": "ok"}'


@dataclass
class Call:
    """One request, as it came in. ``done`` is when its work was finished, if it did any."""

    turnover: int
    order: int
    step: int
    key: str
    fence: int
    attempt: int
    began: float
    fault: str = ""
    worked: float = 0.0
    done: float = 0.0
    over: float = 0.0

    @property
    def task(self) -> tuple[int, int, int]:
        return self.turnover, self.order, self.step

    @property
    def did_it(self) -> bool:
        return bool(self.done)


@dataclass
class Manners:
    """How it behaves. ``faults`` is what the first call of these steps meets."""

    work_seconds: float = 0.05
    #: By the number of the turnover and of the step: "slow", "hang", "drop before", "drop after",
    #: "late".
    faults: dict[tuple[int, int], str] = field(default_factory=dict)
    #: Beyond what the task waits for an answer.
    too_long: float = 3.0
    #: Whether it only accepts what it is to do, and is asked how that stands.
    accepts: bool = False


class Receiver(ThreadingHTTPServer):
    """``book`` holds every call in the order of arrival, by the number of the turnover."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.book: dict[int, list[Call]] = defaultdict(list)
        self.manners = Manners()
        self.lock = threading.Lock()
        self._keys: dict[str, threading.Lock] = {}
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.name}"

    def close(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def enter(self, call: Call) -> threading.Lock:
        """Write the call down; the lock lets one call a key work at a time."""
        with self.lock:
            is_first = not any(known.task == call.task for known in self.book[call.turnover])
            if is_first:
                call.fault = self.manners.faults.get((call.turnover, call.step), "")
            self.book[call.turnover].append(call)
            return self._keys.setdefault(call.key, threading.Lock())

    def work(self, call: Call) -> None:
        """Do it, unless a call with this key has done it already."""
        with self.lock:
            calls = self.book[call.turnover]
            known = any(other.did_it for other in calls if other.key == call.key)
        if not known:
            call.worked = time.monotonic()
            time.sleep(self.manners.work_seconds)
            call.done = time.monotonic()

    def finish(self, call: Call, key: threading.Lock) -> None:
        """Do what was accepted."""
        with key:
            self.work(call)
        call.over = time.monotonic()

    def state_of(self, key: str) -> str:
        """How what came with this key stands."""
        with self.lock:
            calls = [call for calls in self.book.values() for call in calls if call.key == key]
        return "done" if any(call.did_it for call in calls) else "running"

    @property
    def done(self) -> int:
        """How many steps have been done."""
        with self.lock:
            return sum(call.did_it for calls in self.book.values() for call in calls)

    def calls_of(self, turnovers: set[int]) -> list[Call]:
        with self.lock:
            return [call for turnover in turnovers for call in self.book[turnover]]

    def knows(self, turnover: int, key: str) -> bool | None:
        """Whether it was done under this key; None while somebody is still at it."""
        with self.lock:
            calls = [call for call in self.book[turnover] if call.key == key]
            if any(call.did_it for call in calls):
                return True
            return None if any(not call.over for call in calls) else False

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that is killed while we answer is what this is about."""


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        turnover, order, step = (int(part) for part in self.path.strip("/").split("/"))
        call = Call(
            turnover,
            order,
            step,
            key=self.headers["Idempotency-Key"],
            fence=int(self.headers["X-Fence"]),
            attempt=int(self.headers["X-Attempt"]),
            began=time.monotonic(),
        )
        key = self.server.enter(call)
        if self.server.manners.accepts:
            threading.Thread(target=self.server.finish, args=[call, key], daemon=True).start()
            return self._answer(202, {"Location": f"/{call.key}"})
        try:
            with key:
                self._serve(call)
        finally:
            call.over = time.monotonic()

    def do_GET(self) -> None:
        state = self.server.state_of(self.path.strip("/"))
        self._answer(body=f'{{"state": "{state}"}}'.encode())

    def _serve(self, call: Call) -> None:
        too_long = self.server.manners.too_long
        if call.fault == "drop before":
            return self._drop()
        if call.fault == "hang":
            time.sleep(too_long)
            return self._drop()
        if call.fault == "slow":
            time.sleep(too_long / 4)
        self.server.work(call)
        if call.fault == "drop after":
            return self._drop()
        if call.fault == "late":
            time.sleep(too_long)
        return self._answer()

    def _answer(
        self,
        status: int = 200,
        headers: Mapping[str, str] = MappingProxyType({}),
        body: bytes = ANSWER,
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.close()

    def log_message(self, *args: object) -> None:
        """The book is enough."""
