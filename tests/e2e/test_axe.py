"""Every page, for every role, at both widths, in both themes: accessible, quiet, not too wide."""

import json
import re
from contextlib import suppress
from html import unescape
from itertools import groupby
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from django.urls import Resolver404, resolve, reverse

from tests.e2e.browser import RUN_AXE, Person
from tests.e2e.stage import person
from tests.permissions.test_urls import ROLES as LETTERS
from tests.permissions.test_urls import TABLE
from tests.world import routes

pytestmark = pytest.mark.e2e

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
LOOKS = [(theme, size) for theme in ("light", "dark") for size in (DESK, PHONE)]
#: How many pages of a kind are looked at: records differ by state.
SAMPLES = 2
#: Who reads more pages of a kind, without looking, for the links that only some of them have.
READ = {"Release manager": 9, "Developer": 9}
#: Not ours (administration), not pages (files), or not for looking at.
LEFT_OUT = re.compile(
    r"^/(admin|static|export|logout)\b|^/runs/(\d+/text|tasks/\d+/log)/|/versions/changes/text/|\.(json|csv|ics)$"
)

FOR_PROGRAMS, FILE, PART = "For programs", "A file, not a page", "A part of another page"
NO_ROW = "The demo has no row for it: a test of its own looks at it"
#: Routes that a role may open and that the crawl does not come to, with the reason why not.
NOT_COME_TO = {
    "login": "Looked at by somebody who is not signed in",
    "portal:home": "Leads on to another page",
    "approvals:signoff-blockers": FOR_PROGRAMS,
    "environments:booking-blockers": FOR_PROGRAMS,
    "trains:applicationrelease-blockers": FOR_PROGRAMS,
    "trains:train-blockers": FOR_PROGRAMS,
    "turnovers:taskrun-blockers": FOR_PROGRAMS,
    "turnovers:turnover-blockers": FOR_PROGRAMS,
    "exchange:download": FILE,
    "trains:evidence-file": FILE,
    "trains:plan-text": FILE,
    "turnovers:run-text": FILE,
    "turnovers:task-log": FILE,
    "trains:preview": PART,
    "turnovers:run-events": PART,
    "turnovers:run-live": PART,
    "exchange:upload": "test_whole_flow.py brings a file in",
    "trains:approval-renew": NO_ROW,
    "trains:release-board": NO_ROW,
    "turnovers:action": NO_ROW,
    "turnovers:content": NO_ROW,
    "turnovers:copy-tasks": NO_ROW,
    "turnovers:edit": NO_ROW,
    "turnovers:task-new": NO_ROW,
}

ANCHOR, HREF = re.compile(r"<a\s[^>]*>"), re.compile(r'href="([^"]*)"')
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
LINKS = "[...document.querySelectorAll('a[href]:not([download])')].map(link => link.href)"
ROLES = [
    "Release manager",
    "Release engineer",
    "Product owner",
    "Developer",
    "Approver",
    "Stakeholder",
    "Administrator",
]


def kind_of(path):
    """A page's route, as far as its address tells: numbers and what is asked for do not count."""
    parts = urlsplit(path)
    asked = ",".join(sorted(name for name, _ in parse_qsl(parts.query)))
    return re.sub(r"\d+", "#", parts.path) + (f"?{asked}" if asked else "")


class Crawler:
    """Follows every link that a person sees, and looks at each kind of page a few times."""

    def __init__(self, axe, seen, expected=(200,), read=SAMPLES):
        self.axe = axe
        self.read = read
        self.routes = set()
        self.seen = seen
        self.expected = expected
        self.problems = []

    def crawl(self, person):
        waiting, met, visits = ["/"], {"/"}, {}
        while waiting:
            path = waiting.pop(0)
            kind = kind_of(path)
            visits[kind] = visits.get(kind, 0) + 1
            if visits[kind] <= SAMPLES:
                self.look_at(person, path, self.looks_at(kind, visits[kind]))
                links = person.page.evaluate(LINKS)
            else:
                links = self.links_of(person, path) if visits[kind] <= self.read else []
            for link in links:
                target = self.target(person, link)
                if target and target not in met:
                    met.add(target)
                    waiting.append(target)
        return visits

    def links_of(self, person, path):
        """Where a page leads that is not looked at; that it opens is seen all the same."""
        answer = person.context.request.get(path)
        if answer.status not in self.expected:
            self.problems.append(f"{path} as {person.username}: answered {answer.status}")
        anchors = [tag for tag in ANCHOR.findall(answer.text()) if " download" not in tag]
        found = [HREF.search(tag) for tag in anchors]
        return [urljoin(answer.url, unescape(href[1])) for href in found if href]

    def looks_at(self, kind, visit):
        """All looks where no role has met this kind of page yet; later the two that differ most."""
        is_new = kind not in self.seen
        self.seen.add(kind)
        return LOOKS if is_new else [LOOKS[0] if visit == 1 else LOOKS[-1]]

    def look_at(self, person, path, looks):
        """Check the page at ``path`` in each theme and size; the theme is there before the page,

        since a colour that is still fading in has no contrast to measure.
        """
        for theme, sizes in groupby(looks, key=lambda look: look[0]):
            person.page.emulate_media(color_scheme=theme)
            answer = person.page.goto(path)
            if answer.status not in self.expected:
                self.problems.append(f"{path} as {person.username}: answered {answer.status}")
                return
            self.note_route(person)
            self.measure(person, f"{path} as {person.username}, {theme}", [s for _, s in sizes])

    def note_route(self, person):
        """Remember the page that is open, by the name of its route."""
        with suppress(Resolver404):
            self.routes.add(resolve(urlsplit(person.page.url).path).view_name)

    def measure(self, person, where, sizes):
        """Check the page that is open, in each size."""
        person.page.evaluate(self.axe)
        for size in sizes:
            person.page.set_viewport_size(size)
            place = f"{where}, {size['width']} px"
            self.problems += [f"{place}: {words}" for words in person.page.evaluate(RUN_AXE)]
            if person.page.evaluate(OVERFLOW) > 0:
                self.problems.append(f"{place}: wider than the screen")

    @staticmethod
    def target(person, link):
        """The path behind a link, where it leads to another page of the application."""
        parts = urlsplit(urljoin(person.page.url, link))
        if not person.address.endswith(parts.netloc) or LEFT_OUT.search(parts.path):
            return None
        return f"{parts.path}?{parts.query}" if parts.query else parts.path


