"""What people said, about exactly which content."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone

from releasemgr.workflow.states import Status


class Decision(models.Model):
    """What one person said, about exactly which content. Never changed, never deleted.

    ``person`` is who said it; ``on_behalf_of`` is whose vote it is, where a deputy or an override
    gave it for somebody else. Who takes a decision back writes another one, which ``recalls`` it.
    """

    class Verdict(Status):
        APPROVE = "approve", "ok", "done", "Given; recorded in the history", "Approved"
        CONDITION = (
            "condition",
            "ok",
            "done",
            "Given; counts for the start once its condition is met",
            "Approved with a condition",
        )
        REJECT = "reject", "bad", "reject", "Given with a reason", "Rejected"
        POSTPONE = "postpone", "warn", "sched", "Not now, but in another slot", "Postponed"
        RECALL = "recall", "warn", "undo", "An earlier decision, taken back", "Taken back"

    signoff = models.ForeignKey("approvals.Signoff", models.PROTECT, related_name="decisions")
    round = models.PositiveIntegerField()
    level_number = models.PositiveSmallIntegerField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="decisions")
    person_name = models.CharField(max_length=200)
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    on_behalf_name = models.CharField(max_length=200, blank=True, default="")
    is_override = models.BooleanField(default=False)
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    comment = models.TextField(blank=True)
    slot_starts = models.DateTimeField(null=True, blank=True)
    slot_ends = models.DateTimeField(null=True, blank=True)
    recalls = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="recalled_by"
    )
    turn = models.PositiveSmallIntegerField(
        default=0, help_text="How many decisions of theirs in this round were taken back before."
    )
    digest = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["signoff", "round", "person", "turn"],
                condition=models.Q(recalls__isnull=True),
                name="one_decision_a_person_round_and_turn",
            ),
            models.UniqueConstraint(
                "signoff",
                "round",
                "turn",
                Coalesce("on_behalf_of", "person"),
                condition=models.Q(recalls__isnull=True),
                name="one_decision_a_vote_round_and_turn",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.who}: {self.status.label}"

    @property
    def status(self) -> Decision.Verdict:
        return self.Verdict(self.verdict)

    @property
    def voice_id(self) -> int:
        """Whose vote it is."""
        return self.on_behalf_of_id or self.person_id

    @property
    def concerns(self) -> set[int]:
        """Who has had a say with it: whose vote it is, and who gave it."""
        return {self.person_id, self.voice_id}

    @property
    def who(self) -> str:
        """Who said it and, where that is somebody else, for whom."""
        if not self.on_behalf_name:
            return self.person_name
        return f"{self.person_name} for {self.on_behalf_name}"

    @property
    def is_vote(self) -> bool:
        """Whether it counts towards a quorum."""
        return self.verdict in {self.Verdict.APPROVE, self.Verdict.CONDITION}
