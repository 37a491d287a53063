"""The outside that automated tasks call: an HTTP server that writes down every call."""

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass(frozen=True)
class Call:
    """One request: when it came and went, the path, its idempotency key and its JSON."""

    began: float
    ended: float
    path: str
    key: str
    body: dict[str, object]


class Deployer:
    """Answers 200 to everything, except where a path was told to fail or to take its time."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.failures: dict[str, int] = {}
        self.seconds: dict[str, float] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.authority = f"127.0.0.1:{self._server.server_port}"
        self.address = f"http://{self.authority}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fail_next(self, path: str, times: int = 1) -> None:
        """Answer the next calls of ``path`` with 500."""
        self.failures[path] = times

    def paths(self) -> list[str]:
        """What was called, in the order in which the calls began."""
        return [call.path for call in sorted(self.calls, key=lambda call: call.began)]

    def calls_of(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]

    def forget(self) -> None:
        self.calls.clear()

    def answer(self, path: str, key: str, text: str) -> int:
        """Write the call down and say how it went."""
        began = time.monotonic()
        time.sleep(self.seconds.get(path, 0))
        with self._lock:
            fails = self.failures.get(path, 0) > 0
            if fails:
                self.failures[path] -= 1
            body = json.loads(text) if text else {}
            self.calls.append(Call(began, time.monotonic(), path, key, body))
        return 500 if fails else 200

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        deployer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                text = self.rfile.read(length).decode()
                status = deployer.answer(self.path, self.headers.get("Idempotency-Key", ""), text)
                answer = json.dumps({"ok": status == 200}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *arguments: object) -> None:
                """Stay quiet: the test says what matters."""

        return Handler
