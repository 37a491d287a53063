"""The library of criteria: what gates ask for again and again, to be copied from."""

from __future__ import annotations

from django.db import models
from django.urls import reverse

from releasemgr.workflow.models import Recorded
from trains.gate_querysets import LibraryQuerySet
from trains.states import GateStage


class LibraryCriterion(Recorded):
    """A criterion to copy. What was copied from it stays as it is when it changes."""

    title = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    stage = models.CharField(
        "usual gate", max_length=12, choices=GateStage.choices, default=GateStage.QA
    )
    checked_by = models.CharField(max_length=30, blank=True)
    parameters = models.JSONField(default=dict, blank=True)
    check_every = models.PositiveIntegerField("check every (minutes)", default=15)
    good_for = models.PositiveIntegerField("an answer is good for (minutes)", default=60)
    green_for = models.PositiveIntegerField("must be true for (minutes)", default=0)
    is_active = models.BooleanField("offered", default=True)

    objects = LibraryQuerySet.as_manager()

    class Meta:
        verbose_name = "criterion of the library"
        verbose_name_plural = "library of criteria"
        ordering = ["title", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["title", "stage"],
                condition=models.Q(is_active=True),
                name="one_library_criterion_of_a_title",
            )
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("admin:trains_librarycriterion_change", args=[self.pk])
