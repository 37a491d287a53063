"""Telling people, and what they do with what they were told."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, connection, transaction
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError as BrokerError

from releasemgr.accounts.models import User
from releasemgr.notices import clock
from releasemgr.notices.events import EVENTS, Way
from releasemgr.notices.models import Letter, Notice, Preferences, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from releasemgr.notices.events import Event

logger = logging.getLogger(__name__)

LONGEST_TITLE, LONGEST_WORDS, LONGEST_SUBJECT = 300, 2000, 200


@dataclass(frozen=True)
class News:
    """What is told about a row, and who might be told.

    ``occasion`` is what makes it another time than the last; by default the row's version.
    ``day`` is the day, on everybody's own calendar, of a reminder.
    """

    event: str
    row: Any
    people: list[User]
    title: str
    words: str = ""
    url: str = ""
    ref: str = ""
    occasion: str = ""
    until: dt.datetime | dt.date | None = None
    day: dt.date | None = field(default=None)

    @property
    def kind(self) -> Event:
        return EVENTS[self.event]

    @property
    def time(self) -> str:
        return self.occasion or f"v{self.row.version}"


def tell(news: News, *, by: User | None = None, now: dt.datetime | None = None) -> int:
    """Write a notice, and a mail where one is wanted, for everybody whom it concerns.

    Belongs into the transaction that settles that it is told. Nobody is told what they did
    themselves, nobody who can do nothing about it, nobody twice. Returns how many were told.
    """
    people = _of_those(news, by)
    if not people:
        return 0
    when = now or clock.now()
    try:
        return _write(news, people, when)
    except IntegrityError:
        # Somebody else was telling the same: what is stored by now is left out.
        return _write(news, people, when)


def _of_those(news: News, by: User | None) -> list[User]:
    people = {
        person.pk: person
        for person in news.people
        if person.is_active and not person.is_robot and person != by
    }
    if not people:
        return []
    User.objects.learn_roles(people.values())
    return news.kind.still(news.row, people.values())


def _write(news: News, people: list[User], now: dt.datetime) -> int:
    told = Notice.objects.about(news.row).filter(event=news.event, occasion=news.time)
    known = set(told.values_list("person", flat=True))
    chosen = Preferences.of(people)
    notices: list[Notice] = []
    for person in people:
        way = chosen[person.pk].way(news.kind, person)
        if person.pk not in known and way != Way.NONE:
            notices.append(_notice(news, person, chosen[person.pk], way, now))
    letters = [notice.letter for notice in notices if notice.letter is not None]
    if notices:
        with transaction.atomic():
            Letter.objects.bulk_create(letters)
            for notice in notices:
                notice.letter = notice.letter  # the key that it has got by now
            Notice.objects.bulk_create(notices)
    if any(letter.not_before <= now for letter in letters):
        call_postman()
    return len(notices)


def _notice(news: News, person: User, chosen: Preferences, way: Way, now: dt.datetime) -> Notice:
    row, until = news.row, news.until
    is_moment = isinstance(until, dt.datetime)
    notice = Notice(
        person=person,
        event=news.event,
        kind=kind_of(row),
        row_id=row.pk,
        occasion=news.time,
        ref=news.ref or str(getattr(row, "ref", "")),
        title=one_line(news.title)[:LONGEST_TITLE],
        words=news.words.strip()[:LONGEST_WORDS],
        until=until if is_moment else None,
        until_day=None if is_moment else until,
        url=news.url or row.get_absolute_url(),
        at=now,
    )
    if not person.email:
        return notice
    if way == Way.DIGEST:
        hours = chosen.hours(person)
        notice.digest_at = hours.digest_of(news.day) if news.day else hours.next_digest(now)
    elif way == Way.MAIL:
        notice.letter = Letter(
            person=person,
            subject=one_line(news.title)[:LONGEST_SUBJECT],
            at=now,
            not_before=chosen.soonest(news.kind, person, now),
        )
    return notice


def one_line(text: str) -> str:
    """Text for a heading or a mail's header: nothing in it begins another line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def call_postman() -> None:
    """Tell a worker that there is something to send."""
    call("send")


def call(task: str) -> None:
    """Hint at one of our tasks, once what was written so far is stored.

    One hint is enough for everything that a transaction has to tell.
    """
    hint = HINTS[task]
    if not any(pending[1] is hint for pending in connection.run_on_commit):
        transaction.on_commit(hint, robust=True)


def _send_hint(task: str) -> None:
    """Send one hint; a broker that is away is no reason to fail: the scheduler tells again."""
    try:
        import_string(f"releasemgr.notices.tasks.{task}").delay()
    except BrokerError:
        logger.warning("No worker can be told of notices now: the broker is away.")


def _hint_send() -> None:
    _send_hint("send")


def _hint_look() -> None:
    _send_hint("look")


def _hint_spread() -> None:
    _send_hint("spread")


HINTS = {"send": _hint_send, "look": _hint_look, "spread": _hint_spread}


# --- Reading --------------------------------------------------------------------------------------


def mark_read(notices: Any, *, now: dt.datetime | None = None) -> int:
    """Count these as read; returns how many were not yet."""
    unread: int = notices.unread().update(read_at=now or clock.now())
    return unread


# --- Choosing -------------------------------------------------------------------------------------


def keep_preferences(
    person: User, *, ways: dict[str, str], version: int, **chosen: Any
) -> Preferences | None:
    """Store how a person wants to be told; only what differs from the suggestion is kept.

    Returns None, and stores nothing, where they were changed elsewhere since ``version``.
    """
    with transaction.atomic():
        row, _ = Preferences.objects.select_for_update().get_or_create(person=person)
        if row.version != version:
            return None
        for name, value in chosen.items():
            setattr(row, name, value)
        row.ways = {
            key: way
            for key, way in ways.items()
            if way != EVENTS[key].way_for(person.role_names).value
        }
        row.version += 1
        row.save()
    return row


def forget(now: dt.datetime, days: int, most: int = 1000) -> int:
    """Remove what is older than so many days, a batch at a time; returns how many notices went."""
    before = now - dt.timedelta(days=days)
    old = list(Notice.objects.older_than(before).order_by("at").values_list("pk", flat=True)[:most])
    Notice.objects.filter(pk__in=old).delete()
    letters = Letter.objects.over().filter(at__lt=before, notices=None).order_by("at")
    Letter.objects.filter(pk__in=list(letters.values_list("pk", flat=True)[:most])).delete()
    return len(old)


def people_in(ids: Iterable[int | None]) -> list[User]:
    """The people of these keys, in one query."""
    return list(User.objects.filter(pk__in={pk for pk in ids if pk is not None}))
