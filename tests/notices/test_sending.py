"""Mails, as a mail server gets them: once, at their hour, and again where it did not take them."""

import datetime as dt
import threading

import pytest
from django.core.mail import get_connection
from django.db import connection

from releasemgr.notices import errands, postman, reminders, telling
from releasemgr.notices.models import Happening, Letter, Notice, Preferences
from releasemgr.notices.services import News, tell
from releasemgr.workflow.perform import perform
from tests.factories import (
    LevelFactory,
    MilestoneFactory,
    RuleFactory,
    SignoffFactory,
    TaskRunFactory,
    TurnoverFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)


def utc(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.fixture
def bea():
    return UserFactory(
        username="bea", role="Approver", email="bea@example.com", time_zone="Europe/Berlin"
    )


def a_letter(person, title="Start building Alder?", **more):
    signoff = SignoffFactory(state="ready", round=1, open_level=1, title="Train approval")
    RuleFactory(level=LevelFactory(signoff=signoff), person=person)
    tell(News("approval_asked", signoff, [person], title, "Mona asks.", **more))
    return Letter.objects.latest("pk")


def after(clock, span):
    """Let so much time pass, then let a worker send what is due."""
    clock.set(clock.now + span)
    postman.send()


def state_of(letter):
    letter.refresh_from_db()
    return letter.state


def test_a_mail_says_what_why_and_until_when_and_links_to_where_it_is_decided(
    clock, bea, sink, settings
):
    settings.BASE_URL = "https://releases.example"
    letter = a_letter(bea, until=utc("2026-12-01T16:00"))

    postman.send()

    (mail,) = sink.mails
    assert sink.envelopes == [["bea@example.com"]]
    assert mail["Subject"] == "Start building Alder?"
    text = mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
    notice = Notice.objects.get()
    for said in (
        "Start building Alder?",
        "Mona asks.",
        "Until: Tuesday 1 December 2026, 17:00 CET",
        "You are told because you are named on the level that is open",
        f"https://releases.example{notice.url}\n",
        "https://releases.example/me/notices/",
    ):
        assert said in text
    page = mail.get_body(("html",)).get_content()
    assert f'href="https://releases.example{notice.url}"' in page
    assert "<script" not in page
    assert mail["List-Unsubscribe"] == "<https://releases.example/me/notices/>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert state_of(letter) == "sent"


def test_what_people_wrote_is_text_in_the_page_of_a_mail(clock, bea, sink):
    a_letter(bea, title="<img src=x onerror=alert(1)>\r\nBcc: all@example.com")

    postman.send()

    (mail,) = sink.mails
    assert mail["Bcc"] is None
    assert sink.envelopes == [["bea@example.com"]]
    page = mail.get_body(("html",)).get_content()
    assert "<img" not in page
    assert "&lt;img" in page


def test_it_is_sent_once(clock, bea, sink):
    letter = a_letter(bea)

    for _ in range(3):
        postman.send()
        after(clock, HOUR)

    assert len(sink.mails) == 1
    assert (state_of(letter), letter.attempts) == ("sent", 1)


def test_many_letters_need_one_connection(clock, bea, sink):
    for _ in range(5):
        a_letter(bea)

    postman.send()

    assert (len(sink.mails), sink.connections) == (5, 1)


def test_a_worker_stops_after_its_slice_and_says_that_there_is_more(clock, bea, sink):
    for _ in range(3):
        a_letter(bea)

    assert postman.send(slice_seconds=0.000001) is True
    assert len(sink.mails) == 1
    assert postman.send() is False
    assert len(sink.mails) == 3


# --- When it goes wrong --------------------------------------------------------------------------


def test_a_server_that_is_away_is_tried_again_at_growing_distances(clock, bea, sink):
    letter = a_letter(bea)
    sink.drops = 3
    postman.send()
    assert (state_of(letter), letter.attempts) == ("waiting", 1)
    assert letter.problem

    after(clock, MINUTE / 2)
    assert sink.connections == 1
    after(clock, MINUTE / 2)
    after(clock, MINUTE)
    assert sink.connections == 2
    after(clock, MINUTE)
    assert sink.connections == 3
    after(clock, 4 * MINUTE)

    assert len(sink.mails) == 1
    assert (state_of(letter), letter.attempts, letter.problem) == ("sent", 4, "")


def test_a_refusal_for_now_is_tried_again_and_one_for_good_is_given_up_at_once(clock, bea, sink):
    other = UserFactory(role="Approver", email="other@example.com")
    sink.refuses = {"bea@example.com": "450 try later", "other@example.com": "550 no such user"}
    later, never, fine = a_letter(bea), a_letter(other), a_letter(UserFactory(role="Approver"))

    postman.send()

    assert (state_of(later), state_of(never), state_of(fine)) == ("waiting", "given_up", "sent")
    assert "no such user" in never.problem
    assert len(sink.mails) == 1
    after(clock, 24 * HOUR)
    assert state_of(never) == "given_up"


def test_it_is_given_up_in_the_end_and_never_tried_again(clock, bea, sink):
    letter = a_letter(bea)
    sink.answer = "451 busy"

    postman.send()
    for _ in range(20):
        after(clock, HOUR)
    assert state_of(letter) == "given_up"
    tried = letter.attempts
    sink.answer = None
    after(clock, HOUR)

    assert (state_of(letter), tried) == ("given_up", postman.MOST_ATTEMPTS)
    assert "busy" in letter.problem
    assert sink.mails == []


def test_the_same_letter_has_the_same_message_id_however_often_it_is_sent(clock, bea, sink):
    """A worker that dies after the server's answer: nobody can know, so it is sent again."""
    letter = a_letter(bea)
    postman.send()
    Letter.objects.update(state="sending", lease_until=clock.now + MINUTE, ended_at=None)

    postman.send()
    assert len(sink.mails) == 1
    after(clock, 2 * MINUTE)

    first, second = sink.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert (state_of(letter), letter.attempts) == ("sent", 2)
    a_letter(bea)
    postman.send()
    assert sink.mails[2]["Message-ID"] != first["Message-ID"]


def test_a_restored_copy_has_message_ids_of_its_own(clock, bea, sink, settings):
    a_letter(bea)
    postman.send()
    settings.INSTANCE_ID = "copy"
    Letter.objects.update(state="waiting", ended_at=None)
    postman.send()

    first, second = sink.mails
    assert first["Message-ID"] != second["Message-ID"]


def test_a_worker_that_lost_its_lease_changes_nothing(clock, bea, sink):
    letter = a_letter(bea)
    slow = postman.claim()
    clock.set(clock.now + HOUR)
    quick = postman.claim()
    assert (slow.pk, slow.attempts, quick.attempts) == (letter.pk, 1, 2)

    with get_connection() as server:
        sink.answer = "451 busy"
        postman.deliver(slow, server)
        assert state_of(letter) == "sending"
        sink.answer = None
        postman.deliver(quick, server)

    assert state_of(letter) == "sent"


def test_a_letter_that_kills_its_workers_is_given_up(clock, bea, sink):
    letter = a_letter(bea)
    Letter.objects.update(attempts=postman.MOST_ATTEMPTS)

    postman.send()

    assert state_of(letter) == "given_up"
    assert sink.mails == []


def test_what_cannot_be_written_as_a_mail_does_not_stop_the_others(clock, bea, sink):
    bad, good = a_letter(bea), a_letter(UserFactory(role="Approver"))
    type(bea).objects.filter(pk=bea.pk).update(email="bea@example.com\nBcc: all@example.com")

    postman.send()

    assert (state_of(bad), state_of(good)) == ("given_up", "sent")
    assert len(sink.mails) == 1


# --- Whether and when ----------------------------------------------------------------------------


def test_nothing_comes_in_quiet_hours_and_then_it_comes(clock, bea, sink):
    clock.set(utc("2026-10-24T20:30"))
    chosen = {"quiet_from": dt.time(22), "quiet_until": dt.time(7)}
    Preferences.objects.create(person=bea, **chosen)
    letter = a_letter(bea)
    assert letter.not_before == utc("2026-10-25T06:00")

    postman.send()
    clock.set(utc("2026-10-25T05:59"))
    postman.send()
    assert sink.mails == []
    after(clock, MINUTE)

    assert len(sink.mails) == 1


def test_quiet_hours_that_began_after_it_was_written_count_as_well(clock, bea, sink):
    clock.set(utc("2026-11-26T20:59"))
    sink.drops = 1
    letter = a_letter(bea)
    Preferences.objects.create(person=bea, quiet_from=dt.time(22), quiet_until=dt.time(7))
    postman.send()

    after(clock, 2 * MINUTE)

    assert sink.mails == []
    assert (state_of(letter), letter.not_before) == ("waiting", utc("2026-11-27T06:00"))
    assert letter.attempts == 1


def test_a_digest_that_the_server_did_not_take_waits_for_the_end_of_the_night_too(clock, bea, sink):
    clock.set(utc("2026-11-26T20:30"))
    hours = {"digest_hour": dt.time(21, 30), "quiet_from": dt.time(22), "quiet_until": dt.time(7)}
    Preferences.objects.create(person=bea, **hours)
    tell(
        News("milestone_due", MilestoneFactory(owner=bea), [bea], "Due", day=dt.date(2026, 11, 26))
    )
    reminders.collect_digests(clock.now)
    sink.answer = "451 busy"
    for _ in range(6):
        after(clock, 15 * MINUTE)
    sink.answer = None
    after(clock, HOUR)
    assert sink.mails == []

    clock.set(utc("2026-11-27T06:00"))
    postman.send()

    assert len(sink.mails) == 1


@pytest.mark.parametrize(("always", "at_night"), [(True, 1), (False, 0)])
def test_what_holds_up_a_deployment_comes_at_night_unless_it_may_not(
    clock, bea, sink, always, at_night
):
    clock.set(utc("2026-11-26T23:00"))
    Preferences.objects.create(
        person=bea, quiet_from=dt.time(22), quiet_until=dt.time(7), urgent_always=always
    )
    row = TaskRunFactory(task__owner=bea)
    tell(News("task_ready", row, [bea], "Your turn", occasion="ready"))

    postman.send()
    assert len(sink.mails) == at_night
    after(clock, 7 * HOUR)

    assert len(sink.mails) == 1


def test_what_was_decided_meanwhile_is_not_mailed(clock, bea, sink):
    clock.set(utc("2026-11-26T23:00"))
    Preferences.objects.create(person=bea, quiet_from=dt.time(22), quiet_until=dt.time(7))
    letter = a_letter(bea)
    perform(SignoffFactory._meta.model.objects.get(), "approve", by=bea)

    after(clock, 8 * HOUR)

    assert sink.mails == []
    assert state_of(letter) == "dropped"


@pytest.mark.parametrize(
    "change",
    [{"is_active": False}, {"email": ""}],
    ids=["left", "no address"],
)
def test_who_is_gone_by_then_gets_nothing(clock, bea, sink, change):
    letter = a_letter(bea)
    type(bea).objects.filter(pk=bea.pk).update(**change)

    postman.send()

    assert sink.mails == []
    assert state_of(letter) == "dropped"


def test_who_wants_no_more_mail_of_it_gets_none(clock, bea, sink):
    letter = a_letter(bea)
    Preferences.objects.create(person=bea, ways={"approval_asked": "app"})

    postman.send()

    assert state_of(letter) == "dropped"
    assert sink.mails == []


# --- Hints ---------------------------------------------------------------------------------------


def test_a_letter_is_sent_when_its_step_is_stored(
    clock, bea, sink, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        a_letter(bea)

    assert len(sink.mails) == 1


def test_the_scheduler_tells_again_of_what_no_worker_took_but_not_at_every_pass(
    clock, bea, monkeypatch
):
    a_letter(bea)
    watch = errands.Watch()
    hinted = []
    monkeypatch.setattr(errands, "call", hinted.append)

    watch.call_workers()
    watch.call_workers()
    clock.set(clock.now + MINUTE)
    watch.call_workers()

    assert hinted == ["look", "send", "send"]


def test_a_new_task_for_people_is_looked_at_without_delay(clock, bea, monkeypatch):
    watch = errands.Watch()
    hinted = []
    monkeypatch.setattr(errands, "call", hinted.append)

    watch.call_workers()
    TaskRunFactory(task__owner=bea)
    watch.call_workers()
    watch.call_workers()

    assert hinted == ["look", "look"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_workers_at_once_send_each_letter_once(sink):
    people = [UserFactory(role="Approver") for _ in range(20)]
    for person in people:
        a_letter(person)

    def work():
        try:
            postman.send()
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(to for (to,) in sink.envelopes) == sorted(person.email for person in people)
    assert set(Letter.objects.values_list("state", "attempts")) == {("sent", 1)}


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_workers_at_once_tell_of_each_step_once():
    engineer, author = UserFactory(role="Release engineer"), UserFactory(role="Developer")
    for _ in range(20):
        turnover = TurnoverFactory(author=author, state="delivered")
        perform(turnover, "return_to_author", by=engineer, reason="Look again.")

    def work():
        try:
            telling.spread()
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert Notice.objects.filter(event="turnover_returned").count() == 20
    assert not Happening.objects.exists()
