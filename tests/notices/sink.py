"""A mail server of our own on a socket: it keeps what it takes, and can be told to behave badly."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from contextlib import contextmanager, suppress

POLICY = email.policy.default


class Sink:
    """What the server has taken, and how it answers."""

    def __init__(self):
        self.lock = threading.Lock()
        self.taken = []
        #: Addresses -> what RCPT is answered with.
        self.refuses = {}
        #: What the end of a message is answered with, instead of taking it.
        self.answer = None
        #: How many connections are dropped before a word is said.
        self.drops = 0
        self.connections = 0
        #: Set when a message has come whole; its answer waits for ``may_answer``.
        self.has_come = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()

    @property
    def mails(self):
        with self.lock:
            return [email.message_from_bytes(raw, policy=POLICY) for _, raw in self.taken]

    @property
    def envelopes(self):
        with self.lock:
            return [to for to, _ in self.taken]


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        sink = self.server.sink
        with sink.lock:
            sink.connections += 1
            if sink.drops > 0:
                sink.drops -= 1
                return
        with suppress(ConnectionError):
            self._talk(sink)

    def _talk(self, sink):
        self._say("220 sink")
        to = []
        while line := self.rfile.readline():
            verb = line[:4].upper().strip()
            if verb == b"RCPT":
                address = line.decode().partition("<")[2].partition(">")[0]
                to.append(address)
                self._say(sink.refuses.get(address, "250 ok"))
            elif verb == b"DATA":
                self._say("354 go on")
                self._take(sink, to)
                to = []
            elif verb == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 sink")

    def _take(self, sink, to):
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if sink.answer is None:
            with sink.lock:
                sink.taken.append((to, b"".join(lines)))
        sink.has_come.set()
        sink.may_answer.wait(60)
        self._say(sink.answer or "250 taken")

    def _say(self, words):
        self.wfile.write(words.encode() + b"\r\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def listening():
    """A sink, its ``port`` on this machine."""
    with Server(("127.0.0.1", 0), Session) as server:
        server.sink = sink = Sink()
        sink.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield sink
        finally:
            sink.may_answer.set()
            server.shutdown()
            thread.join()
