"""Data sets that came from files, and the files that people brought."""

from __future__ import annotations

import json
from pathlib import Path

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from releasemgr.workflow.states import Status

#: After so many seconds without news, people are offered to start a check or an import again.
PATIENCE = 30


class Dataset(models.Model):
    """What a release-data file says besides the rows that were made of it."""

    name = models.CharField(max_length=100, unique=True)
    #: Title, licence, source and whatever else stands at the head of the file.
    header = models.JSONField(default=dict)
    #: Objects of kinds that have no rows here, and single objects that could not become one.
    kept = models.JSONField(default=dict)
    imported_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        return str(self.header.get("title", self.name))


class UploadState(Status):
    """How far a file is."""

    CHECKING = "checking", "run", "run", "Being read and compared", "Checking"
    CHECKED = "checked", "you", "ready", "Can be imported; nothing is written yet", "Checked"
    IMPORTING = "importing", "run", "run", "Being written", "Importing"
    IMPORTED = "imported", "ok", "done", "Written whole", "Imported"
    REFUSED = "refused", "bad", "fail", "Nothing was written", "Refused"


class Upload(models.Model):
    """One file: checked, previewed, then imported whole or not at all."""

    State = UploadState

    name = models.CharField(max_length=255)
    path = models.CharField(max_length=500, editable=False)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(default=timezone.now)
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    #: When the present state began.
    since = models.DateTimeField(default=timezone.now)
    version = models.PositiveIntegerField(default=1, editable=False)
    state = models.CharField(
        max_length=10, choices=UploadState.choices, default=UploadState.CHECKING
    )
    dataset = models.CharField(max_length=100, blank=True)
    report = models.JSONField(default=dict)
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        permissions = [
            ("import_data", "Can import release data"),
            ("export_data", "Can export release data"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("exchange:upload", args=[self.pk])

    @property
    def status(self) -> UploadState:
        return UploadState(self.state)

    @property
    def is_busy(self) -> bool:
        return self.state in {UploadState.CHECKING, UploadState.IMPORTING}

    @property
    def is_overdue(self) -> bool:
        """Whether nothing was heard for so long that the message to the worker may be lost."""
        return self.is_busy and (timezone.now() - self.since).total_seconds() > PATIENCE

    @property
    def progress(self) -> tuple[int, str]:
        """Per cent and what is being done.

        Kept in a file beside the data: the import is one transaction, which nobody sees into.
        """
        try:
            percent, words = json.loads(self.progress_path.read_text())
            return int(percent), str(words)
        except (OSError, ValueError, TypeError):
            return 0, "Waiting for a worker"

    @property
    def progress_path(self) -> Path:
        return Path(self.path).with_suffix(".progress")
