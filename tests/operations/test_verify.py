"""Each invariant finds the one thing that was put wrong, and nothing where all is right."""

import datetime as dt
import json
import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from releasemgr.operations.verify import INVARIANTS
from releasemgr.workflow.edit import create, edit
from releasemgr.workflow.perform import perform, record
from tests.factories import (
    BoardingFactory,
    BookingFactory,
    EnvironmentFactory,
    FreezeExceptionFactory,
    FreezeFactory,
    GateFactory,
    HoldFactory,
    RuleFactory,
    RunFactory,
    TaskFactory,
    TaskRunFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
)
from tests.world import unguarded
from trains.models import Criterion, PlanContent, PlanVersion, Team, Waiver
from trains.plan import baselines
from trains.waivers import ask_waiver
from turnovers.engine import advance, turns
from turnovers.models import Attempt, FreezeException, Run, TaskRun, Turnover

pytestmark = pytest.mark.django_db

CHECKS = {invariant.number: invariant.check for invariant in INVARIANTS if invariant.check}


def found(number):
    """What the check says, as (where, what)."""
    return [(violation.where, violation.what) for violation in CHECKS[number]()]


def broken():
    """Which of all invariants do not hold."""
    return {number for number, check in CHECKS.items() if list(check())}


HOUR = dt.timedelta(hours=1)


def declared_before(freeze):
    """As if it had been declared an hour ago."""
    with unguarded():
        freeze.history.update(history_date=timezone.now() - HOUR)
    return freeze


def forge(row, transition="", by=None, **changes):
    """Store a change as nobody may: with its history row, and no question asked."""
    model = type(row)
    columns = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    forged = model(**columns | changes)
    forged._state.adding = False
    record(forged, by=by, reason="Forged", transition=transition)
    return forged


def test_all_hold_after_a_deployment(deployed, engineer):
    turnover = deployed(1, 1, 2, 3)
    perform(turnover, "verify", by=engineer)

    assert broken() == set()


def test_all_hold_in_an_empty_database():
    assert broken() == set()


def test_all_hold_while_a_manual_task_waits_and_after_a_retry(started, engineer, robot):
    turnover = started(1)
    TaskFactory(turnover=turnover, order=2, executor="")
    advance.advance_turnover(turnover.pk)
    assert broken() == set()

    perform(TaskRun.objects.get(state="ready"), "report_problem", by=engineer, reason="No.")
    advance.advance_turnover(turnover.pk)
    turnover.refresh_from_db()
    assert turnover.state == "failed"
    assert broken() == set()

    skip = [turnover.tasks.get(order=1).pk]
    perform(turnover, "retry", by=engineer, reason="Again.", skip=skip)
    advance.advance_turnover(turnover.pk)
    perform(TaskRun.objects.get(state="ready"), "complete", by=engineer)
    advance.advance_turnover(turnover.pk)
    turnover.refresh_from_db()
    assert turnover.state == "deployed"
    assert broken() == set()


class TestV1:
    def test_a_success_without_an_attempt(self, started, robot):
        started(1)
        run = Run.objects.get()
        turns.turn(run.pk, by=robot)
        row = TaskRun.objects.get()
        forge(row, "settle", by=robot, state="succeeded", lease_until=None)
        Attempt.objects.update(ended_at=timezone.now(), outcome="failed")

        assert found("V1") == [
            (
                f"turnovers.taskrun {row.pk}",
                "It is succeeded by the engine, with 0 attempts that succeeded.",
            )
        ]

    def test_an_attempt_that_nobody_claimed(self, deployed):
        deployed(1)
        row = TaskRun.objects.get()
        now = timezone.now()
        Attempt.objects.create(
            task_run=row, fence=7, key="x", worker="w", claimed_at=now, ended_at=now, outcome="lost"
        )

        assert found("V1") == [
            (f"turnovers.taskrun {row.pk}", "Its history knows no claim for attempt 7.")
        ]

    def test_a_claim_without_an_attempt(self, started, robot):
        started(1)
        run = Run.objects.get()
        turns.turn(run.pk, by=robot)
        row = TaskRun.objects.get()
        forge(row, "claim", by=robot, fence=2)

        assert (f"turnovers.taskrun {row.pk}", "Claim 2 in its history has no attempt.") in found(
            "V1"
        )

    def test_two_successes_with_one_key(self, deployed):
        turnover = deployed(1, 1)
        first, second = TaskRun.objects.filter(run__turnover=turnover)
        forge(first, "claim", state="running", lease_until=timezone.now(), fence=2)
        now = timezone.now()
        Attempt.objects.create(
            task_run=first,
            fence=2,
            key=second.key,
            worker="w",
            claimed_at=now,
            ended_at=now,
            outcome="succeeded",
        )

        assert (f"key {second.key}", "More than one attempt succeeded with this key.") in found(
            "V1"
        )


