"""People in front of a browser, and what they do there, in their own words."""

import os
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from django.urls import resolve
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Response,
    expect,
)
from playwright.sync_api import Error as BrowserError

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: The browser's own report of a page that answers 4xx; the status itself is watched elsewhere.
STATUS_REPORT = "Failed to load resource: the server responded with a status of"
#: What an application may answer to a person's form: refused, in conflict, invalid.
REFUSALS = {403, 409, 422}
TELL_VIOLATIONS = """
document.addEventListener('securitypolicyviolation', event => console.error(
  `Policy violation: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile || ''}`));
"""
#: What the accessibility checker says against a page, in words; nothing where all is well.
RUN_AXE = """
async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map(
  violation => `${violation.id}: ${violation.help}: ${violation.nodes.slice(0, 3).map(
    node => node.html.slice(0, 160)).join(' | ')}`)
"""
#: What is said where a step takes a reason and none was given.
ASKED_WHY = "Say why. The reason is kept in the history."
#: The cookie of a session, as the settings name it.
SESSION = "rm_session"

expect.set_options(timeout=20_000)


class Complaints:
    """Everything a browser had to complain about: errors, violations of the policy, bad answers."""

    def __init__(self, context: BrowserContext) -> None:
        self.found: list[str] = []
        context.add_init_script(TELL_VIOLATIONS)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.found.append(f"{error.page.url}: {error.error}"))
        context.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(STATUS_REPORT):
            self.found.append(f"{message.page.url if message.page else ''}: {message.text}")

    def _on_response(self, response: Response) -> None:
        is_refusal = response.status in REFUSALS and response.request.resource_type == "document"
        if response.status >= 400 and not is_refusal:
            self.found.append(f"{response.request.method} {response.url}: {response.status}")


