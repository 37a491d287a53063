"""Counting in working days."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trains.outline import Outline
from trains.planning import dates_of
from trains.schedule import period_of, periods, spread
from trains.workdays import EVERY_DAY, Workdays

FRIDAY, SATURDAY, SUNDAY, MONDAY = (dt.date(2026, 11, 27) + dt.timedelta(n) for n in range(4))
WEEK = Workdays(frozenset(range(5)), frozenset({MONDAY}))
DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1))
CALENDARS = st.builds(
    Workdays,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.frozensets(st.dates(dt.date(2020, 1, 1), dt.date(2020, 12, 31)), max_size=20),
)


def test_a_holiday_and_a_weekend_are_no_working_days():
    assert [WEEK.is_working(day) for day in (FRIDAY, SATURDAY, SUNDAY, MONDAY)] == [
        True,
        False,
        False,
        False,
    ]
    assert WEEK.forward(SATURDAY) == dt.date(2026, 12, 1)
    assert WEEK.back(MONDAY) == FRIDAY


def test_one_working_day_after_a_friday_before_a_long_weekend_is_tuesday():
    assert WEEK.add(FRIDAY, 1) == dt.date(2026, 12, 1)
    assert WEEK.add(dt.date(2026, 12, 1), -1) == FRIDAY
    assert WEEK.between(FRIDAY, dt.date(2026, 12, 1)) == 1


@given(CALENDARS, DAYS, st.integers(-400, 400))
def test_what_was_added_is_counted_again(workdays, day, count):
    there = workdays.add(day, count)

    assert workdays.is_working(there)
    assert workdays.between(day, there) == count


@given(CALENDARS, DAYS, DAYS)
def test_the_distance_leads_to_the_day_or_the_next_working_day(workdays, first, last):
    last = first + (last - first) % dt.timedelta(days=900)

    assert workdays.add(first, workdays.between(first, last)) == workdays.forward(last)


def test_without_a_calendar_every_day_counts():
    assert EVERY_DAY.add(FRIDAY, 3) == MONDAY


@pytest.mark.parametrize(
    "today", [dt.date(2026, 1, 1), dt.date(2026, 11, 26), dt.date(2026, 12, 31)]
)
def test_quarters_and_halves_that_have_not_begun_are_offered(today):
    found = periods(today)

    assert all(period.first > today for period in found)
    assert [period.label[0] for period in found] == ["Q"] * 4 + ["H"] * 2
    assert found[1].first == found[0].last + dt.timedelta(days=1)


def test_a_train_fills_a_quarter_with_its_stages_in_order():
    period = period_of("2027-q1", dt.date(2026, 11, 26))

    dates = spread(period, Outline(), WEEK)

    assert (dates["start"], dates["end"]) == (dt.date(2027, 1, 1), dt.date(2027, 3, 31))
    assert list(dates.values()) == sorted(dates.values())
    assert dates["scoping_end"] == dt.date(2027, 1, 19)


def test_the_lengths_of_an_outline_make_the_dates():
    dates = dates_of(Outline(lengths=(1, 2, 3, 4)), FRIDAY, WEEK)

    assert [day.day for day in dates.values()] == [27, 1, 3, 8, 14]


def test_a_short_path_has_its_first_and_its_last_date():
    dates = dates_of(Outline(lengths=(0, 0, 0, 2)), FRIDAY, WEEK, is_short=True)

    assert dates == {"start": FRIDAY, "end": dt.date(2026, 12, 2)}
