"""What each page asks of the database: a number, which more rows do not raise.

The numbers are pinned so that a page that grows dearer says so here. A page without one fails, and
one that is gone, too.
"""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from releasemgr.accounts.models import User
from releasemgr.accounts.roles import ROBOT, ROLES
from releasemgr.exchange.models import Dataset, Upload
from tests.factories import (
    ApplicationFactory,
    BoardingFactory,
    BookingFactory,
    CadenceFactory,
    CriterionFactory,
    EnvironmentFactory,
    FreezeExceptionFactory,
    FreezeFactory,
    HoldFactory,
    LevelFactory,
    MilestoneFactory,
    NoticeFactory,
    ReleaseFactory,
    ReviewActionFactory,
    RuleFactory,
    RunFactory,
    SignoffFactory,
    TaskFactory,
    TaskRunFactory,
    TemplateFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
    WorkItemFactory,
)
from tests.permissions.test_urls import TABLE as PAGES
from tests.world import WORDS, World, pages
from trains.models import Dependency
from trains.outline import Outline

pytestmark = pytest.mark.django_db

OUTLINE = Outline().to_json()
PINNED = {
    "accounts:me": 5,
    "accounts:password": 5,
    "accounts:deputies": 7,
    "accounts:deputy-new": 6,
    "portal:work": 23,
    "portal:together": 9,
    "portal:search": 5,
    "notices:list": 7,
    "notices:preferences": 6,
    "approvals:inbox": 8,
    "approvals:detail": 21,
    "approvals:signoff-blockers": 16,
    "environments:list": 8,
    "environments:board": 9,
    "environments:new": 7,
    "environments:detail": 17,
    "environments:edit": 8,
    "environments:bookings": 6,
    "environments:book": 6,
    "environments:booking": 9,
    "environments:booking-blockers": 6,
    "environments:booking-edit": 7,
    "trains:list": 12,
    "trains:new": 11,
    "trains:preview": 3,
    "trains:copy": 12,
    "trains:keep": 21,
    "trains:templates": 7,
    "trains:template-new": 7,
    "trains:template": 8,
    "trains:template-edit": 8,
    "trains:template-approval train": 19,
    "trains:template-approval development": 19,
    "trains:template-approval executive": 19,
    "trains:cadences": 6,
    "trains:cadence-new": 8,
    "trains:cadence": 8,
    "trains:cadence-edit": 9,
    "trains:detail": 25,
    "trains:tab releases": 16,
    "trains:tab turnovers": 14,
    "trains:tab work": 14,
    "trains:tab gates": 19,
    "trains:tab milestones": 15,
    "trains:tab approvals": 24,
    "trains:tab reservations": 15,
    "trains:tab history": 25,
    "trains:edit": 23,
    "trains:health": 11,
    "trains:board": 10,
    "trains:reservation-new": 10,
    "trains:milestone-new": 10,
    "trains:train-blockers": 13,
    "trains:versions": 14,
    "trains:plan-changes": 23,
    "trains:plan-text": 21,
    "trains:milestone-edit": 7,
    "trains:milestone-remove": 6,
    "trains:milestone-settle": 7,
    "trains:approval-define train": 11,
    "trains:approval-define development": 11,
    "trains:approval-define executive": 11,
    "trains:approval-renew train": 11,
    "trains:approval-renew development": 11,
    "trains:approval-renew executive": 12,
    "trains:gate-edit": 6,
    "trains:criterion-new": 8,
    "trains:criterion-edit": 8,
    "trains:criterion-remove": 6,
    "trains:criteria": 11,
    "trains:criteria-from-library": 8,
    "trains:evidence-new": 6,
    "trains:evidence-file": 4,
    "trains:evidence-remove": 6,
    "trains:check": 8,
    "trains:check-edit": 7,
    "trains:waiver-new": 7,
    "trains:waiver": 7,
    "trains:train-work-new": 9,
    "trains:releases": 7,
    "trains:release-new": 8,
    "trains:release": 19,
    "trains:applicationrelease-blockers": 7,
    "trains:release-tab work": 9,
    "trains:release-tab milestones": 9,
    "trains:release-tab dependencies": 10,
    "trains:release-tab turnovers": 9,
    "trains:release-tab history": 14,
    "trains:release-edit": 8,
    "trains:release-board": 7,
    "trains:release-milestone-new": 7,
    "trains:release-milestone-edit": 7,
    "trains:release-milestone-remove": 6,
    "trains:dependency-new": 7,
    "trains:dependency-remove": 6,
    "trains:work-new": 6,
    "trains:work-edit": 6,
    "trains:work-remove": 8,
    "trains:applications": 6,
    "trains:application-new": 6,
    "trains:application": 9,
    "trains:application-edit": 7,
    "turnovers:list": 8,
    "turnovers:new": 7,
    "turnovers:detail": 16,
    "turnovers:turnover-blockers": 9,
    "turnovers:tab contents": 14,
    "turnovers:tab work": 14,
    "turnovers:tab runs": 13,
    "turnovers:tab history": 15,
    "turnovers:edit": 8,
    "turnovers:task-new": 9,
    "turnovers:copy-tasks": 9,
    "turnovers:task": 10,
    "turnovers:content": 7,
    "turnovers:run": 22,
    "turnovers:run-live": 20,
    "turnovers:run-text": 15,
    "turnovers:run-review": 16,
    "turnovers:action-new": 7,
    "turnovers:action": 9,
    "turnovers:task-log": 6,
    "turnovers:taskrun-blockers": 6,
    "turnovers:holds": 6,
    "turnovers:hold": 8,
    "turnovers:hold-new": 5,
    "exchange:new": 6,
    "exchange:upload": 6,
    "exchange:exports": 6,
    "exchange:download": 17,
    "operations:status": 19,
    "trains:freezes": 7,
    "trains:freeze-new": 10,
    "trains:freeze": 11,
    "trains:freeze-edit": 11,
    "turnovers:freeze-exception": 7,
    "turnovers:freezeexception-blockers": 6,
    "turnovers:freeze-exception-new": 8,
    "turnovers:release-exception-new": 8,
}
#: Whoever is signed in already is sent on; searching for nothing asks nothing.
#: Of a run that is on, another test asks what looking on takes.
ELSEWHERE = {"login", "portal:home", "ui:gallery", "turnovers:run-events"}
ROUTES = pages()


