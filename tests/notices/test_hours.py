"""Quiet hours, digests and reminders by everybody's own clock, also where it is put on or back."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releasemgr.notices.hours import Hours

LONDON, BERLIN = ZoneInfo("Europe/London"), ZoneInfo("Europe/Berlin")
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]


def utc(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def clock(text):
    return dt.time.fromisoformat(text)


def hours(zone=BERLIN, quiet="", digest="08:00"):
    begins, _, ends = quiet.partition("-")
    return Hours(
        zone,
        digest=clock(digest),
        quiet_from=clock(begins) if quiet else None,
        quiet_until=clock(ends) if quiet else None,
    )


@pytest.mark.parametrize(
    ("now", "comes"),
    [
        ("2026-11-26T12:00", "2026-11-26T12:00"),
        ("2026-11-26T20:59", "2026-11-26T20:59"),
        ("2026-11-26T21:00", "2026-11-27T06:00"),
        ("2026-11-27T02:00", "2026-11-27T06:00"),
        ("2026-11-27T06:00", "2026-11-27T06:00"),
    ],
)
def test_a_mail_waits_for_the_end_of_the_quiet_hours(now, comes):
    assert hours(quiet="22:00-07:00").soonest(utc(now)) == utc(comes)


def test_quiet_hours_may_lie_within_a_day():
    by_day = hours(quiet="12:00-13:30")

    assert by_day.soonest(utc("2026-11-26T11:15")) == utc("2026-11-26T12:30")
    assert not by_day.is_quiet(utc("2026-11-26T12:30"))
    assert not by_day.is_quiet(utc("2026-11-26T23:00"))


def test_without_quiet_hours_there_is_no_waiting():
    assert hours().soonest(utc("2026-11-26T02:00")) == utc("2026-11-26T02:00")


@pytest.mark.parametrize(
    ("now", "comes"),
    [
        # The night in which it is put on: seven o'clock comes an hour sooner.
        ("2026-03-28T23:00", "2026-03-29T05:00"),
        # The night in which it is put back: an hour later.
        ("2026-10-24T22:00", "2026-10-25T06:00"),
    ],
)
def test_the_night_is_as_long_as_the_clock_makes_it(now, comes):
    assert hours(quiet="22:00-07:00").soonest(utc(now)) == utc(comes)


def test_an_end_that_the_clock_leaps_over_is_when_it_shows_a_later_time():
    # In Berlin 02:00 became 03:00.
    assert hours(quiet="22:00-02:30").soonest(utc("2026-03-28T23:00")) == utc("2026-03-29T01:30")


def test_an_end_that_comes_twice_ends_both_times():
    night = hours(quiet="22:00-02:30")

    assert night.soonest(utc("2026-10-24T22:00")) == utc("2026-10-25T00:30")
    # A quarter past two for the second time is quiet again, until half past, and not until morning.
    assert night.soonest(utc("2026-10-25T01:15")) == utc("2026-10-25T01:30")


def test_a_digest_comes_at_its_hour_whatever_the_season():
    daily = hours(digest="08:00")

    assert daily.next_digest(utc("2026-03-28T12:00")) == utc("2026-03-29T06:00")
    assert daily.next_digest(utc("2026-10-24T12:00")) == utc("2026-10-25T07:00")
    assert daily.next_digest(utc("2026-11-26T07:00")) == utc("2026-11-27T07:00")


def test_reminders_of_a_day_are_due_an_hour_before_its_digest():
    daily = hours(digest="08:00")

    assert daily.reminder_day(utc("2026-11-26T05:59")) is None
    assert daily.reminder_day(utc("2026-11-26T06:00")) == dt.date(2026, 11, 26)
    assert daily.reminder_day(utc("2026-11-26T20:00")) == dt.date(2026, 11, 26)


def test_a_day_begins_with_its_digest_even_shortly_after_midnight():
    early = hours(digest="00:15")

    assert early.reminder_day(utc("2026-11-25T22:15")) == dt.date(2026, 11, 26)


TIMES = st.times().map(lambda time: time.replace(second=0, microsecond=0))
MOMENTS = st.integers(0, 3 * 366 * 24 * 60).map(
    lambda minutes: utc("2025-01-01") + minutes * dt.timedelta(minutes=1)
)


@given(zone=st.sampled_from(ZONES), begins=TIMES, ends=TIMES, now=MOMENTS)
def test_nobody_is_disturbed_and_nothing_waits_longer_than_a_long_night(zone, begins, ends, now):
    person = Hours(ZoneInfo(zone), quiet_from=begins, quiet_until=ends)
    comes = person.soonest(now)

    assert not person.is_quiet(comes)
    assert dt.timedelta() <= comes - now <= dt.timedelta(hours=26)
    if not person.is_quiet(now):
        assert comes == now


@given(zone=st.sampled_from(ZONES), digest=TIMES, now=MOMENTS)
def test_there_is_a_digest_on_every_day_and_never_two(zone, digest, now):
    person = Hours(ZoneInfo(zone), digest=digest)
    first = person.next_digest(now)

    assert first > now
    assert first - now <= dt.timedelta(hours=26)
    days = [person.digest_of(person.day_of(now) + n * dt.timedelta(days=1)) for n in range(4)]
    assert days == sorted(set(days))