class TestV2:
    def test_a_task_that_began_before_the_order_below_was_complete(self, started, robot):
        turnover = started(1, 2)
        run = Run.objects.get()
        first = TaskRun.objects.get(pk=turns.turn(run.pk, by=robot).pk)
        early = TaskRunFactory(run=run, task=turnover.tasks.get(order=2), state="ready")

        assert found("V2") == [
            (f"turnovers.taskrun {early.pk}", f"It began, and task run {first.pk} is not over.")
        ]

    def test_a_task_that_began_before_the_order_below_ended(self, started, robot):
        turnover = started(1, 2)
        run = Run.objects.get()
        turns.turn(run.pk, by=robot)
        early = TaskRunFactory(run=run, task=turnover.tasks.get(order=2), state="ready")
        first = TaskRun.objects.get(order=1)
        forge(first, "settle", state="succeeded", lease_until=None)

        assert found("V2") == [
            (f"turnovers.taskrun {early.pk}", "It began before what is of a lower order ended.")
        ]

    def test_a_task_that_the_run_went_past(self, started, robot):
        turnover = started(1, 2, 3)
        run = Run.objects.get()
        TaskRunFactory(run=run, task=turnover.tasks.get(order=1), state="skipped")
        TaskRunFactory(run=run, task=turnover.tasks.get(order=3), state="ready")
        missed = turnover.tasks.get(order=2)

        assert found("V2") == [
            (
                f"turnovers.deploymenttask {missed.pk}",
                f"The running run of turnover {turnover.pk} went past it.",
            )
        ]


class TestV3:
    def test_a_state_that_history_does_not_know(self, deployed):
        turnover = deployed(1)
        Turnover._base_manager.update(state="verified")

        assert found("V3") == [
            (
                f"turnovers.turnover {turnover.pk}",
                "Its state and version are not those of its history.",
            )
        ]

    def test_an_edit_that_changed_the_state_of_what_was_steered(self, deployed):
        turnover = deployed(1)
        forge(turnover, state="closed")

        assert found("V3") == [
            (f"turnovers.turnover {turnover.pk}", "an edit led from deployed to closed.")
        ]

    def test_a_step_from_where_it_does_not_start(self, deployed, engineer):
        turnover = deployed(1)
        forge(turnover, "accept", by=engineer, state="ready")

        assert found("V3") == [
            (f"turnovers.turnover {turnover.pk}", "“accept” led from deployed to ready.")
        ]

    def test_a_task_that_moved_after_its_end(self, deployed):
        deployed(1)
        row = TaskRun.objects.get()
        forge(row, "claim", state="running", lease_until=timezone.now(), fence=2)

        assert found("V3") == [
            (f"turnovers.taskrun {row.pk}", "“claim” led from succeeded to running.")
        ]


def test_v4_a_version_without_its_history(deployed):
    turnover = deployed(1)
    Turnover._base_manager.update(version=99)

    assert found("V4") == [
        (f"turnovers.turnover {turnover.pk}", "Its present version is not in its history.")
    ]


def test_v4_a_gap(deployed):
    turnover = deployed(1)
    turnover.version += 5
    forge(turnover)

    ((where, what),) = found("V4")
    assert where == f"turnovers.turnover {turnover.pk}"
    assert "rows of history for versions 1 to" in what


