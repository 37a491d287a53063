"""Random trains, driven through random steps by random people, allowed and forbidden.

After every attempt state, history, blockers and permissions must agree. What exactly is tried comes
from hypothesis, which makes a failure as short as it can. The ordinary run is small;
``RANDOM_TRAINS=500`` drives so many, and ``RANDOM_STEPS`` says how far each goes.
"""

import datetime as dt
import os

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from approvals.content import digest
from approvals.models import Decision, Signoff
from approvals.services import LevelPlan
from environments.models import Booking
from releasemgr.accounts.models import User
from releasemgr.workflow.edit import create, edit, remove
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from releasemgr.workflow.rules import blockers
from tests.factories import (
    ApplicationFactory,
    EnvironmentFactory,
    ReleaseTypeFactory,
    UserFactory,
)
from trains.models import (
    ApplicationRelease,
    Boarding,
    Criterion,
    Milestone,
    PlanVersion,
    Train,
    WorkItem,
)
from trains.plan.facts import plan_of
from trains.services import ask_to_board, create_release, create_train, define_approval
from turnovers.models import DeploymentTask, Turnover

pytestmark = pytest.mark.django_db

TRAINS = int(os.environ.get("RANDOM_TRAINS", "10"))
STEPS = int(os.environ.get("RANDOM_STEPS", "30"))
DAY = dt.timedelta(days=1)
BEGIN = dt.date(2027, 1, 4)
MODELS = (Signoff, Booking, Train, Criterion, Milestone, ApplicationRelease, Boarding, Turnover)
#: Steps that ask for more than a reason, and what is given here; others with a form are left out.
GIVEN = {"meet": {}, "approve": {}, "reject": {}, "postpone": {"train": "later"}}
#: Steps that may be refused by what they set going, though no guard objects: whoever asks is barred
#: from deciding, and may be the one whom a level cannot do without; a vote is given once.
REFUSED_WITHIN = {
    "request",
    "request_train_approval",
    "request_development_approval",
    "request_executive_approval",
    "approve",
    "reject",
}
WHICH = {
    "start_construction": "train",
    "start_verification": "development",
    "start_deployment": "executive",
}
#: Columns that the history keeps in its own way, or not at all.
OWN_WAY = {"history_id", "share_key"}


class Company:
    """Some people, and a train with all that can belong to one."""

    def __init__(self, approvals, levels):
        roles = ["Release manager", "Release manager", "Release engineer", "Product owner"]
        roles += ["Developer", "Approver", "Approver", "Stakeholder"]
        self.people = [UserFactory(role=role) for role in roles]
        self.people += [UserFactory(), User.objects.robot()]
        self.manager, _, _, self.owner, self.developer, *approvers = self.people[:7]
        kind = ReleaseTypeFactory()
        self.train = self.new_train(kind, approvals)
        self.later = self.new_train(kind, ())
        for which in approvals:
            plan = [LevelPlan(people=[person]) for person in approvers[:levels]]
            define_approval(self.train, which, plan, by=self.manager, version=None)
            self.train = Train.objects.get(pk=self.train.pk)
        for number in range(2):
            release = ApplicationRelease(
                application=ApplicationFactory(), version_name=f"{number}.0", owner=self.owner
            )
            create_release(release, by=self.owner, train=self.train)
            create(WorkItem(release=release, title="Work", state="done"), by=self.owner)
        self.release = release
        create(
            Milestone(train=self.train, title="Freeze", due=BEGIN, for_all=True), by=self.manager
        )
        turnover = Turnover(
            title="To test",
            release=release,
            environment=EnvironmentFactory(),
            author=self.developer,
            earliest=dt.datetime(2027, 1, 5, tzinfo=dt.UTC),
            latest=dt.datetime(2027, 1, 6, tzinfo=dt.UTC),
        )
        create(turnover, by=self.developer)
        task = DeploymentTask(turnover=turnover, order=1, title="Go", executor="checkpoint")
        create(task, by=self.developer)
        booking = Booking(
            environment=turnover.environment,
            title="Tests",
            starts=dt.datetime(2027, 1, 5, tzinfo=dt.UTC),
            ends=dt.datetime(2027, 1, 7, tzinfo=dt.UTC),
            requested_by=self.developer,
        )
        create(booking, by=self.developer)

    def new_train(self, kind, approvals):
        train = Train(name="Larch", purpose="Try", release_type=kind, manager=self.manager)
        dates = ("start", "scoping_end", "construction_end", "qa_end", "end")
        for number, name in enumerate(dates):
            setattr(train, name, BEGIN + 7 * number * DAY)
        for which in ("train", "development", "executive"):
            setattr(train, f"needs_{which}_approval", which in approvals)
        criteria = {stage: [f"{stage} is done"] for stage in ("scoping", "construction", "qa")}
        return create_train(train, by=self.manager, engineers=[], criteria=criteria)

    def rows(self):
        return [row for model in MODELS for row in all_of(model)]

    def attempts(self):
        """Every step that can be tried of every row: declared for its state, or for another."""
        for row in self.rows():
            names = dict.fromkeys(step.name for step in row.get_all_state_transitions())
            for step in row.get_all_state_transitions():
                if step.name in names and ("form" not in step.custom or step.name in GIVEN):
                    names.pop(step.name)
                    yield row, step.name

    def ways_on(self):
        """What somebody may do now that takes things on and asks for no reason."""
        for row in self.rows():
            for step in row.get_all_state_transitions():
                quiet = not step.custom.get("danger") and not step.custom.get("needs_reason")
                known = "form" not in step.custom or step.name in GIVEN
                if step.source != row.state or not quiet or not known:
                    continue
                people = [person for person in self.people if step.has_perm(row, person)]
                if people and not blockers(row, step):
                    yield row, step.name, people

    def given(self, name):
        return {key: getattr(self, value) for key, value in GIVEN.get(name, {}).items()}


