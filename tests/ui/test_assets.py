"""What a browser loads: exactly the recorded third-party files, and little of it."""

import gzip
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
FIRST_LOAD = [
    "app.css",
    "app.js",
    "icons.svg",
    "favicon.svg",
    "vendor/htmx.min.js",
    "vendor/idiomorph-ext.min.js",
]


def packed(name):
    return len(gzip.compress((STATIC / name).read_bytes()))


def test_vendored_files_are_those_recorded():
    command = [sys.executable, "scripts/vendor.py", "check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_our_script_stays_under_five_kilobytes():
    assert packed("app.js") <= 5 * 1024


def test_first_load_leaves_room_for_a_page_within_a_hundred_kilobytes():
    font = (STATIC / "fonts" / "geist-latin-wght.woff2").stat().st_size
    assert sum(packed(name) for name in FIRST_LOAD) + font <= 85 * 1024
