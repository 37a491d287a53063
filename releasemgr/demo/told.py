"""What the demo's people were told: of the past only what still matters, and nothing by mail."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.apps import apps

from releasemgr.notices.models import Letter, Notice, Preferences
from releasemgr.notices.services import mark_read
from releasemgr.notices.telling import spread

if TYPE_CHECKING:
    from releasemgr.accounts.models import User

#: So much is new to each of them; the rest they have read.
UNREAD = 4


def tidy(people: dict[str, User]) -> None:
    """Forget what was settled in the course of the story, and have read all but the newest."""
    while spread():
        pass
    Letter.objects.all().delete()
    settled = [notice.pk for notice in Notice.objects.select_related("person") if _is_over(notice)]
    Notice.objects.filter(pk__in=settled).delete()
    for person in people.values():
        mine = Notice.objects.filter(person=person)
        newest = list(mine.values_list("pk", flat=True)[:UNREAD])
        mark_read(mine.exclude(pk__in=newest))
    choose(people)


def _is_over(notice: Notice) -> bool:
    row = apps.get_model(notice.kind)._default_manager.filter(pk=notice.row_id).first()
    still = notice.what.still if notice.what else None
    return row is None or still is None or not still(row, [notice.person])


def choose(people: dict[str, User]) -> None:
    """Some have chosen how they are told."""
    Preferences.objects.create(
        person=people["grace"], quiet_from=dt.time(21), quiet_until=dt.time(7), version=1
    )
    Preferences.objects.create(
        person=people["ines"],
        digest_hour=dt.time(7, 30),
        ways={"boarding_asked": "digest", "booking_asked": "none"},
        version=1,
    )
