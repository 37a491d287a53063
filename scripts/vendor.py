"""Keep the third-party files under ``static/`` exactly what ``static/vendor/vendor.toml`` says.

    python scripts/vendor.py check     every listed file is there, with the recorded SHA-256
    python scripts/vendor.py fetch     fetch the listed versions again with npm, then check

``static/icons.svg`` is put together by ``fetch``: the listed Lucide icons (``i-NAME``) and our own
status glyphs (``s-NAME``, drawn in ``scripts/status-glyphs.svg``).

To take a new version, change ``version`` in the list, run ``fetch`` and copy the printed hashes
after reading what changed.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "static"
MANIFEST = STATIC / "vendor" / "vendor.toml"
GLYPHS = ROOT / "scripts" / "status-glyphs.svg"
SPRITE = STATIC / "icons.svg"


def manifest() -> dict[str, Any]:
    """The list of everything vendored."""
    return tomllib.loads(MANIFEST.read_text())


def sha256(path: Path) -> str:
    """The hash that the list records for a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def problems() -> list[str]:
    """A sentence for every file that is missing, changed or not listed."""
    found = []
    listed = {MANIFEST}
    for package in manifest()["package"]:
        for file in package["files"]:
            path = STATIC / file["to"]
            listed.add(path)
            if not path.is_file():
                found.append(f"{file['to']} is missing.")
            elif sha256(path) != file["sha256"]:
                found.append(f"{file['to']} has SHA-256 {sha256(path)}, not the recorded one.")
    strays = set((STATIC / "vendor").iterdir()) - listed
    found += [f"{path.relative_to(STATIC)} is not listed." for path in sorted(strays)]
    drawn = set(re.findall(r'id="i-([^"]+)"', SPRITE.read_text()))
    missing = set(manifest()["sprite"]["icons"]) - drawn
    found += [f"icons.svg lacks {name}." for name in sorted(missing)]
    return found


@contextmanager
def unpacked(name: str, version: str) -> Iterator[Path]:
    """The files of one published package, for as long as the block lasts."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is needed to fetch vendored files.")
    with tempfile.TemporaryDirectory() as scratch:
        command = [npm, "pack", "--silent", f"{name}@{version}"]
        subprocess.run(command, cwd=scratch, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        [archive] = Path(scratch).glob("*.tgz")
        with tarfile.open(archive) as bundle:
            bundle.extractall(scratch, filter="data")
        yield Path(scratch) / "package"


def fetch_package(package: dict[str, Any]) -> None:
    """Replace one package's files by those of its recorded version."""
    with unpacked(package["name"], package["version"]) as source:
        for file in package["files"]:
            target = STATIC / file["to"]
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / file["from"], target)


def fetch_sprite(sprite: dict[str, Any]) -> None:
    """Draw ``icons.svg`` again from the listed icons and our own glyphs."""
    symbols = []
    with unpacked(sprite["name"], sprite["version"]) as source:
        for name in sprite["icons"]:
            drawing = (source / "icons" / f"{name}.svg").read_text()
            shapes = re.findall(
                r"<(?:path|circle|rect|line|polyline|polygon|ellipse)[^>]*>", drawing
            )
            body = "".join(shape.replace(" />", "/>") for shape in shapes)
            symbols.append(f'<symbol id="i-{name}" viewBox="0 0 24 24">{body}</symbol>')
    symbols += re.findall(r"<symbol .*?</symbol>", GLYPHS.read_text())
    sheet = "\n".join(['<svg xmlns="http://www.w3.org/2000/svg">', *symbols, "</svg>", ""])
    SPRITE.write_text(sheet)


def main() -> None:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("command", choices=["check", "fetch"])
    if parser.parse_args().command == "fetch":
        for package in manifest()["package"]:
            fetch_package(package)
        fetch_sprite(manifest()["sprite"])
    if found := problems():
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
