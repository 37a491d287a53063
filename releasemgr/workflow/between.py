"""What stands between a record and its next step: for pages, for programs, and for the refusal.

The blockers are those of the step's own guards, so that nothing is said here that ``perform()``
would not say, and the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils import timezone

if TYPE_CHECKING:
    import datetime as dt

    from releasemgr.accounts.models import User
    from releasemgr.workflow.models import StepView, Workflow
    from releasemgr.workflow.rules import Blocker


@dataclass(frozen=True)
class Between:
    """A record, the step that takes it on, and all that is in the way of it.

    ``blockers`` refuse the step. ``waits_for`` does not: it is what the step waits for where nobody
    is refused, such as a vote that nobody has given yet. Without a ``step`` the record is over, or
    goes on by itself when its blockers are gone.
    """

    record: Workflow
    step: StepView | None = None
    towards: str = ""
    blockers: list[Blocker] = field(default_factory=list)
    waits_for: list[Blocker] = field(default_factory=list)

    @property
    def things(self) -> list[Blocker]:
        """All of them, those that refuse first."""
        return [*self.blockers, *self.waits_for]

    @property
    def is_ahead(self) -> bool:
        """Whether there is anything to stand before."""
        return bool(self.towards)

    @property
    def who(self) -> str:
        """Who may take the step, in a sentence."""
        if self.step is None:
            return ""
        rule: Any = self.step.step.permission
        return str(rule.sentence)

    @property
    def clears_at(self) -> dt.datetime | None:
        """When all of it will have cleared by itself; nothing where time alone is not enough."""
        moments = [thing.clears_at for thing in self.things]
        known = [moment for moment in moments if moment is not None]
        return max(known) if known and len(known) == len(moments) else None

    @property
    def expected(self) -> dt.date | None:
        """The day by which all of it is expected to be cleared; nothing where one has no day."""
        days = [thing.expected or _day(thing.clears_at) for thing in self.things]
        known = [day for day in days if day is not None]
        return max(known) if known and len(known) == len(days) else None

    def as_data(self, user: User) -> dict[str, Any]:
        """The same for programs; docs/blockers.md says what each word means."""
        meta, step = self.record._meta, self.step
        return {
            "kind": meta.model_name,
            "id": self.record.pk,
            "title": str(self.record),
            "url": self.record.get_absolute_url(),
            "state": self.record.state,
            "state_in_words": str(self.record.get_state_display()),
            "version": self.record.version,
            "towards": self.towards,
            "step": step
            and {
                "name": step.name,
                "label": step.label,
                "url": step.url,
                "who": self.who,
                "yours": step.step.has_perm(self.record, user),
            },
            "is_blocked": bool(self.blockers),
            "blockers": [blocker.as_data(user) for blocker in self.blockers],
            "waits_for": [blocker.as_data(user) for blocker in self.waits_for],
            "clears_at": self.clears_at,
            "expected": self.expected,
            "as_of": timezone.now(),
        }


def _day(moment: dt.datetime | None) -> dt.date | None:
    return timezone.localtime(moment).date() if moment is not None else None
