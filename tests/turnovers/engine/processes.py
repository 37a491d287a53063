"""Real workers and schedulers, on SQLite with messages in files or on PostgreSQL with Redis."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psycopg2
from django.conf import settings

ROOT = Path(__file__).resolve().parents[3]
KEPT = {"PATH", "HOME", "LANG", "LD_LIBRARY_PATH"}
PATIENCE = 60
WORKER = ("-m", "celery", "--quiet", "--app=releasemgr", "worker", "--loglevel=WARNING")


class Stack:
    """An installation of its own. What it starts is in process groups of its own, too."""

    def __init__(self, folder, outbound):
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if name in KEPT},
            "VAR_DIR": str(folder),
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "releasemgr.settings",
            "OUTBOUND_ALLOW": outbound,
            "TICK_SECONDS": "0.5",
            "LEASE_SECONDS": "4",
            "WORKER_PROCESSES": "2",
        }
        self.started = []
        self.person = self.worker = None
        #: As whoever supervises does: kombu ends some workers that lose their Redis server.
        self.restarts_worker = False
        #: What stands between Python and the program of a worker or a scheduler.
        self.prefix = []

    def prepare(self):
        self.manage("migrate", "--verbosity=0")
        self.call_person("tests.turnovers.engine.stage")

    def call_person(self, stage):
        piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.person = self._python("-m", stage, **piped)

    def manage(self, *arguments):
        subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, check=True
        )

    def _python(self, *arguments, **more):
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            start_new_session=True,
            **more,
        )
        self.started.append(process)
        return process

    def start_worker(self, *more):
        """Start a worker; the last is the one that a test means where it does not say which."""
        alone = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        self.worker = self.start(
            "worker", *WORKER, *alone, f"--hostname={uuid.uuid4()}@test", *more
        )
        return self.worker

    def start_scheduler(self):
        return self.start("scheduler", "manage.py", "scheduler")

    def start(self, name, *arguments):
        with (self.folder / f"{name}.log").open("ab") as file:
            return self._python(*self.prefix, *arguments, stdout=file, stderr=subprocess.STDOUT)

    def kill(self, process):
        """As a power cut does: the whole group, at once."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_children(self, process):
        """The processes of its pool, one after the other; their parent lives on."""
        for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(pid), signal.SIGKILL)
            time.sleep(1)  # meanwhile its parent makes another

    def do(self, deed, **data):
        self.person.stdin.write(json.dumps({"do": deed, **data}) + "\n")
        self.person.stdin.flush()
        return json.loads(self.person.stdout.readline())

    def wait_for(self, pk, condition):
        """What can be seen of the turnover, once it is as it should be."""
        until = time.monotonic() + PATIENCE
        while not condition(seen := self.do("look", pk=pk)):
            assert time.monotonic() < until, f"{seen}\n{self.logs()}"
            if self.restarts_worker and self.worker.poll() is not None:
                self.start_worker()
            time.sleep(0.1)
        return seen

    def wait_until(self, condition):
        """Until it is so."""
        until = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < until, self.logs()
            time.sleep(0.1)

    def logs(self):
        return "\n".join(log.read_text() for log in self.folder.glob("*.log"))

    def close(self):
        for process in self.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()


class Servers(Stack):
    """On a database of its own on the PostgreSQL server, and a Redis server of its own."""

    def __init__(self, folder, outbound, server=None):
        super().__init__(folder, outbound)
        self.database = f"engine_{uuid.uuid4().hex}"
        self.server = server or given_server()
        self._on_server(f"CREATE DATABASE {self.database}")
        who = f"{self.server['user']}:{self.server['password']}".rstrip(":")
        where = f"{self.server['host']}:{self.server['port']}"
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.environment |= {
            "DATABASE_URL": f"postgres://{who}@{where}/{self.database}",
            "BROKER_URL": f"redis://127.0.0.1:{self.port}/0",
        }
        self.redis = None
        self.start_broker()

    def start_broker(self):
        command = ["redis-server", "--port", str(self.port), "--save", "", "--bind", "127.0.0.1"]
        self.redis = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL)
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                time.sleep(0.05)

    def stop_broker(self):
        self.redis.kill()
        self.redis.wait()

    def flush_broker(self):
        with socket.create_connection(("127.0.0.1", self.port)) as redis:
            redis.sendall(b"FLUSHALL\r\n")
            assert redis.recv(100) == b"+OK\r\n"

    def _on_server(self, sql):
        connection = psycopg2.connect(dbname="postgres", **self.server)
        connection.autocommit = True
        try:
            connection.cursor().execute(sql)
        finally:
            connection.close()

    def close(self):
        super().close()
        self.stop_broker()
        self._on_server(f"DROP DATABASE {self.database} WITH (FORCE)")


def given_server():
    """The PostgreSQL server that DATABASE_URL names."""
    given = settings.DATABASES["default"]
    return {
        "host": given["HOST"],
        "port": given["PORT"] or 5432,
        "user": given["USER"],
        "password": given["PASSWORD"],
    }


def has_redis():
    return shutil.which("redis-server") is not None
