"""The real application, started as an operator starts it, in a folder and a database of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg2

ROOT = Path(__file__).resolve().parents[2]
#: What the application may see of our environment; everything else is said explicitly.
KEPT = {"PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "BROKER_URL"}
START_SECONDS = 240
STOP_SECONDS = 40

MAKE_PEOPLE = """
import json, sys
from django.contrib.auth.models import Group
from releasemgr.accounts.models import User

for person in json.loads({people!r}):
    user = User.objects.create_user(
        person["username"],
        password=person["password"],
        first_name=person["first_name"],
        last_name=person["last_name"],
        is_staff=person["role"] == "Administrator",
    )
    user.groups.set(Group.objects.filter(name=person["role"]))
    assert user.groups.exists(), person["role"]
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@dataclass
class Database:
    """A PostgreSQL database that exists as long as the application; nothing where SQLite serves."""

    given: str = field(default_factory=lambda: os.environ.get("DATABASE_URL", ""))

    def __post_init__(self) -> None:
        self.is_server = self.given.startswith(("postgres:", "postgresql:"))
        parts = urlsplit(self.given)
        self.name = f"{parts.path.strip('/') or 'releasemgr'}_e2e_{os.getpid()}_{free_port()}"
        self.url = urlunsplit(parts._replace(path=f"/{self.name}")) if self.is_server else ""
        self.maintenance_url = urlunsplit(parts._replace(path="/postgres"))

    def create(self) -> None:
        self._run(f'CREATE DATABASE "{self.name}"')

    def drop(self) -> None:
        self._run(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        if not self.is_server:
            return
        connection = psycopg2.connect(self.maintenance_url)
        connection.autocommit = True
        try:
            connection.cursor().execute(statement)
        finally:
            connection.close()


class Application:
    """Web, worker and scheduler under ``manage.py serve``; used as a context manager."""

    def __init__(self, *, demo: bool = False, outbound_allow: str = "") -> None:
        self.demo = demo
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log: deque[str] = deque(maxlen=2000)
        self.folder = tempfile.TemporaryDirectory(prefix="releasemgr-e2e-")
        self.database = Database()
        self.environment = {
            **{name: value for name, value in os.environ.items() if name in KEPT},
            "DATABASE_URL": self.database.url,
            "VAR_DIR": self.folder.name,
            "PORT": str(self.port),
            "TICK_SECONDS": "0.5",
            "OUTBOUND_ALLOW": outbound_allow,
        }
        self.process: subprocess.Popen[str] | None = None
        self.is_announced = False

    def __enter__(self) -> Self:
        self.database.create()
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self._stop()
        finally:
            self.database.drop()
            self.folder.cleanup()

    def make_people(self, people: list[dict[str, str]]) -> None:
        """Store people with roles and passwords, as an administrator would."""
        code = MAKE_PEOPLE.format(people=json.dumps(people))
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True)

    def sign_ins(self) -> list[dict[str, str]]:
        """Role, user name and password of everybody in the demo."""
        path = Path(self.folder.name) / "demo-sign-ins.json"
        people: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
        return people

    def last_lines(self, count: int = 60) -> str:
        """What the processes said last."""
        return "\n".join(list(self.log)[-count:])

    def _start(self) -> None:
        command = [sys.executable, "manage.py", "serve"]
        if not self.demo:
            command.append("--no-demo")
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        settled = threading.Event()
        self.reader = threading.Thread(target=self._read, args=[settled], daemon=True)
        self.reader.start()
        if not settled.wait(START_SECONDS) or not self.is_announced:
            raise AssertionError(f"The application did not start:\n{self.last_lines()}")
        httpx.get(f"{self.address}/readyz").raise_for_status()

    def _read(self, settled: threading.Event) -> None:
        """Keep what is said; the end of the words is news, too."""
        with self.process.stdout as lines:
            for line in lines:
                self.log.append(line.rstrip("\n"))
                if line.startswith("Stop with Ctrl-C."):
                    self.is_announced = True
                    settled.set()
        settled.set()

    def _stop(self) -> None:
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.reader.join(timeout=5)
