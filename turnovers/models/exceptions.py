"""Exceptions from freezes: one turnover or application release passes, and two people say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import django_fsm as fsm
from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from releasemgr.workflow.fields import StateField
from releasemgr.workflow.imported import Imported
from releasemgr.workflow.models import Workflow, known_states
from releasemgr.workflow.rules import as_of
from turnovers import rules
from turnovers.exception_querysets import ExceptionQuerySet
from turnovers.states import ExceptionState

if TYPE_CHECKING:
    import datetime as dt

    from trains.models import ApplicationRelease
    from turnovers.models.turnovers import Turnover

User = settings.AUTH_USER_MODEL


class FreezeException(Imported, Workflow):
    """One person asks that a freeze let one piece of work pass; another one grants it.

    The work is a turnover, or, where the freeze stops scope changes, an application release.
    """

    State = ExceptionState
    lock_first = ("freeze", "release", "turnover")

    freeze = models.ForeignKey("trains.Freeze", models.CASCADE, related_name="exceptions")
    turnover = models.ForeignKey(
        "turnovers.Turnover",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="freeze_exceptions",
    )
    release = models.ForeignKey(
        "trains.ApplicationRelease",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="freeze_exceptions",
        verbose_name="application release",
    )
    reason = models.TextField(help_text="Why it cannot wait until the freeze is over.")
    risk = models.TextField(help_text="What can go wrong, and whom it would hit.")
    rollback = models.TextField("way back", help_text="How it is undone if it does go wrong.")
    expires = models.DateTimeField(help_text="From then on the freeze counts again.")
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, editable=False, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, editable=False, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, editable=False)
    state = StateField(choices=State.choices, default=State.ASKED, protected=True, editable=False)

    objects = ExceptionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = "freeze exception"
        permissions = [("decide_exception", "Can grant and refuse exceptions from freezes")]
        constraints = [
            *Imported.Meta.constraints,
            known_states(ExceptionState, "freezeexception"),
            models.CheckConstraint(
                condition=models.Q(turnover__isnull=True) ^ models.Q(release__isnull=True),
                name="exception_of_a_turnover_or_a_release",
            ),
            models.UniqueConstraint(
                fields=["freeze", "turnover"],
                condition=models.Q(state="asked", turnover__isnull=False),
                name="one_open_exception_a_turnover",
            ),
            models.UniqueConstraint(
                fields=["freeze", "release"],
                condition=models.Q(state="asked", release__isnull=False),
                name="one_open_exception_a_release",
            ),
        ]
        indexes = [models.Index(fields=["state", "expires"], name="exceptions_by_their_end")]

    def __str__(self) -> str:
        return f"Exception from “{self.freeze}” for {self.subject}"

    def get_absolute_url(self) -> str:
        return reverse("turnovers:freeze-exception", args=[self.pk])

    @property
    def subject(self) -> Turnover | ApplicationRelease | None:
        """What the freeze lets pass."""
        return self.turnover or self.release

    @property
    def is_open(self) -> bool:
        return bool(self.state == ExceptionState.ASKED)

    def is_over(self, at: dt.datetime) -> bool:
        """Whether it counts no longer at that moment."""
        return self.expires <= at

    def counts(self, at: dt.datetime) -> bool:
        """Whether the freeze lets it pass at that moment."""
        return bool(self.state == ExceptionState.GRANTED) and not self.is_over(at)

    @property
    def next_step(self) -> str:
        return "grant" if self.is_open else ""

    @fsm.transition(
        state,
        source=State.ASKED,
        target=State.GRANTED,
        conditions=[rules.its_freeze_is_in_force, rules.its_end_is_ahead],
        permission=rules.may_decide_exception,
        custom={
            "label": "Grant",
            "question": "Grant it? {row}",
            "explains": "The freeze does not stop it until the exception expires. The reason, the "
            "risk and your name are kept.",
            "primary": True,
            "confirm": True,
            "then": ["turnovers.tasks.look"],
        },
    )
    def grant(self) -> None:
        """The freeze does not stop it."""
        self._decided()

    @fsm.transition(
        state,
        source=State.ASKED,
        target=State.REFUSED,
        permission=rules.may_decide_exception,
        custom={"label": "Refuse", "needs_reason": True, "danger": True},
    )
    def refuse(self) -> None:
        """The freeze counts for it, too."""
        self._decided()

    @fsm.transition(
        state,
        source=State.ASKED,
        target=State.WITHDRAWN,
        permission=rules.may_withdraw_exception,
        custom={"label": "Withdraw", "danger": True},
    )
    def withdraw(self) -> None:
        """No longer asked for."""

    @fsm.transition(
        state,
        source=State.GRANTED,
        target=State.WITHDRAWN,
        conditions=[rules.its_end_is_ahead],
        permission=rules.may_withdraw_exception,
        custom={
            "label": "Take back",
            "explains": "The freeze stops it again. What has begun goes on to its end.",
            "needs_reason": True,
            "danger": True,
        },
    )
    def revoke(self) -> None:
        """The freeze stops it again, though an exception was granted."""

    def _decided(self) -> None:
        self.decided_by = self._history_user
        self.decided_at = as_of(self)