class TestV5:
    def test_claims_of_a_turnover_that_no_booking_holds(self, robot):
        run = RunFactory()
        TaskFactory(turnover=run.turnover, order=1, executor="http")
        turns.turn(run.pk, by=robot)

        assert found("V5") == [
            (f"turnovers.run {run.pk}", "Tasks were claimed without a confirmed booking.")
        ]

    def test_claims_long_after_it_had_deployed(self, deployed):
        deployed(1)
        row, later = TaskRun.objects.get(), timezone.now() + dt.timedelta(hours=1)
        Attempt.objects.create(task_run=row, fence=2, key="x", worker="w", claimed_at=later)

        assert found("V5") == [
            (
                f"turnovers.run {row.run_id}",
                "Tasks were claimed while its turnover was not deploying.",
            )
        ]

    def test_each_deployment_is_held_against_its_own_story(self, deployed):
        for _ in range(3):
            deployed(1)
            time.sleep(1.1)  # more than the clocks of two machines may differ

        assert found("V5") == []

    @pytest.mark.parametrize("scope", ["all", "environment", "turnover", "train"])
    def test_claims_under_a_hold(self, deployed, scope):
        turnover = deployed(1)
        train = TrainFactory()
        BoardingFactory(train=train, release=turnover.release)
        row = TaskRun.objects.get()
        before = Attempt.objects.get().claimed_at - dt.timedelta(minutes=1)
        target = {
            "environment": turnover.environment,
            "turnover": turnover,
            "train": train,
        }
        named = {scope: target[scope]} if scope in target else {}
        hold = HoldFactory(scope=scope, placed_at=before, **named)
        # Its release came aboard only now, so the train's hold was not over it.
        expected = [] if scope == "train" else [f"It was claimed under hold {hold.pk}."]

        assert [what for where, what in found("V5")] == expected
        assert all(where == f"turnovers.taskrun {row.pk}" for where, what in found("V5"))

    @pytest.mark.parametrize("scope", ["all", "kind", "environment", "application", "train"])
    def test_claims_in_a_freeze(self, deployed, scope):
        turnover = deployed(1)
        place = turnover.environment
        target = {
            "kind": place.kind,
            "environment": place,
            "application": turnover.release.application,
            "train": TrainFactory(),
        }
        named = {scope: target[scope]} if scope in target else {}
        freeze = declared_before(FreezeFactory(scope=scope, **named))
        what = f"It was claimed in freeze {freeze.pk}, without an exception."

        assert [said for _, said in found("V5")] == ([] if scope == "train" else [what])

    def test_claims_of_what_rode_a_frozen_train(self, deployed):
        boarding = BoardingFactory(release__state="executing", train__state="construction")
        deployed(1, release=boarding.release)
        freeze = declared_before(FreezeFactory(scope="train", train=boarding.train))
        FreezeFactory(scope="train", train=boarding.train, team=Team.objects.create(name="Other"))

        what = f"It was claimed in freeze {freeze.pk}, without an exception."
        assert [said for _, said in found("V5")] == [what]

    def test_an_exception_that_was_granted_then_lets_claims_be(self, deployed):
        turnover = deployed(1)
        freeze = declared_before(FreezeFactory())
        exception = FreezeExceptionFactory(freeze=freeze, turnover=turnover)
        assert len(found("V5")) == 1
        forge(exception, "grant", UserFactory(), state="granted", decided_by=UserFactory())

        assert found("V5") == []

    def test_an_exception_that_was_taken_back_before_lets_no_claim_be(self, deployed):
        turnover = deployed(1)
        freeze = declared_before(FreezeFactory())
        exception = FreezeExceptionFactory(freeze=freeze, turnover=turnover)
        forge(exception, "grant", UserFactory(), state="granted", decided_by=UserFactory())
        assert found("V5") == []

        forge(exception, "revoke", UserFactory(), version=2, state="withdrawn")
        with unguarded():
            history = FreezeException.history.filter(transition="revoke")
            history.update(history_date=Attempt.objects.get().claimed_at - HOUR)

        assert len(found("V5")) == 1

    def test_a_freeze_declared_later_or_elsewhere_says_nothing(self, deployed):
        deployed(1)
        FreezeFactory()
        declared_before(FreezeFactory(scope="kind", kind="elsewhere"))
        declared_before(FreezeFactory(state="lifted"))
        now = timezone.now()
        declared_before(FreezeFactory(begins=now + HOUR, ends=now + 2 * HOUR))

        assert found("V5") == []

    def test_claims_of_what_rode_a_held_train(self, deployed):
        boarding = BoardingFactory(release__state="executing", train__state="construction")
        deployed(1, release=boarding.release)
        before = Attempt.objects.get().claimed_at - dt.timedelta(minutes=1)
        hold = HoldFactory(scope="train", train=boarding.train, placed_at=before)

        assert [what for _, what in found("V5")] == [f"It was claimed under hold {hold.pk}."]

    def test_a_hold_has_a_second_to_be_seen_and_ends_when_lifted(self, deployed, engineer):
        environment = EnvironmentFactory(most_deployments=2)
        hold = HoldFactory(placed_at=timezone.now() - dt.timedelta(hours=1))
        perform(hold, "lift", by=engineer, reason="Fine.")
        deployed(1, environment=environment)
        HoldFactory(placed_at=timezone.now())

        assert found("V5") == []

    def test_a_start_before_the_window(self, deployed, robot):
        turnover = deployed(1)
        turnover.earliest = timezone.now() + dt.timedelta(hours=1)
        turnover.latest = turnover.earliest
        forge(turnover, "start", by=robot, state="deploying")

        assert (
            f"turnovers.turnover {turnover.pk}",
            "The scheduler started it before its window.",
        ) in found("V5")


