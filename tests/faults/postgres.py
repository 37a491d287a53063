"""A PostgreSQL server of its own, which may be stopped and killed without harming others."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg2

PATIENCE = 30


def programs() -> Path | None:
    """Where initdb and pg_ctl are: on the path, or where Debian hides them."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    hidden = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    return hidden[-1].parent if hidden else None


def _version(path: Path) -> float:
    return float(path.parent.parent.name)


class Cluster:
    """Its data live in a temporary folder; commits reach the kernel, not the disk."""

    def __init__(self) -> None:
        found = programs()
        assert found is not None, "initdb is missing: install postgresql"
        self.programs = found
        self.folder = Path(tempfile.mkdtemp(prefix="releasemgr-cluster-"))
        # PostgreSQL refuses to run as root, so root becomes somebody else for it.
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(self.folder, self.user)
        self.data = self.folder / "data"
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self._run(
            "initdb",
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )
        self.start()

    @property
    def server(self) -> dict[str, object]:
        return {"host": "127.0.0.1", "port": self.port, "user": "postgres", "password": ""}

    def start(self) -> None:
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off"
            f" -c unix_socket_directories={self.folder}"
        )
        log = f"--log={self.folder / 'server.log'}"
        self._run("pg_ctl", "start", "--silent", "--wait", log, f"--options={options}")
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return psycopg2.connect(dbname="postgres", **self.server).close()
            except psycopg2.OperationalError:
                assert time.monotonic() < until, (self.folder / "server.log").read_text()
                time.sleep(0.1)

    def stop(self, how: str) -> None:
        """``fast`` ends every session and closes properly; ``immediate`` is a crash."""
        self._run("pg_ctl", "stop", "--silent", f"--mode={how}")

    def close(self) -> None:
        self.stop("immediate")
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.programs / program, f"--pgdata={self.data}", *arguments],
            check=True,
            cwd=self.folder,
            user=self.user,
            stdout=subprocess.DEVNULL,
        )
