"""What time alone makes due: sources that say what people are to be reminded of, and the look.

A source is a function that is given the present moment and yields ``Reminder``s. Whoever has dates
of their own appends one to ``sources`` when all apps are ready. A source may yield the same again
and again: each person is told of it once for each occasion.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError, transaction

from releasemgr.accounts.models import User
from releasemgr.notices import clock
from releasemgr.notices.events import Way
from releasemgr.notices.models import Letter, LetterState, Notice, Preferences, kind_of
from releasemgr.notices.services import News, call_postman, forget, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

logger = logging.getLogger(__name__)

WEEK = dt.timedelta(days=7)
#: The widest that calendars differ from the one of UTC, with a day for "tomorrow".
AHEAD = dt.timedelta(days=2)
BATCH = 200


@dataclass(frozen=True)
class Reminder:
    """News that time makes.

    With ``due`` it is told on the day before and then every day, on each person's own calendar, in
    time for their digest. With ``weekly`` it is told at once, and again after each week. With
    neither it is told once for its occasion.
    """

    news: News
    due: dt.date | None = None
    weekly: bool = False


#: Asked at every look.
sources: list[Callable[[dt.datetime], Iterable[Reminder]]] = []


def look() -> None:
    """Tell what has become due, put digests together, forget what is old."""
    now = clock.now()
    for source in sources:
        try:
            _tell_all(source(now), now)
        except DatabaseError:
            raise
        except Exception:  # what is wrong with one of them must not silence the others
            logger.exception("%s failed.", source)
    collect_digests(now)
    forget(now, settings.NOTICE_DAYS)


def _tell_all(reminders: Iterable[Reminder], now: dt.datetime) -> None:
    batch: list[Reminder] = []
    for reminder in reminders:
        batch.append(reminder)
        if len(batch) == BATCH:
            _tell_batch(batch, now)
            batch = []
    _tell_batch(batch, now)


def _tell_batch(batch: list[Reminder], now: dt.datetime) -> None:
    known = {p.pk: p for reminder in batch for p in reminder.news.people}
    people = list(known.values())
    chosen = Preferences.of(people)
    User.objects.learn_roles(people)
    told = _last_told(batch, people, now)
    for reminder in batch:
        # Sources bring the same person more than once; only one of the objects has learnt roles.
        same = replace(reminder.news, people=[known[p.pk] for p in reminder.news.people])
        for news in _due_now(replace(reminder, news=same), chosen, told, now):
            with transaction.atomic():
                tell(news, now=now)


def _last_told(
    batch: list[Reminder], people: list[User], now: dt.datetime
) -> dict[tuple[str, str, int, int], set[str]]:
    """The occasions on which each was told of each thing within the last week, in one query."""
    rows = Notice.objects.filter(
        event__in={reminder.news.event for reminder in batch},
        kind__in={kind_of(reminder.news.row) for reminder in batch},
        row_id__in={reminder.news.row.pk for reminder in batch},
        person__in=people,
        at__gt=now - WEEK,
    ).values_list("event", "kind", "row_id", "person", "occasion")
    told: dict[tuple[str, str, int, int], set[str]] = {}
    for event, kind, row, person, occasion in rows:
        told.setdefault((event, kind, row, person), set()).add(occasion)
    return told


def _due_now(
    reminder: Reminder,
    chosen: dict[int, Preferences],
    told: dict[tuple[str, str, int, int], set[str]],
    now: dt.datetime,
) -> Iterator[News]:
    """The reminder as news for those for whom it is time, by the day on their calendar."""
    news = reminder.news
    by_day: dict[dt.date | None, list[User]] = {}
    for person in news.people:
        if chosen[person.pk].way(news.kind, person) == Way.NONE:
            continue
        before = told.get((news.event, kind_of(news.row), news.row.pk, person.pk), set())
        hours = chosen[person.pk].hours(person)
        if reminder.due is not None:
            day = hours.reminder_day(now)
            is_due = day is not None and day >= reminder.due - dt.timedelta(days=1)
            if day is not None and is_due and day.isoformat() not in before:
                by_day.setdefault(day, []).append(person)
        elif reminder.weekly:
            if not before:
                by_day.setdefault(hours.day_of(now), []).append(person)
        elif news.time not in before:
            by_day.setdefault(None, []).append(person)
    for day, people in by_day.items():
        occasion = day.isoformat() if day is not None else news.time
        is_daily = reminder.due is not None
        yield replace(news, people=people, occasion=occasion, day=day if is_daily else None)


def collect_digests(now: dt.datetime) -> int:
    """One letter for everybody whose digest is due, and one a day at the most; how many it were."""
    waiting = Notice.objects.for_digests(now).order_by("person")
    people = User.objects.filter(pk__in=waiting.values("person"))
    made = 0
    for person in people:
        with transaction.atomic():
            made += _collect(person, now)
    if made:
        call_postman()
    return made


def _collect(person: User, now: dt.datetime) -> bool:
    """Whether there was enough for a letter; what comes after today's waits for tomorrow's."""
    mine = Notice.objects.filter(person=person).for_digests(now)
    ids = list(mine.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True))
    if not ids:
        return False
    hours = Preferences.of([person])[person.pk].hours(person)
    day = hours.day_of(now)
    letter, is_new = Letter.objects.get_or_create(
        person=person,
        digest_day=day,
        defaults={
            "subject": f"Digest of {day.isoformat()}",
            "at": now,
            "not_before": now,
            "state": LetterState.WAITING,
        },
    )
    notices = Notice.objects.filter(pk__in=ids)
    if is_new:
        notices.update(letter=letter)
    else:
        notices.update(digest_at=hours.digest_of(day + dt.timedelta(days=1)))
    return is_new
