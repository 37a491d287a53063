"""``manage.py export_release_data --dataset NAME``: write a data set in the exchange format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from releasemgr.exchange.export import export
from releasemgr.exchange.models import Dataset


class Command(BaseCommand):
    help = "Write a data set that was imported, as it stands now (docs/exchange-format.md)."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--dataset", required=True, metavar="NAME")
        parser.add_argument("--output", type=Path, metavar="FILE", help="Instead of printing it")

    def handle(self, *args: Any, **options: Any) -> None:
        dataset = Dataset.objects.filter(name=options["dataset"]).first()
        if dataset is None:
            known = ", ".join(Dataset.objects.values_list("name", flat=True)) or "none"
            raise CommandError(f"There is no data set {options['dataset']}. There is: {known}.")
        with transaction.atomic():
            if options["output"]:
                self._write(options["output"], dataset)
            else:
                for piece in export(dataset):
                    self.stdout.write(piece, ending="")

    def _write(self, path: Path, dataset: Dataset) -> None:
        """Write beside the file and put it in its place whole."""
        part = path.with_name(f"{path.name}.part")
        try:
            with part.open("w", encoding="utf-8") as file:
                file.writelines(export(dataset))
            part.replace(path)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
