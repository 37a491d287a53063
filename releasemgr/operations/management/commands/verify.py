"""``manage.py verify``: hold the database against what must always be true."""

from __future__ import annotations

import json
import sys
import time
from itertools import islice
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from releasemgr.operations.verify import INVARIANTS, snapshot

FEW = 20


class Command(BaseCommand):
    help = "Check the standing invariants; ends with status 1 where one does not hold."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("numbers", nargs="*", metavar="V1", help="Only these; else all")
        parser.add_argument(
            "--all",
            action="store_true",
            help=f"List every violation, not only the first {FEW} of each invariant",
        )
        parser.add_argument("--json", action="store_true", help="Answer with one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = {number.upper() for number in options["numbers"]}
        if unknown := wanted - {invariant.number for invariant in INVARIANTS}:
            raise CommandError(f"There is no {', '.join(sorted(unknown))}.")
        most = None if options["all"] else FEW
        begin, answers = time.monotonic(), []
        with snapshot():
            for invariant in INVARIANTS:
                if wanted and invariant.number not in wanted:
                    continue
                answer: dict[str, Any] = {"number": invariant.number, "says": invariant.says}
                if invariant.check is None:
                    answer |= {"holds": None, "why_not": invariant.why_not, "violations": []}
                else:
                    found = list(islice(invariant.check(), most))
                    answer |= {
                        "holds": not found,
                        "violations": [
                            {"what": v.what, "where": v.where, "url": v.url and self._whole(v.url)}
                            for v in found
                        ],
                    }
                answers.append(answer)
        seconds = round(time.monotonic() - begin, 3)
        holds = all(answer["holds"] is not False for answer in answers)
        if options["json"]:
            report = {"holds": holds, "seconds": seconds, "invariants": answers}
            self.stdout.write(json.dumps(report, indent=2))
        else:
            self._tell(answers, most)
            self.stdout.write(f"{'All hold' if holds else 'Not all hold'} ({seconds} s).")
        if not holds:
            sys.exit(1)

    def _whole(self, url: str) -> str:
        return f"{settings.BASE_URL}{url}"

    def _tell(self, answers: list[dict[str, Any]], most: int | None) -> None:
        for answer in answers:
            word = {True: "ok", False: "BROKEN", None: "outside"}[answer["holds"]]
            why = f" Not checkable from here: {answer['why_not']}" if word == "outside" else ""
            self.stdout.write(f"{answer['number']:<4} {word:<8} {answer['says']}{why}")
            for violation in answer["violations"]:
                line = "  ".join(filter(None, (violation["where"], violation["url"])))
                self.stdout.write(f"{answer['number']:<4}   - {line}: {violation['what']}")
            if most and len(answer["violations"]) == most:
                self.stdout.write(f"{answer['number']:<4}   … and perhaps more: --all lists them.")