class Person:
    """Somebody with a browser of their own, who stays signed in.

    What they do is said by the names of links, buttons and fields, as people and screen readers
    know them. Nothing waits for a fixed time.
    """

    def __init__(
        self, browser: Browser, address: str, *, username: str, password: str, **options: object
    ) -> None:
        self.address = address
        self.username = username
        self.password = password
        self.context = browser.new_context(base_url=address, **options)
        self.context.set_default_timeout(30_000)
        self.complaints = Complaints(self.context)
        #: Each step that was sent, as "model.step", with the status of the answer.
        self.steps: list[tuple[str, int]] = []
        self.context.on("response", self._note_step)
        self.page: Page = self.context.new_page()

    def close(self) -> None:
        self.context.close()

    # --- Getting about ----------------------------------------------------------------------------

    def sign_in(self) -> "Person":
        self.go("/login/")
        self.fill("User name", self.username)
        self.fill("Password", self.password)
        self.press("Sign in")
        expect(self.page).not_to_have_url(re.compile("/login/"))
        return self

    def come_in(self, session: str) -> "Person":
        """Be signed in already."""
        cookie = {"name": SESSION, "value": session, "url": self.address}
        self.context.add_cookies([cookie])
        return self

    def go(self, path: str) -> None:
        """Open a page of the application, which must be there."""
        answer = self.page.goto(path, wait_until="load")
        if answer is None:  # the same page, but for the place on it
            answer = self.page.reload()
        assert answer is not None
        assert answer.ok, f"{path} answered {answer.status}"

    def path(self) -> str:
        """Where the person is now."""
        parts = urlsplit(self.page.url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def follow(self, name: str | re.Pattern[str], *, within: Locator | None = None) -> None:
        """Click a link of the page's content."""
        self._open_more((within or self.main).get_by_role("link", name=name))
        self._click((within or self.main).get_by_role("link", name=name).first)

    # --- Doing ------------------------------------------------------------------------------------

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    def button(self, name: str | re.Pattern[str], *, within: Locator | None = None) -> Locator:
        exact = isinstance(name, str)
        return (within or self.main).get_by_role("button", name=name, exact=exact)

    def press(self, name: str | re.Pattern[str], *, within: Locator | None = None) -> int:
        """Press a button that sends a form; answers with the status of the form's answer."""
        self._open_more(self.button(name, within=within))
        with self.page.expect_response(lambda answer: answer.request.method == "POST") as sent:
            self._click(self.button(name, within=within).first)
        return sent.value.status

    def fill(self, label: str | re.Pattern[str], value: str) -> None:
        self.field(label).fill(value)

    def choose(self, label: str | re.Pattern[str], option: str | re.Pattern[str]) -> None:
        """Choose an option of a select, by (a part of) its words."""
        field = self.field(label)
        expect(field).to_be_visible()
        for words in field.locator("option").all_text_contents():
            if re.search(option, words) if isinstance(option, re.Pattern) else option in words:
                field.select_option(label=words)
                return
        raise AssertionError(f"“{label}” does not offer {option}")

    def tick(self, label: str | re.Pattern[str], *, on: bool = True) -> None:
        self.field(label).set_checked(on)

    def field(self, label: str | re.Pattern[str]) -> Locator:
        """A control by its label; a string is the label's beginning."""
        words = re.compile(rf"^\s*{re.escape(label)}") if isinstance(label, str) else label
        return self.main.get_by_label(words).first

    def tab_to(self, wanted: Locator, most: int = 120) -> None:
        """Press Tab until ``wanted`` has the focus, as whoever uses no mouse does."""
        expect(wanted).to_be_visible()
        for _ in range(most):
            self.page.keyboard.press("Tab")
            if self.has_focus(wanted):
                return
        raise AssertionError(f"Tab does not lead to {wanted} on {self.page.url}")

    @staticmethod
    def has_focus(wanted: Locator) -> bool:
        return bool(wanted.evaluate("element => element === document.activeElement"))

    def take(self, step: str, record: str, *, reason: str = "", **fields: str) -> int:
        """Take a step of the record that lives at ``record``, from its own page, as people do."""
        if self.path() != record:
            self.go(record)
        return self.take_here(step, reason=reason, **fields)

    def take_here(
        self, step: str, *, within: Locator | None = None, reason: str = "", **fields: str
    ) -> int:
        """Take a step by its button, or by the page that its link opens."""
        if self.bring_up(step, within=within).get_attribute("type") == "submit":
            return self.press(step, within=within)
        self.take_to(step, within=within)
        for label, value in fields.items():
            self.fill(re.compile(label.replace("_", " "), re.IGNORECASE), value)
        if reason:
            self.field(re.compile("Reason|Note")).fill(reason)
        return self.press(step)

    def take_to(self, step: str, *, within: Locator | None = None) -> None:
        """Open the page of a step, which says what it does and what it asks."""
        self._open_more(self.step_link(step, within=within))
        self._click(self.bring_up(step, within=within))
        self.page.wait_for_url(re.compile("/steps/"))

    def bring_up(self, step: str, *, within: Locator | None = None) -> Locator:
        """The button or the link of a step; menus are opened until it is seen."""
        place = within or self.main
        control = self.button(step, within=place).or_(self.step_link(step, within=place)).first
        menus = place.get_by_role("button", name=re.compile("^More"))
        for menu in menus.all():
            if control.is_visible():
                break
            menu.click()
        expect(control).to_be_visible()
        return control

    def step_link(self, step: str, *, within: Locator | None = None) -> Locator:
        """The link to a step's page; a blocked step's also says how much is left."""
        words = re.compile(rf"^{re.escape(step)}(…|\s*\d+ left|:|$)")
        return (within or self.main).get_by_role("link", name=words)

    # --- Seeing -----------------------------------------------------------------------------------

    def row(self, *texts: str | re.Pattern[str]) -> Locator:
        """The innermost row, entry or panel that says all of ``texts``."""
        rows = self.main.locator("tr, li, article, section, .panel")
        for text in texts:
            rows = rows.filter(has=self.page.get_by_text(text))
        return rows.last

    def sees(self, text: str | re.Pattern[str]) -> None:
        expect(self.main.get_by_text(text).first).to_be_visible()

    def sees_in_time(self, text: str | re.Pattern[str], seconds: float = 90) -> None:
        """The page, which renews itself, comes to say ``text``."""
        expect(self.main.get_by_text(text).first).to_be_visible(timeout=seconds * 1000)

    def is_refused(self, *sentences: str) -> None:
        """The refusal lists all of ``sentences``."""
        refusal = self.page.locator("#refusal")
        expect(refusal).to_be_visible()
        for sentence in sentences:
            expect(refusal).to_contain_text(sentence)

    def is_forbidden(self, path: str, sentence: str) -> None:
        """The page at ``path`` is not for this person, and says why."""
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.status == 403, f"{path} answered {answer.status}"
        self.sees(sentence)

    def waits_for(self, path: str, text: str | re.Pattern[str], seconds: float = 60) -> None:
        """Look at a page again and again until it says ``text``, as people reload."""
        self.go(path)
        for _ in range(int(seconds * 2)):
            try:
                expect(self.main.get_by_text(text).first).to_be_visible(timeout=500)
            except AssertionError:
                self.page.reload()
            else:
                return
        self.sees(text)

    def _note_step(self, response: Response) -> None:
        """Remember what a step answered; also that its page was not for this person."""
        path = urlsplit(response.url).path
        if "/steps/" not in path or (response.request.method != "POST" and response.ok):
            return
        found = resolve(path)
        model = found.kwargs["model"]._meta.model_name
        self.steps.append((f"{model}.{found.kwargs['name'].replace('-', '_')}", response.status))

    def _open_more(self, wanted: Locator) -> None:
        """Open the page's menu of further actions, where what is wanted is in there."""
        menu = self.button("More actions")
        if not wanted.count() and menu.count():
            self._click(menu)

    def _click(self, control: Locator) -> None:
        try:
            control.click()
        except BrowserError as error:
            place = f"{self.username} at {self.page.url}"
            raise AssertionError(f"{place}: {error}\n{self.main.inner_text()[:3000]}") from error


def axe_source() -> str:
    """The accessibility checker, which `make e2e` installs."""
    path = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
    return path.read_text(encoding="utf-8")
