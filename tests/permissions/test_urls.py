"""Who may open and send which page: a table of every route and every role.

A route without a row fails. Steps have a table of their own in test_steps.py.
"""

from contextlib import contextmanager
from http import HTTPStatus

import pytest
from django.db import transaction
from django.test import Client

from releasemgr.accounts.models import User
from tests.factories import (
    BoardingFactory,
    BookingFactory,
    MilestoneFactory,
    ReleaseFactory,
    ReviewActionFactory,
    UserFactory,
)
from tests.permissions.test_steps import LETTERS
from tests.world import World, let_go, pages
from trains.models import Dependency

pytestmark = pytest.mark.django_db

#: The seven roles; somebody signed in without a role is "-", who is not signed in is "_".
ROLES = "MEODASN"
SIGNED_IN = ROLES + "-"
ALL = SIGNED_IN + "_"
NO_SUCH_METHOD = None

#: Route -> the row that its address names, who may GET it, who may POST to it.
TABLE = {
    # One's own account
    "login": ("", ALL, ALL),
    "logout": ("", NO_SUCH_METHOD, ALL),
    "accounts:me": ("", SIGNED_IN, SIGNED_IN),
    "accounts:theme": ("", NO_SUCH_METHOD, SIGNED_IN),
    "accounts:password": ("", SIGNED_IN, SIGNED_IN),
    "accounts:deputies": ("", SIGNED_IN, NO_SUCH_METHOD),
    "accounts:deputy-new": ("", ROLES, ROLES),
    "accounts:deputy-end": ("deputy", NO_SUCH_METHOD, ""),
    # For whoever builds pages: staff only, and no role makes one staff
    "ui:gallery": ("", "", NO_SUCH_METHOD),
    # My work
    "portal:home": ("", SIGNED_IN, NO_SUCH_METHOD),
    "portal:work": ("", SIGNED_IN, NO_SUCH_METHOD),
    "portal:together": ("train", ROLES, ROLES),
    "portal:search": ("", SIGNED_IN, NO_SUCH_METHOD),
    # What one was told: one's own, and nobody else's
    "notices:list": ("", SIGNED_IN, NO_SUCH_METHOD),
    "notices:read": ("", NO_SUCH_METHOD, SIGNED_IN),
    "notices:open": ("notice", "", NO_SUCH_METHOD),
    "notices:preferences": ("", SIGNED_IN, SIGNED_IN),
    # Approvals
    "approvals:inbox": ("", SIGNED_IN, NO_SUCH_METHOD),
    "approvals:detail": ("signoff", ROLES, NO_SUCH_METHOD),
    "approvals:signoff-blockers": ("signoff", ROLES, NO_SUCH_METHOD),
    # Environments and their bookings
    "environments:list": ("", SIGNED_IN, NO_SUCH_METHOD),
    "environments:board": ("", SIGNED_IN, NO_SUCH_METHOD),
    "environments:new": ("", "ME", "ME"),
    "environments:detail": ("environment", ROLES, NO_SUCH_METHOD),
    "environments:edit": ("environment", "ME", "ME"),
    "environments:bookings": ("", SIGNED_IN, NO_SUCH_METHOD),
    "environments:book": ("", "ME", "ME"),
    "environments:booking": ("booking", ROLES, NO_SUCH_METHOD),
    "environments:booking-blockers": ("booking", ROLES, NO_SUCH_METHOD),
    "environments:booking-edit": ("booking", "ME", "ME"),
    # Trains
    "trains:list": ("", SIGNED_IN, NO_SUCH_METHOD),
    "trains:new": ("", "M", "M"),
    "trains:preview": ("", "M", NO_SUCH_METHOD),
    "trains:copy": ("train", "M", "M"),
    "trains:keep": ("train", "M", "M"),
    "trains:templates": ("", SIGNED_IN, NO_SUCH_METHOD),
    "trains:template-new": ("", "M", "M"),
    "trains:template": ("template", ROLES, NO_SUCH_METHOD),
    "trains:template-edit": ("template", "M", "M"),
    "trains:template-approval": ("template", "M", "M"),
    "trains:cadences": ("", SIGNED_IN, NO_SUCH_METHOD),
    "trains:cadence-new": ("", "M", "M"),
    "trains:cadence": ("cadence", ROLES, NO_SUCH_METHOD),
    "trains:cadence-edit": ("cadence", "M", "M"),
    "trains:detail": ("train", ROLES, NO_SUCH_METHOD),
    "trains:tab": ("train", ROLES, NO_SUCH_METHOD),
    "trains:train-blockers": ("train", ROLES, NO_SUCH_METHOD),
    "trains:versions": ("train", ROLES, NO_SUCH_METHOD),
    "trains:version-keep": ("train", NO_SUCH_METHOD, "M"),
    "trains:plan-changes": ("train", ROLES, NO_SUCH_METHOD),
    "trains:plan-text": ("train", ROLES, NO_SUCH_METHOD),
    "trains:edit": ("train", "M", "M"),
    "trains:health": ("train", "M", "M"),
    "trains:follow": ("train", NO_SUCH_METHOD, ROLES),
    "trains:board": ("train", "MO", "MO"),
    "trains:reservation-new": ("train", "M", "M"),
    "trains:milestone-new": ("train", "M", "M"),
    "trains:milestone-edit": ("milestone", "M", "M"),
    "trains:milestone-remove": ("milestone", "M", "M"),
    "trains:milestone-settle": ("milestone", "M", "M"),
    "trains:approval-define": ("train", "M", "M"),
    "trains:approval-renew": ("train", "M", "M"),
    "trains:gate-edit": ("gate", "M", "M"),
    "trains:criterion-new": ("gate", "M", "M"),
    "trains:criterion-edit": ("criterion", "M", "M"),
    "trains:criterion-remove": ("criterion", "M", "M"),
    "trains:criteria": ("train", "M", "M"),
    "trains:criteria-from-library": ("gate", "M", "M"),
    "trains:criterion-to-library": ("criterion", NO_SUCH_METHOD, "M"),
    "trains:evidence-new": ("criterion", "M", "M"),
    "trains:evidence-file": ("evidence", ROLES, NO_SUCH_METHOD),
    "trains:evidence-remove": ("evidence", "M", "M"),
    "trains:check": ("criterion", ROLES, NO_SUCH_METHOD),
    "trains:check-edit": ("criterion", "M", "M"),
    "trains:check-now": ("criterion", NO_SUCH_METHOD, "M"),
    "trains:waiver-new": ("criterion", "ME", "ME"),
    "trains:waiver": ("waiver", ROLES, NO_SUCH_METHOD),
    "trains:train-work-new": ("train", "MEOD", "MEOD"),
    # Application releases: those of others; what owning one opens is further down
    "trains:releases": ("", SIGNED_IN, NO_SUCH_METHOD),
    "trains:release-new": ("", "MO", "MO"),
    "trains:release": ("release", ROLES, NO_SUCH_METHOD),
    "trains:release-tab": ("release", ROLES, NO_SUCH_METHOD),
    "trains:applicationrelease-blockers": ("release", ROLES, NO_SUCH_METHOD),
    "trains:release-edit": ("release", "M", "M"),
    "trains:release-board": ("release", "M", "M"),
    "trains:release-milestone-new": ("release", "M", "M"),
    "trains:release-milestone-edit": ("release_milestone", "M", "M"),
    "trains:release-milestone-remove": ("release_milestone", "M", "M"),
    "trains:dependency-new": ("release", "M", "M"),
    "trains:dependency-remove": ("dependency", "M", "M"),
    "trains:work-new": ("release", "MEOD", "MEOD"),
    "trains:work-edit": ("item", "MEOD", "MEOD"),
    "trains:work-remove": ("item", "MEOD", "MEOD"),
    "trains:applications": ("", SIGNED_IN, NO_SUCH_METHOD),
    "trains:application-new": ("", "MO", "MO"),
    "trains:application": ("application", ROLES, NO_SUCH_METHOD),
    "trains:application-edit": ("application", "MO", "MO"),
    # Turnovers
    "turnovers:list": ("", SIGNED_IN, NO_SUCH_METHOD),
    "turnovers:new": ("", "MED", "MED"),
    "turnovers:detail": ("turnover", ROLES, NO_SUCH_METHOD),
    "turnovers:tab": ("turnover", ROLES, NO_SUCH_METHOD),
    "turnovers:turnover-blockers": ("turnover", ROLES, NO_SUCH_METHOD),
    "turnovers:edit": ("turnover", "MED", "MED"),
    "turnovers:task-new": ("turnover", "MED", "MED"),
    "turnovers:task-order": ("turnover", NO_SUCH_METHOD, "MED"),
    "turnovers:copy-tasks": ("turnover", "MED", "MED"),
    "turnovers:task": ("task", ROLES, "MED"),
    "turnovers:task-remove": ("task", NO_SUCH_METHOD, "MED"),
    "turnovers:task-restore": ("removed_task", NO_SUCH_METHOD, "MED"),
    "turnovers:contents-refresh": ("turnover", NO_SUCH_METHOD, "MED"),
    "turnovers:content": ("content", "MED", "MED"),
    "turnovers:content-remove": ("content", NO_SUCH_METHOD, "MED"),
    "turnovers:work-change": ("turnover", NO_SUCH_METHOD, "MED"),
    "turnovers:run": ("run", ROLES, NO_SUCH_METHOD),
    "turnovers:run-live": ("run", ROLES, NO_SUCH_METHOD),
    "turnovers:run-events": ("run", ROLES, NO_SUCH_METHOD),
    "turnovers:run-say": ("run", NO_SUCH_METHOD, ROLES),
    "turnovers:run-text": ("run", ROLES, NO_SUCH_METHOD),
    "turnovers:run-review": ("run", ROLES, NO_SUCH_METHOD),
    "turnovers:action-new": ("run", "ME", "ME"),
    "turnovers:action": ("action", "ME", "ME"),
    "turnovers:action-done": ("action", NO_SUCH_METHOD, "ME"),
    "turnovers:task-log": ("task_run", ROLES, NO_SUCH_METHOD),
    "turnovers:taskrun-blockers": ("task_run", ROLES, NO_SUCH_METHOD),
    # For programs, whom the address lets in: what is sent here without JSON is refused
    "turnovers:callback": ("", NO_SUCH_METHOD, ALL),
    "trains:freezes": ("", SIGNED_IN, NO_SUCH_METHOD),
    "trains:freeze-new": ("", "MN", "MN"),
    "trains:freeze": ("freeze", ROLES, NO_SUCH_METHOD),
    "trains:freeze-edit": ("freeze", "MN", "MN"),
    "turnovers:freeze-exception": ("exception", ROLES, NO_SUCH_METHOD),
    "turnovers:freezeexception-blockers": ("exception", ROLES, NO_SUCH_METHOD),
    "turnovers:freeze-exception-new": ("freeze", "MEOD", "MEOD"),
    "turnovers:release-exception-new": ("scope_freeze", "MEOD", "MEOD"),
    "turnovers:holds": ("", SIGNED_IN, NO_SUCH_METHOD),
    "turnovers:hold": ("hold", ROLES, NO_SUCH_METHOD),
    "turnovers:hold-new": ("", "ME", "ME"),
    # Bringing data in and taking it out
    "exchange:new": ("", "MN", "MN"),
    "exchange:upload": ("upload", "MN", NO_SUCH_METHOD),
    "exchange:take": ("upload", NO_SUCH_METHOD, "MN"),
    "exchange:again": ("upload", NO_SUCH_METHOD, "MN"),
    "exchange:exports": ("", "MEON", NO_SUCH_METHOD),
    "exchange:download": ("dataset", "MEON", NO_SUCH_METHOD),
    # How the installation is
    "operations:status": ("", SIGNED_IN, NO_SUCH_METHOD),
}
ROUTES = pages()
#: An empty form is invalid, or the record forbids it; 400 where no page of ours can send nothing;
#: 204 where there is no room for one more who looks on.
ANSWERED = {
    HTTPStatus.OK,
    HTTPStatus.NO_CONTENT,
    HTTPStatus.FOUND,
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.SEE_OTHER,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}
NOT_TAKEN = {HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_FOUND, HTTPStatus.FOUND}
REFUSED = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}


