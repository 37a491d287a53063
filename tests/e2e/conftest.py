"""One browser, one empty application and one demo for all the tests that ask for them."""

import json
import os
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.e2e.application import ROOT, Application
from tests.e2e.browser import CHROMIUM, CHROMIUM_FLAGS, RUN_AXE, Person, axe_source
from tests.e2e.deployer import Deployer
from tests.e2e.stage import Stage

PASSWORD = "Larch-Siding-41"
#: User name: first name, last name, role.
PEOPLE = {
    "manager": ("Mara", "Quist", "Release manager"),
    "engineer": ("Edda", "Holt", "Release engineer"),
    "owner": ("Pio", "Lanz", "Product owner"),
    "developer": ("Dara", "Okoye", "Developer"),
    "approver": ("Ada", "Brandt", "Approver"),
    "second_approver": ("Bo", "Renner", "Approver"),
    "executive": ("Xenia", "Marsh", "Approver"),
    "second_manager": ("Nia", "Vance", "Release manager"),
    "stakeholder": ("Sol", "Ray", "Stakeholder"),
    "administrator": ("Ari", "Bell", "Administrator"),
}


@pytest.hookimpl(tryfirst=True)  # before the names of groups are read
def pytest_collection_modifyitems(items):
    """Let the tests of a file that share what they write stay together in one test process.

    They come first, since they take long and cannot be divided.
    """
    for item in items:
        if "application" in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group(item.module.__name__))
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """When a test fails, show what the application said last and where everybody was."""
    report = yield
    if call.when == "call":
        item.has_passed = report.passed
    if report.failed and call.when == "call":
        for name, value in item.funcargs.items():
            if isinstance(value, Application):
                report.sections.append((f"Last lines of {name}", value.last_lines()))
            elif isinstance(value, People):
                report.sections.append(("Where everybody was", value.whereabouts()))
    return report


class People:
    """Everybody by user name; each signs in when first asked for, and stays signed in."""

    def __init__(self, browser, address, **options):
        self.browser = browser
        self.address = address
        self.options = options
        self.signed_in: dict[str, Person] = {}

    def __getattr__(self, username):
        if username not in PEOPLE:
            raise AttributeError(username)
        if username not in self.signed_in:
            person = Person(
                self.browser, self.address, username=username, password=PASSWORD, **self.options
            )
            self.signed_in[username] = person
            self.let_in(person)
        return self.signed_in[username]

    def let_in(self, person):
        person.sign_in()

    def who(self, username):
        return getattr(self, username)

    @staticmethod
    def name(username):
        """What people call somebody."""
        first, last, _ = PEOPLE[username]
        return f"{first} {last}"

    def complaints(self):
        return [words for person in self.signed_in.values() for words in person.complaints.found]

    def whereabouts(self):
        return "\n\n".join(
            f"{name} at {person.page.url}\n{person.page.locator('body').inner_text()[:2500]}"
            for name, person in self.signed_in.items()
        )

    def close(self):
        for person in self.signed_in.values():
            person.close()


class Cast(People):
    """Everybody on a stage that is set for them: signed in already, and what they do is counted."""

    def __init__(self, browser, address, stage, axe):
        super().__init__(browser, address)
        self.stage = stage
        self.axe = axe

    def let_in(self, person):
        person.come_in(self.stage.session(person.username))

    @contextmanager
    def nothing_changes(self, *readers):
        """Whatever is tried here, nobody writes an entry; what the readers read is accessible."""
        before = self.stage.written()
        yield
        assert self.stage.written() == before
        for reader in readers:
            reader.page.evaluate(self.axe)
            assert reader.page.evaluate(RUN_AXE) == [], reader.page.url

    def steps(self):
        """Which steps were taken, and which were refused, by anybody."""
        answers = [answer for person in self.signed_in.values() for answer in person.steps]
        return (
            {step for step, status in answers if status == 303},
            {step for step, status in answers if status >= 400},
        )


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def deployer():
    """What automated tasks call."""
    with Deployer() as deployer:
        yield deployer


@pytest.fixture(scope="session")
def application(deployer):
    """The application with people in it and nothing else."""
    with Application(outbound_allow=deployer.authority) as application:
        application.make_people(
            [
                {
                    "username": username,
                    "password": PASSWORD,
                    "first_name": first,
                    "last_name": last,
                    "role": role,
                }
                for username, (first, last, role) in PEOPLE.items()
            ]
        )
        yield application


@pytest.fixture(scope="session")
def demo():
    """The application as a newcomer meets it, with its invented organisation."""
    with Application(demo=True) as application:
        yield application


@pytest.fixture
def people(browser, application):
    people = People(browser, application.address)
    yield people
    people.close()


@pytest.fixture(scope="session")
def stage(application):
    """Makes the rows that tests begin with."""
    with Stage(application) as stage:
        yield stage


@pytest.fixture(scope="session")
def axe():
    return axe_source()


@pytest.fixture
def cast(request, browser, application, stage, axe):
    """Everybody, signed in. A test that says which steps it drives must take and see refused each.

    Nothing may have been complained about, either.
    """
    cast = Cast(browser, application.address, stage, axe)
    yield cast
    cast.close()
    if not getattr(request.node, "has_passed", False):
        return
    assert cast.complaints() == []
    driven = {step for mark in request.node.iter_markers("drives") for step in mark.args}
    taken, refused = cast.steps()
    assert driven <= taken, f"never taken: {driven - taken}"
    assert driven <= refused, f"never refused: {driven - refused}"


@pytest.fixture
def people_without_script(browser, application):
    people = People(browser, application.address, java_script_enabled=False)
    yield people
    people.close()


@pytest.fixture(scope="session")
def real_data():
    """The real release data that lie beside the checkout, or where SHARED_DATA says."""
    folder = Path(os.environ.get("SHARED_DATA") or ROOT.parent / "shared" / "data")
    path = folder / "opensearch.json"
    if not path.exists():
        pytest.skip(f"needs {path.name}: there is none in {folder} (SHARED_DATA says where)")
    return json.loads(path.read_text(encoding="utf-8"))
