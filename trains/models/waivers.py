"""Waivers: a gate is passed without a criterion, for a reason, until a day, by two people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import django_fsm as fsm
from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from releasemgr.workflow.fields import StateField
from releasemgr.workflow.models import Workflow, known_states
from releasemgr.workflow.rules import robot_only
from trains import rules
from trains.gate_querysets import WaiverQuerySet
from trains.models.gates import Criterion
from trains.states import WaiverState

if TYPE_CHECKING:
    import datetime as dt

User = settings.AUTH_USER_MODEL


class Waiver(Workflow):
    """One person asks that a criterion be let pass; another, of a restricted role, grants it."""

    State = WaiverState
    lock_first = ("criterion.gate.train", "criterion")

    criterion = models.ForeignKey(Criterion, models.CASCADE, related_name="waivers")
    reason = models.TextField(help_text="Why the gate may be passed without it.")
    scope = models.TextField(
        help_text="What is let pass, and what is still asked for: which part, where, for whom."
    )
    until = models.DateField(help_text="The last day on which it counts.")
    asked_by = models.ForeignKey(User, models.PROTECT, editable=False, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, editable=False, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, editable=False)
    state = StateField(
        choices=State.choices, default=State.REQUESTED, protected=True, editable=False
    )

    objects = WaiverQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            known_states(WaiverState, "waiver"),
            models.UniqueConstraint(
                fields=["criterion"],
                condition=models.Q(state__in=["requested", "granted"]),
                name="one_live_waiver_a_criterion",
            ),
        ]
        indexes = [models.Index(fields=["state", "until"], name="waivers_by_their_end")]

    def __str__(self) -> str:
        return f"Waiver of “{self.criterion}”"

    def get_absolute_url(self) -> str:
        return reverse("trains:waiver", args=[self.pk])

    @property
    def is_live(self) -> bool:
        return self.state in {WaiverState.REQUESTED, WaiverState.GRANTED}

    def is_over(self, at: dt.datetime) -> bool:
        """Whether its last day has passed at that moment."""
        return timezone.localdate(at) > self.until

    @fsm.transition(
        state,
        source=State.REQUESTED,
        target=State.GRANTED,
        conditions=[rules.waived_gate_is_ahead, rules.its_last_day_is_ahead],
        permission=rules.may_grant_waiver,
        custom={
            "label": "Grant",
            "question": "Grant it? {row}",
            "explains": "The gate can then be passed without it until its last day. The waiver, "
            "its reason and your name are shown to every later approver.",
            "primary": True,
            "confirm": True,
            "also": ["trains.waivers.let_pass"],
        },
    )
    def grant(self) -> None:
        """The gate is passed without it."""
        self._decided()

    @fsm.transition(
        state,
        source=State.REQUESTED,
        target=State.REFUSED,
        permission=rules.may_grant_waiver,
        custom={"label": "Refuse", "needs_reason": True, "danger": True},
    )
    def refuse(self) -> None:
        """It stays asked for."""
        self._decided()

    @fsm.transition(
        state,
        source=State.REQUESTED,
        target=State.WITHDRAWN,
        permission=rules.may_withdraw_waiver,
        custom={"label": "Withdraw", "danger": True},
    )
    def withdraw(self) -> None:
        """No longer asked for."""

    @fsm.transition(
        state,
        source=State.GRANTED,
        target=State.REVOKED,
        conditions=[rules.waived_gate_is_ahead],
        permission=rules.may_revoke_waiver,
        custom={
            "label": "Take back",
            "explains": "The criterion is open again and stops its gate.",
            "needs_reason": True,
            "danger": True,
            "also": ["trains.waivers.ask_for_it_again"],
        },
    )
    def revoke(self) -> None:
        """The criterion is asked for again."""

    @fsm.transition(
        state,
        source=State.GRANTED,
        target=State.EXPIRED,
        permission=robot_only,
        custom={"label": "Expire", "also": ["trains.waivers.ask_for_it_again"]},
    )
    def expire(self) -> None:
        """Its last day has passed."""

    def _decided(self) -> None:
        self.decided_by = self._history_user
        self.decided_at = timezone.now()
