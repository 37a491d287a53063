"""One train through every stage to Closed, by the steps alone."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from approvals.models import Signoff
from releasemgr.accounts.models import User
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.factories import (
    BoardingFactory,
    CriterionFactory,
    EnvironmentFactory,
    GateFactory,
    LevelFactory,
    MilestoneFactory,
    ReleaseFactory,
    RuleFactory,
    SignoffFactory,
    TaskFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
)
from trains.models import ApplicationRelease, Boarding, Train
from turnovers.engine.advance import advance_turnover

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(db):
    roles = {
        "manager": "Release manager",
        "other_manager": "Release manager",
        "engineer": "Release engineer",
        "owner": "Product owner",
        "developer": "Developer",
        "approver": "Approver",
    }
    return {name: UserFactory(username=name, role=role) for name, role in roles.items()}


def sheet(title, person):
    signoff = SignoffFactory(title=title)
    RuleFactory(level=LevelFactory(signoff=signoff), person=person)
    return signoff


@pytest.fixture
def train(people):
    return TrainFactory(
        name="Larch",
        manager=people["manager"],
        needs_train_approval=True,
        needs_development_approval=True,
        needs_executive_approval=True,
        train_signoff=sheet("Train approval", people["approver"]),
        development_signoff=sheet("Development approval", people["approver"]),
        executive_signoff=sheet("Executive approval", people["approver"]),
    )


def decide(train, which, verdict, person, reason=""):
    signoff = Signoff.objects.get(pk=getattr(train, f"{which}_signoff_id"))
    perform(signoff, verdict, by=person, reason=reason)
    return Train.objects.get(pk=train.pk)


def test_a_train_goes_through_every_stage_to_closed(people, train):
    robot = User.objects.robot()
    manager, engineer, owner = people["manager"], people["engineer"], people["owner"]
    scoping = CriterionFactory(gate=GateFactory(train=train, stage="scoping"), owner=owner)
    MilestoneFactory(train=train, title="Feature freeze", for_all=True)
    release = ReleaseFactory(owner=owner)
    place = Boarding.objects.create(train=train, release=release, requested_by=owner)
    perform(place, "accept", by=manager)

    with pytest.raises(TransitionRefused) as refused:
        perform(train, "request_train_approval", by=manager)
    assert [b.title for b in refused.value.blockers] == [scoping.title]
    perform(scoping, "meet", by=owner, evidence="Seen.")
    train = perform(train, "request_train_approval", by=manager)
    assert train.state == "awaiting_train"

    train = decide(train, "train", "reject", people["approver"], "Too much at once")
    assert train.state == "scoping"
    perform(train, "request_train_approval", by=manager)
    train = decide(train, "train", "approve", people["approver"])
    assert train.state == "construction"
    entry = train.history.latest()
    assert (entry.actor, entry.transition) == (str(robot), "start_construction")
    assert [m.title for m in release.milestones.all()] == ["Feature freeze"]

    release = perform(ApplicationRelease.objects.get(pk=release.pk), "begin_work", by=owner)
    perform(release, "complete_construction", by=owner)
    perform(train, "request_development_approval", by=manager)
    train = decide(train, "development", "approve", people["approver"])
    assert train.state == "verification"

    with pytest.raises(TransitionRefused):
        perform(train, "request_executive_approval", by=manager)
    train = perform(train, "give_consent", by=engineer)
    perform(train, "request_executive_approval", by=manager)
    train = decide(train, "executive", "approve", people["approver"])
    assert train.state == "deployment"

    with pytest.raises(TransitionRefused, match="not verified in production"):
        perform(train, "close", by=engineer)
    production = EnvironmentFactory(name="prod", is_production=True)
    turnover = TurnoverFactory(
        train=train, release=None, environment=production, author=people["developer"]
    )
    turnover.contents.create(release=release, version_name="1.0")
    TaskFactory(turnover=turnover)
    turnover = perform(turnover, "deliver", by=people["developer"])
    with pytest.raises(PermissionDenied):
        perform(turnover, "accept", by=people["developer"])
    turnover = perform(turnover, "accept", by=engineer)
    turnover = perform(turnover, "start", by=robot)
    with pytest.raises(TransitionRefused, match="is not complete"):
        perform(turnover.runs.get(), "succeed", by=robot)
    advance_turnover(turnover.pk)
    turnover.refresh_from_db()
    assert turnover.state == "deployed"
    perform(turnover, "verify", by=engineer)

    train = perform(train, "close", by=engineer)
    assert train.state == "closed"
    assert ApplicationRelease.objects.get(pk=release.pk).state == "closed"


def test_an_approval_of_other_content_does_not_count(people, train):
    train.needs_train_approval = True
    train.save()
    perform(train, "request_train_approval", by=people["manager"])
    Train.objects.filter(pk=train.pk).update(purpose="Something else")

    with pytest.raises(TransitionRefused, match="Something else"):
        decide(train, "train", "approve", people["approver"])

    assert Train.objects.get(pk=train.pk).state == "awaiting_train"


def test_a_cancelled_train_frees_what_rode_it(people):
    train = TrainFactory(state="construction")
    boarding = BoardingFactory(train=train)
    turnover = TurnoverFactory(train=train, release=None, state="delivered")

    perform(train, "cancel", by=people["manager"], reason="Out of money")

    assert Boarding.objects.get(pk=boarding.pk).state == "left"
    turnover.refresh_from_db()
    assert turnover.state == "cancelled"


def test_nobody_starts_before_the_window(people):
    later = timezone.now() + dt.timedelta(hours=1)
    turnover = TurnoverFactory(earliest=later, author=people["developer"])
    TaskFactory(turnover=turnover)
    turnover = perform(turnover, "deliver", by=people["developer"])
    turnover = perform(turnover, "accept", by=people["engineer"])

    with pytest.raises(TransitionRefused, match="not opened"):
        perform(turnover, "start", by=people["engineer"])
    turnover = perform(turnover, "start_early", by=people["manager"], reason="Customers wait")

    assert turnover.state == "deploying"
