import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse

from releasemgr.accounts.models import SignInAttempt, User

pytestmark = pytest.mark.django_db

RIGHT = "right"
NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def person():
    return User.objects.create_user("kofi", password=RIGHT, first_name="Kofi")


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def sign_in(client, password=RIGHT, name="kofi", address="192.0.2.1", **query):
    form = {"username": name, "password": password, **query}
    return client.post(reverse("login"), form, REMOTE_ADDR=address)


def is_signed_in(client):
    return "_auth_user_id" in client.session


def test_the_right_password_signs_in(client, person):
    answer = sign_in(client)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert is_signed_in(client)


def test_a_wrong_password_is_refused_with_the_name_kept(client, person):
    answer = sign_in(client, "wrong")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "That name and password do not match. 4 attempts left." in page
    assert 'value="kofi"' in page
    assert "wrong" not in page


def test_an_unknown_name_is_told_the_same(client, person):
    assert "4 attempts left" in sign_in(client, name="nobody").content.decode()


def test_somebody_who_left_cannot_sign_in(client, person):
    person.is_active = False
    person.save()
    assert sign_in(client).status_code == 422


def test_the_robot_cannot_sign_in(client):
    assert sign_in(client, "", name="robot").status_code == 422
    assert sign_in(client, "!", name="robot").status_code == 422


def test_five_failures_lock_the_name_for_that_address(client, person, clock):
    answers = [sign_in(client, "wrong") for _ in range(5)]
    assert "No attempts left for 15 minutes" in answers[-1].content.decode()
    locked = sign_in(client)
    assert locked.status_code == 429
    assert locked.headers["Retry-After"] == "900"
    assert "locked for 15 minutes" in locked.content.decode()
    assert not is_signed_in(client)


def test_capitals_do_not_evade_the_lock(client, person, clock):
    for name in ("kofi", "Kofi", "KOFI", "kOfi", "koFi"):
        sign_in(client, "wrong", name=name)
    assert sign_in(client, name="kofI").status_code == 429


def test_a_lock_is_for_one_address_and_one_name(client, person, clock):
    for _ in range(5):
        sign_in(client, "wrong")
    assert sign_in(client, "wrong", name="ama").status_code == 422
    assert sign_in(client, address="192.0.2.2").status_code == 303


def test_a_lock_ends_after_fifteen_minutes_whatever_was_tried_under_it(client, person, clock):
    for _ in range(5):
        sign_in(client, "wrong")
    clock.shift(dt.timedelta(minutes=14))
    assert sign_in(client).status_code == 429
    clock.shift(dt.timedelta(minutes=1))
    assert sign_in(client).status_code == 303


def test_signing_in_forgets_the_failures(client, person, clock):
    for _ in range(4):
        sign_in(client, "wrong")
    sign_in(client)
    assert SignInAttempt.objects.count() == 0


def test_old_attempts_are_not_kept(client, person, clock):
    sign_in(client, "wrong", name="somebody")
    clock.shift(dt.timedelta(minutes=15))
    sign_in(client, "wrong")
    assert [attempt.name for attempt in SignInAttempt.objects.all()] == ["kofi"]


@pytest.mark.parametrize("name", ["x" * 150, "ß" * 150, "\u202eabc", "İ" * 150])
def test_odd_names_are_only_wrong(client, name):
    assert sign_in(client, name=name).status_code == 422


def test_giant_names_are_refused(client):
    assert sign_in(client, name="x" * 100_000).status_code == 422


@pytest.mark.parametrize("next_url", ["/trains/?q=1", "/me/"])
def test_after_signing_in_people_get_where_they_wanted(client, person, next_url):
    assert sign_in(client, next=next_url).headers["Location"] == next_url


@pytest.mark.parametrize(
    "next_url",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
        "/login/",
        "/login/?next=/login/",
    ],
)
def test_nobody_is_sent_to_another_site_or_round_in_circles(client, person, next_url):
    assert sign_in(client, next=next_url).headers["Location"] == "/"


@pytest.mark.parametrize("query", ["", "?next=/login/", "?next=//evil.example"])
def test_who_is_signed_in_needs_no_form(client, person, query):
    client.force_login(person)
    answer = client.get(reverse("login") + query)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_signing_out_is_a_post(client, person):
    client.force_login(person)
    assert client.get(reverse("logout")).status_code == 405
    assert is_signed_in(client)
    assert client.post(reverse("logout")).status_code in {302, 303}
    assert not is_signed_in(client)


def test_pages_behind_the_door_ask_to_sign_in(client):
    answer = client.get(reverse("accounts:me"))
    assert answer.headers["Location"] == f"{reverse('login')}?next={reverse('accounts:me')}"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_simultaneous_guesses_get_no_more_than_five():
    User.objects.create_user("kofi", password=RIGHT)

    def guess(number):
        try:
            return sign_in(Client(), f"wrong{number}").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(24)))
    assert set(answers) <= {422, 429}
    assert answers.count(422) <= 5