@contextmanager
def undone():
    """Take back whatever the block stores."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def visitor(letter):
    """Somebody of that role; nobody, where nobody is signed in."""
    if letter == "_":
        return None
    return UserFactory(role=LETTERS.get(letter, []))


def browser(person):
    """A client in which the person is signed in."""
    client = Client()
    if person is not None:
        client.force_login(person)
    return client


def verdict(client, method, address):
    """The status, or "sign in" where the answer is the way to the sign-in page."""
    with undone():
        answer = getattr(client, method)(address)
        let_go(answer)
    to_sign_in = answer.headers.get("Location", "").startswith("/login/?next=")
    return "sign in" if to_sign_in else HTTPStatus(answer.status_code)


def wrong(status, letter, allowed):
    """What is wrong with the answer, in words; nothing where it is as the table says."""
    if allowed is None:
        expected = {HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.FORBIDDEN}
    elif letter in allowed:
        expected = ANSWERED
    else:
        expected = REFUSED
    if letter == "_" and "_" not in (allowed or ""):
        expected = (expected - {HTTPStatus.FORBIDDEN}) | {"sign in"}
    return "" if status in expected else f"{letter}: {status}"


def test_every_route_has_a_row_and_every_row_a_route():
    assert set(ROUTES) == set(TABLE)


AREAS = sorted({name.partition(":")[0] for name in TABLE})


@pytest.mark.parametrize("area", AREAS)
def test_who_may_open_and_send_which_page(area):
    world = World()
    people = {letter: visitor(letter) for letter in ALL}
    found = []

    for name in (name for name in TABLE if name.partition(":")[0] == area):
        row, get, post = TABLE[name]
        browsers = {letter: browser(person) for letter, person in people.items()}
        for address in world.addresses(ROUTES[name], row):
            for method, allowed in (("get", get), ("post", post)):
                for letter, client in browsers.items():
                    status = verdict(client, method, address)
                    if said := wrong(status, letter, allowed):
                        found.append(f"{method} {address} {said}")

    assert not found, "\n".join(found)


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_no_page_knows_other_methods(client, method):
    client.force_login(UserFactory(role=[n for n in LETTERS.values() if n != "Robot"]))
    world = World()

    for name, (row, _, _) in TABLE.items():
        for address in world.addresses(ROUTES[name], row):
            status = getattr(client, method)(address).status_code
            assert status in NOT_TAKEN, address


@pytest.mark.parametrize("method", ["put", "delete", "patch", "head"])
def test_no_step_is_taken_by_another_method_than_post(client, method):
    client.force_login(UserFactory(role="Release manager"))
    train = World().train

    answer = getattr(client, method)(train.step_url("cancel"), {"reason": "No"})

    allowed = HTTPStatus.OK if method == "head" else HTTPStatus.METHOD_NOT_ALLOWED
    assert answer.status_code == allowed
    train.refresh_from_db()
    assert train.state == "scoping"


# --- What owning a record opens ------------------------------------------------------------------

OWNED = {
    "trains:release-edit": ("Product owner", lambda p: ReleaseFactory(owner=p)),
    "trains:release-board": ("Product owner", lambda p: ReleaseFactory(owner=p)),
    "trains:release-milestone-new": ("Product owner", lambda p: ReleaseFactory(owner=p)),
    "trains:release-milestone-edit": (
        "Product owner",
        lambda p: MilestoneFactory(train=None, release=ReleaseFactory(owner=p)),
    ),
    "trains:release-milestone-remove": (
        "Product owner",
        lambda p: MilestoneFactory(train=None, release=ReleaseFactory(owner=p)),
    ),
    "trains:dependency-new": ("Product owner", lambda p: ReleaseFactory(owner=p)),
    "trains:dependency-remove": (
        "Product owner",
        lambda p: Dependency.objects.create(
            release=ReleaseFactory(owner=p), needs=ReleaseFactory()
        ),
    ),
    "environments:booking-edit": ("Product owner", lambda p: BookingFactory(requested_by=p)),
    "turnovers:action": ("Developer", lambda p: ReviewActionFactory(owner=p)),
}


@pytest.mark.parametrize("name", OWNED)
def test_what_is_ones_own_opens(name):
    role, make = OWNED[name]
    owner = UserFactory(role=role)
    world = World()
    world.own = make(owner)
    (address,) = world.addresses(ROUTES[name], "own")

    assert verdict(browser(owner), "get", address) == HTTPStatus.OK
    assert verdict(browser(owner), "post", address) in ANSWERED
    assert verdict(browser(UserFactory(role=role)), "get", address) == HTTPStatus.FORBIDDEN


def test_a_name_on_a_record_opens_nothing_to_somebody_without_a_role():
    stranger = UserFactory()
    world = World()
    world.own = ReleaseFactory(owner=stranger)
    BoardingFactory(release=world.own)

    for name in ("trains:release", "trains:release-edit"):
        (address,) = world.addresses(ROUTES[name], "own")
        assert verdict(browser(stranger), "get", address) == HTTPStatus.NOT_FOUND


# --- The administration --------------------------------------------------------------------------

ADMINISTERED = [
    "/admin/",
    "/admin/accounts/user/",
    "/admin/accounts/user/add/",
    "/admin/auth/group/",
    "/admin/trains/releasetype/",
    "/admin/trains/calendar/",
    "/admin/trains/calendar/add/",
    "/admin/trains/cadence/",
    "/admin/trains/template/",
    "/admin/trains/train/",
    "/admin/turnovers/turnover/",
    "/admin/approvals/signoff/",
    "/admin/environments/booking/",
    "/admin/notices/letter/",
    "/admin/notices/notice/",
]


@pytest.mark.parametrize("address", ADMINISTERED)
def test_the_administration_is_for_administrators(address):
    administrator = UserFactory(role="Administrator", is_staff=True)

    assert verdict(browser(administrator), "get", address) == HTTPStatus.OK
    for letter in ALL.replace("N", ""):
        answer = verdict(browser(visitor(letter)), "get", address)
        assert answer in {"sign in", HTTPStatus.FORBIDDEN, HTTPStatus.FOUND}, letter


def test_the_robot_cannot_sign_in(client):
    assert not User.objects.robot().has_usable_password()