# --- What must hold -------------------------------------------------------------------------------


def everything():
    """Each row with its state and version, and how much is written in the books."""
    rows = {(type(row), row.pk): (row.state, row.version) for m in MODELS for row in all_of(m)}
    books = [model.history.count() for model in MODELS]
    return rows, books, Decision.objects.count(), PlanVersion.objects.count()


def all_of(model):
    return model.objects.order_by("pk")


def outcome(row, name, person, given):
    """What became of an attempt: the moved row, or what it was refused with."""
    try:
        return perform(row, name, by=person, reason="Because", **given), None
    except (PermissionDenied, TransitionRefused) as refused:
        return None, refused


def attempt(company, row, name, person):
    """Try it, and check that what happens is what state, permission and blockers say."""
    row = type(row).objects.get(pk=row.pk)
    declared = [step for step in row.get_all_state_transitions() if step.name == name]
    here = [step for step in declared if step.source == row.state]
    permitted = any(step.has_perm(row, person) for step in here or declared)
    expected = blockers(row, here[0]) if here else []
    before, version = everything(), row.version
    moved, refused = outcome(row, name, person, company.given(name))
    assert isinstance(refused, PermissionDenied) == (not permitted)
    if refused is None:
        assert here
        assert not expected
        was_recorded(moved, here[0], version, person)
        return
    assert everything() == before
    if permitted:
        assert refused.blockers
        assert refused.blockers == expected or not here or name in REFUSED_WITHIN


def was_recorded(moved, step, version, person):
    """It is where the step leads, and its history says by whom, why, and by which step."""
    allowed = getattr(step.target, "allowed_states", None) or [step.target]
    entry = moved.history.get(version=version + 1)
    assert entry.state in allowed
    assert (entry.transition, entry.actor) == (step.name, str(person))
    assert (entry.history_user, entry.history_change_reason) == (person, "Because")
    if step.name in WHICH and isinstance(moved, Train):
        approval_was_valid(moved, WHICH[step.name])


def approval_was_valid(train, which):
    """Whoever went on with an approval had it for exactly what the train is."""
    if getattr(train, f"needs_{which}_approval"):
        sheet = Signoff.objects.get(pk=getattr(train, f"{which}_signoff_id"))
        assert sheet.is_valid_for(train.content_for(which))


def books_agree(company):
    """Each history leads, step by declared step, to what the row is now."""
    for row in company.rows():
        told = list(row.history.order_by("version"))
        assert [entry.version for entry in told] == list(range(1, row.version + 1)), row
        edges = {
            (step.name, step.source, target)
            for step in row.get_all_state_transitions()
            for target in getattr(step.target, "allowed_states", None) or [step.target]
        }
        state = told[0].state
        for entry in told[1:]:
            if entry.transition:
                assert (entry.transition, state, entry.state) in edges
            else:
                assert entry.state == state
            state = entry.state
        assert state == row.state
        kept = told[-1]
        for field in row._meta.concrete_fields:
            if field.attname not in OWN_WAY:
                assert getattr(kept, field.attname) == getattr(row, field.attname), field


