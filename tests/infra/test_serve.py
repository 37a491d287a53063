"""``manage.py serve``, from the first start to the second, as a newcomer meets it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
KEPT = {"PATH", "HOME", "LANG", "LD_LIBRARY_PATH"}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def serve(tmp_path):
    """Start everything on a free port in a folder of its own; stop it in the end."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    started = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env={**kept, "PORT": str(port), "VAR_DIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Stop with Ctrl-C."):
                return process, f"http://127.0.0.1:{port}", "".join(said)
        raise AssertionError("".join(said))

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def stop(process):
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=30)
    return output


def test_one_command_serves_the_demo_and_a_second_start_is_quick_and_keeps_it(serve, tmp_path):
    process, address, said = serve()

    assert f"Release Manager is ready at {address}\n" in said
    assert re.search(r"^  Release manager +\S+ +\S+$", said, re.MULTILINE)
    parts = ("database", "broker", "scheduler", "worker", "disk")
    until = time.monotonic() + 15  # the first sign of life follows the first word
    while "not seen" in (ready := httpx.get(f"{address}/readyz").json()).values():
        assert time.monotonic() < until, ready
        time.sleep(0.2)
    assert {part: ready[part] for part in parts} == dict.fromkeys(parts, "ok")
    page = httpx.get(address, follow_redirects=True)
    assert page.url == f"{address}/login/?next=/"
    styles = re.search(r'href="(/static/app\.[0-9a-f]+\.css)"', page.text)[1]
    assert "immutable" in httpx.get(f"{address}{styles}").headers["Cache-Control"]
    assert "Stopping." in stop(process)
    assert process.returncode == 0
    key = (tmp_path / "secret_key").read_text()

    started = time.monotonic()
    process, _, said_again = serve()
    stop(process)

    assert time.monotonic() - started < 30
    assert said_again.count("Release manager ") == said.count("Release manager ")
    assert (tmp_path / "secret_key").read_text() == key
