"""What an approval sheet holds and says; its steps are in ``signoffs``."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from approvals import rules
from approvals.content import digest
from approvals.models.decisions import Decision
from approvals.models.policies import DEFAULT_LEVELS, Policy, default_parts
from approvals.models.progress import LevelProgress
from approvals.querysets import SignoffQuerySet
from releasemgr.accounts.models import Deputy
from releasemgr.workflow.fields import StateField
from releasemgr.workflow.models import Workflow
from releasemgr.workflow.refusals import TransitionRefused
from releasemgr.workflow.states import Status

if TYPE_CHECKING:
    from approvals.models.signoffs import Signoff
    from releasemgr.accounts.models import User
    from releasemgr.workflow.models import StepView


class SignoffState(Status):
    """Where a sheet is."""

    DRAFT = "draft", "mute", "todo", "Approvers can still be named", "Not asked yet"
    READY = "ready", "wait", "wait", "Asked for; approvers are deciding", "Waiting"
    APPROVED = "approved", "ok", "done", "Every level is complete", "Approved"
    REJECTED = "rejected", "bad", "reject", "An approver said no, with a reason", "Rejected"
    POSTPONED = "postponed", "warn", "sched", "An approver wants it in another slot", "Postponed"
    EXPIRED = "expired", "warn", "undo", "Its time was over; ask again", "Expired"
    VOID = "void", "warn", "undo", "Given or asked for other content; ask again", "Void"


class Sheet(Workflow):
    """The columns of a sheet, and what can be read from them."""

    State = SignoffState
    levels: Any
    decisions: Any
    _prefetched_objects_cache: dict[str, Any]
    untold = Workflow.untold | {
        "content",
        "facts",
        "digest",
        "url",
        "requested_at",
        "level_opened_at",
        "remind_at",
        "escalate_at",
        "parts",
    }

    title = models.CharField(max_length=200)
    question = models.CharField(max_length=300, blank=True)
    url = models.CharField(max_length=200, blank=True, help_text="The page of what it is about.")
    policy = models.ForeignKey(Policy, models.PROTECT, null=True, editable=False, related_name="+")
    content = models.JSONField(default=dict, editable=False)
    parts = models.JSONField("bound to", default=default_parts, editable=False)
    facts = models.JSONField(default=list, editable=False)
    digest = models.CharField(max_length=64, blank=True, editable=False)
    round = models.PositiveIntegerField(default=0, editable=False)
    open_level = models.PositiveSmallIntegerField(default=0, editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    requested_at = models.DateTimeField(null=True, editable=False)
    level_opened_at = models.DateTimeField(null=True, editable=False)
    due = models.DateTimeField(null=True, blank=True)
    remind_at = models.DateTimeField(null=True, editable=False)
    escalate_at = models.DateTimeField(null=True, editable=False)
    lapses_at = models.DateTimeField("lapses", null=True, editable=False)
    valid_until = models.DateTimeField("counts until", null=True, editable=False)
    allows_override = models.BooleanField("overrides allowed", default=False)
    asks_password = models.BooleanField(default=False, editable=False)
    barred = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="+", editable=False
    )
    state = StateField(choices=State.choices, default=State.DRAFT, protected=True, editable=False)

    objects = SignoffQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title

    @property
    def next_step(self) -> str:
        if self.state == self.State.APPROVED:
            return ""
        return "approve" if self.state == self.State.READY else "request"

    def towards(self, step: StepView) -> str:
        return str(self.State.APPROVED.label if step.name == "approve" else self.State.READY.label)

    def get_absolute_url(self) -> str:
        return reverse("approvals:detail", args=[self.pk])

    @property
    def _whole(self) -> Signoff:
        """Itself: there is no sheet that is not a sign-off."""
        return cast("Signoff", self)

    # --- What it says -----------------------------------------------------------------------------

    @property
    def is_asked(self) -> bool:
        """Whether people are deciding."""
        return bool(self.state == self.State.READY)

    @property
    def most_levels(self) -> int:
        """How many levels it may have."""
        return self.policy.most_levels if self.policy else DEFAULT_LEVELS

    @property
    def standing(self) -> list[Decision]:
        """The decisions of the present round that nobody has taken back, in their order."""
        rows = [d for d in self.decisions.all() if d.round == self.round]
        recalled = {d.recalls_id for d in rows}
        return [d for d in rows if d.recalls_id is None and d.pk not in recalled]

    def progress(self) -> list[LevelProgress]:
        """Each level with who has decided and what is still missing, in order."""
        votes: dict[int, list[Decision]] = defaultdict(list)
        for decision in self.standing:
            votes[decision.level_number].append(decision)
        return [
            LevelProgress(self._whole, level, votes[level.number], self.barred_ids)
            for level in self.levels.all()
        ]

    def read_whole(self) -> None:
        """Fetch at once what deciding reads over and over; nothing where it is at hand."""
        if "levels" not in getattr(self, "_prefetched_objects_cache", {}):
            type(self).objects.give_levels([self._whole])

    @property
    def seal(self) -> str:
        """What a person who decides has seen: which round of asking, and which content."""
        return f"{self.round}:{self.digest}"

    @property
    def barred_ids(self) -> set[int]:
        """Whose own work it is, whoever asked for it among them: they do not decide."""
        barred = {person.pk for person in self.barred.all()}
        return barred if self.requested_by_id is None else barred | {self.requested_by_id}

    def decision_of(self, user: User) -> Decision | None:
        """What this person said in the present round, or had said for them."""
        return next((d for d in self.standing if user.pk in d.concerns), None)

    def levels_naming(self, user: User) -> list[int]:
        """The numbers of the levels on which this person, or a group of theirs, is named."""
        if user.pk not in self._groups:
            self._groups[user.pk] = {group.pk for group in user.groups.all()}
        groups = self._groups[user.pk]
        return [
            level.number
            for level in self.levels.all()
            if level.stand_in_id == user.pk
            or any(r.person_id == user.pk or r.group_id in groups for r in level.rules.all())
        ]

    @cached_property
    def _groups(self) -> dict[int, set[int]]:
        """The groups of people, asked once for as long as this object lives."""
        return {}

    @cached_property
    def _principals(self) -> dict[int, list[User]]:
        """For whom people stand in, asked once for as long as this object lives."""
        return {}

    def principals_of(self, user: User) -> list[User]:
        """For whom the user may decide, now that the sheet was read."""
        if user.pk not in self._principals:
            rows = Deputy.objects.standing_in(user)
            self._principals[user.pk] = [row.person for row in rows]
        return self._principals[user.pk]

    def waits_for(self, user: User) -> bool:
        """Whether it is this person's turn, for themselves or as somebody's deputy."""
        return bool(rules.voices_for(self._whole, user))

    def is_valid_for(self, content: dict[str, Any]) -> bool:
        """Whether it is approved, for exactly this content, and nothing is left of it."""
        return (
            self.state == self.State.APPROVED
            and self.digest == digest(content)
            and not list(rules.against_counting(self._whole))
        )

    @property
    def author(self) -> User:
        """Who takes the step that is being taken."""
        person = self._history_user
        assert person is not None  # noqa: S101 -- perform() takes no step without an author
        return person

    # --- What the steps are made of ---------------------------------------------------------------

    def _decide(
        self, verdict: Decision.Verdict, seal: str, voice: int | None, confirmed: bool, **more: Any
    ) -> Decision:
        """Write the decision: it belongs to the sheet and is stored in the same transaction.

        ``voice`` is whose vote it is; without one, the person's own or else the first they may
        give. Raises ``TransitionRefused`` where ``seal`` is of another round than the present one,
        where the password was asked for and not given, or where somebody else was quicker.
        """
        person = self.author
        is_override = bool(more.get("is_override"))
        whose = rules.voice_of(self._whole, person, voice, is_override=is_override)
        is_vote = verdict in {Decision.Verdict.APPROVE, Decision.Verdict.CONDITION}
        found = list(
            rules.against_deciding(
                self._whole, person, whose, seal=seal, confirmed=confirmed, is_vote=is_vote
            )
        )
        if found or whose is None:
            raise TransitionRefused(*found)
        other = whose if whose.pk != person.pk else None
        before = [
            d
            for d in self.decisions.all()
            if d.round == self.round
            and d.recalls is not None
            and {person.pk, whose.pk} & d.recalls.concerns
        ]
        given = Decision.objects.create(
            signoff=self._whole,
            round=self.round,
            level_number=self.open_level,
            person=person,
            person_name=str(person),
            on_behalf_of=other,
            on_behalf_name=str(other or ""),
            verdict=verdict,
            comment=self._change_reason or "",
            turn=len(before),
            digest=self.digest,
            **more,
        )
        self._prefetched_objects_cache = {}  # what was written is to be seen
        return given

    def _settle(self) -> SignoffState:
        """The first level that is not complete is the open one; without one it is approved."""
        self._prefetched_objects_cache = {}
        self.read_whole()
        for level in self.progress():
            if not level.is_complete:
                if level.number != self.open_level:
                    self._open(level.number)
                return self.State.READY
        self._close()
        self.valid_until = self._in(days=self.policy.valid_days if self.policy else None)
        return self.State.APPROVED

    def _open(self, number: int) -> None:
        """Open a level; its clock starts."""
        policy = self.policy
        self.open_level = number
        self.level_opened_at = timezone.now()
        if policy is not None:
            self.due = self._in(hours=policy.answer_hours)
            self.remind_at = self._in(hours=policy.remind_hours)
            self.escalate_at = self._in(hours=policy.escalate_hours)

    def _close(self) -> None:
        """Nobody is asked any more."""
        self.open_level = 0
        self.level_opened_at = self.remind_at = self.escalate_at = self.lapses_at = None

    def _in(self, *, hours: int | None = None, days: int | None = None) -> dt.datetime | None:
        """So many hours or days from now; never, where there are none."""
        if hours is None and days is None:
            return None
        return timezone.now() + dt.timedelta(hours=hours or 0, days=days or 0)
