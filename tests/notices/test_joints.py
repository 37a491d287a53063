"""Who is told of what approvals, gates, trains and environments have besides their main steps."""

import datetime as dt

import pytest
from django.utils import timezone

from approvals import services as approvals
from approvals.models import Condition
from releasemgr.accounts.models import Deputy, User
from releasemgr.notices import reminders
from releasemgr.notices.models import Happening, Notice
from releasemgr.notices.news.approvals import asking
from releasemgr.notices.services import tell
from releasemgr.notices.telling import spread
from releasemgr.workflow.edit import create, edit
from releasemgr.workflow.perform import perform
from tests.factories import (
    BoardingFactory,
    BookingFactory,
    CadenceFactory,
    CriterionFactory,
    DeputyFactory,
    EnvironmentFactory,
    GateFactory,
    LevelFactory,
    MilestoneFactory,
    PolicyFactory,
    ReleaseFactory,
    RuleFactory,
    SignoffFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
    WaiverFactory,
)
from trains import inheritance
from trains.cadences import make_next
from trains.models import Waiver, Watch
from turnovers.models import Hold, Turnover

pytestmark = pytest.mark.django_db

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


def told(event):
    """The user names of those who were told of it, in order."""
    spread()
    rows = Notice.objects.filter(event=event).order_by("person__username")
    return list(rows.values_list("person__username", flat=True))


def forget():
    """What was told so far is of no interest."""
    spread()
    Notice.objects.all().delete()


@pytest.fixture
def robot():
    return User.objects.robot()


@pytest.fixture
def bea():
    return UserFactory(username="bea", role="Approver")


@pytest.fixture
def bob():
    return UserFactory(username="bob", role="Approver")


@pytest.fixture
def dan():
    """Stands in for others."""
    return UserFactory(username="dan", role="Approver")


def a_sheet(*levels, **more):
    signoff = SignoffFactory(title="Train approval", **more)
    for number, people in enumerate(levels, start=1):
        level = LevelFactory(signoff=signoff, number=number)
        for person in people:
            RuleFactory(level=level, person=person)
    return signoff


def ask(signoff, by, barred=()):
    signoff = approvals.ask(
        signoff, by=by, question="Start?", content={}, facts=[], barred=[by, *barred], url="/"
    )
    spread()
    return signoff


# --- Deputies ------------------------------------------------------------------------------------


def test_who_stands_in_is_told_what_the_approver_is_told(manager, bea, bob, dan):
    DeputyFactory(person=bea, deputy=dan)
    DeputyFactory(person=bob, deputy=UserFactory(username="later"), starts=timezone.now() + DAY)

    ask(a_sheet([bea, bob]), manager)

    assert told("approval_asked") == ["bea", "bob", "dan"]


def test_who_stands_in_is_not_told_of_own_work_nor_where_the_vote_is_given(manager, bea, bob, dan):
    DeputyFactory(person=bea, deputy=dan)
    ask(a_sheet([bea]), manager, barred=[dan])
    assert told("approval_asked") == ["bea"]

    signoff = ask(a_sheet([bob], [bea]), manager)
    eve = UserFactory(username="eve", role="Approver")
    DeputyFactory(person=bob, deputy=eve)
    perform(signoff, "approve", by=bob)

    assert "eve" not in told("approval_asked")


def test_a_deputy_of_somebody_whose_own_work_it_is_is_told_nothing(manager, bea, bob, dan):
    DeputyFactory(person=bea, deputy=dan)

    signoff = a_sheet([bob], state="ready", round=1, open_level=1)
    RuleFactory(level=signoff.levels.get(), person=bea)
    signoff.barred.add(bea)
    tell(asking(signoff, [bea, bob, dan]))

    assert told("approval_asked") == ["bob"]


