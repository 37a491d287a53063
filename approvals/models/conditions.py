"""What an approver asked for in return, and whether it has been done."""

from __future__ import annotations

import django_fsm as fsm
from django.conf import settings
from django.db import models
from django.template.defaultfilters import truncatechars

from approvals import oversight
from approvals.models.decisions import Decision
from approvals.models.signoffs import Signoff
from approvals.querysets import ConditionQuerySet
from releasemgr.workflow.fields import StateField
from releasemgr.workflow.models import Workflow, known_states
from releasemgr.workflow.states import Status


class ConditionState(Status):
    """Whether it has been done."""

    OPEN = "open", "warn", "todo", "The approval does not count for the start yet", "To be met"
    MET = "met", "ok", "done", "Whoever asked for it has seen it", "Met"
    WAIVED = "waived", "warn", "waived", "A release manager let it be, with a reason", "Waived"


class Condition(Workflow):
    """The condition of an approval; the sheet counts for nothing until it is met or waived."""

    State = ConditionState
    lock_first = ("signoff",)

    signoff = models.ForeignKey(Signoff, models.PROTECT, related_name="conditions")
    decision = models.OneToOneField(Decision, models.PROTECT, related_name="condition")
    words = models.TextField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    state = StateField(choices=State.choices, default=State.OPEN, protected=True, editable=False)

    objects = ConditionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [known_states(ConditionState, "condition")]

    def __str__(self) -> str:
        return truncatechars(self.words, 80)

    def get_absolute_url(self) -> str:
        return self.signoff.get_absolute_url()

    @fsm.transition(
        state,
        source=State.OPEN,
        target=State.MET,
        permission=oversight.may_confirm_condition,
        custom={"label": "It is met", "primary": True, "said": "The condition is met."},
    )
    def confirm(self) -> None:
        """Whoever asked for it, or their deputy, has seen that it was done."""

    @fsm.transition(
        state,
        source=State.OPEN,
        target=State.WAIVED,
        permission=oversight.may_waive_condition,
        custom={
            "label": "Waive",
            "question": "Let this condition be?",
            "explains": "The approval then counts although the condition was not met. Your name "
            "and reason stand beside it.",
            "needs_reason": True,
            "danger": True,
            "said": "The condition is waived.",
        },
    )
    def waive(self) -> None:
        """An override: the approval counts without it."""