class TestV6:
    @pytest.mark.parametrize(("step", "state"), [("accept", "ready"), ("verify", "verified")])
    def test_an_author_who_judges(self, deployed, step, state):
        turnover = deployed(1)
        forge(turnover, step, by=turnover.author, state=state)

        assert found("V6") == [
            (
                f"turnovers.turnover {turnover.pk}",
                f"{turnover.author} took “{step}” as its author.",
            )
        ]

    def test_one_person_who_settles_an_unknown_ending(self, deployed, engineer):
        deployed(1)
        row = TaskRun.objects.get()
        forge(row, "confirm_happened", by=engineer, verdict_by_id=engineer.pk)

        assert found("V6") == [
            (
                f"turnovers.taskrun {row.pk}",
                f"{engineer} took “confirm_happened” without a second person.",
            )
        ]


class TestV7:
    def test_a_deployment_without_a_run(self):
        turnover = TurnoverFactory(state="deploying")

        assert found("V7") == [
            (f"turnovers.turnover {turnover.pk}", "It is deploying, and no run of it is on.")
        ]

    def test_a_run_whose_turnover_does_not_deploy(self):
        run = RunFactory(turnover__state="draft")

        assert found("V7") == [
            (f"turnovers.run {run.pk}", "It is running, and its turnover is not deploying.")
        ]

    def test_a_task_that_waits_in_a_run_that_is_over(self):
        row = TaskRunFactory(run__state="failed", run__turnover__state="failed")

        assert found("V7") == [
            (f"turnovers.taskrun {row.pk}", "Its run is over, and it still waits.")
        ]


# --- Approvals, waivers and plans -----------------------------------------------------------------


@pytest.fixture
def approved(robot):
    """An approved sheet, by one vote."""
    asker, voter = UserFactory(role="Release manager"), UserFactory(role="Approver")
    signoff = RuleFactory(level__number=1, person=voter).level.signoff
    content = {"Train": "Larch"}
    signoff = perform(signoff, "request", by=asker, content=content, facts=[])
    signoff = perform(signoff, "approve", by=voter, seal=signoff.seal)
    assert signoff.state == "approved"
    return signoff


def test_v3_an_approval_for_other_content_than_its_digest_says(approved):
    assert broken() == set()

    forge(approved, content={"Train": "Birch"})

    assert found("V3") == [
        (
            f"approvals.signoff {approved.pk}",
            "It is approved for other content than its digest says.",
        )
    ]
    assert broken() == {"V3"}


