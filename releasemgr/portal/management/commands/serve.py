"""``manage.py serve``: everything the application needs, in one foreground process group."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from releasemgr.portal.supervisor import become, why_not_listen

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGN_INS = "demo-sign-ins.json"


class Command(BaseCommand):
    help = "Prepare the database, then run web server, worker and scheduler until Ctrl-C."
    requires_system_checks = []  # migrate runs them

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--no-demo", action="store_true", help="Do not put demo data into an empty database"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = settings.BIND_ADDRESS, settings.PORT
        if problem := why_not_listen(host, port):
            raise CommandError(f"{problem} Choose another one: make run PORT=…")
        try:
            self.prepare(with_demo=not options["no_demo"])
        except KeyboardInterrupt:
            raise CommandError("Stopped before everything was ready.", returncode=130) from None
        os.chdir(settings.BASE_DIR)
        # Without Django, which it needs no more: that is a fifth of what everything takes up.
        become(
            {
                "services": [
                    {"name": "web", "command": program("gunicorn", "releasemgr.wsgi")},
                    {
                        "name": "worker",
                        "command": program("celery", *WORKER_ARGUMENTS),
                        "ready_words": " ready.",
                    },
                    {"name": "scheduler", "command": [sys.executable, "manage.py", "scheduler"]},
                ],
                "host": host,
                "port": port,
                "announcement": announcement(),
            }
        )

    def prepare(self, *, with_demo: bool) -> None:
        """Bring database and static files up to date; quick when there is nothing to do."""
        self.stdout.write("Preparing the database and the static files.")
        call_command("migrate", interactive=False, verbosity=0)
        if static_files_are_stale():
            call_command("collectstatic", interactive=False, verbosity=0, clear=True)
        if with_demo and settings.ON_LAPTOP:
            call_command("demo_data", "--if-empty", "--users-file", settings.VAR_DIR / SIGN_INS)


# One machine: workers need not find each other, and the program's name is no news.
WORKER_ARGUMENTS = (
    *("--quiet", "--app=releasemgr", "worker", "--loglevel=INFO"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
)


def program(name: str, *arguments: str) -> list[str]:
    """Return the command line of a program that was installed beside this Python."""
    return [str(Path(sys.executable).with_name(name)), *arguments]


def static_files_are_stale() -> bool:
    """Whether a source is younger than the last collection; in DEBUG the sources are served."""
    if settings.DEBUG:
        return False
    manifest = settings.STATIC_ROOT / "staticfiles.json"
    if not manifest.exists():
        return True
    collected_at = manifest.stat().st_mtime
    return any(path.stat().st_mtime > collected_at for path in static_sources())


def static_sources() -> Iterator[Path]:
    for finder in get_finders():
        for name, storage in finder.list([]):
            yield Path(storage.path(name))


def announcement() -> str:
    """Say where to go and how to get in, once somebody can."""
    lines = ["", f"Release Manager is ready at {settings.BASE_URL}", *sign_in_lines()]
    return "\n".join([*lines, "Stop with Ctrl-C.", ""])


def sign_in_lines() -> list[str]:
    """Return one sign-in of the demo per role as a small table; nothing where there is no demo."""
    path = settings.VAR_DIR / SIGN_INS
    if not path.exists():
        return []
    first_of_role: dict[str, dict[str, str]] = {}
    for user in json.loads(path.read_text(encoding="utf-8")):
        first_of_role.setdefault(user["role"], user)
    return [
        "",
        f"  {'Role':<18} {'User name':<14} Password",
        *(
            f"  {role:<18} {user['username']:<14} {user['password']}"
            for role, user in first_of_role.items()
        ),
        "",
    ]
