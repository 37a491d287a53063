"""The supervisor is tested as it is used: as a process that gets signals."""

import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

READY = "print('up', flush=True)"
SLEEP = f"import time; {READY}; time.sleep(60)"
STUBBORN = (
    f"import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); {READY}; time.sleep(60)"
)


@pytest.fixture
def supervise():
    """Start a supervisor over programs given as Python source; stop it in the end."""
    started = []

    def start(*, grace=5, **programs):
        script = textwrap.dedent(f"""
            import os, sys
            from releasemgr.portal.supervisor import Service, Supervisor
            services = [Service(name, [sys.executable, "-c", source])
                        for name, source in {programs!r}.items()]
            spoke = lambda: all(service.last_lines for service in services)
            say = lambda: print("pids", *(service.process.pid for service in services), flush=True)
            sys.exit(Supervisor(services, os.environ, grace={grace}).run(spoke, say))
        """)
        process = subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_for(process, pattern):
    """Read the supervisor's words until the pattern appears."""
    for line in process.stdout:
        if match := re.search(pattern, line):
            return match
    raise AssertionError(f"The supervisor ended without saying {pattern!r}.")


def pids_of(process):
    return [int(pid) for pid in wait_for(process, r"^pids (.*)")[1].split()]


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_everyone_and_counts_as_success(supervise, number):
    process = supervise(one=SLEEP, two=SLEEP)
    pids = pids_of(process)

    process.send_signal(number)
    output, _ = process.communicate(timeout=10)

    assert process.returncode == 0, output
    assert [is_alive(pid) for pid in pids] == [False, False]


def test_ctrl_c_in_the_terminal_reaches_the_whole_group_once(supervise):
    process = supervise(one=SLEEP, two=SLEEP)
    pids = pids_of(process)

    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=10)

    assert process.returncode == 0
    assert [is_alive(pid) for pid in pids] == [False, False]


def test_a_service_that_dies_takes_the_group_with_it_and_its_last_lines_are_shown(supervise):
    process = supervise(one=SLEEP, two="print('the disk is full', flush=True); raise SystemExit(3)")

    output, _ = process.communicate(timeout=10)

    assert process.returncode == 1
    assert "      two | the disk is full" in output
    assert "two ended with status 3, so everything was stopped. Its last lines:\n" in output
    assert output.endswith("  the disk is full\n")


def test_a_service_that_will_not_stop_is_ended_by_force(supervise):
    process = supervise(grace=0.5, one=STUBBORN)
    (pid,) = pids_of(process)

    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=10)

    assert process.returncode == 0
    assert "one did not stop within 0.5 seconds: ended by force." in output
    assert not is_alive(pid)


def test_a_program_that_cannot_be_started_leaves_nobody_behind(tmp_path):
    process = subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(f"""
                import os, sys
                from releasemgr.portal.supervisor import Service, Supervisor
                one = Service("one", [sys.executable, "-c", "import time; time.sleep(60)"])
                try:
                    Supervisor([one, Service("two", ["{tmp_path}/absent"])], os.environ).run(
                        lambda: True, lambda: None)
                except FileNotFoundError:
                    print("status", one.exit_code)
            """),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )

    assert f"status {-signal.SIGTERM}" in process.stdout


def test_a_taken_port_is_said_in_one_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        started = time.monotonic()
        process = subprocess.run(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env={**os.environ, "PORT": str(port), "VAR_DIR": str(tmp_path)}
            | {"DJANGO_SETTINGS_MODULE": "releasemgr.settings"},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    assert process.returncode == 1
    assert process.stderr.strip() == (
        f"CommandError: Port {port} on 127.0.0.1 is taken by another program. "
        "Choose another one: make run PORT=…"
    )
    assert not (tmp_path / "releasemgr.sqlite3").exists()
    assert time.monotonic() - started < 20
