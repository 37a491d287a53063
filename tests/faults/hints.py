"""Hints that nobody sent: doubled ones, and such as only a broken or hostile sender makes."""

from __future__ import annotations

import socket
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import celery
from kombu.exceptions import OperationalError

from turnovers import tasks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: What stands where an id should.
NONSENSE: tuple[Any, ...] = (0, -1, 10**30, None, "", "1; DROP TABLE", [], {"pk": 1}, 1.5, True)
LARGE = "x" * 1024 * 1024


class Forger:
    """Whoever can reach the broker."""

    def __init__(self, broker: str, queue: str) -> None:
        self.queue = queue
        self.app = celery.Celery(broker=broker, set_as_current=False)
        self.app.conf.update(
            task_default_queue=queue,
            task_publish_retry=False,
            broker_transport_options={"socket_connect_timeout": 1, "socket_timeout": 1},
        )
        self.address = broker.partition("//")[2].partition("/")[0].split(":")

    def double(self, turnovers: Iterable[int]) -> None:
        """Every hint that the product knows, twice, for everything."""
        if not self._is_heard():
            return
        for name in hints():
            for pk in turnovers:
                self.send(name, pk)
                self.send(name, pk)

    def forge(self) -> None:
        """Ids that are none, tasks that do not exist, what is no message at all, and 1 MB."""
        if not self._is_heard():
            return
        for name in (*hints(), "os.system", "turnovers.tasks.nothing", str(uuid.uuid4())):
            for value in NONSENSE:
                self.send(name, value)
            self.send(name)
            self.send(name, 1, 2, 3)
            self.send(name, LARGE)
        for raw in (b"", b"{", b"[]", b'{"body": 1}', b"\x80\x04N.", LARGE.encode()):
            self._push(raw)

    def send(self, name: str, *values: Any) -> None:
        with suppress(OperationalError, OSError):
            self.app.send_task(name, args=values, queue=self.queue)

    def _is_heard(self) -> bool:
        """Whether the broker answers: each message to one that is down would take seconds."""
        host, port = self.address
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            return False
        return True

    def _push(self, raw: bytes) -> None:
        """Straight into the list that the workers read, past everything that knows the format."""
        parts = (b"LPUSH", self.queue.encode(), raw)
        command = b"*3\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        host, port = self.address
        with suppress(OSError), socket.create_connection((host, int(port))) as redis:
            redis.sendall(command)
            redis.recv(100)


def hints() -> Iterator[str]:
    """The names of the messages that the product sends."""
    for value in vars(tasks).values():
        if hasattr(value, "delay"):
            yield value.name
