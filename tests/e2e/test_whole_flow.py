"""One real train through every stage to Closed, in a browser, by all the people it takes.

The release data of OpenSearch hold 44 trains. The one that this test drives has left long ago, so
the test imports a copy of the file in which that train is planned for the coming weeks and its
turnover, with its 26 tasks, has not been carried out yet. Everything else stays as it was.
"""

import copy
import datetime as dt
import json
import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import People

pytestmark = pytest.mark.e2e

TRAIN = "opensearch-3.3.2"
TRAIN_NAME = "OpenSearch 3.3.2"
TODAY = dt.date.today()  # noqa: DTZ011 -- the people of this test live in UTC, as the machine's clock
#: The tasks that are automated, with the path that each of them calls.
AUTOMATED = {
    "OS": "/repos/os",
    "OSD": "/repos/osd",
    "Windows": "/artifacts/windows",
    "Linux Debian": "/artifacts/debian",
    "Linux RPM": "/artifacts/rpm",
    "Linux TAR": "/artifacts/tar",
    "Docker Promotion.": "/docker",
    "Maven Promotion.": "/maven",
}
#: The tasks that run at the same time as the one before.
PARALLEL = ("OSD", "Linux Debian", "Linux RPM", "Linux TAR")


#: The exit criteria: the gate, the title, and who owns it.
CRITERIA = (
    ("Scoping", "Scope agreed with the product owner", "owner"),
    ("Construction", "Code is frozen", "owner"),
    ("QA", "The candidate passed all tests", "engineer"),
)


def day(offset):
    return (TODAY + dt.timedelta(days=offset)).isoformat()


def moment(**ahead):
    """A point in time as a form takes it."""
    return (dt.datetime.now(dt.UTC) + dt.timedelta(**ahead)).strftime("%Y-%m-%dT%H:%M")


def planned_again(data):
    """The data with the one train before its departure, and its 26 tasks not yet done."""
    data = copy.deepcopy(data)
    train = next(train for train in data["trains"] if train["id"] == TRAIN)
    train |= {"status": "planned", "start": day(-1), "end": day(20)}
    for number, milestone in enumerate(train["milestones"]):
        for name in ("actual", "recorded_at", "commit"):
            milestone.pop(name, None)
        milestone["date"] = day(10 + number)
    for release in train["application_releases"]:
        release["status"] = "planned"
        del release["date"]
    (turnover,) = train["turnovers"]
    del turnover["actual_date"]
    assert len(turnover["tasks"]) == 26
    return data


@pytest.fixture
def data_file(real_data, tmp_path):
    path = tmp_path / "opensearch.json"
    path.write_text(json.dumps(planned_again(real_data)), encoding="utf-8")
    return path