def test_a_deputy_is_told_when_named_and_of_what_waits_when_the_time_comes(
    clock, manager, bea, dan
):
    signoff = ask(a_sheet([bea]), manager)
    now = clock.now
    deputy = Deputy(person=bea, deputy=dan, starts=now + HOUR, ends=now + 2 * DAY)
    create(deputy, by=bea)
    assert told("deputy_named") == ["dan"]
    reminders.look()
    assert told("approval_asked") == ["bea"]

    clock.set(now + 2 * HOUR)
    reminders.look()
    reminders.look()

    assert told("approval_asked") == ["bea", "dan"]
    assert "You stand in for" in Notice.objects.get(person=dan, event="approval_asked").words
    perform(signoff, "approve", by=dan)
    assert told("vote_given") == ["bea"]


def test_a_deputy_from_now_on_is_told_at_once_of_what_waits(manager, bea, dan):
    ask(a_sheet([bea]), manager)

    create(
        Deputy(person=bea, deputy=dan, starts=timezone.now() - HOUR, ends=timezone.now() + DAY),
        by=bea,
    )

    assert told("approval_asked") == ["bea", "dan"]


# --- Approvals -----------------------------------------------------------------------------------


def test_a_decision_taken_back_is_told_to_those_whose_turn_it_is_again(manager, bea, bob):
    signoff = ask(a_sheet([bea], [bob]), manager)
    perform(signoff, "approve", by=bea)
    perform(signoff, "approve", by=bob)
    forget()

    perform(signoff, "recall", by=bob, reason="I had read the other one.")
    assert told("approval_recalled") == ["man"]
    perform(signoff, "approve", by=bob)
    forget()
    perform(signoff, "recall", by=bea, reason="So had I.")
    spread()
    perform(signoff, "approve", by=bea)

    assert told("approval_asked") == []  # by whoever would have to decide, it is decided
    assert told("approval_given") == ["man"]


def test_a_decision_taken_back_before_the_end_is_nothing_to_who_asked(manager, bea, bob):
    signoff = ask(a_sheet([bea], [bob]), manager)
    perform(signoff, "approve", by=bea)
    forget()

    perform(signoff, "recall", by=bea, reason="Not yet.")

    assert told("approval_recalled") == []


def test_an_override_is_told_to_whose_vote_it_was(manager, bea):
    signoff = ask(a_sheet([bea], allows_override=True), UserFactory(role="Release manager"))

    perform(signoff, "override", by=manager, voice=bea.pk, reason="She is ill.")

    assert told("vote_given") == ["bea"]
    assert "as an override" in Notice.objects.get(event="vote_given").words


def test_an_approver_who_is_added_is_told_and_others_are_not_told_again(manager, bea, bob):
    signoff = ask(a_sheet([bea], allows_override=True), UserFactory(role="Release manager"))
    assert told("approval_asked") == ["bea"]

    perform(signoff, "add_approver", by=manager, level=1, person=bob, reason="He knows it.")

    assert told("approval_asked") == ["bea", "bob"]


@pytest.mark.parametrize(
    ("step", "data", "event"),
    [
        ("reject", {}, "approval_refused"),
        (
            "postpone",
            {"slot_starts": timezone.now() + DAY, "slot_ends": timezone.now() + 2 * DAY},
            "approval_refused",
        ),
    ],
)
def test_who_asked_is_told_that_it_was_not_given(manager, bea, step, data, event):
    signoff = ask(a_sheet([bea]), manager)

    perform(signoff, step, by=bea, reason="Not now.", **data)

    assert told(event) == ["man"]


def test_a_condition_is_told_to_who_asked_and_asked_back_of_who_made_it(
    manager, bea, bob, dan, robot
):
    signoff = ask(a_sheet([bea]), manager)
    perform(signoff, "approve_if", by=bea, reason="If the tests are green.")
    assert told("condition_asked") == ["man"]
    DeputyFactory(person=bea, deputy=dan)

    reminders.look()
    assert told("condition_open") == ["bea", "dan"]
    perform(Condition.objects.get(), "confirm", by=bea)
    reminders.look()

    assert told("condition_settled") == ["man"]
    assert told("condition_open") == ["bea", "dan"]


