"""Milestones: dated checks on the way of a train or of an application release."""

from __future__ import annotations

from typing import TYPE_CHECKING

import django_fsm as fsm
from django.conf import settings
from django.db import models
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from releasemgr.workflow.fields import StateField
from releasemgr.workflow.imported import Imported
from releasemgr.workflow.models import Workflow, known_states
from trains import rules
from trains.models.trains import Train
from trains.querysets import MilestoneQuerySet
from trains.states import MilestoneState

if TYPE_CHECKING:
    from trains.models.releases import ApplicationRelease

User = settings.AUTH_USER_MODEL


class Milestone(Imported, Workflow):
    """A dated check of a train or of an application release; a copy knows its origin.

    ``origin_title`` and ``origin_due`` are what a copy was last told by its origin, or was asked to
    take over and did not; ``baseline`` is what later dates are measured by.
    """

    untold = Workflow.untold | {"origin_title", "origin_due"}

    State = MilestoneState

    train = models.ForeignKey(
        Train, models.CASCADE, null=True, blank=True, related_name="milestones"
    )
    release = models.ForeignKey(
        "ApplicationRelease", models.CASCADE, null=True, blank=True, related_name="milestones"
    )
    title = models.CharField(max_length=300)
    due = models.DateField()
    owner = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    same_role = models.BooleanField(
        "same role may act", default=False, help_text="Others in a role of the owner may act too."
    )
    for_all = models.BooleanField(
        "for all application releases",
        default=False,
        help_text="Copied to each application release when the train enters Construction.",
    )
    origin = models.ForeignKey(
        "self", models.SET_NULL, null=True, editable=False, related_name="copies"
    )
    baseline = models.DateField(
        null=True, editable=False, help_text="The date it had when building began, or it was made."
    )
    origin_title = models.CharField(max_length=300, blank=True, editable=False)
    origin_due = models.DateField(null=True, editable=False)
    state = StateField(choices=State.choices, default=State.OPEN, protected=True, editable=False)

    objects = MilestoneQuerySet.as_manager()

    class Meta:
        ordering = ["due", "pk"]
        constraints = [
            *Imported.Meta.constraints,
            known_states(MilestoneState, "milestone"),
            models.CheckConstraint(
                condition=models.Q(train__isnull=True) ^ models.Q(release__isnull=True),
                name="milestone_of_a_train_or_a_release",
            ),
        ]
        indexes = [models.Index(fields=["owner", "state", "due"])]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        holder = self.train or self.release
        assert holder is not None  # noqa: S101 -- the database's own constraint
        return f"{holder.tab_url('milestones')}#milestone-{self.pk}"

    @property
    def settle_url(self) -> str:
        """Where its copies that were changed by hand are settled."""
        return reverse("trains:milestone-settle", args=[self.pk])

    @property
    def holder(self) -> Train | ApplicationRelease | None:
        return self.train or self.release

    @property
    def drift(self) -> int:
        """By how many days its date has moved since its baseline; 0 where there is none."""
        return (self.due - self.baseline).days if self.baseline else 0

    @property
    def drift_words(self) -> str:
        """The same for people; nothing where it has not moved."""
        if not self.drift or self.baseline is None:
            return ""
        days = abs(self.drift)
        way = "later" if self.drift > 0 else "earlier"
        day = date_format(self.baseline, "j F Y")
        return f"{days} day{pluralize(days)} {way} than its baseline, {day}"

    @property
    def is_changed_by_hand(self) -> bool:
        """Whether a copy says something else than its origin said when it was last told."""
        told = (self.origin_title, self.origin_due)
        return self.origin_due is not None and (self.title, self.due) != told

    @property
    def is_late(self) -> bool:
        return bool(self.state == self.State.OPEN and self.due < timezone.localdate())

    @fsm.transition(
        state,
        source=[State.OPEN, State.MISSED],
        target=State.COMPLETED,
        conditions=[rules.its_work_is_open],
        permission=rules.may_act_on_milestone,
        custom={"label": "Complete", "primary": True},
    )
    def complete(self) -> None:
        """Reached."""

    @fsm.transition(
        state,
        source=State.OPEN,
        target=State.MISSED,
        conditions=[rules.its_work_is_open],
        permission=rules.may_act_on_milestone,
        custom={"label": "Mark missed", "needs_reason": True, "danger": True},
    )
    def miss(self) -> None:
        """Its date passed without it."""

    @fsm.transition(
        state,
        source=[State.COMPLETED, State.MISSED],
        target=State.OPEN,
        conditions=[rules.its_work_is_open],
        permission=rules.may_act_on_milestone,
        custom={"label": "Open again", "needs_reason": True},
    )
    def reopen(self) -> None:
        """Not settled after all."""
