"""The frame around every page: navigation, theme, keys; and nothing asked that is not shown."""

import gzip

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import RequestFactory
from django.urls import reverse

from releasemgr.accounts.models import User
from releasemgr.ui import navigation
from releasemgr.ui.context import Shell

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return User.objects.create_user("kofi", password="pw", first_name="Kofi", last_name="Mensah")


@pytest.fixture
def counted(monkeypatch):
    """A counter on My work, and how often it was asked."""
    asked = []

    def count(user):
        asked.append(user)
        return {"portal:work": 6}

    monkeypatch.setattr(navigation, "counters", [count])
    monkeypatch.setattr(navigation, "following", [])
    return asked


def shell_for(user):
    request = RequestFactory().get("/")
    request.user = user
    request.resolver_match = None
    return Shell(request)


@pytest.mark.parametrize(
    ("view", "place"),
    [
        ("portal:work", "portal:work"),
        ("trains:list", "trains:list"),
        ("trains:detail", "trains:list"),
        ("trains:applications", "trains:applications"),
        ("turnovers:detail", "turnovers:list"),
        ("accounts:me", ""),
        ("", ""),
    ],
)
def test_each_page_belongs_to_one_place(view, place):
    assert navigation.current_place(view) == place


def test_a_page_asks_for_each_count_once_though_it_shows_it_thrice(client, person, counted):
    client.force_login(person)
    page = client.get(reverse("accounts:me")).content.decode()
    assert page.count('<span class="count count-you">6') == 3
    assert counted == [person]


def test_a_shell_that_is_not_drawn_asks_nothing(person, counted, django_assert_num_queries):
    with django_assert_num_queries(0):
        shell_for(person)
    assert counted == []


def test_the_frame_costs_three_queries(client, person, counted, django_assert_num_queries):
    client.force_login(person)
    # The session, the person, and their roles with what those permit.
    with django_assert_num_queries(3):
        client.get(reverse("accounts:me"))


def test_import_is_offered_to_those_who_may(person):
    assert "Import" not in [entry.place.label for entry in shell_for(person).entries]


def test_places_that_need_a_permission_show_once_it_is_there(person, monkeypatch):
    place = navigation.Place("login", "People", "users", permission="accounts.view_user")
    monkeypatch.setattr(navigation, "PLACES", (place,))
    assert shell_for(person).entries == []
    role = Group.objects.create(name="Receptionist")
    role.permissions.add(Permission.objects.get(codename="view_user"))
    person.groups.add(role)
    again = User.objects.get(pk=person.pk)
    assert [entry.place for entry in shell_for(again).entries] == [place]


def test_the_document_says_theme_and_keys(client, person):
    person.theme, person.single_keys = "dark", False
    person.save()
    client.force_login(person)
    page = client.get(reverse("accounts:me")).content.decode()
    assert '<html lang="en-GB" data-theme="dark" data-keys="off">' in page


def test_the_theme_of_the_device_needs_no_attribute(client, person):
    client.force_login(person)
    page = client.get(reverse("accounts:me")).content.decode()
    assert '<html lang="en-GB" data-keys="on">' in page


def test_the_gallery_is_for_staff(client, person):
    client.force_login(person)
    assert client.get(reverse("ui:gallery")).status_code == 404
    person.is_staff = True
    person.save()
    assert client.get(reverse("ui:gallery")).status_code == 200


def test_every_page_stays_within_fifteen_kilobytes_packed(client, person):
    client.force_login(person)
    assert len(gzip.compress(client.get(reverse("accounts:me")).content)) < 15 * 1024
