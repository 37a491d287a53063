"""A real HTTP server in a thread that notes every call and answers, or misbehaves, as told."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver(ThreadingHTTPServer):
    """``calls`` holds what came in; ``answers`` maps a path to what goes out.

    An answer is ``(status, headers, body)`` or a function of the handler that writes it itself.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls = []
        self.answers = {}
        self.hold_seconds = 0
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    @property
    def name(self):
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self):
        return f"http://{self.name}"

    def close(self):
        self.shutdown()
        self.thread.join()
        self.server_close()

    def handle_error(self, request, client_address):
        """A caller that hangs up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    def answer(self):
        began = time.monotonic()
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        call = {
            "method": self.command,
            "path": self.path,
            "headers": dict(self.headers),
            "body": body,
            "began": began,
        }
        with self.server.lock:
            self.server.calls.append(call)
        time.sleep(self.server.hold_seconds)
        given = self.server.answers.get(self.path, (200, {}, b'{"status": "ok"}'))
        if callable(given):
            given(self)
        else:
            status, headers, text = given
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
        call["ended"] = time.monotonic()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 -- http.server's names

    def log_message(self, *args):
        pass


@contextmanager
def receiving():
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()


def json_answer(value, status=200):
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()
