"""The tables of an installation, made by the migrations once and then copied.

Migrating from nothing takes seconds of a processor, and every rig wants a database of its own.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.turnovers.engine.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.postgres import Cluster
    from tests.turnovers.engine.processes import Stack

KEPT_IN = ROOT / ".pytest_cache" / "tables"


def lay(stack: Stack, cluster: Cluster | None) -> None:
    """Give the stack its tables: those of an earlier run where no migration has changed since."""
    kept = KEPT_IN / f"{_digest()}.{'sql' if cluster else 'sqlite3'}"
    if kept.exists():
        _restore(kept, stack, cluster)
        return
    stack.manage("migrate", "--verbosity=0")
    KEPT_IN.mkdir(parents=True, exist_ok=True)
    part = kept.with_name(f"{kept.name}.part")
    _keep(part, stack, cluster)
    part.rename(kept)


def _restore(kept: Path, stack: Stack, cluster: Cluster | None) -> None:
    if cluster is None:
        shutil.copy(kept, _sqlite(stack))
        return
    with kept.open("rb") as file:
        _run(cluster, "psql", "--quiet", "--set=ON_ERROR_STOP=1", _name(stack), stdin=file)


def _keep(part: Path, stack: Stack, cluster: Cluster | None) -> None:
    if cluster is None:
        shutil.copy(_sqlite(stack), part)
        return
    with part.open("wb") as file:
        _run(cluster, "pg_dump", _name(stack), stdout=file)


def _run(cluster: Cluster, program: str, *arguments: str, **pipes: object) -> None:
    where = ("--host=127.0.0.1", f"--port={cluster.port}", "--username=postgres")
    pipes = {"stdout": subprocess.DEVNULL, **pipes}
    subprocess.run([cluster.programs / program, *where, *arguments], check=True, **pipes)


def _name(stack: Stack) -> str:
    return f"--dbname={stack.database}"


def _sqlite(stack: Stack) -> Path:
    return stack.folder / "releasemgr.sqlite3"


def _digest() -> str:
    """Of every migration that is ours."""
    digest = hashlib.sha256()
    for path in sorted(ROOT.glob("**/migrations/*.py")):
        if ".venv" not in path.parts:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
