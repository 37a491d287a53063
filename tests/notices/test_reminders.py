"""What time alone makes due, over days that pass within a test."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from releasemgr.notices import postman, reminders, telling
from releasemgr.notices.models import Letter, Notice, Preferences
from releasemgr.workflow.perform import perform
from tests.factories import (
    CriterionFactory,
    GateFactory,
    LevelFactory,
    MilestoneFactory,
    ReviewActionFactory,
    RuleFactory,
    SignoffFactory,
    TaskRunFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def utc(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def let_pass(clock, begins, ends, step=dt.timedelta(hours=1)):
    """Look again and again, as the scheduler has it done; send what is due."""
    moment = begins
    while moment <= ends:
        clock.set(moment)
        telling.spread()
        reminders.look()
        postman.send()
        moment += step


def told(person, event):
    """When, on the clock of UTC."""
    rows = Notice.objects.filter(person=person, event=event).order_by("at")
    return [f"{at:%d %H:%M}" for at in rows.values_list("at", flat=True)]


@pytest.fixture
def olga():
    return UserFactory(username="olga", role="Product owner", time_zone="Europe/Berlin")


def test_a_milestone_is_told_the_day_before_and_then_daily_until_it_is_reached(clock, olga, sink):
    milestone = MilestoneFactory(owner=olga, due=dt.date(2026, 11, 12), title="Dress rehearsal")
    let_pass(clock, utc("2026-11-09T00:00"), utc("2026-11-13T12:00"))

    # An hour before her digest, which comes at eight in Berlin.
    assert told(olga, "milestone_due") == ["11 06:00", "12 06:00", "13 06:00"]

    perform(milestone, "complete", by=olga)
    let_pass(clock, utc("2026-11-14T00:00"), utc("2026-11-15T12:00"))
    assert len(told(olga, "milestone_due")) == 3
    assert [mail["Subject"] for mail in sink.mails] == [
        "Release Manager on Wednesday 11 November 2026: 1 to read",
        "Release Manager on Thursday 12 November 2026: 1 to read",
        "Release Manager on Friday 13 November 2026: 1 to read",
    ]
    assert "Until: Thursday 12 November 2026" in sink.mails[0].get_body(("plain",)).get_content()


def test_a_milestone_without_an_owner_who_is_there_is_told_to_who_answers_for_it(clock, manager):
    gone = UserFactory(is_active=False)
    train = TrainFactory(manager=manager)
    MilestoneFactory(train=train, owner=gone, due=dt.date(2026, 11, 12))
    over = TrainFactory(state="cancelled", manager=manager)
    MilestoneFactory(train=over, owner=manager, due=dt.date(2026, 11, 12))

    let_pass(clock, utc("2026-11-12T09:00"), utc("2026-11-12T09:30"))

    assert told(manager, "milestone_due") == ["12 09:00"]
    assert not Notice.objects.filter(person=gone).exists()


def test_a_criterion_is_told_when_the_stage_is_entered_and_then_weekly(clock, olga):
    train = TrainFactory(state="scoping")
    gate = GateFactory(train=train, stage="construction")
    criterion = CriterionFactory(gate=gate, owner=olga)
    clock.set(utc("2026-11-02T15:00"))
    reminders.look()
    assert told(olga, "criterion_open") == []

    perform(train, "start_construction", by=train.manager)
    let_pass(clock, utc("2026-11-02T15:30"), utc("2026-11-18T00:00"), dt.timedelta(hours=8))
    perform(criterion, "meet", by=olga)
    let_pass(clock, utc("2026-11-18T00:00"), utc("2026-11-30T00:00"), dt.timedelta(hours=8))

    assert told(olga, "criterion_open") == ["02 15:30", "09 15:30", "16 15:30"]


def test_an_approval_that_is_late_is_told_daily_to_those_who_have_not_decided(clock):
    bea, bob = UserFactory(role="Approver"), UserFactory(role="Approver")
    signoff = SignoffFactory(state="ready", round=1, open_level=1, due=utc("2026-11-12T16:00"))
    level = LevelFactory(signoff=signoff)
    for person in (bea, bob):
        RuleFactory(level=level, person=person)

    let_pass(clock, utc("2026-11-11T08:00"), utc("2026-11-11T09:00"))
    perform(signoff, "approve", by=bea)
    let_pass(clock, utc("2026-11-12T08:00"), utc("2026-11-12T09:00"))

    assert told(bea, "approval_due") == ["11 08:00"]
    assert told(bob, "approval_due") == ["11 08:00", "12 08:00"]


def test_what_a_review_gave_is_told_until_it_is_done(clock, developer):
    action = ReviewActionFactory(owner=developer, due=dt.date(2026, 11, 12))
    ReviewActionFactory(owner=developer)

    let_pass(clock, utc("2026-11-12T09:00"), utc("2026-11-12T09:00"))
    action.done_at = clock.now
    action.save()
    let_pass(clock, utc("2026-11-13T09:00"), utc("2026-11-13T09:00"))

    assert told(developer, "action_due") == ["12 09:00"]


def test_a_manual_task_is_told_to_its_owner_once(clock, developer, engineer):
    TaskRunFactory(task__owner=developer, task__title="Unplug it")

    let_pass(clock, utc("2026-11-12T02:00"), utc("2026-11-12T04:00"))

    assert told(developer, "task_ready") == ["12 02:00"]
    assert told(engineer, "task_ready") == []
    assert Notice.objects.get().title == "Your turn: Unplug it"


def test_a_task_without_an_owner_is_told_to_those_who_may_do_it(clock, developer, engineer):
    TaskRunFactory(task__owner=None)
    TaskRunFactory(task__owner=None, task__executor="go", task__title="Production")

    reminders.look()

    titles = set(Notice.objects.values_list("person__username", "title"))
    assert ("eng", "Go or no-go: Production") in titles
    assert {name for name, _ in titles} == {"eng"}


def test_an_unknown_ending_is_told_to_two_and_then_only_to_the_second(
    clock, engineer, manager, developer
):
    row = TaskRunFactory(state="unknown", fence=1, task__executor="command")
    reminders.look()
    assert Notice.objects.filter(event="ending_unknown").count() == 2

    perform(row, "judge", by=engineer, verdict="happened", reason="It is there.")
    reminders.look()

    assert len(told(engineer, "ending_unknown")) == 1
    assert len(told(manager, "ending_unknown")) == 2
    assert told(developer, "ending_unknown") == []


def test_a_turnover_that_does_not_start_is_told_once(clock, engineer, developer):
    clock.set(utc("2026-11-12T10:00"))
    TurnoverFactory(
        state="ready",
        author=developer,
        earliest=utc("2026-11-12T10:00"),
        latest=utc("2026-11-12T20:00"),
    )

    let_pass(clock, utc("2026-11-12T10:00"), utc("2026-11-12T12:00"), dt.timedelta(minutes=5))

    assert told(engineer, "turnover_late") == told(developer, "turnover_late") == ["12 10:15"]


def test_reminders_go_by_each_persons_own_calendar(clock):
    auckland = UserFactory(role="Product owner", time_zone="Pacific/Auckland")
    lima = UserFactory(role="Product owner", time_zone="America/Lima")
    for person in (auckland, lima):
        MilestoneFactory(owner=person, due=dt.date(2026, 11, 12))

    let_pass(clock, utc("2026-11-09T00:00"), utc("2026-11-11T23:30"))

    # Seven in the morning of the eleventh: thirteen hours before UTC, and five behind it.
    assert told(auckland, "milestone_due")[0] == "10 18:00"
    assert told(lima, "milestone_due")[0] == "11 12:00"


# --- Digests -------------------------------------------------------------------------------------


def test_there_is_one_digest_a_day_with_all_of_it(clock, olga, sink):
    for day in (11, 12, 20):
        MilestoneFactory(owner=olga, due=dt.date(2026, 11, day), title=f"M{day}")

    let_pass(clock, utc("2026-11-11T00:00"), utc("2026-11-11T23:30"))

    (mail,) = sink.mails
    text = mail.get_body(("plain",)).get_content()
    assert mail["Subject"].endswith("2 to read")
    assert text.index("M11") < text.index("M12")
    assert "M20" not in text


def test_what_comes_after_todays_digest_is_in_tomorrows(clock, olga, sink):
    Preferences.objects.create(person=olga, digest_hour=dt.time(8))
    first = MilestoneFactory(owner=olga, due=dt.date(2026, 11, 12))
    let_pass(clock, utc("2026-11-11T00:00"), utc("2026-11-11T12:00"))
    assert len(sink.mails) == 1

    perform(first, "complete", by=olga)
    MilestoneFactory(owner=olga, due=dt.date(2026, 11, 12), title="New")
    let_pass(clock, utc("2026-11-11T12:30"), utc("2026-11-12T06:59"))
    assert len(sink.mails) == 1
    let_pass(clock, utc("2026-11-12T07:00"), utc("2026-11-12T07:30"))

    assert len(sink.mails) == 2
    assert "New" in sink.mails[1].get_body(("plain",)).get_content()


def test_another_hour_makes_no_second_digest_on_the_same_day(clock, olga, sink):
    MilestoneFactory(owner=olga, due=dt.date(2026, 11, 12))
    let_pass(clock, utc("2026-11-11T06:00"), utc("2026-11-11T08:00"))
    Preferences.objects.create(person=olga, digest_hour=dt.time(12))
    tell_later = MilestoneFactory(owner=olga, due=dt.date(2026, 11, 12))

    let_pass(clock, utc("2026-11-11T08:30"), utc("2026-11-11T22:00"))

    assert len(sink.mails) == 1
    assert Notice.objects.filter(row_id=tell_later.pk).count() == 1
    assert Letter.objects.filter(person=olga).count() == 1


@pytest.mark.parametrize("change", ["2026-03-29", "2026-10-25"])
def test_a_day_on_which_the_clock_is_changed_has_one_digest_and_one_reminder(
    clock, olga, sink, change
):
    day = dt.date.fromisoformat(change)
    MilestoneFactory(owner=olga, due=day - 5 * DAY)
    start = dt.datetime.combine(day - DAY, dt.time(), dt.UTC)

    let_pass(clock, start, start + 3 * DAY - dt.timedelta(hours=3))

    days = list(Letter.objects.filter(state="sent").values_list("digest_day", flat=True))
    assert sorted(days) == [day - DAY, day, day + DAY]
    assert len(told(olga, "milestone_due")) == 3
    assert len(sink.mails) == 3


def test_what_is_settled_by_then_is_left_out_of_the_digest(clock, olga, sink):
    kept, done = (MilestoneFactory(owner=olga, due=dt.date(2026, 11, 12), title=t) for t in "KD")
    let_pass(clock, utc("2026-11-11T06:00"), utc("2026-11-11T06:30"))
    perform(done, "complete", by=olga)
    let_pass(clock, utc("2026-11-11T07:00"), utc("2026-11-11T07:30"))

    (mail,) = sink.mails
    text = mail.get_body(("plain",)).get_content()
    assert f"milestone “{kept}”" in text
    assert f"milestone “{done}”" not in text


# --- Keeping -------------------------------------------------------------------------------------


def test_old_notices_and_their_mails_go_and_young_ones_stay(clock, olga, sink, settings):
    settings.NOTICE_DAYS = 30
    MilestoneFactory(owner=olga, due=dt.date(2026, 1, 12))
    let_pass(clock, utc("2026-01-12T06:00"), utc("2026-01-13T08:00"))
    assert (Notice.objects.count(), Letter.objects.count()) == (2, 2)

    let_pass(clock, utc("2026-02-12T03:00"), utc("2026-02-12T03:00"))

    assert [f"{n.at:%d}" for n in Notice.objects.all()] == ["13"]
    assert Letter.objects.count() == 1


def test_looking_again_asks_no_more_the_more_there_was_told(clock, olga):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            reminders.look()
        return len(queries)

    clock.set(utc("2026-11-12T09:00"))
    MilestoneFactory(owner=olga, due=dt.date(2026, 11, 12))
    reminders.look()
    few = asked()
    for _ in range(4):
        MilestoneFactory(owner=UserFactory(role="Product owner"), due=dt.date(2026, 11, 12))
    reminders.look()

    assert asked() == few


def test_a_source_that_breaks_does_not_silence_the_others(clock, olga, monkeypatch, caplog):
    def broken(now):
        raise LookupError("Gone")

    monkeypatch.setattr(reminders, "sources", [broken, *reminders.sources])
    MilestoneFactory(owner=olga, due=dt.date(2026, 11, 12))
    clock.set(utc("2026-11-12T09:00"))

    reminders.look()

    assert len(told(olga, "milestone_due")) == 1
    assert "broken" in caplog.text
