"""Settings are read in a process of their own, as every start of the application does."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
READ = """
import json, sys
from releasemgr import settings
print(json.dumps([getattr(settings, name) for name in sys.argv[1:]], default=str))
"""
KEPT = {"PATH", "HOME", "LANG", "LD_LIBRARY_PATH"}


@pytest.fixture
def read(tmp_path):
    """Import the settings under an environment; return the named ones, or what went wrong."""

    def read(*names, **environment):
        kept = {name: value for name, value in os.environ.items() if name in KEPT}
        process = subprocess.run(
            [
                sys.executable,
                "-c",
                READ,
                *names,
            ],
            cwd=ROOT,
            env={**kept, "VAR_DIR": str(tmp_path / "var"), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode:
            return process.stderr.strip().splitlines()[-1]
        return json.loads(process.stdout)

    return read


def test_a_laptop_needs_no_variable(read, tmp_path):
    debug, hosts, databases, broker = read("DEBUG", "ALLOWED_HOSTS", "DATABASES", "BROKER_URL")

    assert (debug, hosts) == (False, ["localhost", "127.0.0.1", "[::1]"])
    assert databases["default"]["ENGINE"] == "django.db.backends.sqlite3"
    assert databases["default"]["NAME"] == str(tmp_path / "var" / "releasemgr.sqlite3")
    assert databases["default"]["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert broker == "filesystem://"
    assert (tmp_path / "var" / "queue" / "messages").is_dir()


def test_a_laptop_keeps_its_own_key_where_only_its_owner_reads_it(read, tmp_path):
    (first,) = read("SECRET_KEY")
    (second,) = read("SECRET_KEY")

    assert first == second
    assert len(first) >= 50
    assert stat.S_IMODE((tmp_path / "var" / "secret_key").stat().st_mode) == 0o600


def test_an_installation_others_can_reach_does_not_start_without_a_key(read):
    answer = read("SECRET_KEY", BASE_URL="https://releases.example")

    assert answer == (
        "django.core.exceptions.ImproperlyConfigured: Set SECRET_KEYS: BASE_URL says that others "
        "can reach this installation (https://releases.example)."
    )


def test_the_first_key_signs_and_the_others_are_still_believed(read):
    assert read(
        "SECRET_KEY",
        "SECRET_KEY_FALLBACKS",
        BASE_URL="https://releases.example",
        SECRET_KEYS="new,old,older",
    ) == ["new", ["old", "older"]]


def test_https_brings_its_cookies_redirect_and_hosts(read):
    assert read(
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SECURE_SSL_REDIRECT",
        "SECURE_HSTS_SECONDS",
        "ALLOWED_HOSTS",
        "CSRF_TRUSTED_ORIGINS",
        BASE_URL="https://releases.example:8443/",
        SECRET_KEYS="key",
    ) == [True, True, True, 3600, ["releases.example"], ["https://releases.example:8443"]]


def test_two_variables_choose_postgresql_and_redis(read):
    databases, broker, health = read(
        "DATABASES",
        "CELERY_BROKER_URL",
        "CELERY_BROKER_TRANSPORT_OPTIONS",
        DATABASE_URL="postgres://rm:secret@db:5433/releases",
        BROKER_URL="redis://queue:6379/2",
    )

    database = databases["default"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db", 5433, "releases")
    assert "lock_timeout=3s -c statement_timeout=30s" in database["OPTIONS"]["options"]
    assert (database["CONN_HEALTH_CHECKS"], database["CONN_MAX_AGE"]) == (True, 600)
    assert broker == "redis://queue:6379/2"
    assert health == {"socket_connect_timeout": 1, "socket_timeout": 5}


def test_installations_that_share_a_broker_have_queues_of_their_own(read):
    broker = {"BROKER_URL": "redis://queue:6379/2"}

    (first,) = read("CELERY_TASK_DEFAULT_QUEUE", DATABASE_URL="postgres://rm@db/live", **broker)
    (again,) = read("CELERY_TASK_DEFAULT_QUEUE", DATABASE_URL="postgres://job@db/live", **broker)
    (other,) = read("CELERY_TASK_DEFAULT_QUEUE", DATABASE_URL="postgres://rm@db/trial", **broker)

    assert first == again != other
    assert read("CELERY_TASK_DEFAULT_QUEUE", QUEUE="east") == ["east"]


def test_an_empty_variable_counts_as_absent(read):
    assert read("BASE_URL", "PORT", "OUTBOUND_ALLOW", BASE_URL="", PORT="", OUTBOUND_ALLOW="") == [
        "http://127.0.0.1:8000",
        8000,
        [],
    ]


def test_a_task_ends_before_its_lease_does(read):
    for lease in ("2", "4", "120"):
        (limit,) = read("CELERY_TASK_TIME_LIMIT", LEASE_SECONDS=lease)
        assert 1 <= limit < float(lease)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("BASE_URL", "releases.example", "BASE_URL must look like https://releases.example"),
        ("DATABASE_URL", "mysql://db/x", "DATABASE_URL must begin with postgres:// or sqlite:///"),
        ("PORT", "70000", "PORT must be between 1 and 65535, and is 70000."),
        ("LEASE_SECONDS", "1", "LEASE_SECONDS at least 2"),
        ("TICK_SECONDS", "0", "TICK_SECONDS must be above 0"),
    ],
)
def test_a_value_that_cannot_work_is_refused_with_its_name(read, name, value, reason):
    assert reason in read("DEBUG", **{name: value})


def test_every_variable_is_explained():
    source = (ROOT / "releasemgr" / "settings.py").read_text()
    manual = (ROOT / "docs" / "operations.md").read_text()
    names = {
        part.split('"')[1] for part in source.split("env.")[1:] if part.split("(")[0].isidentifier()
    }

    assert {name for name in names if f"`{name}`" not in manual} == set()