@pytest.fixture(scope="module")
def seen():
    return set()


@pytest.fixture(scope="module")
def come_to():
    """The routes that each role came to."""
    return {}


@pytest.mark.parametrize("role", ROLES)
def test_every_page_is_accessible_quiet_and_fits(role, browser, demo, axe, seen, come_to):
    who = next(user for user in demo.sign_ins() if user["role"] == role)
    person = Person(
        browser, demo.address, username=who["username"], password=who["password"], viewport=DESK
    )
    crawler = Crawler(axe, seen, read=READ.get(role, SAMPLES))
    try:
        person.sign_in()
        visits = crawler.crawl(person)
    finally:
        person.close()
    come_to[role] = crawler.routes

    assert not crawler.problems, "\n".join(crawler.problems)
    assert not person.complaints.found, "\n".join(person.complaints.found)
    assert len(visits) > 10, json.dumps(visits)


def test_the_crawl_comes_to_every_route_that_a_role_may_open(come_to):
    if set(come_to) != set(ROLES):
        pytest.skip("needs the crawl of every role")
    may_be_opened = {name for name, (_, get, _) in TABLE.items() if set(get or "") & set(LETTERS)}
    steps = {name for name, route in routes().items() if route.is_step}

    assert set().union(*come_to.values()) | set(NOT_COME_TO) >= may_be_opened | steps


def test_the_pages_that_the_demo_has_no_row_for_are_accessible_and_fit(cast, stage, axe):
    train, _ = stage.asked("Mulberry", ["approver"])
    stage.alter(train, purpose="Something else.")
    free = stage.release(None, "mulberry-app")
    riding = stage.release(train, "mulberry-web", state="executing")
    turnover = stage.make("Turnover", author=person("developer"), release=riding)
    content = stage.create("turnovers.Content", turnover=turnover, release=riding)
    action = stage.make("ReviewAction", owner=person("developer"))
    pages = [
        ("manager", "trains:approval-renew", [train.pk, "train"]),
        ("owner", "trains:release-board", [free.pk]),
        ("developer", "turnovers:edit", [turnover.pk]),
        ("developer", "turnovers:copy-tasks", [turnover.pk]),
        ("developer", "turnovers:task-new", [turnover.pk]),
        ("developer", "turnovers:content", [turnover.pk, content.pk]),
        ("developer", "turnovers:action", [action.pk]),
    ]
    crawler = Crawler(axe, set())

    for who, name, args in pages:
        crawler.look_at(cast.who(who), reverse(name, args=args), LOOKS)

    assert not crawler.problems, "\n".join(crawler.problems)
    assert {name for name, why in NOT_COME_TO.items() if why == NO_ROW} <= crawler.routes


def test_the_pages_before_signing_in_and_after_a_fault_are_accessible(browser, demo, axe):
    person = Person(browser, demo.address, username="nobody", password="wrong", viewport=DESK)
    crawler = Crawler(axe, set(), expected=(200, 404))
    try:
        crawler.look_at(person, "/login/", LOOKS)
        crawler.look_at(person, "/there-is-no-such-page/", LOOKS)
        person.go("/login/")
        person.fill("User name", "nobody")
        person.fill("Password", "wrong")
        person.press("Sign in")
        crawler.measure(person, "/login/, refused", [DESK, PHONE])
    finally:
        person.close()

    assert not crawler.problems, "\n".join(crawler.problems)
