"""What a train's approvals are bound to, whose own work they are, and what becomes of them."""

import datetime as dt

import pytest
from django.utils import timezone

from approvals.models import Condition, Signoff
from approvals.rules import content_now
from releasemgr.accounts.models import User
from releasemgr.workflow.edit import edit
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.factories import (
    BoardingFactory,
    CriterionFactory,
    DeputyFactory,
    EnvironmentFactory,
    GateFactory,
    LevelFactory,
    PolicyFactory,
    ReleaseFactory,
    RuleFactory,
    SignoffFactory,
    TaskFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
)
from trains.models import Train
from trains.rules import whose_work_it_is
from trains.services import define_approval, renew_approval
from turnovers.models import Turnover

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    return UserFactory(role="Approver", first_name="Ana", last_name="Silva")


@pytest.fixture
def train(manager, ana):
    """In Verification, with everything there for production but the executive approval."""
    signoff = SignoffFactory(title="Executive approval")
    RuleFactory(level=LevelFactory(signoff=signoff), person=ana)
    train = TrainFactory(
        state="verification",
        manager=manager,
        needs_executive_approval=True,
        executive_signoff=signoff,
        consent_by=UserFactory(role="Release engineer"),
    )
    CriterionFactory(gate=GateFactory(train=train, stage="qa"), state="met", title="Tests pass")
    BoardingFactory(train=train, release=ReleaseFactory(state="complete"))
    return train


def production(train, **columns):
    """A delivered turnover of the train to production."""
    turnover = TurnoverFactory(
        train=train,
        release=None,
        environment=EnvironmentFactory(is_production=True),
        **{"state": "delivered", "delivered_at": timezone.now() - dt.timedelta(hours=1)} | columns,
    )
    TaskFactory(turnover=turnover, title="Migrate the database")
    return turnover


def asked(train):
    perform(train, "request_executive_approval", by=train.manager)
    return sheet(train)


def sheet(train):
    return Signoff.objects.get(pk=train.executive_signoff_id)


def state(train):
    return Train.objects.get(pk=train.pk).state


def now_it_says(train):
    signoff = sheet(train)
    return {k: v for k, v in content_now(signoff).items() if signoff.content.get(k) != v}


# --- What it is bound to ---


CHANGES = {
    "purpose": ("Purpose", lambda t: edit(t, by=t.manager, purpose="Something else")),
    "schedule": ("End", lambda t: edit(t, by=t.manager, end=t.end + dt.timedelta(days=1))),
    "scope": ("Application releases", lambda t: BoardingFactory(train=t)),
    "versions": (
        "Application releases",
        lambda t: edit(t.boardings.get().release, by=t.manager, version_name="9.9"),
    ),
    "consent": ("Consent", lambda t: edit(t, by=t.manager, consent_by=UserFactory())),
    "plan": (
        "Deployment plan",
        lambda t: edit(
            Turnover.objects.get().tasks.get(), by=t.manager, instructions="Do it otherwise"
        ),
    ),
    "window": (
        "Deployment window",
        lambda t: edit(
            Turnover.objects.get(),
            by=t.manager,
            latest=Turnover.objects.get().latest + dt.timedelta(hours=1),
        ),
    ),
}


@pytest.mark.parametrize("part", CHANGES)
def test_a_change_of_any_part_makes_the_approval_count_no_longer(train, ana, part):
    production(train)
    label, change = CHANGES[part]
    signoff = asked(train)
    assert now_it_says(train) == {}

    change(Train.objects.get(pk=train.pk))

    assert list(now_it_says(train)) == [label]
    with pytest.raises(TransitionRefused, match=label):
        perform(signoff, "approve", by=ana)
    assert state(train) == "awaiting_executive"


@pytest.mark.parametrize("part", CHANGES)
def test_a_part_that_does_not_count_may_change(train, ana, part):
    production(train)
    others = [name for name in (*CHANGES, "criteria") if name != part]
    policy = PolicyFactory(parts=others)
    edit(train.executive_signoff, by=train.manager, policy=policy)
    signoff = asked(Train.objects.get(pk=train.pk))

    CHANGES[part][1](Train.objects.get(pk=train.pk))

    if part == "scope":  # with versions, whatever boards is a version more
        assert list(now_it_says(train)) == ["Application releases"]
        return
    assert now_it_says(train) == {}
    perform(signoff, "approve", by=ana)
    assert state(train) == "deployment"


