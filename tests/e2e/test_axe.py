"""Every page, for every role, at both widths, in both themes: accessible, quiet, not too wide."""

import hashlib
import json
import os
import re
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest

from tests.e2e.browser import Person, axe_source

pytestmark = pytest.mark.e2e

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
#: In this order one change leads from each to the next.
LOOKS = [("light", DESK), ("dark", DESK), ("dark", PHONE), ("light", PHONE)]
#: How many pages of a kind are looked at: records differ by state.
SAMPLES = 2
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

    def __init__(self, is_new, expected=(200,)):
        self.is_new = is_new
        self.expected = expected
        self.problems = []

    def crawl(self, person):
        waiting, met, visits = ["/"], {"/"}, {}
        while waiting:
            path = waiting.pop(0)
            kind = kind_of(path)
            if visits.get(kind, 0) >= SAMPLES:
                continue
            visits[kind] = visits.get(kind, 0) + 1
            self.look_at(person, path, self.looks_at(kind, visits[kind]))
            for link in person.page.evaluate(LINKS):
                target = self.target(person, link)
                if target and target not in met:
                    met.add(target)
                    waiting.append(target)
        return visits

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
        self.measure(person, f"{path} as {person.username}", looks)

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
def is_new(tmp_path_factory):
    """Whether a kind of page is met for the first time, by whichever role and test process."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # the one that all test processes of this run have
    folder /= "kinds-of-pages"
    folder.mkdir(exist_ok=True)

    def is_new(kind):
        try:
            (folder / hashlib.sha256(kind.encode()).hexdigest()).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    return is_new


@pytest.mark.parametrize("role", ROLES)
def test_every_page_is_accessible_quiet_and_fits(role, visitor, demo, is_new):
    who = next(user for user in demo.sign_ins() if user["role"] == role)
    person = visitor(who["username"], who["password"])
    crawler = Crawler(is_new)

    person.sign_in()
    visits = crawler.crawl(person)

    assert not crawler.problems, "\n".join(crawler.problems)
    assert not person.complaints.found, "\n".join(person.complaints.found)
    assert len(visits) > 10, json.dumps(visits)


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
