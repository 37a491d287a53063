"""What people say, see and agree upon around a run."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from releasemgr.workflow.models import Recorded
from turnovers.models.runs import Run
from turnovers.querysets import ReviewActionQuerySet

User = settings.AUTH_USER_MODEL


class Note(models.Model):
    """Something said to everybody who follows a run. Rows are added, never changed."""

    run = models.ForeignKey(Run, models.PROTECT, related_name="notes")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    #: The author's name as it was, which outlives the user row.
    name = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now)
    words = models.TextField()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.words


class Presence(models.Model):
    """Who has a run's page open, as of when."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="present")
    person = models.ForeignKey(User, models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "person"], name="once_present_at_a_run")
        ]

    def __str__(self) -> str:
        return str(self.person)


class ReviewAction(Recorded):
    """Something to do that the review of a run brought up."""

    run = models.ForeignKey(Run, models.PROTECT, related_name="actions")
    words = models.CharField("what is to be done", max_length=500)
    owner = models.ForeignKey(User, models.PROTECT, related_name="+")
    due = models.DateField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, editable=False)

    objects = ReviewActionQuerySet.as_manager()

    class Meta:
        ordering = ["done_at", "due", "pk"]

    def __str__(self) -> str:
        return self.words

    def get_absolute_url(self) -> str:
        return f"{reverse('turnovers:run-review', args=[self.run_id])}#action-{self.pk}"

    @property
    def edit_url(self) -> str:
        return reverse("turnovers:action", args=[self.pk])

    @property
    def done_url(self) -> str:
        """Where it is marked done, or not done after all."""
        return reverse("turnovers:action-done", args=[self.pk])

    @property
    def is_overdue(self) -> bool:
        return self.done_at is None and self.due is not None and self.due < timezone.localdate()
