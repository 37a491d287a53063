"""Trains that make themselves."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection
from django.urls import reverse
from django.utils import timezone

from releasemgr.accounts.models import User
from releasemgr.operations.verify.histories import versions_are_whole
from releasemgr.workflow.edit import edit
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.factories import CadenceFactory, TemplateFactory, UserFactory
from trains.cadences import make_due_trains
from trains.models import Cadence, CadenceTrain, Calendar, Train
from trains.outline import CriterionOutline, Outline
from turnovers.engine import scheduler

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate()


def days(count):
    return TODAY + dt.timedelta(days=count)


def names():
    return list(Train.objects.order_by("start").values_list("name", flat=True))


def test_a_train_is_made_as_soon_as_it_is_due_and_only_then():
    cadence = CadenceFactory(first_start=days(31), days_ahead=30)
    make_due_trains()
    assert names() == []

    edit(cadence, by=cadence.manager, first_start=days(30))
    make_due_trains()

    assert names() == ["Train 1"]


def test_it_has_what_the_template_says(db):
    outline = Outline(
        lengths=(1, 2, 3, 4),
        needs={"executive": True, "train": False, "development": False},
        criteria=(CriterionOutline("qa", "Rehearsed"),),
    )
    template = TemplateFactory(outline=outline)
    cadence = CadenceFactory(template=template, first_start=days(1))

    make_due_trains()

    train = Train.objects.get()
    assert (train.start, train.end) == (days(1), days(11))
    assert (train.manager, train.template) == (cadence.manager, template.latest)
    assert (train.needs_executive_approval, train.needs_train_approval) == (True, False)
    assert train.gates.get(stage="qa").criteria.get().title == "Rehearsed"
    assert train.history.latest("history_id").history_user == User.objects.robot()


def test_looking_again_makes_nothing_twice():
    CadenceFactory(first_start=days(1))

    for _ in range(3):
        make_due_trains()

    assert names() == ["Train 1"]
    assert not list(versions_are_whole())


def test_all_that_are_due_are_made_at_once():
    CadenceFactory(first_start=days(1), every=1, unit="weeks", days_ahead=15)

    make_due_trains()

    assert names() == ["Train 1", "Train 2", "Train 3"]


def test_the_database_refuses_a_second_train_for_the_same_turn():
    CadenceFactory(first_start=days(1))
    make_due_trains()
    made = CadenceTrain.objects.get()

    with pytest.raises(IntegrityError):
        CadenceTrain.objects.create(
            cadence=made.cadence, number=made.number, train=Train.objects.get()
        )


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time")
def test_many_schedulers_at_once_make_each_train_once():
    for _ in range(3):
        CadenceFactory(first_start=days(1), unit="weeks", days_ahead=15)

    def look(_):
        try:
            make_due_trains()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(look, range(8)))
    make_due_trains()

    made = CadenceTrain.objects.values_list("cadence", "number")
    assert len(made) == len(set(made)) == Train.objects.count() == 9


def test_the_scheduler_runs_this_errand():
    assert make_due_trains in scheduler.errands


def test_a_start_on_a_day_off_moves_to_the_next_working_day():
    calendar = Calendar.objects.get(is_default=True)
    start = days(10)
    calendar.holidays.create(day=start, name="Feast")
    CadenceFactory(first_start=start, calendar=calendar)

    make_due_trains()

    assert Train.objects.get().start == calendar.workdays.forward(start) > start


def test_a_paused_cadence_makes_none_and_what_it_missed_is_not_made_late():
    cadence = CadenceFactory(first_start=days(-10), unit="weeks", days_ahead=7)
    cadence = perform(cadence, "pause", by=cadence.manager, reason="Summer")
    make_due_trains()
    assert names() == []

    perform(cadence, "resume", by=cadence.manager)
    make_due_trains()

    assert names() == ["Train 3"]
    assert Train.objects.get().start == days(4)


def test_months_keep_their_day_where_they_have_it():
    cadence = CadenceFactory(first_start=dt.date(2027, 1, 31), every=1, unit="months")

    assert [cadence.start_of(n) for n in (1, 2, 3, 13)] == [
        dt.date(2027, 1, 31),
        dt.date(2027, 2, 28),
        dt.date(2027, 3, 31),
        dt.date(2028, 1, 31),
    ]


def test_names_hold_number_year_month_and_quarter():
    cadence = CadenceFactory(train_name="Portal {year} Q{quarter} {month} #{number} {x}")

    assert cadence.name_of(7, dt.date(2027, 5, 3)) == "Portal 2027 Q2 05 #7 {x}"


@pytest.mark.parametrize("gone", ["template", "manager"])
def test_without_its_template_or_manager_it_pauses_and_says_why(client, gone, manager):
    cadence = CadenceFactory(first_start=days(1))
    if gone == "template":
        edit(cadence.template, by=manager, is_active=False)
    else:
        User.objects.filter(pk=cadence.manager.pk).update(is_active=False)

    make_due_trains()

    cadence = Cadence.objects.get()
    assert (names(), cadence.state) == ([], "paused")
    assert cadence.problem in client.get(cadence.get_absolute_url()).content.decode()
    assert cadence.problem


def test_it_resumes_only_with_a_template_that_is_offered(manager):
    cadence = CadenceFactory(template__is_active=False, state="paused")

    with pytest.raises(TransitionRefused, match="no longer offered"):
        perform(cadence, "resume", by=manager)


# --- Pages ----------------------------------------------------------------------------------------


def form(template, manager, **more):
    return {
        "name": "Portal",
        "template": template.pk,
        "train_name": "Portal {number}",
        "manager": manager.pk,
        "first_start": days(60),
        "every": 2,
        "unit": "weeks",
        "days_ahead": 30,
    } | more


def test_a_cadence_is_made_and_shows_its_next_dates(client, manager):
    client.post(reverse("trains:cadence-new"), form(TemplateFactory(), manager))

    cadence = Cadence.objects.get()
    page = client.get(cadence.get_absolute_url())
    assert [(name, made, start) for name, made, start in page.context["coming"]][:2] == [
        ("Portal 1", days(30), days(60)),
        ("Portal 2", days(44), days(74)),
    ]
    assert "Portal 1 starts" in client.get(reverse("trains:cadences")).content.decode()


def test_a_name_that_every_train_would_have_is_refused(client, manager):
    answer = client.post(
        reverse("trains:cadence-new"), form(TemplateFactory(), manager, train_name="Portal {year}")
    )

    assert answer.status_code == 422
    assert not Cadence.objects.exists()


@pytest.mark.parametrize("every", [0, 105, -1])
def test_a_rhythm_that_is_none_is_refused(client, manager, every):
    answer = client.post(
        reverse("trains:cadence-new"), form(TemplateFactory(), manager, every=every)
    )

    assert answer.status_code == 422


def test_an_ended_cadence_stays_as_it_was(client, manager):
    cadence = CadenceFactory(state="ended")

    answer = client.post(
        reverse("trains:cadence-edit", args=[cadence.pk]),
        form(cadence.template, manager, version=cadence.version),
    )

    assert answer.status_code == 409
    cadence.refresh_from_db()
    assert cadence.name != "Portal"
    assert client.get(cadence.get_absolute_url()).context["coming"] == []


def test_a_cadence_is_paused_and_resumed_from_its_page(client, manager):
    cadence = CadenceFactory()

    client.post(cadence.step_url("pause"), {"reason": "Summer", "version": 1})
    assert Cadence.objects.get().state == "paused"
    client.post(cadence.step_url("resume"), {"version": 2})

    assert Cadence.objects.get().state == "active"


# --- Calendars in the administration --------------------------------------------------------------


def test_administrators_keep_calendars_with_their_holidays(client):
    administrator = UserFactory(role="Administrator", is_staff=True)
    client.force_login(administrator)
    data = {
        "name": "Bavaria",
        "monday": "on",
        "holidays-TOTAL_FORMS": 1,
        "holidays-INITIAL_FORMS": 0,
        "holidays-0-day": "2027-01-06",
        "holidays-0-name": "Epiphany",
    }

    answer = client.post("/admin/trains/calendar/add/", data)

    assert answer.status_code == 302
    calendar = Calendar.objects.get(name="Bavaria")
    holiday = calendar.holidays.get()
    assert not calendar.workdays.is_working(dt.date(2027, 1, 6))
    assert holiday.history.get().history_user == administrator

    removed = data | {
        "holidays-INITIAL_FORMS": 1,
        "holidays-0-id": holiday.pk,
        "holidays-0-calendar": calendar.pk,
        "holidays-0-DELETE": "on",
    }
    client.post(f"/admin/trains/calendar/{calendar.pk}/change/", removed)

    assert not calendar.holidays.exists()
    assert holiday.history.first().history_type == "-"


def test_a_calendar_without_a_working_day_is_refused(client):
    client.force_login(UserFactory(role="Administrator", is_staff=True))

    answer = client.post(
        "/admin/trains/calendar/add/",
        {"name": "Never", "holidays-TOTAL_FORMS": 0, "holidays-INITIAL_FORMS": 0},
    )

    assert answer.status_code == 200
    assert "Choose at least one day on which people work." in answer.content.decode()