def test_the_clock_of_an_approval_reminds_escalates_and_ends(clock, manager, bea, bob):
    policy = PolicyFactory(
        answer_hours=20, remind_hours=5, escalate_hours=8, escalate_to=bob, lapse_days=1
    )
    ask(a_sheet([bea], policy=policy), manager)
    start = clock.now

    def after(hours):
        clock.set(start + hours * HOUR)
        approvals.look_after_clock()
        reminders.look()

    after(6)
    assert told("approval_due") == ["bea"]  # and not once more for the date it is due
    after(9)
    assert told("approval_asked") == ["bea", "bob"]  # she was told when it was asked
    after(30)

    assert told("approval_expired") == ["man"]


def test_a_sheet_whose_policy_reminds_nobody_is_reminded_of_by_its_date(clock, manager, bea):
    clock.set(clock.now.replace(hour=12))
    ask(a_sheet([bea], due=clock.now), manager)

    reminders.look()

    assert told("approval_due") == ["bea"]


# --- Gates ---------------------------------------------------------------------------------------


@pytest.fixture
def gate(manager):
    return GateFactory(train=TrainFactory(manager=manager, state="scoping"), stage="scoping")


def test_a_waiver_is_asked_of_who_may_grant_it_and_answered_to_who_asked(manager, owner, gate):
    UserFactory(username="other", role="Release manager")
    criterion = CriterionFactory(gate=gate, owner=owner)
    waiver = Waiver(
        criterion=criterion, reason="No.", scope="All.", until=timezone.localdate() + 9 * DAY
    )
    waiver.asked_by = manager
    create(waiver, by=manager)
    assert told("waiver_asked") == ["other"]

    perform(waiver, "refuse", by=User.objects.get(username="other"), reason="It is needed.")

    assert told("waiver_answered") == ["man", "own"]


def test_the_end_of_a_waiver_is_told_before_and_after(clock, manager, owner, gate, robot):
    criterion = CriterionFactory(gate=gate, owner=owner, state="waived")
    waiver = WaiverFactory(
        criterion=criterion,
        state="granted",
        asked_by=owner,
        until=(clock.now + DAY).date(),
    )
    clock.set(clock.now.replace(hour=12))

    reminders.look()
    assert told("waiver_ends") == ["own"]
    perform(waiver, "expire", by=robot, reason="Its last day was today.")

    assert told("waiver_ended") == ["man", "own"]


def test_a_check_that_fails_or_goes_stale_is_told_to_its_owner_and_the_manager(
    clock, manager, owner, gate
):
    failed, stale, fine = (
        CriterionFactory(gate=gate, owner=owner, checked_by="turnovers") for _ in range(3)
    )
    later = GateFactory(train=gate.train, stage="qa")
    ahead = CriterionFactory(gate=later, owner=owner, checked_by="turnovers")
    soon, ago = clock.now + HOUR, clock.now - HOUR
    for criterion, outcome, until in (
        (failed, "failed", soon),
        (stale, "passed", ago),
        (fine, "passed", soon),
        (ahead, "failed", soon),
    ):
        Watch.objects.update_or_create(
            criterion=criterion, defaults={"outcome": outcome, "fresh_until": until}
        )

    reminders.look()
    reminders.look()

    assert told("check_failed") == ["man", "man", "own", "own"]
    assert set(Notice.objects.values_list("row_id", flat=True)) == {failed.pk, stale.pk}


def test_a_criterion_that_was_met_and_is_not_any_more_is_told_at_once(manager, owner, gate, robot):
    criterion = CriterionFactory(gate=gate, owner=owner, checked_by="turnovers", state="met")
    Watch.objects.update_or_create(criterion=criterion, defaults={"outcome": "failed"})

    perform(criterion, "fail_check", by=robot, reason="2 of 9 failed.", evidence="2 of 9")

    assert told("check_failed") == ["man", "own"]


