"""What shows that a criterion is met, besides what was said when it was: notes, links, files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone

from releasemgr.workflow.models import Recorded, RecordedQuerySet
from trains.models.gates import Criterion

if TYPE_CHECKING:
    from pathlib import Path

User = settings.AUTH_USER_MODEL


class Evidence(Recorded):
    """A note, a link, a file, or several of them at once. A file lies under a name of our own."""

    untold = Recorded.untold | {"stored_as", "sha256"}

    criterion = models.ForeignKey(Criterion, models.CASCADE, related_name="filed")
    note = models.TextField(blank=True)
    url = models.URLField("link", max_length=500, blank=True)
    name = models.CharField("file", max_length=255, blank=True, editable=False)
    stored_as = models.CharField(max_length=64, blank=True, editable=False)
    size = models.PositiveBigIntegerField(default=0, editable=False)
    sha256 = models.CharField(max_length=64, blank=True, editable=False)
    added_by = models.ForeignKey(User, models.PROTECT, editable=False, related_name="+")
    added_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = RecordedQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "evidence"

    def __str__(self) -> str:
        return str(self.name or self.note[:80] or self.url)

    @property
    def file(self) -> Path:
        """Where its file lies; whether it is still there is for whoever opens it to see."""
        return settings.VAR_DIR / "evidence" / self.stored_as
