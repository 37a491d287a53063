"""Every page, for every role, at both widths, in both themes: accessible, quiet, not too wide."""

import hashlib
import json
import os
import re
from contextlib import suppress
from html import unescape
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from django.urls import Resolver404, resolve, reverse

from tests.e2e.browser import Person, axe_source
from tests.e2e.stage import person as somebody
from tests.permissions.test_urls import ROLES as LETTERS
from tests.permissions.test_urls import TABLE
from tests.world import routes

pytestmark = pytest.mark.e2e

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
#: In this order one change leads from each to the next.
LOOKS = [("light", DESK), ("dark", DESK), ("dark", PHONE), ("light", PHONE)]
#: How many pages of a kind are looked at: records differ by state.
SAMPLES = 2
#: Who reads more pages of a kind, without looking, for the links that only some of them have.
READ = {"Release manager": 9, "Developer": 9}
#: Not ours (administration), not pages (files), or not for looking at.
LEFT_OUT = re.compile(
    r"^/(admin|static|export|logout)\b|^/runs/(\d+/text|tasks/\d+/log)/|/versions/changes/text/|\.(json|csv|ics)$"
)

#: What is wrong with the page as it looks now; with names of rules, only those are asked.
JUDGE = """
async rules => {
  // A colour that is still fading into another theme has no contrast to measure.
  document.getAnimations().filter(one => one instanceof CSSTransition).forEach(one => one.finish());
  const asked = rules.length ? {runOnly: {type: 'rule', values: rules}} : {};
  const {violations} = await axe.run(document, {resultTypes: ['violations'], ...asked});
  const found = violations.map(violation => `${violation.id}: ${violation.help}: ${
    violation.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(' | ')}`);
  const page = document.documentElement;
  return page.scrollWidth > page.clientWidth ? [...found, 'wider than the screen'] : found;
}
"""
#: The rules about colours: tests/ui/test_palette.py sees to it that themes differ in nothing else.
OF_COLOURS = ["color-contrast", "link-in-text-block"]
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
    "turnovers:freezeexception-blockers": FOR_PROGRAMS,
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
    "turnovers:freeze-exception-new": NO_ROW,
    "turnovers:release-exception-new": NO_ROW,
    "turnovers:run-step": NO_ROW,
    "turnovers:task-new": NO_ROW,
    "turnovers:taskrun-step": NO_ROW,
}

ANCHOR, HREF = re.compile(r"<a\s[^>]*>"), re.compile(r'href="([^"]*)"')
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

    def __init__(self, is_new, expected=(200,), read=SAMPLES):
        self.is_new = is_new
        self.read = read
        self.routes = set()
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
        return LOOKS if self.is_new(kind) else [LOOKS[0] if visit == 1 else LOOKS[2]]

    def look_at(self, person, path, looks):
        """Open the page at ``path`` in the first of the looks, and check it in each."""
        self.dress(person, looks[0])
        answer = person.page.goto(path)
        if answer.status not in self.expected:
            self.problems.append(f"{path} as {person.username}: answered {answer.status}")
            return
        self.note_route(person)
        self.measure(person, f"{path} as {person.username}", looks)

    def note_route(self, person):
        """Remember the page that is open, by the name of its route."""
        with suppress(Resolver404):
            self.routes.add(resolve(urlsplit(person.page.url).path).view_name)

    def measure(self, person, where, looks):
        """Check the page that is open: all of it in each width, the colours in the other theme."""
        judged = set()
        for look in looks:
            theme, size = look
            self.dress(person, look)
            found = person.page.evaluate(JUDGE, OF_COLOURS if size["width"] in judged else [])
            judged.add(size["width"])
            place = f"{where}, {theme}, {size['width']} px"
            self.problems += [f"{place}: {words}" for words in found]

    @staticmethod
    def dress(person, look):
        theme, size = look
        person.page.emulate_media(color_scheme=theme)
        person.page.set_viewport_size(size)

    @staticmethod
    def target(person, link):
        """The path behind a link, where it leads to another page of the application."""
        parts = urlsplit(urljoin(person.page.url, link))
        if not person.address.endswith(parts.netloc) or LEFT_OUT.search(parts.path):
            return None
        return f"{parts.path}?{parts.query}" if parts.query else parts.path


