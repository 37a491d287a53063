"""No address makes a page fail, whatever is written into it."""

from http import HTTPStatus
from urllib.parse import quote

import pytest
from django.http import QueryDict
from django.urls import reverse

from tests.hostile.values import QUERY
from tests.permissions.test_urls import AREAS
from tests.permissions.test_urls import TABLE as PAGES
from tests.world import WORDS, World, routes

pytestmark = pytest.mark.django_db

ROUTES = routes()
NO_IDS = (0, 2**31, 2**63, 10**30)
WITH_IDS = sorted(name for name, route in ROUTES.items() if "pk" in route.holds)
TO_READ = sorted(name for name, (_, get, _) in PAGES.items() if get and name in ROUTES)


def failed(answer):
    """Whether the application itself gave up."""
    return answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR


def test_what_is_not_there_is_not_found(ask):
    for name in WITH_IDS:
        route = ROUTES[name]
        for number in NO_IDS:
            given = {held: number for held in route.holds if held.endswith("pk")}
            for held in set(route.holds) - set(given):
                given[held] = WORDS.get((name, held), ["cancel"])[0]
            address = reverse(name, kwargs=given)
            for method in ("get", "post"):
                status = ask(method, address).status_code
                assert status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}, address


@pytest.mark.parametrize(
    "path",
    [
        "/trains/RT-%00/",
        "/trains/%00",
        "/trains/RT-1/%F0%9F%9A%82/",
        "/trains/RT--1/",
        "/trains/RT-1e3/",
        "/turnovers/TO-" + "9" * 5000 + "/",
        "/environments/" + "x" * 5000 + "/",
        "/%ff%fe/",
        "/..%2f..%2fetc/passwd",
        "/static/..%2f..%2fmanage.py",
    ],
)
def test_an_address_that_is_none_is_not_found(ask, path):
    answer = ask("get", path)

    assert answer.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST}


@pytest.mark.parametrize("which", ["tab", "name", "which"])
def test_a_word_that_is_none_is_not_found(ask, which):
    world = World()
    held = [name for name, route in ROUTES.items() if which in route.holds]
    assert held

    for name in held:
        given = {which: "no-such-word"}
        given |= {h: world.turnover.pk for h in ROUTES[name].holds if h.endswith("pk")}
        answer = ask("get", reverse(name, kwargs=given))
        assert answer.status_code == HTTPStatus.NOT_FOUND, name


@pytest.fixture
def read(monkeypatch):
    """The names that pages look up in an address's query."""
    names = set()
    for method in ("get", "getlist", "__getitem__", "__contains__"):
        original = getattr(QueryDict, method)

        def note(self, key, *args, original=original):
            names.add(key)
            return original(self, key, *args)

        monkeypatch.setattr(QueryDict, method, note)
    return names


@pytest.mark.parametrize("area", AREAS)
def test_no_query_makes_a_page_fail(ask, read, area):
    world = World()
    wrong = []

    for name in (name for name in TO_READ if name.partition(":")[0] == area):
        address = world.addresses(ROUTES[name], PAGES[name][0])[-1]
        read.clear()
        ask("get", address)
        keys = sorted({*read, "page"})
        for query in (f"{key}={quote(value)}" for key in keys for value in QUERY):
            answer = ask("get", f"{address}?{query}")
            if failed(answer):
                wrong.append((address, query[:80], repr(answer.exc_info[1])[:300]))

    assert not wrong, "\n".join(map(str, wrong))


def test_nul_and_broken_bytes_in_a_query_are_refused_or_ignored(ask):
    world = World()

    for name in TO_READ:
        address = world.addresses(ROUTES[name], PAGES[name][0])[0]
        for query in ("q=%00", "%00=1", "page=%ff%fe&q=%ff", "%%%&&==&q=%&q&q=1"):
            answer = ask("get", f"{address}?{query}")
            assert not failed(answer), (query, answer.exc_info)
            assert "%00" not in query or answer.status_code == HTTPStatus.BAD_REQUEST