def test_v3_a_vote_that_was_given_for_other_content(approved):
    voter = approved.decisions.get().person
    with unguarded():
        approved.decisions.update(digest="0" * 64)

    assert found("V3") == [
        (
            f"approvals.signoff {approved.pk}",
            f"The vote of {voter} counts, and was given for other content.",
        )
    ]


@pytest.fixture
def waiver():
    """A waiver that was asked for by one and granted by another."""
    asker, boss = UserFactory(role="Release engineer"), UserFactory(role="Release manager")
    gate = GateFactory(train=TrainFactory())
    criterion = create(Criterion(gate=gate, title="Rehearsed"), by=asker)
    until = timezone.localdate() + dt.timedelta(days=7)
    row = ask_waiver(
        Waiver(criterion=criterion, reason="No time", scope="All", until=until), by=asker
    )
    return perform(row, "grant", by=boss)


def test_v3_a_criterion_that_is_waived_without_a_waiver(waiver):
    assert broken() == set()
    criterion = create(Criterion(gate=waiver.criterion.gate, title="Loaded"), by=waiver.asked_by)
    forge(criterion, "waive", by=waiver.decided_by, state="waived", waived_until=waiver.until)

    assert found("V3") == [
        (f"trains.criterion {criterion.pk}", "It is waived, and no waiver of it was granted.")
    ]


def test_v3_a_waiver_that_lets_pass_for_longer_than_was_granted(waiver):
    criterion = Criterion.objects.get()
    forge(criterion, waived_until=waiver.until + dt.timedelta(days=300))

    assert found("V3") == [
        (
            f"trains.waiver {waiver.pk}",
            "It is granted, and its criterion is not waived until the same day.",
        )
    ]


def test_v6_a_waiver_that_was_granted_by_whoever_asked(waiver):
    asker = waiver.asked_by
    with unguarded():
        Waiver.history.filter(transition="grant").update(history_user=asker, actor=str(asker))

    assert found("V6") == [
        (f"trains.waiver {waiver.pk}", f"{asker} granted it, which they had asked for.")
    ]


def test_v6_a_waiver_that_was_granted_by_whose_criterion_it_was(waiver):
    boss = waiver.decided_by
    with unguarded():
        Criterion.history.filter(version=1).update(owner=boss)

    assert found("V6") == [
        (f"trains.waiver {waiver.pk}", f"{boss} granted it, of a criterion of their own.")
    ]


def test_v6_whoever_gets_the_criterion_later_may_have_granted_it(waiver):
    criterion = Criterion.objects.get()
    edit(criterion, by=waiver.asked_by, owner=waiver.decided_by)

    assert found("V6") == []


def test_v6_a_waiver_that_nobody_else_decided(waiver):
    Waiver.objects.filter(pk=waiver.pk).update(decided_by=waiver.asked_by)

    assert found("V6") == [(f"trains.waiver {waiver.pk}", "It is granted without a second person.")]


@pytest.fixture
def kept(robot):
    """A train of whose plan two versions are kept."""
    train = TrainFactory()
    baselines.take(train, "Before", by=robot)
    edit(train, by=robot, purpose="Another")
    baselines.take(train, "After", by=robot)
    return train


def test_v4_a_plan_version_that_says_else_than_its_digest(kept):
    assert broken() == set()
    content = PlanContent.objects.earliest("pk")
    with unguarded():
        PlanContent.objects.filter(pk=content.pk).update(
            facts={**content.facts, "gates": {}, "x": {}}
        )

    assert found("V4") == [
        (f"trains.plancontent {content.pk}", "It says else than its digest says.")
    ]


def test_v4_a_plan_version_that_is_missing(kept):
    with unguarded():
        kept.plan_versions.get(number=1).delete()

    assert found("V4") == [
        (f"trains.train {kept.pk}", "It has 1 versions of its plan, numbered up to 2.")
    ]


