"""One installation on PostgreSQL and Redis and one on the embedded default, for all storms."""

import json
from dataclasses import asdict

import pytest

from tests.faults import postgres
from tests.faults.rig import Rig
from tests.turnovers.engine.processes import has_redis

STORM = "storm"


@pytest.fixture(scope="session")
def cluster():
    if postgres.programs() is None or not has_redis():
        pytest.fail("These need the programs of PostgreSQL and Redis: initdb and redis-server.")
    cluster = postgres.Cluster()
    yield cluster
    cluster.close()


@pytest.fixture(scope="session")
def servers(cluster, tmp_path_factory):
    """Two workers and a scheduler on PostgreSQL and Redis."""
    yield from _rig(Rig(tmp_path_factory.mktemp("servers"), cluster=cluster))


@pytest.fixture(scope="session")
def embedded(tmp_path_factory):
    """Two workers and a scheduler on SQLite, with messages in files."""
    yield from _rig(Rig(tmp_path_factory.mktemp("embedded")))


def _rig(rig):
    try:
        rig.prepare()
        yield rig
    finally:
        rig.close()


@pytest.fixture
def flawless(request, record_property):
    """Assert that a storm broke no promise; says what became of it, and the seed of its chances."""

    def check(rig, report):
        name = request.node.nodeid.rpartition("/")[2]
        said = json.dumps({"storm": name, "seed": rig.seed, **asdict(report)})
        record_property(STORM, said)
        if not report.is_flawless:
            kept = request.config.rootpath / ".pytest_cache" / f"{request.node.name}.log"
            kept.write_text(rig.stack.logs())
        assert report.is_flawless, said

    return check


def pytest_terminal_summary(terminalreporter):
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, said in report.user_properties:
                if name == STORM:
                    terminalreporter.write_line(said)
