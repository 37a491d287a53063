"""``manage.py import_release_data FILE…``: take release data in, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from releasemgr.accounts.models import User
from releasemgr.exchange.comparison import CHANGE, CREATE, SKIP, UNCHANGED, Report
from releasemgr.exchange.reader import FileRefused
from releasemgr.exchange.services import import_file
from releasemgr.workflow.refusals import TransitionRefused


class Command(BaseCommand):
    help = "Import release-data files (docs/exchange-format.md), each whole or not at all."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument(
            "--dry-run", action="store_true", help="Do everything, then take it back"
        )
        parser.add_argument("--user", help="Whose work it is in the history (default: the robot)")
        parser.add_argument(
            "--max-bytes",
            type=int,
            default=settings.UPLOAD_MAX_BYTES,
            help="Refuse larger files (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        by = self._author(options["user"])
        refused = []
        for path in options["files"]:
            self.stdout.write(path.name)
            try:
                plan = import_file(
                    path,
                    by=by,
                    max_bytes=options["max_bytes"],
                    rehearse=options["dry_run"],
                    progress=self._progress(int(options["verbosity"])),
                )
            except (FileRefused, TransitionRefused) as error:
                self.stderr.write(f"{path.name}: {error} Nothing was written.")
                refused.append(path.name)
            else:
                self._tell(plan.report)
        if options["dry_run"]:
            self.stdout.write("This was a dry run: nothing was written.")
        if refused:
            raise CommandError(f"Refused: {', '.join(refused)}")

    def _author(self, name: str | None) -> User:
        if name is None:
            return User.objects.robot()
        try:
            return User.objects.get(username=name)
        except User.DoesNotExist:
            raise CommandError(f"There is nobody with the user name {name}.") from None

    def _progress(self, verbosity: int) -> Any:
        def say(percent: int, words: str) -> None:
            if verbosity > 1:
                self.stdout.write(f"  {percent:3} %  {words}")

        return say

    def _tell(self, report: Report) -> None:
        """The report, as the upload page shows it."""
        words = {CREATE: "created", CHANGE: "changed", UNCHANGED: "unchanged", SKIP: "left out"}
        for label, counts in report.counts.items():
            said = ", ".join(f"{counts[a]} {word}" for a, word in words.items() if counts[a])
            if said:
                self.stdout.write(f"  {label}: {said}")
        if report.notes:
            self.stdout.write("  Not taken as it is, or left out:")
        for place, why in report.notes:
            self.stdout.write(f"    {place}: {why}")
        if report.kept:
            self.stdout.write("  Kept as the file says it, without a field here:")
        for (kind, name), number in sorted(report.kept.items()):
            self.stdout.write(f"    {kind.replace('_', ' ')} {name}: {number}")
