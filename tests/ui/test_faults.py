"""What is not found, not allowed, not readable or our fault: a page in words, with a reference."""

import logging
import re
from importlib import import_module
from types import ModuleType

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import path, reverse

from releasemgr.accounts.models import User
from releasemgr.ui.middleware import RequestIdFilter

pytestmark = pytest.mark.django_db


def fail(request):
    raise RuntimeError("The database is on fire.")


def refuse(request):
    raise PermissionDenied(request.GET.get("because", ""))


@pytest.fixture
def routes(settings):
    """Two pages that go wrong, beside all the others."""
    real = import_module(settings.ROOT_URLCONF)
    extended = ModuleType("extended_urls")
    vars(extended).update(
        {name: value for name, value in vars(real).items() if name.startswith("handler")}
    )
    extended.urlpatterns = [path("fail/", fail), path("refuse/", refuse), *real.urlpatterns]
    settings.ROOT_URLCONF = extended


@pytest.fixture
def visitor(client):
    client.raise_request_exception = False
    return client


@pytest.fixture
def person():
    return User.objects.create_user("kofi", password="pw", first_name="Kofi", last_name="Mensah")


def test_an_unknown_address_is_404_with_a_reference(visitor):
    answer = visitor.get("/no/such/page/")
    assert answer.status_code == 404
    assert answer.headers["X-Request-ID"] in answer.content.decode()


def test_an_unknown_address_keeps_the_navigation_of_who_is_signed_in(visitor, person):
    visitor.force_login(person)
    page = visitor.get("/no/such/page/").content.decode()
    assert "Kofi Mensah" in page
    assert reverse("trains:list") in page


@pytest.mark.usefixtures("routes")
def test_a_refusal_says_who_may(visitor, person):
    visitor.force_login(person)
    answer = visitor.get("/refuse/", {"because": "Release managers <do> this."})
    assert answer.status_code == 403
    assert "Release managers &lt;do&gt; this." in answer.content.decode()
    assert "who has no role yet" in answer.content.decode()


@pytest.mark.usefixtures("routes")
def test_a_refusal_without_words_still_says_what_to_do(visitor, person):
    visitor.force_login(person)
    assert "None of your roles allows it." in visitor.get("/refuse/").content.decode()


@pytest.mark.usefixtures("routes")
def test_our_own_fault_is_a_plain_page_that_asks_the_database_nothing(
    visitor, person, django_assert_num_queries
):
    visitor.force_login(person)
    with django_assert_num_queries(2):  # session and person, asked before it failed
        answer = visitor.get("/fail/")
    page = answer.content.decode()
    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] in page
    assert "on fire" not in page
    assert "<script" not in page


@pytest.mark.usefixtures("routes")
def test_the_log_line_of_a_fault_carries_its_reference(visitor, caplog):
    caplog.handler.addFilter(RequestIdFilter())
    with caplog.at_level(logging.ERROR, logger="django.request"):
        answer = visitor.get("/fail/")
    assert answer.headers["X-Request-ID"] in {record.request_id for record in caplog.records}


@pytest.mark.parametrize(
    "address", ["/%00/", "/me/?a=%00", "/me/?a%00b=1", "/login/?next=/%00", "/no%00where/"]
)
def test_nul_in_an_address_is_400(visitor, address):
    answer = visitor.get(address)
    assert answer.status_code == 400
    assert "could not be read" in answer.content.decode()


@pytest.mark.parametrize("form", [{"username": "a\0b", "password": "x"}, {"a\0": "x"}])
def test_nul_in_a_form_is_400(visitor, form):
    assert visitor.post(reverse("login"), form).status_code == 400


@pytest.mark.parametrize(
    "address", ["/me/?a=%ff%fe", "/me/?a=%ed%a0%80", "/%ff/", "/me/?" + "a&" * 500]
)
def test_odd_addresses_are_no_fault_of_ours(visitor, address):
    assert visitor.get(address).status_code < 500


def test_too_many_fields_are_400(visitor):
    form = {f"field{number}": "x" for number in range(3000)}
    assert visitor.post(reverse("login"), form).status_code == 400


def test_a_form_without_its_token_is_refused_in_words(person):
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(reverse("login"), {"username": "kofi", "password": "pw"})
    assert answer.status_code == 403
    assert "This form is out of date" in answer.content.decode()


def test_each_request_has_a_reference_of_its_own(visitor):
    one, other = (visitor.get(reverse("login")).headers["X-Request-ID"] for _ in range(2))
    assert one != other
    assert re.fullmatch(r"[0-9a-f]{12}", one)