def test_criteria_results_are_part_of_it(train):
    asked(train)
    before = content_now(sheet(train))["Exit criteria"]

    edit(train.gates.get().criteria.get(), by=train.manager, title="Tests pass, mostly")

    assert before == ["Tests pass: Met"]
    assert now_it_says(train) == {"Exit criteria": ["Tests pass, mostly: Met"]}


def test_a_plan_that_is_handed_over_later_was_not_asked_about(train, ana):
    signoff = asked(train)

    turnover = production(train)
    Turnover.objects.filter(pk=turnover.pk).update(
        delivered_at=timezone.now() + dt.timedelta(hours=1)
    )

    assert now_it_says(train) == {}
    perform(signoff, "approve", by=ana)
    assert state(train) == "deployment"


# --- Own work ---


def test_owners_authors_and_who_consented_do_not_decide_directly_or_through_others(train, ana):
    owner = train.boardings.get().release.owner
    author = production(train).author
    barred = {train.manager, owner, author, train.consent_by}
    assert set(whose_work_it_is(train, "executive", train.manager)) == barred
    level = train.executive_signoff.levels.get()
    for person in (owner, author, train.consent_by):
        RuleFactory(level=level, person=person)
        with pytest.raises(TransitionRefused, match="cannot be met"):
            asked(Train.objects.get(pk=train.pk))
        level.rules.filter(person=person).delete()
        DeputyFactory(person=ana, deputy=person)

    signoff = asked(Train.objects.get(pk=train.pk))

    assert all(not signoff.waits_for(person) for person in barred)
    assert sheet(train).waits_for(ana)


# --- What becomes of it ---


def test_a_condition_holds_the_train_until_it_is_confirmed(train, ana):
    perform(asked(train), "approve_if", by=ana, reason="A restore point first")
    assert sheet(train).state == "approved"
    assert state(train) == "awaiting_executive"
    found = Train.objects.get(pk=train.pk).step_blockers("start_deployment")
    assert [b.title for b in found] == ["A condition is not met: A restore point first"]
    assert found[0].owner_id == ana.pk

    perform(Condition.objects.get(), "confirm", by=ana)

    assert state(train) == "deployment"


def test_postponing_sends_the_train_back_with_the_slot(train, ana):
    starts = timezone.now() + dt.timedelta(days=9)
    slot = {"slot_starts": starts, "slot_ends": starts + dt.timedelta(hours=4)}

    perform(asked(train), "postpone", by=ana, reason="Quarter end", **slot)

    assert state(train) == "verification"
    assert sheet(train).state == "postponed"
    reason = train.history.filter(transition="hand_back").get().history_change_reason
    assert "Quarter end" in reason
    assert f"{timezone.localtime(starts):%H:%M}" in reason


def test_what_is_taken_back_stops_production_until_it_is_given_again(train, ana):
    perform(asked(train), "approve", by=ana)
    assert state(train) == "deployment"

    perform(sheet(train), "recall", by=ana, reason="A customer called")

    later = timezone.now() + dt.timedelta(minutes=1)
    turnover = production(Train.objects.get(pk=train.pk), state="ready", delivered_at=later)
    assert "Executive approval is not given" in [b.title for b in turnover.step_blockers("start")]
    perform(sheet(train), "approve", by=ana)
    titles = [b.title for b in Turnover.objects.get().step_blockers("start")]
    assert not [title for title in titles if "approval" in title]


def test_nobody_takes_back_what_is_deploying_or_over(train, ana):
    perform(asked(train), "approve", by=ana)
    turnover = production(train)
    Turnover.objects.filter(pk=turnover.pk).update(delivered_at=timezone.now())
    deploying = TurnoverFactory(
        train=train, release=None, state="deploying", environment=turnover.environment
    )

    with pytest.raises(TransitionRefused, match="deploying"):
        perform(sheet(train), "recall", by=ana, reason="Too late")
    assert sheet(train).state == "approved"
    assert deploying.state == "deploying"


def test_nobody_takes_back_what_opened_a_gate_that_is_passed(manager, ana):
    approval = SignoffFactory(title="Train approval")
    RuleFactory(level=LevelFactory(signoff=approval), person=ana)
    train = TrainFactory(manager=manager, needs_train_approval=True, train_signoff=approval)
    CriterionFactory(gate=GateFactory(train=train, stage="scoping"), state="met", title="Agreed")
    train = perform(train, "request_train_approval", by=manager)
    perform(Signoff.objects.get(pk=approval.pk), "approve", by=ana)
    assert state(train) == "construction"

    with pytest.raises(TransitionRefused, match="has gone on with it"):
        perform(Signoff.objects.get(pk=approval.pk), "recall", by=ana, reason="Too late")
    assert Signoff.objects.get(pk=approval.pk).state == "approved"