def test_v4_a_plan_version_with_the_plan_of_another_train(kept, robot):
    other = TrainFactory()
    stranger = baselines.take(other, "Theirs", by=robot)
    version = kept.plan_versions.get(number=2)
    with unguarded():
        PlanVersion.objects.filter(pk=version.pk).update(content=stranger.content)

    assert found("V4") == [
        (f"trains.planversion {version.pk}", "Its content is the plan of another train.")
    ]


@pytest.mark.skipif(connection.vendor == "postgresql", reason="its own constraint forbids it")
@pytest.mark.parametrize(
    ("first", "second", "expected"), [(True, False, 1), (False, True, 1), (False, False, 0)]
)
def test_v9_overlapping_bookings(first, second, expected):
    environment, now = EnvironmentFactory(), timezone.now()
    BookingFactory(environment=environment, starts=now, state="confirmed", exclusive=first)
    later = now + dt.timedelta(hours=1)
    BookingFactory(environment=environment, starts=later, state="confirmed", exclusive=second)
    BookingFactory(starts=later, state="confirmed")

    assert len(found("V9")) == expected


class TestCommand:
    def run(self, *arguments):
        out = StringIO()
        status = 0
        try:
            call_command("verify", *arguments, stdout=out)
        except SystemExit as ended:
            status = ended.code
        return status, out.getvalue()

    def test_it_says_that_all_hold(self, deployed):
        deployed(1, 2)

        status, text = self.run()

        assert status == 0
        assert "V2   ok" in text
        assert "V8   outside" in text
        assert text.splitlines()[-1].startswith("All hold (")

    def test_it_names_what_does_not_with_its_page(self, settings):
        settings.BASE_URL = "https://releases.example"
        turnover = TurnoverFactory(state="deploying")

        status, text = self.run("V7")

        assert status == 1
        address = f"https://releases.example{turnover.get_absolute_url()}"
        assert f"turnovers.turnover {turnover.pk}  {address}: It is deploying" in text
        assert "V1 " not in text

    def test_it_lists_the_first_twenty_or_all_of_them(self):
        for _ in range(22):
            TurnoverFactory(state="deploying")

        assert self.run("V7")[1].count("It is deploying") == 20
        assert self.run("V7", "--all")[1].count("It is deploying") == 22

    def test_it_answers_in_json(self, deployed):
        deployed(1)

        status, text = self.run("--json")

        report = json.loads(text)
        assert (status, report["holds"]) == (0, True)
        assert [row["number"] for row in report["invariants"]] == [f"V{n}" for n in range(1, 11)]

    def test_it_knows_no_other_numbers(self):
        with pytest.raises(CommandError, match="There is no V11"):
            call_command("verify", "V11")


class TestHoldAndRelease:
    def test_they_stop_everything_and_let_it_go_on(self, engineer, started):
        call_command("hold", "--by", "eng", "--reason", "Restored.", stdout=StringIO())
        turnover = TurnoverFactory()
        (hold,) = turnover.active_holds()
        assert (hold.scope, hold.reason, hold.placed_by) == ("all", "Restored.", engineer)

        call_command("release", "--by", "eng", "--reason", "Checked.", stdout=StringIO())

        assert turnover.active_holds() == []
        assert hold.history.latest().history_change_reason == "Checked."
        assert found("V3") == []

    @pytest.mark.parametrize(
        ("by", "reason", "said"),
        [
            ("nobody", "Why", "There is no active user"),
            ("dev", "Why", "stop the line"),
            ("eng", " ", "Say why"),
        ],
    )
    def test_somebody_who_may_says_why(self, engineer, by, reason, said):
        UserFactory(username="dev", role="Developer")

        with pytest.raises(CommandError, match=said):
            call_command("hold", "--by", by, "--reason", reason)

    def test_one_of_several_is_named(self, engineer):
        HoldFactory(reason="First")
        second = HoldFactory(reason="Second")
        release = ["release", "--by", "eng", "--reason", "Done."]

        with pytest.raises(CommandError, match="First"):
            call_command(*release)
        call_command(*release, "--hold", str(second.pk), stdout=StringIO())
        second.refresh_from_db()

        assert second.state == "lifted"
