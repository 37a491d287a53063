"""What a model's ``rules`` module is made of: blockers, guards and permissions.

A guard asks *may this happen now?* and answers with everything that is in the way.
A permission asks *may this person do it?*. Neither changes anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime

    from django_fsm import Transition

    from releasemgr.accounts.models import User


@dataclass(frozen=True)
class Way:
    """A legal way round a blocker, such as a waiver: a page, and who may go it.

    That is whoever holds the role ``owner`` or one of ``others``, and the person; without an
    ``owner``, anybody.
    """

    label: str
    url: str
    owner: str = ""
    others: tuple[str, ...] = ()
    person_id: int | None = None

    def leads(self, user: User) -> bool:
        """Whether this person may go it."""
        roles = {self.owner, *self.others}
        return not self.owner or user.pk == self.person_id or bool(roles & user.role_names)


@dataclass(frozen=True)
class Blocker:
    """One thing that stands in the way of a step, for people, pages and the scheduler alike.

    ``title`` names the thing; ``needed`` and ``now`` say what must be true and what is;
    ``owner`` is the person or role who can clear it, by the one ``action`` behind ``url``.
    ``barred_id`` is who cannot, whatever their roles: it would be their own work.
    ``clears_at`` is set where time alone clears it, ``expected`` where its owner means to have
    cleared it by then; ``waivable`` where a rule lets it be passed, by one of the ``ways`` round.
    """

    title: str
    needed: str = ""
    now: str = ""
    owner: str = ""
    owner_id: int | None = None
    barred_id: int | None = None
    action: str = ""
    url: str = ""
    clears_at: datetime | None = None
    expected: date | None = None
    waivable: bool = False
    ways: tuple[Way, ...] = ()
    tone: str = "bad"
    glyph: str = "todo"

    def __str__(self) -> str:
        return " ".join(part for part in (self.title, self.now) if part)

    @property
    def is_late(self) -> bool:
        """Whether it was to be cleared before today."""
        return self.expected is not None and self.expected < timezone.localdate()

    def is_yours(self, user: User) -> bool:
        """Whether ``user`` is the person, or holds the role, that can clear this."""
        if self.barred_id == user.pk:
            return False
        return self.owner_id == user.pk or self.owner in user.role_names

    def leads(self, user: User) -> bool:
        """Whether ``url`` is of use to ``user``: a step's page is for those who can take it."""
        return bool(self.url) and ("/steps/" not in self.url or self.is_yours(user))

    def as_data(self, user: User) -> dict[str, Any]:
        """The same for programs."""
        return {
            "title": self.title,
            "needed": self.needed,
            "now": self.now,
            "owner": self.owner,
            "yours": self.is_yours(user),
            "action": self.action,
            "url": self.url,
            "clears_at": self.clears_at,
            "expected": self.expected,
            "waivable": self.waivable,
            "ways": [
                {"label": way.label, "url": way.url, "owner": way.owner, "yours": way.leads(user)}
                for way in self.ways
            ],
        }


def as_of(row: Any) -> datetime:
    """The moment for which a rule is asked: when the row was locked, by the database's clock.

    A page that only shows what a rule says has nothing but its own clock, and no need of another.
    """
    locked_at: datetime | None = getattr(row, "locked_at", None)
    return locked_at or timezone.now()


@dataclass(frozen=True)
class Guard:
    """A django-fsm condition that answers with blockers."""

    check: Callable[[Any], Iterable[Blocker]]

    def __call__(self, row: Any) -> bool:
        """What django-fsm asks. While perform() moves the row it has been asked, under the lock."""
        return bool(getattr(row, "_transition", "")) or not any(True for _ in self.check(row))

    def blockers(self, row: Any) -> list[Blocker]:
        return list(self.check(row))


def guard(check: Callable[[Any], Iterable[Blocker]]) -> Guard:
    """Make a ``row -> blockers`` function a guard; no blockers means go."""
    return Guard(check)


@dataclass(frozen=True)
class Permission:
    """A ``(row, user) -> bool`` rule with the sentence for those whom it refuses."""

    rule: Callable[[Any, Any], bool]
    sentence: str

    def __call__(self, row: Any, user: Any) -> bool:
        return bool(user.is_active and self.rule(row, user))


def permission(sentence: str) -> Callable[[Callable[[Any, Any], bool]], Permission]:
    """Make a function a permission; ``sentence`` says who may, for the page that says no."""
    return lambda rule: Permission(rule, sentence)


@permission("This happens by itself; nobody does it by hand.")
def robot_only(row: Any, user: User) -> bool:
    return user.is_robot


def blockers(row: Any, step: Transition) -> list[Blocker]:
    """Everything that stands between ``row`` and ``step``, in the order the guards are named."""
    guards: Any = step.conditions
    return [blocker for guard in guards for blocker in guard.blockers(row)]
