"""What every full page needs to draw the shell. Nothing is asked before a template asks for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from releasemgr.ui import navigation

if TYPE_CHECKING:
    from django.http import HttpRequest

    from releasemgr.ui.navigation import Followed, Place


@dataclass(frozen=True)
class Entry:
    """A place as one person sees it on one page."""

    place: Place
    url: str
    count: int
    is_current: bool


class Shell:
    """The frame of a page: theme, keys, navigation. Lazy, so that fragments cost no query."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def user(self) -> Any:
        """The signed-in person, or nobody (also on error pages that precede signing in)."""
        user = getattr(self._request, "user", None)
        return user if user is not None and user.is_authenticated else None

    @property
    def theme(self) -> str:
        """``light``, ``dark`` or nothing, which follows the device."""
        theme = self.user.theme if self.user else ""
        return theme if theme in {"light", "dark"} else ""

    @property
    def keys(self) -> str:
        """Whether single-key shortcuts are ``on`` or ``off`` (WCAG 2.1.4)."""
        return "on" if self.user and self.user.single_keys else "off"

    @property
    def roles(self) -> list[str]:
        """The person's roles, in words; the sidebar shows the first."""
        return sorted(self.user.role_names) if self.user else []

    @cached_property
    def entries(self) -> list[Entry]:
        """The navigation that this person may use, with its counts."""
        match = self._request.resolver_match
        current = navigation.current_place(match.view_name) if match else ""
        counts: Counter[str] = Counter()
        for counter in navigation.counters:
            counts.update(counter(self.user))
        return [
            Entry(place, reverse(place.name), counts[place.name], place.name == current)
            for place in navigation.PLACES
            if navigation.is_offered(place, self.user)
        ]

    @cached_property
    def following(self) -> list[Followed]:
        """The records that this person follows."""
        return [record for answer in navigation.following for record in answer(self.user)]

    @property
    def request_id(self) -> str:
        """The reference number that error pages show and the log carries."""
        return str(getattr(self._request, "request_id", ""))


def shell(request: HttpRequest) -> dict[str, Shell]:
    """Offer the shell to every template as ``shell``."""
    return {"shell": Shell(request)}
