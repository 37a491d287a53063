"""A pause ends by the clocks of its zone, also where these are changed."""

import datetime as dt

import pytest

from turnovers import executors
from turnovers.executors import TaskContext

WAIT = executors.get("wait")
LONDON = "Europe/London"


def until(time, day="", zone=LONDON):
    return {"how": "until", "minutes": None, "time": time, "day": day, "zone": zone}


def utc(text):
    return dt.datetime.fromisoformat(f"{text}+00:00")


def test_minutes_count_from_its_turn():
    now = utc("2026-03-29T00:50")

    assert WAIT.begins_at({"how": "for", "minutes": 20}, now) == utc("2026-03-29T01:10")


@pytest.mark.parametrize(
    ("now", "time", "ends"),
    [
        ("2026-11-26T21:00", "22:00:00", "2026-11-26T22:00"),
        ("2026-07-01T20:00", "22:00:00", "2026-07-01T21:00"),  # summer time
        ("2026-11-26T23:30", "02:00:00", "2026-11-27T02:00"),  # over midnight
        ("2026-11-27T02:05", "02:00:00", "2026-11-27T02:00"),  # has come, goes on at once
        ("2026-11-27T00:10", "23:50:00", "2026-11-26T23:50"),  # has come, before midnight
        ("2026-11-26T08:00", "03:00:00", "2026-11-27T03:00"),  # tomorrow's
        ("2026-03-28T22:00", "03:00:00", "2026-03-29T02:00"),  # clocks go forward that night
        ("2026-03-28T22:00", "01:30:00", "2026-03-29T01:30"),  # a time that is left out
        ("2026-10-24T22:00", "01:30:00", "2026-10-25T00:30"),  # a time that comes twice
        ("2026-10-24T22:00", "02:30:00", "2026-10-25T02:30"),  # clocks went back
    ],
)
def test_a_time_of_day_is_the_next_one(now, time, ends):
    assert WAIT.begins_at(until(time), utc(now)) == utc(ends)


def test_a_date_and_time_is_that_moment_however_long_ago():
    parameters = until("09:00:00", day="2026-07-01", zone="America/New_York")

    assert WAIT.begins_at(parameters, utc("2026-12-01T00:00")) == utc("2026-07-01T13:00")
    assert WAIT.summary(parameters) == "Wait until 2026-07-01 09:00 (America/New_York)"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"how": "for"}, "Minutes: Say how many minutes."),
        ({"how": "for", "minutes": "0"}, "greater than or equal to 1"),
        ({"how": "until"}, "Time of day: Say until when."),
        ({"how": "until", "time": "25:00"}, "Enter a valid time."),
        ({"how": "until", "time": "02:00", "zone": "Mars/Base"}, "There is no such time zone."),
    ],
)
def test_what_it_lacks_is_said(given, problem):
    assert problem in " ".join(WAIT.problems(given))


def test_what_the_form_makes_of_it_is_complete():
    form = WAIT.form({"how": "until", "time": "02:00", "day": "2026-11-27", "zone": LONDON})

    assert form.is_valid()
    assert form.cleaned_data == until("02:00:00", day="2026-11-27")
    assert WAIT.problems(form.cleaned_data) == []
    assert WAIT.summary({"how": "for", "minutes": 15}) == "Wait 15 min"


def test_it_needs_no_worker_for_longer_than_a_moment():
    context = TaskContext(parameters={}, key="1:1:1", attempt=1, fence=1, timeout=1)

    assert WAIT.is_instant
    assert WAIT.run(context).succeeded