class Journey:
    """The train's way, chapter by chapter; who does what is in the chapters."""

    def __init__(self, people, deployer):
        self.people = people
        self.deployer = deployer
        self.train = ""
        self.releases = {}
        self.turnover = ""

    # --- What the data bring ----------------------------------------------------------------------

    def import_the_data(self, path, data):
        manager = self.people.manager
        manager.go("/import/")
        manager.main.locator("input[type=file]").set_input_files(path)
        assert manager.press("Check the file") == 303
        manager.sees_in_time(re.compile("would be created and"))
        assert manager.press("Import") == 303
        manager.sees_in_time(re.compile("were created and"))
        self.all_trains_arrived({train["name"] for train in data["trains"]})

    def all_trains_arrived(self, names):
        assert len(names) == 44
        open_ones = self.rows_of("/trains/?view=open", "/trains/RT-")
        found = open_ones | self.rows_of("/trains/?view=over", "/trains/RT-")
        assert names <= found.keys(), names - found.keys()
        self.train = open_ones[TRAIN_NAME]
        self.releases = self.rows_of(f"{self.train}releases/", "/releases/AR-")
        assert len(self.releases) == 29
        (self.turnover,) = self.rows_of(f"{self.train}turnovers/", "/turnovers/TO-").values()

    def rows_of(self, path, prefix):
        """What a list links to, over all its pages: the words of each link with its address."""
        manager = self.people.manager
        manager.go(path)
        found = {}
        while True:
            for link in manager.main.locator(f'a[href^="{prefix}"]').all():
                address = link.get_attribute("href")
                if re.fullmatch(rf"{prefix}\d+/", address) and address not in found.values():
                    found[link.inner_text().strip()] = address
            following = manager.main.get_by_role("link", name="Next")
            if not following.count():
                return found
            following.click()

    # --- Planning ---------------------------------------------------------------------------------

    def make_environments(self):
        """Two more beside the imported one, all of them online."""
        engineer = self.people.engineer
        for name, kind in (("staging", "test"), ("acceptance", "test")):
            engineer.go("/environments/new/")
            engineer.fill("Name", name)
            engineer.fill("Kind", kind)
            engineer.press("Add environment")
            assert engineer.take_here("Place online") == 303
        engineer.go("/environments/?q=prod")
        engineer.follow("prod")
        if engineer.button("Place online").count():
            engineer.press("Place online")
        engineer.sees("Online")

    def plan(self):
        """The schedule, who works on it, the criteria of its gates, milestones for everybody."""
        manager = self.people.manager
        manager.go(f"{self.train}edit/")
        manager.fill("Start", day(-1))
        manager.fill("Scoping complete", day(2))
        manager.fill("Construction complete", day(9))
        manager.fill("QA complete", day(15))
        manager.fill("End", day(20))
        manager.choose("Release manager", People.name("manager"))
        manager.tick(People.name("engineer"))
        manager.choose("Release type", "Patch")
        for approval in ("Train approval", "Development approval", "Executive approval"):
            manager.tick(approval)
        assert manager.press("Save") == 303
        for stage, title, owner in CRITERIA:
            self.add_criterion(stage, title, owner)
        manager.go(f"{self.train}milestones/")
        manager.follow("Add milestone")
        manager.fill("Title", "Release notes written")
        manager.fill("Due", day(8))
        manager.tick("For all application releases")
        assert manager.press("Save") == 303

    def add_criterion(self, stage, title, owner):
        manager = self.people.manager
        manager.go(f"{self.train}gates/")
        manager.follow(re.compile(f"Add criterion.*{stage}"))
        manager.fill("Title", title)
        manager.choose("Owner", People.name(owner))
        assert manager.press("Save") == 303

    def name_approvers(self):
        """One level, two levels, and one for the executives."""
        self.define("train", [["approver"]])
        self.define("development", [["approver"], ["second_approver"]])
        self.define("executive", [["executive"]])

    def define(self, which, levels):
        manager = self.people.manager
        manager.go(f"{self.train}approvals/{which}/")
        for number, names in enumerate(levels, 1):
            field = manager.main.locator(f"#id_level{number}_people")
            if not field.is_visible():
                manager.main.locator("summary").filter(has_text=f"Level {number}").first.click()
            field.select_option(label=[People.name(name) for name in names])
        assert manager.press("Save") == 303

    def reserve_production_despite_a_clash(self):
        """Maintenance is in the way, is named, and is moved away by who planned it."""
        engineer, manager = self.people.engineer, self.people.manager
        engineer.go("/environments/?q=prod")
        engineer.follow("prod")
        engineer.follow(re.compile("Book"))
        engineer.fill("What for", "Kernel updates")
        engineer.choose("Kind", "Maintenance")
        engineer.fill("Starts", moment(days=1))
        engineer.fill("Ends", moment(days=2))
        assert engineer.press("Book") == 303
        maintenance = engineer.path()

        self.fill_reservation()
        assert manager.press("Reserve") == 409
        manager.is_refused("prod is booked by Kernel updates", People.name("engineer"))

        assert engineer.take("Release", maintenance) == 303
        self.fill_reservation()
        assert manager.press("Reserve") == 303
        manager.sees("Confirmed")

    def fill_reservation(self):
        manager = self.people.manager
        manager.go(f"{self.train}reservations/")
        manager.follow("Reserve environment")
        manager.choose("Environment", "prod")
        manager.fill("Starts", moment(minutes=-2))
        manager.fill("Ends", moment(days=20))

    # --- Scoping ----------------------------------------------------------------------------------

    def pass_the_scoping_gate(self):
        """Refused while a criterion is open, rejected once, then approved."""
        manager = self.people.manager
        assert manager.take("Request train approval", self.train) == 409
        manager.is_refused("Scope agreed with the product owner")
        self.meet("Scope agreed with the product owner", "owner")
        assert manager.take("Request train approval", self.train) == 303
        self.reject("approver", "OpenSearch", "Too much at once. Split it.")
        self.train_is("Scoping")
        assert manager.take("Request train approval", self.train) == 303
        self.approve("approver", "OpenSearch")
        self.train_is("Construction")

    def meet(self, title, who):
        """The owner of a criterion says that it is met, and what shows it."""
        person = self.people.who(who)
        person.go(f"{self.train}gates/")
        place = person.row(title)
        assert person.take_here("Mark met", within=place, Evidence="Seen in the review.") == 303

    def decide(self, who, subject):
        """Open the decision that waits for somebody, from their inbox."""
        person = self.people.who(who)
        person.go("/approvals/")
        person.follow(re.compile(subject))
        return person

    def approve(self, who, subject):
        assert self.decide(who, subject).press("Approve") == 303

    def reject(self, who, subject, reason):
        assert self.decide(who, subject).take_here("Reject", reason=reason) == 303

    def train_is(self, state):
        manager = self.people.manager
        manager.go(f"/trains/?q={TRAIN_NAME}")
        expect(manager.row(TRAIN_NAME).get_by_text(state, exact=True)).to_be_visible()

    # --- Construction -----------------------------------------------------------------------------

    def build(self):
        """Product owners take their own releases on; the release manager steers the others."""
        owner, manager = self.people.owner, self.people.manager
        mine = dict(list(self.releases.items())[:3])
        for address in mine.values():
            manager.go(f"{address}edit/")
            manager.choose("Product owner", People.name("owner"))
            assert manager.press("Save") == 303
        self.milestones_were_copied(mine)
        self.board_one_more()
        for address in self.releases.values():
            person = owner if address in mine.values() else manager
            assert person.take("Begin work", address) == 303

    def milestones_were_copied(self, releases):
        owner = self.people.owner
        for address in releases.values():
            owner.go(f"{address}milestones/")
            assert owner.take_here("Complete", within=owner.row("Release notes written")) == 303

    def board_one_more(self):
        """A release that is not in the data asks for a place: rejected, then taken aboard."""
        owner, manager = self.people.owner, self.people.manager
        owner.go(f"/releases/new/?train={self.train.strip('/').rsplit('-', 1)[1]}")
        owner.choose("Application", "OpenSearch")
        owner.fill("Version", "3.3.2-docs")
        assert owner.press("Create application release") == 303
        self.releases["docs"] = owner.path()
        manager.go(f"{self.train}releases/")
        reason = "The notes are not written yet."
        assert manager.take_here("Reject", within=manager.row("3.3.2-docs"), reason=reason) == 303
        owner.go(f"{self.train}releases/")
        owner.follow("Ask for a place")
        owner.choose("Application release", "3.3.2-docs")
        assert owner.press("Ask for a place") == 303
        manager.go(f"{self.train}releases/")
        requested = manager.row("3.3.2-docs", "Requested")
        assert manager.take_here("Accept", within=requested) == 303

    def rehearse(self):
        """A first turnover to staging: returned once, failed twice, retried in both ways."""
        developer, engineer = self.people.developer, self.people.engineer
        rehearsal = self.write_rehearsal()
        assert developer.take("Deliver", rehearsal) == 303
        self.send_back(rehearsal, "Say how it is checked.")
        developer.go(rehearsal)
        developer.sees("Say how it is checked.")
        self.add_manual_task(rehearsal, "Check the log", "developer")
        assert developer.take("Deliver", rehearsal) == 303
        self.deployer.fail_next("/staging")
        self.accept(rehearsal)
        engineer.waits_for(rehearsal, "Deployment failed")
        assert [call.path for call in self.deployer.calls] == ["/staging"]

        assert engineer.take("Retry", rehearsal) == 303
        self.open_run(developer, rehearsal)
        self.turn_of(developer, "Check the log")
        assert len(self.deployer.calls_of("/staging")) == 2
        first, second = self.deployer.calls_of("/staging")
        assert first.key != second.key
        assert developer.take_here("Report a problem", reason="The log is not there.") == 303
        engineer.waits_for(rehearsal, "Deployment failed")

        engineer.go(rehearsal)
        engineer.take_to("Retry")
        task = engineer.main.get_by_role("group", name=re.compile("Check the log"))
        task.get_by_label("Skip").check()
        engineer.field("Note").fill("The log is checked in acceptance.")
        assert engineer.press("Retry") == 303
        engineer.waits_for(rehearsal, re.compile("^Deployed"))
        assert len(self.deployer.calls_of("/staging")) == 2  # it had succeeded: skipped, too
        assert engineer.take("Verify", rehearsal) == 303
        self.promote(rehearsal)

    def accept(self, turnover):
        engineer = self.people.engineer
        engineer.go(turnover)
        assert engineer.press(re.compile("^Accept version")) == 303

    def send_back(self, turnover, reason):
        """Return a delivered turnover, which takes a reason."""
        engineer = self.people.engineer
        engineer.go(turnover)
        assert engineer.press("Return") == 422
        engineer.sees("There is a problem")
        engineer.go(turnover)
        engineer.fill("Note for the record", reason)
        assert engineer.press("Return") == 303

    def write_rehearsal(self):
        developer = self.people.developer
        developer.go(f"/turnovers/new/?release={self.number_of(self.releases['docs'])}")
        developer.choose("Environment", "staging")
        developer.fill("Earliest start", moment(minutes=-1))
        developer.fill("Latest start", moment(hours=3))
        assert developer.press("Write turnover") == 303
        rehearsal = developer.path()
        developer.go(f"{rehearsal}tasks/new/?executor=http")
        developer.fill("Title", "Install")
        developer.fill("Address", f"{self.deployer.address}/staging")
        assert developer.press("Add task") == 303
        return rehearsal

    def add_manual_task(self, turnover, title, owner):
        developer = self.people.developer
        developer.go(f"{turnover}tasks/new/?executor=manual")
        developer.fill("Title", title)
        developer.choose("Person", People.name(owner))
        assert developer.press("Add task") == 303

    def open_run(self, person, turnover):
        person.go(f"{turnover}runs/")
        person.main.locator('a[href^="/runs/"]').first.click()

    @staticmethod
    def turn_of(person, title):
        """What the page of a run says to whoever has to act; it comes without a reload."""
        turn = person.main.locator("#run-turns section").filter(has_text=title)
        expect(turn.get_by_role("heading", name=re.compile("Your turn"))).to_be_visible(
            timeout=60_000
        )
        return turn

    def promote(self, turnover):
        """The next turnover has the same task; this one is not needed further and is cancelled."""
        engineer = self.people.engineer
        engineer.go(turnover)
        engineer.take_to("Promote")
        engineer.choose("Environment", "acceptance")
        assert engineer.press("Promote") == 303
        engineer.sees("Install")
        engineer.sees("acceptance")
        reason = "Acceptance comes with the train."
        assert engineer.take_here("Cancel turnover", reason=reason) == 303

    def pass_the_construction_gate(self):
        """Refused while something is unfinished; rejected on the first of two levels; approved."""
        manager = self.people.manager
        assert manager.take("Request development approval", self.train) == 409
        manager.is_refused("is not construction-complete", "Code is frozen")
        for address in self.releases.values():
            assert manager.take("Complete construction", address) == 303
        self.meet("Code is frozen", "owner")
        assert manager.take("Request development approval", self.train) == 303
        self.reject("approver", TRAIN_NAME, "Two dependencies are not pinned.")
        self.train_is("Construction")
        assert manager.take("Request development approval", self.train) == 303
        self.approve("approver", TRAIN_NAME)
        self.train_is("Awaiting development approval")
        self.approve("second_approver", TRAIN_NAME)
        self.train_is("Verification")

    def pass_the_qa_gate(self):
        """No executive is asked before a release engineer consents."""
        manager, engineer = self.people.manager, self.people.engineer
        self.meet("The candidate passed all tests", "engineer")
        assert manager.take("Request executive approval", self.train) == 409
        manager.is_refused("A release engineer has not consented")
        assert engineer.take("Give consent", self.train) == 303
        assert manager.take("Request executive approval", self.train) == 303
        self.reject("executive", TRAIN_NAME, "Not in the week of the conference.")
        self.train_is("Verification")
        assert manager.take("Request executive approval", self.train) == 303
        self.approve("executive", TRAIN_NAME)
        self.train_is("Deployment")

    # --- Deployment -------------------------------------------------------------------------------

    def write_the_production_turnover(self):
        """The 26 real tasks get owners, eight of them run by themselves, some at the same time."""
        developer = self.people.developer
        developer.go(f"{self.turnover}edit/")
        developer.fill("Earliest start", moment(minutes=-1))
        developer.fill("Latest start", moment(hours=3))
        developer.choose("Developer", People.name("developer"))
        assert developer.press("Save") == 303
        developer.go(f"{self.turnover}contents/")
        assert developer.press("Refresh from the train") == 303
        expect(developer.main.get_by_role("row", name=re.compile("OpenSearch"))).to_have_count(2)
        tasks = self.tasks_of(self.turnover)
        assert len(tasks) == 26
        for title, address in tasks.items():
            self.assign(title, address)
        for title in PARALLEL:
            developer.go(self.turnover)
            place = developer.main.locator(f"#task-{tasks[title].rstrip('/').rsplit('/', 1)[1]}")
            developer.button(f"More for {title}", within=place).click()
            assert developer.press("Run in parallel with the previous", within=place) == 303

    def tasks_of(self, turnover):
        developer = self.people.developer
        developer.go(turnover)
        links = developer.main.locator(f'a[href^="{turnover}tasks/"]').all()
        found = {}
        for link in links:
            address = link.get_attribute("href")
            if re.fullmatch(rf"{turnover}tasks/\d+/", address) and address not in found.values():
                found[link.inner_text().strip()] = address
        return found

    def assign(self, title, address):
        developer = self.people.developer
        if title in AUTOMATED:
            developer.go(f"{address}?executor=http")
            developer.fill("Address", self.deployer.address + AUTOMATED[title])
        else:
            developer.go(address)
            developer.choose("Person", People.name("developer"))
        assert developer.press("Save task") == 303

    def deploy(self):
        """Accepted, started by the scheduler, and carried out: by calls and by clicks, in order."""
        developer, engineer = self.people.developer, self.people.engineer
        manual = [title for title in self.tasks_of(self.turnover) if title not in AUTOMATED]
        assert len(manual) == 18
        self.deployer.forget()
        self.deployer.seconds = {AUTOMATED["OS"]: 3, AUTOMATED["OSD"]: 3}
        assert developer.take("Deliver", self.turnover) == 303
        self.accept(self.turnover)
        engineer.waits_for(self.turnover, "Deploying")
        self.open_run(developer, self.turnover)
        for title in manual:
            turn = self.turn_of(developer, title)
            assert developer.press("Mark done", within=turn) == 303
        engineer.waits_for(self.turnover, re.compile("^Deployed"))
        self.calls_were_made_once_and_in_order()
        assert engineer.take("Verify", self.turnover) == 303

    def calls_were_made_once_and_in_order(self):
        paths = self.deployer.paths()
        assert sorted(paths) == sorted(AUTOMATED.values())
        assert set(paths[:2]) == {"/repos/os", "/repos/osd"}
        assert set(paths[2:6]) == {path for path in paths if path.startswith("/artifacts/")}
        assert paths[6:] == ["/docker", "/maven"]
        first, second = (self.deployer.calls_of(path)[0] for path in ("/repos/os", "/repos/osd"))
        assert first.began < second.ended
        assert second.began < first.ended

    def close(self):
        manager = self.people.manager
        assert manager.take("Close train", self.train) == 303
        manager.sees("Closed")
        manager.page.goto(f"{self.train}edit/")
        assert manager.main.get_by_role("button", name="Save").count() == 0

    @staticmethod
    def number_of(address):
        return re.search(r"\d+", address)[0]


def test_a_real_train_travels_to_closed(people, deployer, data_file, real_data):
    journey = Journey(people, deployer)

    journey.import_the_data(data_file, real_data)
    journey.make_environments()
    journey.plan()
    journey.name_approvers()
    journey.reserve_production_despite_a_clash()
    journey.pass_the_scoping_gate()
    journey.build()
    journey.rehearse()
    journey.pass_the_construction_gate()
    journey.pass_the_qa_gate()
    journey.write_the_production_turnover()
    journey.deploy()
    journey.close()

    assert people.complaints() == []