def test_a_milestone_that_followed_its_train_is_told_to_who_is_to_reach_it(manager, owner):
    train = TrainFactory(manager=manager, state="construction")
    release = ReleaseFactory(owner=owner)
    BoardingFactory(train=train, release=release)
    origin = MilestoneFactory(train=train, for_all=True, owner=manager)
    inheritance.copy_flagged_milestones(train, by=manager)
    assert told("milestone_moved") == ["own"]

    moved = origin.due + 3 * DAY
    inheritance.change_milestone(origin, by=manager, version=None, due=moved)

    assert told("milestone_moved") == ["own", "own"]
    copy = release.milestones.get()
    edit(copy, by=manager, title="By hand")
    assert not Happening.objects.exists()
    perform(copy, "miss", by=UserFactory(role="Release manager"), reason="Too late.")
    assert told("milestone_missed") == ["man", "own"]


# --- Trains --------------------------------------------------------------------------------------


def test_a_cadence_tells_of_the_train_it_made_and_that_it_could_not(manager, robot):
    cadence = CadenceFactory(manager=manager, first_start=timezone.localdate() + DAY)
    assert make_next(cadence, timezone.localdate()) is not None
    assert told("train_made") == ["man"]

    UserFactory(username="other", role="Release manager")
    manager.is_active = False
    manager.save()
    perform(cadence, "pause", by=robot, reason="Mona no longer works here.")

    assert told("cadence_paused") == ["other"]


def test_the_hold_of_a_train_is_told_to_those_who_plan_it(manager, owner, engineer):
    train = TrainFactory(manager=manager, state="scoping")
    train.crew.create(person=engineer)
    BoardingFactory(train=train, release__owner=owner)

    create(Hold(scope="train", train=train, reason="Audit.", placed_by=manager), by=manager)

    assert told("hold_placed") == ["eng", "own"]


def test_consent_is_asked_when_the_criteria_are_settled_and_told_to_the_manager(manager, engineer):
    train = TrainFactory(manager=manager, state="verification")
    train.crew.create(person=engineer)
    criterion = CriterionFactory(gate=GateFactory(train=train, stage="qa"))
    reminders.look()
    assert told("consent_asked") == []

    perform(criterion, "meet", by=manager)
    reminders.look()
    reminders.look()
    assert told("consent_asked") == ["eng"]
    perform(train, "give_consent", by=engineer)

    assert told("consent_given") == ["man"]


def test_what_leaves_a_train_or_is_built_anew_is_told_to_its_manager(manager, owner):
    train = TrainFactory(manager=manager, state="construction")
    place = BoardingFactory(
        train=train, release__owner=owner, release__state="complete", state="aboard"
    )

    perform(place.release, "resume_work", by=owner, reason="A bug.")
    assert told("release_back") == ["man"]
    perform(place, "leave", by=owner, reason="Next time.")

    assert told("boarding_answered") == ["man"]


def test_owners_are_told_when_work_can_begin(manager, owner):
    train = TrainFactory(manager=manager, state="scoping")
    BoardingFactory(train=train, release__owner=owner, release__state="planning")

    perform(train, "start_construction", by=manager)

    assert told("release_begins") == ["own"]


# --- Turnovers and environments ------------------------------------------------------------------


def test_what_was_promoted_is_told_to_its_author(developer, engineer):
    first = TurnoverFactory(author=developer, state="verified")

    create(
        Turnover(
            title="Next",
            release=first.release,
            environment=EnvironmentFactory(),
            author=developer,
            promoted_from=first,
        ),
        by=engineer,
    )

    assert told("turnover_promoted") == ["dev"]


def test_the_slot_of_a_turnover_is_asked_of_nobody(engineer, manager, robot):
    slot = BookingFactory.build(
        environment=EnvironmentFactory(), kind="turnover", requested_by=manager
    )

    create(slot, by=engineer)
    perform(slot, "confirm", by=robot)

    assert not Happening.objects.exists()


def test_an_environment_out_of_use_is_told_to_those_who_count_on_it(
    developer, owner, engineer, manager
):
    environment = EnvironmentFactory(owner=manager, state="online")
    TurnoverFactory(author=developer, state="ready", environment=environment)
    BookingFactory(environment=environment, requested_by=owner, state="confirmed")
    UserFactory(username="else", role="Developer")

    perform(environment, "take_offline", by=engineer, reason="Disks.")

    assert told("environment_offline") == ["dev", "man", "own"]