def addressed():
    """Each page that can be read, with the word in its address, if it holds one."""
    for name, (_, get, _) in PAGES.items():
        if get and name not in ELSEWHERE:
            words = next((words for (route, _), words in WORDS.items() if route == name), ("",))
            for word in words:
                yield f"{name} {word}".strip()


def more_of_everything(world):
    """One row more in every list, and one part more of everything that has parts."""
    train, release, turnover = world.train, world.release, world.turnover
    CriterionFactory(gate=world.gate, owner=UserFactory(), environment=EnvironmentFactory())
    MilestoneFactory(train=train, owner=UserFactory())
    MilestoneFactory(train=None, release=release, owner=UserFactory(), origin=world.milestone)
    place = BoardingFactory(train=train, release__state="executing", requested_by=UserFactory())
    WorkItemFactory(release=place.release, state="done")
    WorkItemFactory(release=release, state="done")
    WorkItemFactory(release=None, train=train)
    Dependency.objects.create(release=release, needs=ReleaseFactory())
    Dependency.objects.create(release=place.release, needs=release)
    ReleaseFactory(application=world.application)
    for _, sheet in train.signoffs:
        RuleFactory(level=sheet.levels.get())
    later = timezone.now() + dt.timedelta(days=2 + world.environment.bookings.count())
    booking = BookingFactory(
        environment=world.environment, starts=later, state="confirmed", requested_by=UserFactory()
    )
    train.reservations.create(booking=booking)
    TaskFactory(turnover=turnover, owner=UserFactory())
    TaskFactory(turnover=turnover, removed_at=timezone.now())
    turnover.contents.create(release=place.release, version_name="1.0")
    TurnoverFactory(release=release, environment=world.environment)
    TurnoverFactory(release=None, train=train, promoted_from=turnover)
    HoldFactory(scope="turnover", turnover=turnover)
    HoldFactory(scope="all", state="lifted")
    FreezeFactory(scope="train", train=TrainFactory())
    FreezeFactory(scope="kind", kind="elsewhere", recurrence="weekly")
    FreezeExceptionFactory(freeze=world.freeze)
    RunFactory(turnover=turnover, number=1 + turnover.runs.count(), state="failed")
    TaskRunFactory(run=world.run, task__owner=UserFactory())
    TaskRunFactory(run=world.run, state="succeeded")
    unknown = TaskRunFactory(run=world.run, task__executor="command", state="unknown", fence=1)
    tried = unknown.tries.create(fence=1, key="key", worker="host:1:0", claimed_at=timezone.now())
    tried.late_words.create(at=timezone.now(), succeeded=True)
    person = UserFactory()
    world.run.notes.create(by=person, name=str(person), words="All is well.")
    world.run.present.create(person=person, seen_at=timezone.now())
    ReviewActionFactory(run=world.run)
    BookingFactory(requested_by=UserFactory())
    TrainFactory()
    TemplateFactory()
    world.template.versions.create(number=1 + world.template.versions.count(), content=OUTLINE)
    CadenceFactory(template=world.template)
    turns = world.cadence.turns
    turns.create(number=1 + turns.count(), train=TrainFactory(template=world.template.latest))
    ApplicationFactory(owner=UserFactory())
    RuleFactory(level=LevelFactory(signoff=SignoffFactory(state="ready", round=1, open_level=1)))
    NoticeFactory(person=User.objects.get(username="reader"))
    Dataset.objects.create(name=f"Data set {Dataset.objects.count()}")
    Upload.objects.create(name="b.json", size=1, uploaded_by=UserFactory())


@pytest.fixture
def world(client):
    """One of each, looked at by somebody with every role."""
    reader = UserFactory(username="reader", role=[name for name in ROLES if name != ROBOT])
    client.force_login(reader)
    world = World()
    # Who looks on is written down anew every 20 seconds: here never, however slow the machine.
    tomorrow = timezone.now() + dt.timedelta(days=1)
    world.run.present.create(person=reader, seen_at=tomorrow)
    more_of_everything(world)
    return world


def count(client, address):
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address)
        if answer.streaming:
            list(answer)
    assert answer.status_code == 200, address
    return len(queries)


def asked_by_each_page(client, world):
    """How many questions each page asks."""
    asked = {}
    for page in addressed():
        name, _, word = page.partition(" ")
        addresses = world.addresses(ROUTES[name], PAGES[name][0])
        asked[page] = count(client, next((a for a in addresses if f"/{word}/" in a), addresses[0]))
    return asked


def test_every_page_asks_the_same_whatever_the_rows(client, world):
    asked_by_each_page(client, world)  # the first time fills the cache of content types

    few = asked_by_each_page(client, world)
    more_of_everything(world)
    more_of_everything(world)
    many = asked_by_each_page(client, world)

    assert many == few
    assert few == PINNED
