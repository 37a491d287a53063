"""What the clock brings about, and what a policy asks for."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from approvals.models import Decision, Policy, Signoff
from approvals.services import look_after_clock, whose_turn
from releasemgr.accounts.models import User
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.approvals.asking import member, now, page, post, sheet
from tests.factories import DeputyFactory, PolicyFactory, UserFactory

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def ana():
    return UserFactory(role="Approver", first_name="Ana", last_name="Silva")


def earlier(signoff, **columns):
    """Move what is ahead into the past."""
    Signoff.objects.filter(pk=signoff.pk).update(
        **dict.fromkeys(columns or {"due": 0}, timezone.now() - HOUR)
    )


def steps(signoff):
    return list(signoff.history.exclude(transition="").values_list("transition", flat=True))


def test_each_level_has_its_own_time(manager, ana):
    ben = UserFactory(role="Approver")
    policy = PolicyFactory(answer_hours=4, remind_hours=2)
    signoff = sheet([ana], [ben], by=manager, policy=policy)
    first = signoff.due
    assert first - signoff.requested_at == pytest.approx(4 * HOUR, abs=dt.timedelta(seconds=5))

    perform(signoff, "approve", by=ana)

    assert now(signoff).due > first


def test_who_is_missing_is_reminded_again_and_again(manager, ana):
    signoff = sheet([ana], by=manager, policy=PolicyFactory(remind_hours=2))
    assert look_after_clock() == 0
    earlier(signoff, remind_at=0)
    assert list(Signoff.objects.to_remind()) == [signoff]

    assert look_after_clock() == 1

    assert "remind" in steps(signoff)
    assert now(signoff).remind_at > timezone.now() + HOUR
    assert look_after_clock() == 0


def test_nobody_is_reminded_of_what_is_decided(manager, ana):
    signoff = sheet([ana], by=manager, policy=PolicyFactory(remind_hours=2))
    perform(signoff, "approve", by=ana)

    assert now(signoff).remind_at is None
    assert not Signoff.objects.to_remind().exists()


def test_after_an_escalation_another_person_may_decide_for_whoever_is_missing(
    client, manager, ana, board
):
    chief = UserFactory(role="Approver", first_name="Chi", last_name="Ef")
    policy = PolicyFactory(escalate_hours=8, escalate_to=chief)
    done = member(board)
    member(board)
    signoff = sheet([ana, (board, 1)], by=manager, policy=policy)
    assert not signoff.waits_for(chief)
    earlier(signoff, escalate_at=0)

    assert look_after_clock() == 1
    assert look_after_clock() == 0

    assert now(signoff).waits_for(chief)
    assert now(signoff) in Signoff.objects.waiting_for(chief)
    assert "Chi Ef may decide for whoever is missing" in page(client, signoff, ana)
    perform(now(signoff), "approve", by=done)
    assert perform(now(signoff), "approve", by=chief).state == "approved"


def test_an_escalation_person_is_one_vote_like_everybody(manager, ana):
    ben, chief = UserFactory(role="Approver"), UserFactory(role="Approver")
    policy = PolicyFactory(escalate_hours=8, escalate_to=chief)
    signoff = sheet([ana, ben], by=manager, policy=policy)
    earlier(signoff, escalate_at=0)
    look_after_clock()

    assert perform(now(signoff), "approve", by=chief).state == "ready"
    with pytest.raises(TransitionRefused):
        perform(now(signoff), "approve", by=chief)


def test_whose_own_work_it_is_is_not_escalated_to(manager, ana):
    policy = PolicyFactory(escalate_hours=8, escalate_to=manager)
    signoff = sheet([ana], by=manager, policy=policy)
    earlier(signoff, escalate_at=0)

    look_after_clock()

    assert "escalate" in steps(signoff)
    assert not now(signoff).waits_for(manager)
    assert not Signoff.objects.waiting_for(manager).exists()


def test_a_question_that_nobody_answers_lapses(manager, ana):
    signoff = sheet([ana], by=manager, policy=PolicyFactory(lapse_days=2))
    earlier(signoff, lapses_at=0)

    assert look_after_clock() == 1

    assert now(signoff).state == "expired"
    with pytest.raises((PermissionDenied, TransitionRefused)):
        perform(now(signoff), "approve", by=ana)
    assert perform(now(signoff), "request", by=manager).state == "ready"


def test_an_approval_counts_for_its_days_even_where_nobody_looks_after_the_clock(
    client, manager, ana, content
):
    signoff = sheet([ana], by=manager, policy=PolicyFactory(valid_days=30))
    perform(signoff, "approve", by=ana)
    assert now(signoff).is_valid_for(content)

    earlier(signoff, valid_until=0)

    assert not now(signoff).is_valid_for(content)
    assert "has expired" in page(client, signoff, manager)
    look_after_clock()
    assert now(signoff).state == "expired"


def test_without_a_policy_nothing_happens_by_itself(manager, ana, content):
    signoff = sheet([ana], by=manager)

    assert (signoff.due, signoff.remind_at, signoff.escalate_at) == (None, None, None)
    perform(signoff, "approve", by=ana)

    assert now(signoff).valid_until is None
    assert look_after_clock() == 0
    assert now(signoff).is_valid_for(content)


def test_the_clock_takes_no_step_before_its_time(manager, ana):
    robot = User.objects.robot()
    policy = PolicyFactory(
        remind_hours=2, escalate_hours=2, escalate_to=UserFactory(), lapse_days=2
    )
    signoff = sheet([ana], by=manager, policy=policy)

    for step in ("remind", "escalate", "expire"):
        with pytest.raises(TransitionRefused, match="not due"):
            perform(now(signoff), step, by=robot)
        with pytest.raises(PermissionDenied):
            perform(now(signoff), step, by=manager)
    assert now(signoff).state == "ready"


def test_whose_turn_it_is_is_the_same_as_for_whom_it_waits(manager, board):
    ana, ben, cleo = member(board), member(board), member(board)
    deputy = DeputyFactory(person=ben).deputy
    DeputyFactory(person=ben, deputy=manager)
    DeputyFactory(person=cleo, deputy=ana)
    signoff = sheet([(board, 2)], [UserFactory(role="Approver")], by=manager, barred=[cleo])
    assert set(whose_turn(now(signoff))) == {ana, ben, deputy}

    perform(signoff, "approve", by=ana)

    assert set(whose_turn(now(signoff))) == {ben, deputy}
    waits = {user for user in User.objects.people() if now(signoff).waits_for(user)}
    assert waits == {ben, deputy}


# --- What a policy asks for ---


def test_the_password_is_asked_for_and_only_the_right_one_decides(client, manager, ana):
    ana.set_password("correct horse battery")
    ana.save()
    signoff = sheet([ana], by=manager, policy=PolicyFactory(asks_password=True))
    assert "Your password" in page(client, signoff, ana)

    for wrong in ("", "wrong", "Correct horse battery"):
        answer = post(client, signoff, "approve", ana, password=wrong)
        assert answer.status_code == 422
    assert not Decision.objects.exists()
    answer = post(client, signoff, "approve", ana, password="correct horse battery")

    assert answer.status_code == 303
    assert now(signoff).state == "approved"
    assert "correct horse" not in str(list(Signoff.history.values_list("history_change_reason")))


def test_a_password_cannot_be_guessed(client, manager, ana):
    ana.set_password("correct horse battery")
    ana.save()
    signoff = sheet([ana], by=manager, policy=PolicyFactory(asks_password=True))
    for guess in range(5):
        post(client, signoff, "approve", ana, password=f"guess {guess}")

    answer = post(client, signoff, "approve", ana, password="correct horse battery")

    assert answer.status_code == 422
    assert "Too many wrong passwords" in answer.content.decode()
    assert not Decision.objects.exists()


@pytest.mark.parametrize("step", ["approve", "approve_if", "reject"])
def test_no_other_path_leads_round_the_password(manager, ana, step):
    signoff = sheet([ana], by=manager, policy=PolicyFactory(asks_password=True))

    with pytest.raises(TransitionRefused, match="password"):
        perform(signoff, step, by=ana, reason="Because")
    assert not Decision.objects.exists()


def test_a_form_cannot_say_that_the_password_was_right(client, manager, ana):
    signoff = sheet([ana], by=manager, policy=PolicyFactory(asks_password=True))

    assert post(client, signoff, "approve", ana, confirmed="1").status_code == 422
    assert not Decision.objects.exists()


def test_weakening_a_policy_does_not_weaken_what_was_asked(manager, ana):
    policy = PolicyFactory(asks_password=True)
    signoff = sheet([ana], by=manager, policy=policy)
    Policy.objects.filter(pk=policy.pk).update(asks_password=False, parts=[])

    with pytest.raises(TransitionRefused, match="password"):
        perform(now(signoff), "approve", by=ana)
    assert "schedule" in now(signoff).parts


@pytest.mark.parametrize(
    "wrong",
    [{"escalate_hours": 3}, {"parts": ["everything"]}, {"most_levels": 13}, {"valid_days": 0}],
)
def test_what_is_no_policy_is_refused(wrong):
    with pytest.raises(ValidationError):
        Policy(name="Odd", **wrong).full_clean()
