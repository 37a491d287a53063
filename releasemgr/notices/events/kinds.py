"""What an event is, and the ways in which people are told of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from releasemgr.accounts.models import User


class Way(models.TextChoices):
    """How somebody wants to be told, from quiet to loud."""

    NONE = "none", "Not at all"
    APP = "app", "Here only"
    DIGEST = "digest", "Here and in the daily digest"
    MAIL = "mail", "Here and by mail at once"


LOUDNESS = list(Way.values)


@dataclass(frozen=True)
class Event:
    """One thing that can happen to somebody.

    ``why`` is the end of "You are told because …". ``still`` answers, of people, for whom it is
    still true. What is ``urgent`` holds up a deployment, and may come in quiet hours.
    """

    key: str
    label: str
    group: str
    why: str
    still: Callable[[Any, Iterable[User]], list[User]]
    default: Way = Way.MAIL
    by_role: dict[str, Way] = field(default_factory=dict)
    urgent: bool = False

    def way_for(self, roles: Iterable[str]) -> Way:
        """How it comes to somebody who has chosen nothing: of their roles, the loudest decides."""
        ways = [self.by_role[role] for role in roles if role in self.by_role]
        return max(ways or [self.default], key=lambda way: LOUDNESS.index(way.value))