def test_an_approval_that_lost_its_worth_after_the_gate_is_asked_for_again(train, ana):
    manager = train.manager
    perform(asked(train), "approve", by=ana)
    train = Train.objects.get(pk=train.pk)
    with pytest.raises(TransitionRefused, match="does not wait"):
        renew_approval(train, "executive", by=manager, version=None)

    edit(train, by=manager, purpose="Something else")
    renew_approval(Train.objects.get(pk=train.pk), "executive", by=manager, version=None)

    assert sheet(train).state == "ready"
    assert state(train) == "deployment"
    perform(sheet(train), "approve", by=ana)
    assert sheet(train).is_valid_for(content_now(sheet(train)))


def test_an_expired_approval_stops_the_next_stage(train, ana):
    perform(asked(train), "approve_if", by=ana, reason="Restore point")
    Signoff.objects.filter(pk=train.executive_signoff_id).update(valid_until=timezone.now())
    perform(Condition.objects.get(), "confirm", by=ana)

    assert state(train) == "awaiting_executive"
    found = Train.objects.get(pk=train.pk).step_blockers("start_deployment")
    assert [b.title for b in found] == ["Executive approval has expired"]


def test_an_approval_that_has_done_its_part_does_not_expire_afterwards(manager, ana):
    signoff = SignoffFactory(title="Train approval", policy=PolicyFactory(valid_days=30))
    RuleFactory(level=LevelFactory(signoff=signoff), person=ana)
    train = TrainFactory(manager=manager, needs_train_approval=True, train_signoff=signoff)
    perform(train, "request_train_approval", by=manager)

    perform(Signoff.objects.get(), "approve", by=ana)

    assert state(train) == "construction"
    assert Signoff.objects.get().state == "approved"
    assert Signoff.objects.get().valid_until is None


def test_approved_days_ahead_the_start_waits_for_its_window(train, ana):
    opens = timezone.now() + dt.timedelta(days=3)
    latest = opens + dt.timedelta(hours=2)
    turnover = production(train, state="ready", earliest=opens, latest=latest)
    perform(asked(train), "approve", by=ana)
    assert state(train) == "deployment"

    turnover = Turnover.objects.get(pk=turnover.pk)
    waits = [b for b in turnover.step_blockers("start") if b.clears_at]

    assert [b.clears_at for b in waits] == [opens]
    assert not [b for b in turnover.step_blockers("start") if "approval" in b.title]
    with pytest.raises(TransitionRefused):
        perform(turnover, "start", by=User.objects.robot())


# --- More than four levels, where the type says so ---


def test_a_type_may_ask_for_more_levels_and_allow_overrides(client, manager):
    train = TrainFactory(manager=manager, needs_train_approval=True)
    train.release_type.approval_policy = PolicyFactory(most_levels=6, asks_password=True)
    train.release_type.save()
    people = [UserFactory(role="Approver") for _ in range(6)]
    form = {f"level{n}_people": [person.pk] for n, person in enumerate(people, start=1)}

    answer = client.post(f"/trains/RT-{train.pk}/approvals/train/", form | {"allows_override": 1})

    assert answer.status_code == 303
    signoff = Train.objects.get(pk=train.pk).train_signoff
    assert (signoff.levels.count(), signoff.allows_override) == (6, True)
    assert signoff.policy == train.release_type.approval_policy


def test_without_a_policy_there_are_four_levels(client, manager):
    train = TrainFactory(manager=manager, needs_train_approval=True)
    page = client.get(f"/trains/RT-{train.pk}/approvals/train/").content.decode()

    assert 'name="level4_people"' in page
    assert 'name="level5_people"' not in page


def test_where_a_policy_forbids_overrides_nobody_allows_them(client, manager, ana):
    train = TrainFactory(manager=manager, needs_train_approval=True)
    train.release_type.approval_policy = PolicyFactory(overrides=False)
    train.release_type.save()

    answer = client.post(
        f"/trains/RT-{train.pk}/approvals/train/", {"level1_people": [ana.pk], "allows_override": 1}
    )

    assert answer.status_code == 303
    assert not Train.objects.get(pk=train.pk).train_signoff.allows_override
    train = Train.objects.get(pk=train.pk)
    define_approval(train, "development", [], by=manager, version=None, allows_override=True)
    assert not Train.objects.get(pk=train.pk).development_signoff.allows_override
