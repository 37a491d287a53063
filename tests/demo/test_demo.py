"""The demo has something in every state."""

import json

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from approvals.models import Signoff
from environments.models import Booking
from releasemgr.accounts.models import User
from releasemgr.accounts.roles import ROLES
from releasemgr.notices.models import Letter, Notice, Preferences
from trains.models import Boarding, Criterion, Evidence, Freeze, LibraryCriterion, Train, Waiver
from trains.plan.comparison import compare, slip_of
from trains.plan.facts import plan_of
from turnovers.models import DeploymentTask, Run, Turnover

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def sign_ins(django_db_setup, django_db_blocker, tmp_path_factory):
    """The demo, made once, since it takes seconds; tests take back what they change in it."""
    file = tmp_path_factory.mktemp("demo") / "users.json"
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("demo_data", "--users-file", str(file))
        yield file
        transaction.set_rollback(True)


def test_there_is_a_train_in_every_state(sign_ins):
    states = set(Train.objects.values_list("state", flat=True))

    assert states == set(Train.State.values)


def test_everything_a_newcomer_should_see_is_there(sign_ins):
    grace = User.objects.get(username="grace")

    assert Signoff.objects.waiting_for(grace).exists()
    assert Booking.objects.in_clash().exists()
    assert set(Run.objects.values_list("state", flat=True)) == {"succeeded", "failed"}
    assert Turnover.objects.filter(state="delivered").exists()
    assert Boarding.objects.filter(state="requested").exists()
    assert Criterion.objects.filter(state="open", gate__train__state="scoping").exists()


def test_gates_show_what_is_checked_waived_and_kept_to_copy(sign_ins):
    hazel = Criterion.objects.filter(gate__train__name="Hazel 27.3")

    assert {row.status for row in hazel} >= {"open", "met", "failed", "not_run", "waived"}
    assert Waiver.objects.waiting_for(User.objects.get(username="jonas")).exists()
    assert LibraryCriterion.objects.offered().exists()
    assert Evidence.objects.exists()


def test_what_trains_to_come_are_made_from_is_there(sign_ins):
    made = Train.objects.get(turn__isnull=False)

    assert made.template.template.name == made.turn.cadence.name == "Security patches"
    assert made.turn.cadence.state == "active"
    assert Train.objects.filter(holds__state="active", state="scoping").exists()
    assert Train.objects.filter(health_until__gt=timezone.localdate()).exists()


def test_freezes_come_again_and_one_of_a_train_has_exceptions(sign_ins):
    weekly, yearly = (Freeze.objects.get(recurrence=how) for how in ("weekly", "yearly"))
    content = Freeze.objects.get(scope="train")

    now = timezone.now()
    assert weekly.periods.next_ones(now, 2)[1].begins.astimezone(weekly.zone).weekday() == 4
    assert yearly.periods.next_ones(now, 1)[0].ends.astimezone(yearly.zone).month == 1
    assert content.begins == content.begin_of(content.milestone.due)
    assert set(content.exceptions.values_list("state", flat=True)) == {"asked", "granted"}


def test_no_freeze_stops_a_turnover_of_the_demo_at_any_time(sign_ins):
    stopped = Freeze.objects.filter(stops="deployments").values("environment")
    waiting = Turnover.objects.exclude(state__in=["closed", "cancelled", "verified"])

    assert stopped.count() == 2
    assert waiting.exists()
    assert not waiting.filter(environment__in=stopped).exists()


def test_a_plan_was_kept_and_then_changed(sign_ins):
    train = Train.objects.get(name="Fir 27.1")
    version = train.plan_versions.select_related("content").get(occasion="Kept by hand")

    found = compare(version.content.facts, plan_of(train))

    assert slip_of(found) == 7
    assert {difference.kind for difference in found} == {"added", "moved"}


def test_people_were_told_what_still_matters_and_nothing_is_mailed(sign_ins):
    grace = Notice.objects.filter(person__username="grace", event="approval_asked")
    (failed,) = Turnover.objects.filter(state="failed")

    assert set(grace.values_list("row_id", flat=True)) == set(
        Signoff.objects.waiting_for(User.objects.get(username="grace")).values_list("pk", flat=True)
    )
    assert Notice.objects.filter(event="turnover_failed", row_id=failed.pk).exists()
    assert not Notice.objects.filter(event="train_cancelled", person__username="ines").exists()
    assert Notice.objects.unread().exists()
    assert not Letter.objects.exists()
    assert Preferences.objects.filter(person__username="grace", quiet_from__isnull=False).exists()


def test_the_ways_to_carry_tasks_out_are_there(sign_ins):
    tonight = Turnover.objects.get(state="delivered", environment__name="prod-eu")

    assert set(tonight.tasks.values_list("executor", flat=True)) == {"", "go", "command", "wait"}
    assert tonight.tasks.filter(repeat_safe=True).exists()
    assert DeploymentTask.all_ever.filter(turnover=tonight).that_undo_something().count() == 2
    assert [b.title for b in tonight.step_blockers("accept")] == []


def test_a_deployment_begins_within_two_minutes(sign_ins):
    made_at = User.objects.get(username="grace").date_joined
    coming = Turnover.objects.filter(state="ready", earliest__gt=made_at).earliest("earliest")

    assert (coming.earliest - made_at).total_seconds() < 120
    assert [b.title for b in coming.step_blockers("start") if b.clears_at is None] == []


def test_every_role_can_sign_in_with_what_the_file_says(sign_ins):
    users = json.loads(sign_ins.read_text())

    assert {user["role"] for user in users} == set(ROLES) - {"Robot"}
    for user in users[:7]:
        assert Client().login(username=user["username"], password=user["password"])
    assert sign_ins.stat().st_mode & 0o077 == 0


def test_every_installation_has_a_password_of_its_own(sign_ins, tmp_path):
    first = json.loads(sign_ins.read_text())[0]["password"]
    other = Client().post(reverse("login"), {"username": "ines", "password": "ines"})

    assert len(first) > 15
    assert other.status_code != 302
