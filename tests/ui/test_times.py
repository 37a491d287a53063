import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from releasemgr.ui import times

MONDAY = dt.date(2026, 11, 23)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (dt.date(2026, 11, 22), "Yesterday"),
        (MONDAY, "Today"),
        (dt.date(2026, 11, 24), "Tomorrow"),
        (dt.date(2026, 11, 25), "Wednesday"),
        (dt.date(2026, 11, 29), "Sunday"),
        (dt.date(2026, 11, 30), "30 November"),
        (dt.date(2026, 11, 18), "18 November"),
        (dt.date(2027, 1, 5), "5 January 2027"),
        (dt.date(1, 1, 1), "1 January 1"),
        (dt.date(9999, 12, 31), "31 December 9999"),
    ],
)
def test_days_read_as_people_say_them(day, words):
    assert times.day_in_words(day, MONDAY) == words


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (dt.datetime(2026, 11, 23, 23, 0, tzinfo=dt.UTC), "Today 23:00"),
        (dt.datetime(2026, 11, 25, 22, 0, tzinfo=dt.UTC), "Wednesday 22:00"),
        (dt.datetime(2026, 12, 5, 22, 0, tzinfo=dt.UTC), "5 December, 22:00"),
    ],
)
def test_moments_read_as_people_say_them(moment, words):
    assert times.moment_in_words(moment, MONDAY) == words


def test_a_moment_is_told_on_the_readers_clock():
    moment = dt.datetime(2026, 11, 23, 23, 30, tzinfo=dt.UTC)
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        assert times.moment_in_words(moment, MONDAY) == "Tomorrow 08:30"
        assert times.full_moment(moment) == "Tuesday 24 November 2026, 08:30 JST"


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize(("day", "hour"), [(dt.date.min, 0), (dt.date.max, 23)])
def test_the_ends_of_time_can_be_told_anywhere(day, hour, zone):
    with timezone.override(ZoneInfo(zone)):
        assert times.full_moment(dt.datetime.combine(day, dt.time(hour), tzinfo=dt.UTC))


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (dt.timedelta(), "0 s"),
        (dt.timedelta(seconds=45), "45 s"),
        (dt.timedelta(minutes=12), "12 min"),
        (dt.timedelta(hours=1, minutes=20, seconds=5), "1 h 20 min"),
        (dt.timedelta(days=2, hours=3, minutes=9), "2 d 3 h"),
        (dt.timedelta(days=2, minutes=9), "2 d"),
        (dt.timedelta(minutes=-5), "−5 min"),
    ],
)
def test_spans_read_in_their_two_largest_units(span, words):
    assert times.span_in_words(span) == words