@pytest.fixture
def visitor(browser, demo):
    """Makes somebody who has the accessibility checker in every page; one at a time."""
    visitors = []

    def visitor(username, password):
        person = Person(browser, demo.address, username=username, password=password, viewport=DESK)
        person.context.add_init_script(axe_source())
        visitors.append(person)
        return person

    yield visitor
    for person in visitors:
        person.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Where all test processes of this run tell each other what was met."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # the one that all test processes of this run have
    folder /= "kinds-of-pages"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def is_new(folder):
    """Whether a kind of page is met for the first time, by whichever role and test process."""

    def is_new(kind):
        try:
            (folder / hashlib.sha256(kind.encode()).hexdigest()).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    return is_new


@pytest.mark.parametrize("role", ROLES)
def test_every_page_is_accessible_quiet_and_fits(role, visitor, demo, is_new, folder):
    who = next(user for user in demo.sign_ins() if user["role"] == role)
    person = visitor(who["username"], who["password"])
    crawler = Crawler(is_new, read=READ.get(role, SAMPLES))

    person.sign_in()
    visits = crawler.crawl(person)
    (folder / f"{role}.routes").write_text("\n".join(crawler.routes), encoding="utf-8")

    assert not crawler.problems, "\n".join(crawler.problems)
    assert not person.complaints.found, "\n".join(person.complaints.found)
    assert len(visits) > 10, json.dumps(visits)
    found = list(folder.glob("*.routes"))
    if len(found) == len(ROLES):  # the last role, which knows what all of them came to
        assert_that_all_is_come_to({n for one in found for n in one.read_text().split()})


def assert_that_all_is_come_to(come_to):
    """Every route that a role may open, and every step's page, was come to by some role."""
    may_be_opened = {name for name, (_, get, _) in TABLE.items() if set(get or "") & set(LETTERS)}
    steps = {name for name, route in routes().items() if route.is_step}
    assert (may_be_opened | steps) - set(NOT_COME_TO) - come_to == set()


def test_the_pages_that_the_demo_has_no_row_for_are_accessible_and_fit(cast, stage):
    train, _ = stage.asked("Mulberry", ["approver"])
    stage.alter(train, purpose="Something else.")
    free = stage.release(None, "mulberry-app")
    riding = stage.release(train, "mulberry-web", state="executing")
    site = stage.make("Environment", name="mulberry-site")
    turnover = stage.make(
        "Turnover", author=somebody("developer"), release=riding, environment=site
    )
    closed = stage.make("Freeze", scope="environment", environment=site)
    settled = stage.make("Freeze", scope="train", train=train, stops="scope", ends=None)
    content = stage.create("turnovers.Content", turnover=turnover, release=riding)
    action = stage.make("ReviewAction", owner=somebody("developer"))
    work = stage.make("TaskRun")
    run = stage.find("turnovers.Run", task_runs=work)
    pages = [
        ("manager", "trains:approval-renew", [train.pk, "train"]),
        ("owner", "trains:release-board", [free.pk]),
        ("developer", "turnovers:edit", [turnover.pk]),
        ("developer", "turnovers:copy-tasks", [turnover.pk]),
        ("developer", "turnovers:task-new", [turnover.pk]),
        ("developer", "turnovers:content", [turnover.pk, content.pk]),
        ("developer", "turnovers:freeze-exception-new", [turnover.pk, closed.pk]),
        ("developer", "turnovers:release-exception-new", [riding.pk, settled.pk]),
        ("developer", "turnovers:action", [action.pk]),
        ("engineer", "turnovers:run-step", [run.pk, "abort"]),
        ("engineer", "turnovers:taskrun-step", [work.pk, "complete"]),
    ]
    crawler = Crawler(lambda kind: True)

    for who in {who for who, _, _ in pages}:
        cast.who(who).context.add_init_script(axe_source())
    for who, name, args in pages:
        crawler.look_at(cast.who(who), reverse(name, args=args), LOOKS)

    assert not crawler.problems, "\n".join(crawler.problems)
    assert {name for name, why in NOT_COME_TO.items() if why == NO_ROW} <= crawler.routes


def test_the_pages_before_signing_in_and_after_a_fault_are_accessible(visitor):
    person = visitor("nobody", "wrong")
    crawler = Crawler(is_new=None, expected=(200, 404))

    crawler.look_at(person, "/login/", LOOKS)
    crawler.look_at(person, "/there-is-no-such-page/", LOOKS)
    person.go("/login/")
    person.fill("User name", "nobody")
    person.fill("Password", "wrong")
    person.press("Sign in")
    crawler.measure(person, "/login/, refused", LOOKS)

    assert not crawler.problems, "\n".join(crawler.problems)