def no_approval_is_valid_for_other_content(company):
    train = Train.objects.get(pk=company.train.pk)
    for which, sheet in train.signoffs:
        if sheet is None:
            continue
        now = train.content_for(which)
        same = sheet.digest == digest(now)
        assert sheet.is_valid_for(now) == (sheet.state == "approved" and same)
        assert sheet.digest in {"", digest(sheet.content)}
        for decision in sheet.decisions.filter(round=sheet.round):
            assert decision.digest == sheet.digest
            assert decision.person_id not in sheet.barred_ids


def versions_are_whole(company):
    versions = PlanVersion.objects.filter(train=company.train).select_related("content")
    told = list(versions.order_by("number"))
    assert [version.number for version in told] == list(range(1, len(told) + 1))
    assert all(v.content.digest == digest(v.content.facts) for v in told)
    decided = Decision.objects.filter(signoff__in=[s for _, s in company.train.signoffs if s])
    assert len(told) >= decided.count()


def what_is_shown_is_what_refuses(company):
    for row in company.rows():
        shown = row.between()
        if shown.step is not None:
            assert shown.blockers == row.step_blockers(row.next_step)


# --- The drive ------------------------------------------------------------------------------------


def change_something(company, number):
    """An edit of the plan, such as people make between two steps; refused, it changes nothing."""
    train = Train.objects.get(pk=company.train.pk)
    gate = train.gates.order_by("pk")[number % 3]
    by = company.manager
    changes = [
        lambda: edit(train, by=by, purpose=f"Purpose {number}"),
        lambda: edit(train, by=by, end=train.end + DAY),
        lambda: create(Criterion(gate=gate, title=f"Criterion {number}"), by=by),
        lambda: create(Milestone(train=train, title=f"Day {number}", due=BEGIN), by=by),
        lambda: edit(ApplicationRelease.objects.first(), by=by, version_name=f"{number}.1"),
        lambda: remove(train.milestones.first(), by=by) if train.milestones.exists() else None,
        lambda: board_again(company),
    ]
    changes[number % len(changes)]()


def board_again(company):
    train = Train.objects.get(pk=company.train.pk)
    if not company.release.boardings.live().exists():
        ask_to_board(train, company.release, by=company.owner)


def drive(company, course):
    for kind, which, who in course:
        if kind == 0:
            change_something(company, which)
        elif kind == 1:
            tries = list(company.attempts())
            row, name = tries[which % len(tries)]
            attempt(company, row, name, company.people[who % len(company.people)])
        elif ways := list(company.ways_on()):
            row, name, people = ways[which % len(ways)]
            attempt(company, row, name, people[who % len(people)])
        no_approval_is_valid_for_other_content(company)
    books_agree(company)
    versions_are_whole(company)
    what_is_shown_is_what_refuses(company)


#: Mostly what takes things on, so that trains come far; sometimes an edit; often just anything.
KINDS = st.sampled_from([0, 1, 1, 2, 2, 2, 2])
COURSES = st.lists(
    st.tuples(KINDS, st.integers(0, 999), st.integers(0, 99)), min_size=5, max_size=STEPS
)
APPROVALS = st.lists(st.sampled_from(["train", "development", "executive"]), unique=True)


@settings(
    max_examples=TRAINS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(approvals=APPROVALS, levels=st.integers(1, 2), course=COURSES)
def test_state_history_blockers_and_permissions_agree_on_every_course(approvals, levels, course):
    with transaction.atomic():
        drive(Company(approvals, levels), course)
        transaction.set_rollback(True)


def test_a_train_that_only_goes_on_comes_to_deployment():
    """The drive above reaches the far stages: what it checks there is not checked in vain."""
    company = Company(["train", "development", "executive"], levels=2)
    seen = set()
    for _ in range(80):
        if ways := [way for way in company.ways_on() if goes_on(*way[:2])]:
            row, name, people = ways[0]
            attempt(company, row, name, people[-1])
        seen.add(Train.objects.get(pk=company.train.pk).state)
    assert {"awaiting_train", "awaiting_development", "awaiting_executive", "deployment"} <= seen
    assert plan_of(Train.objects.get(pk=company.train.pk))["train"][""]["name"] == "Larch"
    books_agree(company)
    versions_are_whole(company)


def goes_on(row, name):
    """Not what goes round in circles, nor what belongs to the other train."""
    if isinstance(row, Train):
        consented = name == "give_consent" and row.consent_by_id
        return not consented and row.train_signoff_id is not None
    early = isinstance(row, ApplicationRelease) and name == "close"
    return name not in {"request", "release"} and not early and not isinstance(row, Turnover)
