"""Run several programs as one: they start together, speak in turn, and stop together.

It needs nothing but the standard library, so that it can run without what the programs need.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType
    from typing import NoReturn

LAST_LINES = 20
POLL_SECONDS = 0.2


def why_not_listen(host: str, port: int) -> str:
    """Return why a server could not listen there now, as a sentence; nothing if it could."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a connection that has just closed does not occupy the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"Port {port} on {host} is taken by another program."
            return f"Nobody can listen on port {port} of {host}: {error.strerror}."
    return ""


def port_answers(host: str, port: int) -> bool:
    """Whether something listens there now."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


@dataclass
class Service:
    """One program of the group, what it said last, and whether it still runs.

    It counts as ready as soon as it has said ``ready_words``, or anything where there are none.
    """

    name: str
    command: Sequence[str]
    ready_words: str = ""
    is_ready: threading.Event = field(default_factory=threading.Event)
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))
    process: subprocess.Popen[str] | None = None
    reader: threading.Thread | None = None

    def start(self, environment: Mapping[str, str], out: IO[str]) -> None:
        """Start in our process group, and pass on every line under the service's name."""
        self.process = subprocess.Popen(  # noqa: S603 - the commands are ours
            self.command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self.reader = threading.Thread(target=self._read, args=[self.process.stdout, out])
        self.reader.daemon = True
        self.reader.start()

    def _read(self, lines: IO[str], out: IO[str]) -> None:
        for line in lines:
            self.last_lines.append(line.rstrip("\n"))
            out.write(f"{self.name:>9} | {line}")
            out.flush()
            if self.ready_words in line:
                self.is_ready.set()

    @property
    def exit_code(self) -> int | None:
        """The status the program ended with, or None while it runs or was never started."""
        return self.process.poll() if self.process else None

    def finish_reading(self) -> None:
        """Wait for the last words; grandchildren that keep the pipe open do not hold us up."""
        if self.reader:
            self.reader.join(timeout=1)


class Supervisor:
    """Keeps a group of services running until one ends or somebody asks to stop.

    A service that dies takes the group with it: half an application is worse than none, and
    whoever started us (a person, systemd, a container engine) knows when to start again.
    """

    def __init__(
        self,
        services: Sequence[Service],
        environment: Mapping[str, str],
        *,
        grace: float = 20,
        out: IO[str] | None = None,
    ) -> None:
        self.services = services
        self.environment = environment
        self.grace = grace
        self.out = out or sys.stdout
        self.asked_to_stop = threading.Event()

    def run(self, is_ready: Callable[[], bool], on_ready: Callable[[], None]) -> int:
        """Run the group; return 0 when asked to stop and 1 when a service ended by itself."""
        handlers = {
            number: signal.signal(number, self._on_signal)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            for service in self.services:
                service.start(self.environment, self.out)
            dead = self._watch(is_ready, on_ready)
        finally:
            self._stop()
            for number, handler in handlers.items():
                signal.signal(number, handler)
        for service in dead:
            self._report(service)
        return 1 if dead else 0

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.asked_to_stop.set()

    def _watch(self, is_ready: Callable[[], bool], on_ready: Callable[[], None]) -> list[Service]:
        """Wait until somebody asks to stop or services have died; return the dead."""
        announced = False
        while not self.asked_to_stop.is_set():
            if dead := [service for service in self.services if service.exit_code is not None]:
                return dead
            if not announced and is_ready():
                announced = True
                on_ready()
            self.asked_to_stop.wait(POLL_SECONDS)
        return []

    def _stop(self) -> None:
        """Ask everyone to finish what they are doing; end those who take too long."""
        self.say("Stopping.")
        for service in self.services:
            if service.process:
                service.process.terminate()
        deadline = time.monotonic() + self.grace
        for service in self.services:
            self._wait(service, deadline)
            service.finish_reading()

    def _wait(self, service: Service, deadline: float) -> None:
        if service.process is None:
            return
        try:
            service.process.wait(timeout=max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.say(f"{service.name} did not stop within {self.grace:g} seconds: ended by force.")
            service.process.kill()
            service.process.wait()

    def _report(self, service: Service) -> None:
        code = service.exit_code
        how = f"by signal {-code}" if code is not None and code < 0 else f"with status {code}"
        self.say(f"{service.name} ended {how}, so everything was stopped. Its last lines:")
        for line in service.last_lines:
            self.say(f"  {line}")

    def say(self, text: str) -> None:
        """Pass on a line of our own."""
        self.out.write(f"{text}\n")
        self.out.flush()


class Plan(TypedDict):
    """What is to run, where it answers when it is ready, and what is said then."""

    services: list[dict[str, object]]
    host: str
    port: int
    announcement: str


def become(plan: Plan) -> NoReturn:
    """Go on as the supervisor of the plan and as nothing else: what this process had is let go."""
    reader, writer = os.pipe()
    os.set_inheritable(reader, True)
    with os.fdopen(writer, "w", encoding="utf-8") as text:
        json.dump(plan, text)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-I", __file__, str(reader)])  # noqa: S606 -- our own


def supervise(plan: Plan) -> int:
    """Run the plan to its end; return the exit status."""
    services = [Service(**one) for one in plan["services"]]  # type: ignore[arg-type]

    def is_ready() -> bool:
        heard = all(one.is_ready.is_set() for one in services if one.ready_words)
        return heard and port_answers(plan["host"], plan["port"])

    supervisor = Supervisor(services, {**os.environ, "PYTHONUNBUFFERED": "1"})
    return supervisor.run(is_ready, lambda: supervisor.say(plan["announcement"]))


if __name__ == "__main__":
    with os.fdopen(int(sys.argv[1]), encoding="utf-8") as given:
        to_run = json.load(given)
    sys.exit(supervise(to_run))
