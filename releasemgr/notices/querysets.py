from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from releasemgr.accounts.models import User

#: A hint that no worker took up for so long is sent again.
REMIND = dt.timedelta(seconds=30)


class HappeningQuerySet(models.QuerySet[Any]):
    """What people are still to be told of."""

    def oldest(self, most: int) -> set[int]:
        """The numbers of the first of them."""
        return set(self.order_by("pk").values_list("pk", flat=True)[:most])


class NoticeQuerySet(models.QuerySet[Any]):
    """What people were told."""

    def visible_to(self, user: User) -> Self:
        """One's own; what it is about has its own rules."""
        return self.filter(person=user, is_shown=True)

    def unread(self) -> Self:
        return self.filter(read_at=None)

    def of_events(self, keys: Iterable[str]) -> Self:
        return self.filter(event__in=list(keys))

    def about(self, row: Any) -> Self:
        return self.filter(kind=row._meta.label_lower, row_id=row.pk)

    def for_digests(self, now: dt.datetime) -> Self:
        """Those whose digest is due, and that are in none yet."""
        return self.filter(digest_at__lte=now, letter=None)

    def older_than(self, moment: dt.datetime) -> Self:
        return self.filter(at__lt=moment)


class LetterQuerySet(models.QuerySet[Any]):
    """Mails to be sent, and sent."""

    def to_send(self, now: dt.datetime) -> Self:
        """Those that a worker may take: their time has come, or whoever had them is gone."""
        waiting = Q(state="waiting", not_before__lte=now)
        return self.filter(waiting | Q(state="sending", lease_until__lt=now))

    def unhinted(self, now: dt.datetime) -> Self:
        """Of those to send, the ones of which no worker was told lately."""
        late = now - REMIND
        return self.to_send(now).filter(Q(hinted_at=None) | Q(hinted_at__lt=late))

    def to_look_at(self) -> Self:
        """Those that were neither sent nor dropped: few, and found by an index."""
        return self.filter(state__in=["waiting", "sending", "given_up"])

    def over(self) -> Self:
        return self.filter(state__in=["sent", "dropped", "given_up"])
