"""The levels of a sheet, and on each the rules over people and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from approvals.models.policies import MOST_LEVELS
from releasemgr.workflow.models import Recorded, RecordedQuerySet

if TYPE_CHECKING:
    from releasemgr.accounts.models import User


class Level(Recorded):
    """One of the sheet's levels; the next opens when this one is complete."""

    signoff = models.ForeignKey("approvals.Signoff", models.CASCADE, related_name="levels")
    number = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(MOST_LEVELS)]
    )
    name = models.CharField(max_length=100, blank=True)
    stand_in = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        help_text="Who may decide in place of anybody who is missing, after an escalation.",
    )

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["signoff", "number"], name="level_number_is_unique"),
            models.CheckConstraint(
                condition=models.Q(number__gte=1, number__lte=MOST_LEVELS),
                name="level_is_1_to_12",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}. {self.name}" if self.name else f"Level {self.number}"


class Rule(Recorded):
    """So many votes of a group, or one person's."""

    level = models.ForeignKey(Level, models.CASCADE, related_name="rules")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    group = models.ForeignKey("auth.Group", models.PROTECT, null=True, blank=True, related_name="+")
    needed = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )

    objects = RecordedQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(person__isnull=True, group__isnull=False, needed__gte=1)
                | models.Q(person__isnull=False, group__isnull=True, needed=1),
                name="rule_is_a_person_or_so_many_of_a_group",
            ),
        ]

    def __str__(self) -> str:
        return str(self.person) if self.person else f"{self.needed} of {self.group}"

    @property
    def people(self) -> list[User]:
        """The active people whose vote counts for this rule."""
        if self.person is not None:
            return [self.person] if self.person.is_active else []
        assert self.group is not None  # noqa: S101 -- the database's own constraint
        return [user for user in self.group.user_set.all() if user.is_active]
