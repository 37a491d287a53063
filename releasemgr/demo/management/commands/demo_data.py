"""``manage.py demo_data``: an invented organisation, to look around in."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from releasemgr.demo.services import DemoRefused, is_empty, make_demo


class Command(BaseCommand):
    help = "Fill an empty database with an invented organisation that has something in every state."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--size", choices=["small", "large"], default="small")
        parser.add_argument(
            "--users-file", type=Path, help="Write role, user name and password of everybody there"
        )
        parser.add_argument(
            "--if-empty", action="store_true", help="Do nothing, quietly, where there are data"
        )
        parser.add_argument(
            "--i-know", action="store_true", help="Also where others can reach the installation"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["if_empty"] and not is_empty():
            return
        try:
            sign_ins = make_demo(size=options["size"], anywhere=options["i_know"])
        except DemoRefused as refused:
            raise CommandError(str(refused)) from None
        text = json.dumps(sign_ins, indent=2, ensure_ascii=False) + "\n"
        if options["users_file"]:
            write_privately(options["users_file"], text)
        else:
            self.stdout.write(text)


def write_privately(path: Path, text: str) -> None:
    """Write a file that only its owner can read: it holds passwords."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
