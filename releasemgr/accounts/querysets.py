from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.functions import Now

from releasemgr.workflow.models import RecordedQuerySet

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from releasemgr.accounts.models import User

#: How long failures count, and how long a lock lasts.
WINDOW = dt.timedelta(minutes=15)


class SignInAttemptQuerySet(models.QuerySet[Any]):
    """The attempts to sign in that did not succeed (yet)."""

    def of(self, name: str, address: str) -> Self:
        """Those for one user name from one address."""
        return self.filter(name=name, address=address)

    def recent(self, now: dt.datetime) -> Self:
        """Those that still count."""
        return self.filter(at__gt=now - WINDOW)

    def past(self, now: dt.datetime) -> Self:
        """Those that count no longer and may go."""
        return self.filter(at__lte=now - WINDOW)


class DeputyQuerySet(RecordedQuerySet):
    """Who stands in for whom, and when."""

    def current(self) -> Self:
        """Those whose period it is now, by the database's clock."""
        return self.filter(
            starts__lte=Now(), ends__gt=Now(), person__is_active=True, deputy__is_active=True
        )

    def standing_in(self, user: User) -> Self:
        """For whom the user decides now, with the groups those people are in."""
        mine = self.current().filter(deputy=user).order_by("pk")
        return mine.select_related("person").prefetch_related("person__groups")

    def of_each(self, people: Iterable[int]) -> dict[int, list[User]]:
        """Who stands in now for each of these people, in one query for all of them."""
        found: dict[int, list[User]] = {}
        rows = self.current().filter(person__in=set(people)).select_related("deputy")
        for row in rows.order_by("pk"):
            found.setdefault(row.person_id, []).append(row.deputy)
        return found

    def given_by(self, user: User) -> Self:
        """Those that the user has named, the latest first."""
        return self.filter(person=user).select_related("deputy", "person")

    def given_to(self, user: User) -> Self:
        """Those that name the user, now or later."""
        mine = self.filter(deputy=user, ends__gt=Now(), person__is_active=True)
        return mine.select_related("deputy", "person").order_by("starts", "pk")
