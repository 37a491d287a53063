"""Sign-off sheets: asked for, decided upon level by level, bound to content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_fsm as fsm
from django.db import models
from django.utils import timezone

from approvals import oversight, rules
from approvals.content import digest
from approvals.models.decisions import Decision
from approvals.models.levels import Rule
from approvals.models.policies import default_parts
from approvals.models.sheet import Sheet, SignoffState
from releasemgr.workflow.edit import create, edit, remove
from releasemgr.workflow.models import known_states
from releasemgr.workflow.refusals import TransitionRefused
from releasemgr.workflow.rules import robot_only

if TYPE_CHECKING:
    import datetime as dt

    from django.contrib.auth.models import Group

    from releasemgr.accounts.models import User
    from releasemgr.workflow.rules import Blocker

_STATE = "state"
_DECIDES: dict[str, Any] = {"form": "approvals.forms.DecisionForm"}
_GO_ON = "approvals.services.go_on"


class Signoff(Sheet):
    """A sheet on which named people decide, level by level, upon content that is kept with it.

    Whoever needs approval owns a sheet by a foreign key; the sheet knows nobody's business. It is
    valid only while the digest of the content equals the one that was decided upon.
    """

    State = SignoffState

    class Meta:
        ordering = ["-requested_at", "-pk"]
        permissions = [("request_signoff", "Can ask for approvals")]
        constraints = [known_states(SignoffState, "signoff")]
        indexes = [models.Index(fields=["state", "open_level"])]

    # --- Asking -----------------------------------------------------------------------------------

    @fsm.transition(
        _STATE,
        source=[
            State.DRAFT,
            State.REJECTED,
            State.POSTPONED,
            State.EXPIRED,
            State.VOID,
            State.READY,
        ],
        target=State.READY,
        conditions=[rules.it_has_levels, rules.a_quorum_can_exist],
        permission=rules.may_request,
        custom={"label": "Ask for approval", "said": "{row} was asked for."},
    )
    def request(
        self,
        content: dict[str, Any] | None = None,
        facts: list[list[str]] | None = None,
        question: str = "",
        url: str = "",
    ) -> None:
        """Ask the first level, for the content as it is now; earlier decisions no longer count.

        What the policy asks is copied: weakening it later does not weaken what was asked.
        """
        self.requested_by = self._history_user
        self.requested_at = timezone.now()
        self.parts = list(self.policy.parts) if self.policy else default_parts()
        self.asks_password = bool(self.policy and self.policy.asks_password)
        self.content = content if content is not None else rules.content_now(self)
        self.facts = facts if facts is not None else rules.facts_now(self)
        self.question, self.url = question or self.question, url or self.url
        self.digest = digest(self.content)
        self.round += 1
        self.valid_until = None
        self.lapses_at = self._in(days=self.policy.lapse_days if self.policy else None)
        self._open(min(level.number for level in self.levels.all()))
        if found := rules.a_quorum_can_exist.blockers(self):
            # Whoever asks is barred from now on, and may be the one whom a level cannot do without.
            raise TransitionRefused(*found)

    def awaits(self) -> list[Blocker]:
        return list(rules.votes_missing(self))

    # --- Deciding ---------------------------------------------------------------------------------

    @fsm.transition(
        _STATE,
        source=State.READY,
        target=fsm.RETURN_VALUE(State.READY, State.APPROVED),
        conditions=[rules.content_is_as_asked, rules.nothing_stops_deciding],
        permission=rules.may_decide,
        custom={
            **_DECIDES,
            "label": "Approve",
            "primary": True,
            "said": "You approved {row}.",
            "also": [_GO_ON],
        },
    )
    def approve(
        self, seal: str = "", voice: int | None = None, confirmed: bool = False
    ) -> SignoffState:
        """Give one vote; the level it completes opens the next, the last one approves the sheet."""
        self._decide(Decision.Verdict.APPROVE, seal, voice, confirmed)
        return self._settle()

    @fsm.transition(
        _STATE,
        source=State.READY,
        target=fsm.RETURN_VALUE(State.READY, State.APPROVED),
        conditions=[rules.content_is_as_asked, rules.nothing_stops_deciding],
        permission=rules.may_decide,
        custom={
            **_DECIDES,
            "label": "Approve with a condition",
            "question": "Approve {row} with a condition?",
            "explains": "Your vote counts. What was asked about starts when you have confirmed "
            "that the condition is met.",
            "needs_reason": True,
            "said": "You approved {row}, with a condition.",
            "also": ["approvals.services.keep_condition", _GO_ON],
        },
    )
    def approve_if(
        self, seal: str = "", voice: int | None = None, confirmed: bool = False
    ) -> SignoffState:
        """Give one vote, with something to be done before the approval counts."""
        self._decide(Decision.Verdict.CONDITION, seal, voice, confirmed)
        return self._settle()

    @fsm.transition(
        _STATE,
        source=State.READY,
        target=State.REJECTED,
        permission=rules.may_decide,
        custom={
            **_DECIDES,
            "label": "Reject",
            "question": "Reject {row}?",
            "explains": "It is sent back: one rejection ends this round. Whoever asked is told "
            "why.",
            "needs_reason": True,
            "danger": True,
            "said": "You rejected {row}.",
            "also": [_GO_ON],
        },
    )
    def reject(self, seal: str = "", voice: int | None = None, confirmed: bool = False) -> None:
        """Say no, with a reason. One rejection ends the round."""
        self._decide(Decision.Verdict.REJECT, seal, voice, confirmed)
        self._close()

    @fsm.transition(
        _STATE,
        source=State.READY,
        target=State.POSTPONED,
        permission=rules.may_decide,
        custom={
            "form": "approvals.forms.PostponeForm",
            "label": "Postpone",
            "question": "Postpone {row}?",
            "explains": "This round ends without a rejection. Whoever asked reads in which slot "
            "you want it, and asks again for that.",
            "needs_reason": True,
            "said": "You postponed {row}.",
            "also": [_GO_ON],
        },
    )
    def postpone(
        self,
        slot_starts: dt.datetime,
        slot_ends: dt.datetime,
        seal: str = "",
        voice: int | None = None,
        confirmed: bool = False,
    ) -> None:
        """Not now, but in this slot."""
        slot = {"slot_starts": slot_starts, "slot_ends": slot_ends}
        self._decide(Decision.Verdict.POSTPONE, seal, voice, confirmed, **slot)
        self._close()

    @fsm.transition(
        _STATE,
        source=[State.READY, State.APPROVED],
        target=State.READY,
        conditions=[rules.it_can_be_taken_back],
        permission=rules.may_recall,
        custom={
            "label": "Take my decision back",
            "question": "Take your decision upon {row} back?",
            "explains": "Your vote no longer counts, and its level waits for one again. What "
            "others said stands. Both your decision and that you took it back stay on record.",
            "needs_reason": True,
            "said": "Your decision upon {row} is taken back.",
        },
    )
    def recall(self) -> None:
        """Take one's own standing decision back, as long as nothing has been done upon it."""
        person = self.author
        given = self.decision_of(person)
        assert given is not None  # noqa: S101 -- the permission asks for it
        Decision.objects.create(
            signoff=self,
            round=self.round,
            level_number=given.level_number,
            person=person,
            person_name=str(person),
            on_behalf_of=given.on_behalf_of if person.pk == given.person_id else None,
            on_behalf_name=given.on_behalf_name if person.pk == given.person_id else "",
            verdict=Decision.Verdict.RECALL,
            comment=self._change_reason or "",
            recalls=given,
            digest=given.digest,
        )
        self.valid_until = None
        self._settle()

    # --- In place of the approvers ----------------------------------------------------------------

    @fsm.transition(
        _STATE,
        source=State.READY,
        target=fsm.RETURN_VALUE(State.READY, State.APPROVED),
        conditions=[
            oversight.overrides_are_allowed,
            rules.content_is_as_asked,
            rules.nothing_stops_deciding,
        ],
        permission=oversight.may_override,
        custom={
            "form": "approvals.forms.OverrideForm",
            "label": "Approve for somebody absent",
            "question": "Approve {row} for somebody absent?",
            "explains": "It is recorded as an override, with your name and reason. You give one "
            "vote in a round, whoever it is for.",
            "needs_reason": True,
            "danger": True,
            "said": "You approved {row} for somebody absent. It is recorded as an override.",
        },
    )
    def override(self, voice: int, seal: str = "", confirmed: bool = False) -> SignoffState:
        """A release manager without a part in it gives the vote of somebody who is named."""
        self._decide(Decision.Verdict.APPROVE, seal, voice, confirmed, is_override=True)
        return self._settle()

    _CHANGES: dict[str, Any] = {
        "source": State.READY,
        "target": fsm.RETURN_VALUE(State.READY, State.APPROVED),
        "conditions": [oversight.overrides_are_allowed],
        "permission": oversight.may_override,
    }

    @fsm.transition(
        _STATE,
        **_CHANGES,
        custom={
            "form": "approvals.forms.AddApproverForm",
            "label": "Add an approver",
            "question": "Add an approver to {row}?",
            "explains": "Decisions given so far stand. The level waits for the new approver too.",
            "needs_reason": True,
            "said": "An approver was added to {row}.",
        },
    )
    def add_approver(
        self, level: int, person: User | None = None, group: Group | None = None, needed: int = 1
    ) -> SignoffState:
        """One more rule on a level that is not complete yet."""
        if found := list(oversight.against_adding(self, level, person, group)):
            raise TransitionRefused(*found)
        row = self.levels.get(number=level)
        create(Rule(level=row, person=person, group=group, needed=needed), by=self.author)
        if found := list(rules.against_waiting_for_ever(self)):
            raise TransitionRefused(*found)
        return self._settle()

    @fsm.transition(
        _STATE,
        **_CHANGES,
        custom={
            "form": "approvals.forms.RemoveApproverForm",
            "label": "Remove an approver",
            "question": "Remove an approver from {row}?",
            "explains": "Decisions given so far stand. Where everybody else has approved, the "
            "level is complete at once.",
            "needs_reason": True,
            "danger": True,
            "said": "An approver was removed from {row}.",
        },
    )
    def remove_approver(self, rule: Rule) -> SignoffState:
        """One rule less, where the level has others."""
        if found := list(oversight.against_removing(self, rule)):
            raise TransitionRefused(*found)
        remove(rule, by=self.author)
        return self._settle()

    # --- What becomes of it by itself, or is ended ------------------------------------------------

    @fsm.transition(
        _STATE,
        source=[State.READY, State.APPROVED],
        target=State.VOID,
        permission=rules.may_void,
        custom={
            "label": "Withdraw",
            "question": "Withdraw {row}?",
            "explains": "Decisions given so far no longer count. It can be asked for again.",
            "needs_reason": True,
            "danger": True,
        },
    )
    def void(self) -> None:
        """Decisions given so far no longer count."""
        self._close()

    @fsm.transition(
        _STATE,
        source=State.READY,
        target=State.READY,
        conditions=[oversight.it_is_time_to_remind],
        permission=robot_only,
        custom={"label": "Remind"},
    )
    def remind(self) -> None:
        """Those whose turn it is are reminded; whoever sends messages listens for this step."""
        self.remind_at = self._in(hours=self.policy.remind_hours if self.policy else None)

    @fsm.transition(
        _STATE,
        source=State.READY,
        target=State.READY,
        conditions=[oversight.it_is_time_to_escalate],
        permission=robot_only,
        custom={"label": "Escalate"},
    )
    def escalate(self) -> None:
        """From now on the person of the policy may decide in place of anybody who is missing."""
        self.escalate_at = None
        person = self.policy.escalate_to if self.policy else None
        if person is None or not person.is_active or person.pk in self.barred_ids:
            return
        level = self.levels.get(number=self.open_level)
        edit(level, by=self.author, reason="Escalated", stand_in=person)

    @fsm.transition(
        _STATE,
        source=[State.READY, State.APPROVED],
        target=State.EXPIRED,
        conditions=[oversight.its_time_is_over],
        permission=robot_only,
        custom={"label": "Expire"},
    )
    def expire(self) -> None:
        """Asked too long ago without an answer, or approved too long ago."""
        self._close()
