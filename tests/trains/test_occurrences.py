"""What recurs follows the clock on the wall, through both changes of it."""

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trains.occurrences import LONGEST, Occurrence, Recurring

BERLIN = ZoneInfo("Europe/Berlin")
FIRST = dt.datetime(1990, 1, 1)  # noqa: DTZ001 -- hypothesis wants it without a zone
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia")


def berlin(*parts, fold=0):
    return dt.datetime(*parts, tzinfo=BERLIN, fold=fold).astimezone(dt.UTC)


def walls(period):
    return tuple(
        f"{moment.astimezone(BERLIN):%m-%d %H:%M}" for moment in (period.begins, period.ends)
    )


def weekend(**rest):
    return Recurring(berlin(2026, 3, 20, 18), berlin(2026, 3, 23, 6), BERLIN, "weekly", **rest)


def test_a_weekend_ends_at_the_same_time_when_clocks_go_forward():
    first, second = weekend().next_ones(berlin(2026, 3, 20), 2)

    assert walls(first) == ("03-20 18:00", "03-23 06:00")
    assert walls(second) == ("03-27 18:00", "03-30 06:00")
    assert second.ends - second.begins == dt.timedelta(hours=59)


def test_a_weekend_ends_at_the_same_time_when_clocks_go_back():
    found = weekend().at(berlin(2026, 10, 26, 5, 59))

    assert walls(found) == ("10-23 18:00", "10-26 06:00")
    assert found.ends - found.begins == dt.timedelta(hours=61)
    assert weekend().at(berlin(2026, 10, 26, 6)) is None


def test_a_time_that_does_not_exist_is_within_the_period():
    night = Recurring(berlin(2026, 3, 22, 2, 15), berlin(2026, 3, 22, 2, 45), BERLIN, "weekly")

    found = next(night.after(berlin(2026, 3, 29)))

    assert found.begins < berlin(2026, 3, 29, 3) < found.ends


def test_a_time_that_exists_twice_is_covered_both_times():
    night = Recurring(berlin(2026, 10, 18, 2, 15), berlin(2026, 10, 18, 2, 45), BERLIN, "weekly")

    assert night.at(berlin(2026, 10, 25, 2, 30, fold=0))
    assert night.at(berlin(2026, 10, 25, 2, 30, fold=1))


def test_the_first_period_is_what_was_said():
    begins = berlin(2026, 10, 25, 2, 30, fold=1)
    once = Recurring(begins, begins + dt.timedelta(minutes=10), BERLIN, "weekly")

    assert next(once.after(begins)).begins == begins
    assert once.at(begins - dt.timedelta(seconds=1)) is None


def test_the_last_day_of_a_month_is_the_last_of_a_shorter_one():
    monthly = Recurring(berlin(2026, 1, 31), berlin(2026, 1, 31, 12), BERLIN, "monthly")

    found = monthly.next_ones(berlin(2026, 2, 1), 3)

    assert [walls(one)[0] for one in found] == ["02-28 00:00", "03-31 00:00", "04-30 00:00"]


def test_the_29th_of_february_is_the_28th_in_other_years():
    yearly = Recurring(berlin(2024, 2, 29), berlin(2024, 3, 1), BERLIN, "yearly")

    assert walls(yearly.at(berlin(2026, 2, 28, 12))) == ("02-28 00:00", "03-01 00:00")
    assert walls(yearly.at(berlin(2028, 2, 29, 12))) == ("02-29 00:00", "03-01 00:00")


def test_the_end_of_a_year_goes_over_into_the_next():
    yearly = Recurring(berlin(2025, 12, 20), berlin(2026, 1, 6), BERLIN, "yearly")

    assert walls(yearly.at(berlin(2028, 1, 2))) == ("12-20 00:00", "01-06 00:00")
    assert yearly.at(berlin(2028, 1, 6)) is None


def test_what_is_over_comes_no_more_and_a_period_under_way_is_cut():
    rest = weekend(until=berlin(2026, 4, 4))

    assert len(list(rest.after(berlin(2026, 3, 1)))) == 3
    assert rest.at(berlin(2026, 4, 3, 23)).ends == berlin(2026, 4, 4)
    assert rest.at(berlin(2026, 4, 4)) is None


def test_without_an_end_it_lasts():
    once = Recurring(berlin(2026, 3, 20), None, BERLIN)

    assert once.at(berlin(2026, 3, 19)) is None
    assert once.at(berlin(2199, 1, 1)) == Occurrence(berlin(2026, 3, 20), None)
    assert once.within(berlin(2026, 3, 1), berlin(2026, 3, 20)) is None
    assert once.within(berlin(2026, 3, 1), berlin(2026, 3, 20, 1))


@pytest.mark.parametrize("every", LONGEST)
def test_where_calendars_end_nothing_recurs(every):
    begins = dt.datetime(9999, 12, 30, tzinfo=dt.UTC)
    last = Recurring(begins, begins + dt.timedelta(hours=1), ZoneInfo("UTC"), every)

    assert list(last.after(begins + dt.timedelta(hours=2))) == []


@given(
    begins=st.datetimes(FIRST, FIRST.replace(year=2050), timezones=st.just(dt.UTC)),
    minutes=st.integers(1, 27 * 24 * 60),
    every=st.sampled_from(list(LONGEST)),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    later=st.integers(0, 20 * 366 * 24 * 60),
)
def test_periods_come_in_order_and_say_the_same_on_the_wall(begins, minutes, every, zone, later):
    length = min(dt.timedelta(minutes=minutes), LONGEST[every] - dt.timedelta(hours=25))
    periods = Recurring(begins, begins + length, zone, every)
    at = begins + dt.timedelta(minutes=later)

    found = periods.next_ones(at, 4)

    assert all(one.ends > one.begins for one in found)
    assert all(before.ends <= after.begins for before, after in pairwise(found))
    assert found[0].ends > at
    assert (periods.at(at) is not None) == (found[0].begins <= at)
    walls = {one.begins.astimezone(zone).time() for one in found}
    assert begins.astimezone(zone).time() in walls, "but for where the wall never said it"


@given(hours=st.integers(0, 24 * 365 * 4), step=st.integers(1, 7 * 24), zone=st.sampled_from(ZONES))
def test_what_meets_a_stretch_covers_one_of_its_moments(hours, step, zone):
    begins = dt.datetime(2026, 1, 2, 17, tzinfo=dt.UTC)
    rest = Recurring(begins, begins + dt.timedelta(hours=60), ZoneInfo(zone), "weekly")
    starts = begins + dt.timedelta(hours=hours)
    ends = starts + dt.timedelta(hours=step)

    found = rest.within(starts, ends)

    moments = (starts + dt.timedelta(minutes=30 * n) for n in range(step * 2))
    assert (found is not None) == any(rest.at(moment) for moment in moments)
