import datetime as dt

import pytest
from django.template import Context, Template
from django.urls import reverse
from django.utils import timezone

from releasemgr.accounts.middleware import UserTimeZoneMiddleware, zone
from releasemgr.accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return User.objects.create_user(
        "kofi", "kofi@example.net", "right horse", first_name="Kofi", last_name="Mensah"
    )


@pytest.fixture
def signed_in(client, person):
    client.force_login(person)
    return client


def keep(client, **changes):
    form = {"time_zone": "Africa/Accra", "theme": "dark", "single_keys": "on"} | changes
    return client.post(reverse("accounts:me"), form)


def test_the_page_says_who_one_is(signed_in):
    page = signed_in.get(reverse("accounts:me")).content.decode()
    for fact in ("Kofi Mensah", "kofi", "kofi@example.net", "None yet"):
        assert fact in page


def test_settings_are_kept(signed_in, person):
    answer = keep(signed_in, single_keys="")
    person.refresh_from_db()
    assert (answer.status_code, answer.headers["Location"]) == (303, reverse("accounts:me"))
    assert (person.time_zone, person.theme, person.single_keys) == ("Africa/Accra", "dark", False)


@pytest.mark.parametrize(
    "changes", [{"time_zone": "Moon/Tycho"}, {"theme": "pink"}, {"time_zone": "../../etc"}]
)
def test_what_does_not_exist_is_refused_and_nothing_kept(signed_in, person, changes):
    assert keep(signed_in, **changes).status_code == 422
    person.refresh_from_db()
    assert (person.time_zone, person.theme) == ("UTC", "system")


@pytest.mark.parametrize("field", ["username", "is_superuser", "is_staff", "email", "first_name"])
def test_only_settings_can_be_changed_here(signed_in, person, field):
    before = getattr(person, field)
    keep(signed_in, **{field: "1"})
    person.refresh_from_db()
    assert getattr(person, field) == before


def test_a_zone_under_an_old_name_stays_chosen(signed_in, person):
    person.time_zone = "GB"
    person.save()
    assert '<option value="GB" selected>' in signed_in.get(reverse("accounts:me")).content.decode()
    assert keep(signed_in, time_zone="GB").status_code == 303


def test_the_theme_button_keeps_the_theme_and_comes_back(signed_in, person):
    form = {"theme": "dark", "next": "/trains/?q=1"}
    answer = signed_in.post(reverse("accounts:theme"), form)
    person.refresh_from_db()
    assert person.theme == "dark"
    assert (answer.status_code, answer.headers["Location"]) == (303, "/trains/?q=1")


@pytest.mark.parametrize("back", ["", "//evil.example", "https://evil.example/"])
def test_the_theme_button_leads_to_no_other_site(signed_in, back):
    answer = signed_in.post(reverse("accounts:theme"), {"theme": "light", "next": back})
    assert answer.headers["Location"] == reverse("accounts:me")


def test_there_is_no_other_theme(signed_in):
    assert signed_in.post(reverse("accounts:theme"), {"theme": "pink"}).status_code == 400


def test_a_new_password_needs_the_old_one(signed_in, person):
    form = {"old_password": "wrong", "new_password1": "n3w horse!", "new_password2": "n3w horse!"}
    assert signed_in.post(reverse("accounts:password"), form).status_code == 422
    person.refresh_from_db()
    assert person.check_password("right horse")


def test_a_new_password_keeps_one_signed_in_here(signed_in, person):
    form = {
        "old_password": "right horse",
        "new_password1": "n3w horse!",
        "new_password2": "n3w horse!",
    }
    assert signed_in.post(reverse("accounts:password"), form).status_code == 303
    person.refresh_from_db()
    assert person.check_password("n3w horse!")
    assert signed_in.get(reverse("accounts:me")).status_code == 200


def test_a_page_speaks_the_readers_time(rf, person):
    person.time_zone = "Asia/Tokyo"
    request = rf.get("/")
    request.user = person
    moment = dt.datetime(2026, 11, 23, 23, 30, tzinfo=dt.UTC)

    def page(request):
        return Template("{% load ui %}{{ it|exactly }}").render(Context({"it": moment}))

    assert "Tuesday 24 November 2026, 08:30 JST" in UserTimeZoneMiddleware(page)(request)
    assert timezone.get_current_timezone_name() == "UTC"


@pytest.mark.parametrize("name", ["", "Moon/Tycho", "../etc/passwd", "/etc/localtime"])
def test_a_zone_this_machine_does_not_know_is_utc(name):
    assert zone(name).key == "UTC"
