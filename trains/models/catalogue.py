"""What is released, who builds it, and the types of release."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from releasemgr.workflow.imported import Imported
from releasemgr.workflow.models import Recorded
from trains.planning_querysets import ReleaseTypeQuerySet
from trains.querysets import ApplicationQuerySet

User = settings.AUTH_USER_MODEL


class ReleaseType(Recorded):
    """Major, minor, patch, emergency, or what administrators add; gives a train its defaults."""

    name = models.CharField(max_length=60, unique=True)
    description = models.CharField(max_length=300, blank=True)
    needs_train_approval = models.BooleanField(default=True)
    needs_development_approval = models.BooleanField(default=True)
    needs_executive_approval = models.BooleanField(default=True)
    is_emergency = models.BooleanField(
        "emergency",
        default=False,
        help_text="A short path: only a start and an end date are asked for.",
    )
    approval_policy = models.ForeignKey(
        "approvals.Policy",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="How many levels its approvals have, how soon they are due, what they are bound "
        "to. None: up to four levels, bound to everything, without dates.",
    )
    position = models.PositiveSmallIntegerField("order", default=0)
    is_active = models.BooleanField("offered for new trains", default=True)

    objects = ReleaseTypeQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class Team(Imported, Recorded):
    """Who builds an application."""

    name = models.CharField(max_length=200)

    class Meta:
        ordering = ["name"]
        constraints = [*Imported.Meta.constraints]

    def __str__(self) -> str:
        return self.name


class Application(Imported, Recorded):
    """What is released: a product, a set of components or a shared service."""

    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="applications"
    )
    owner = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=100, blank=True)
    repositories = models.JSONField(default=list, blank=True)
    tracker = models.CharField(max_length=500, blank=True)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        permissions = [("edit_application", "Can add and change applications")]
        constraints = [
            *Imported.Meta.constraints,
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(external_id=""),
                name="application_name_is_unique",
                violation_error_message="There is an application of this name already.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("trains:application", args=[self.pk])
