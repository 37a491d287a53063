"""Criteria that are checked by themselves: what counts, for how long, and who looks when."""

import datetime as dt
import threading

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from releasemgr.workflow.edit import edit
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.factories import (
    BoardingFactory,
    BookingFactory,
    CriterionFactory,
    EnvironmentFactory,
    GateFactory,
    TrainFactory,
    UserFactory,
    WorkItemFactory,
)
from trains import checking, rounds
from trains.models import CheckResult, Criterion, Reservation, Watch
from trains.states import CriterionStanding

pytestmark = pytest.mark.django_db


class Told(checking.Check):
    """Finds what it was told to; None means that it breaks."""

    key = "told"
    name = "Told"
    explains = "True when it was told so."
    form = checking.CHECKS["work"].form
    finding = checking.passed("It is so.")

    def look(self, criterion, train, parameters):
        if self.finding is None:
            raise RuntimeError("broken")
        return self.finding() if callable(self.finding) else self.finding


@pytest.fixture
def told(monkeypatch):
    check = Told()
    monkeypatch.setitem(checking.CHECKS, "told", check)
    return check


def automatic(**more):
    criterion = CriterionFactory(checked_by="told", **more)
    rounds.begin_anew(criterion, by=UserFactory())
    return criterion


def seen(criterion):
    return Criterion.objects.get(pk=criterion.pk)


def standing(criterion):
    return seen(criterion).status


def looked(criterion):
    """Let its time come and look."""
    rounds.ask(criterion)
    rounds.look(criterion.pk)
    return seen(criterion)


def later(criterion, **ago):
    """Let all that its watch knows be as long ago."""
    by = dt.timedelta(**ago)
    watch = Watch.objects.get(pk=criterion.pk)
    for name in ("checked_at", "fresh_until", "green_since", "holds_at", "lease_until"):
        if getattr(watch, name) is not None:
            setattr(watch, name, getattr(watch, name) - by)
    watch.save()


# --- What counts ---------------------------------------------------------------------------------


def test_what_was_never_looked_at_is_not_run_and_stops_the_gate(told):
    criterion = automatic()

    assert standing(criterion) == CriterionStanding.NOT_RUN
    (blocker,) = criterion.gate.train.step_blockers("start_construction")
    assert blocker.title == criterion.title
    assert blocker.now == "Not run."
    assert blocker.url == criterion.check_url
    assert blocker.clears_at == seen(criterion).watch.next_at
    assert blocker.waivable


def test_a_check_that_passes_meets_its_criterion_with_evidence_and_an_author(told):
    criterion = looked(automatic())

    assert criterion.status == CriterionStanding.MET
    assert criterion.state == "met"
    assert criterion.evidence == "It is so."
    entry = criterion.history.latest()
    assert entry.transition == "pass_check"
    assert entry.history_user.is_robot
    assert criterion.gate.train.step_blockers("start_construction") == []


def test_a_check_that_fails_says_so_and_takes_back_what_it_said(told):
    criterion = looked(automatic())
    told.finding = checking.failed("3 are left.")

    criterion = looked(criterion)

    assert criterion.status == CriterionStanding.FAILED
    assert criterion.state == "open"
    (blocker,) = criterion.gate.train.step_blockers("start_construction")
    assert "3 are left." in blocker.now
    assert blocker.clears_at is None


def test_an_answer_that_is_too_old_is_stale_and_stops_the_gate(told):
    criterion = looked(automatic(good_for=60))

    later(criterion, minutes=61)

    assert standing(criterion) == CriterionStanding.STALE
    (blocker,) = criterion.gate.train.step_blockers("start_construction")
    assert "good for 60 minutes" in blocker.now
    with pytest.raises(TransitionRefused):
        perform(criterion.gate.train, "start_construction", by=UserFactory(role="Release manager"))
    assert list(Criterion.objects.unmet()) == [criterion]


def test_no_answer_makes_nothing_true_and_nothing_false(told):
    criterion = looked(automatic())
    told.finding = checking.unknown("No answer from ci:443.")

    criterion = looked(criterion)

    assert criterion.status == CriterionStanding.MET
    assert criterion.watch.trouble == "No answer from ci:443."
    later(criterion, minutes=61)
    assert standing(criterion) == CriterionStanding.STALE
    (blocker,) = criterion.gate.train.step_blockers("start_construction")
    assert "No answer from ci:443." in blocker.now


def test_a_check_that_breaks_is_no_answer_and_says_so(told, caplog):
    told.finding = None

    criterion = looked(automatic())

    assert criterion.status == CriterionStanding.NOT_RUN
    assert criterion.results.get().outcome == "unknown"
    assert "went wrong" in criterion.watch.trouble
    assert "broken" in caplog.text


def test_a_check_that_was_taken_out_is_no_answer(told, monkeypatch):
    criterion = automatic()
    monkeypatch.delitem(checking.CHECKS, "told")

    criterion = looked(criterion)

    assert criterion.status == CriterionStanding.NOT_RUN
    assert "no check “told”" in criterion.watch.trouble


def test_green_counts_only_when_it_has_lasted(told):
    criterion = looked(automatic(green_for=30, check_every=60))

    assert criterion.status == CriterionStanding.HOLDING
    assert criterion.state == "open"
    (blocker,) = criterion.gate.train.step_blockers("start_construction")
    assert blocker.clears_at == criterion.watch.holds_at
    # It is looked at again when it will have lasted, not an hour from now.
    assert criterion.watch.next_at == criterion.watch.holds_at

    later(criterion, minutes=31)
    assert looked(criterion).status == CriterionStanding.MET


def test_green_begins_anew_after_red(told):
    criterion = looked(automatic(green_for=30))
    later(criterion, minutes=29)
    told.finding = checking.failed("No.")
    looked(criterion)
    told.finding = checking.passed("Yes.")

    criterion = looked(criterion)

    assert criterion.status == CriterionStanding.HOLDING
    assert timezone.now() - criterion.watch.green_since < dt.timedelta(minutes=1)


def test_green_does_not_last_through_a_time_in_which_nobody_looked(told):
    criterion = looked(automatic(green_for=30, good_for=20))
    later(criterion, minutes=40)

    assert looked(criterion).status == CriterionStanding.HOLDING


def test_what_is_waived_stays_waived_whatever_its_check_says(told):
    criterion = automatic(state="waived")
    told.finding = checking.failed("No.")

    assert looked(criterion).status == CriterionStanding.WAIVED


def test_nobody_says_by_hand_what_a_check_says(told):
    criterion = automatic()
    manager = UserFactory(role="Release manager")

    with pytest.raises(TransitionRefused, match="checked by itself"):
        perform(criterion, "meet", by=manager)
    with pytest.raises(PermissionDenied):
        perform(criterion, "pass_check", by=manager)
    assert seen(criterion).state == "open"


def test_while_approvers_decide_it_goes_on_being_checked(told):
    criterion = looked(automatic(gate=GateFactory(train=TrainFactory(state="awaiting_train"))))
    told.finding = checking.failed("No longer.")

    assert looked(criterion).status == CriterionStanding.FAILED
    assert "Exit criteria" in criterion.gate.train.content_for("train")
    assert criterion.gate.train.content_for("train")["Exit criteria"] == [
        f"{criterion.title}: Open"
    ]


# --- Who looks when ------------------------------------------------------------------------------


def test_every_look_leaves_a_row_and_only_the_newest_are_kept_with_all_changes(told, monkeypatch):
    monkeypatch.setattr(rounds, "MOST_RESULTS", 5)
    criterion = looked(automatic())
    for _ in range(8):
        looked(criterion)

    rows = list(criterion.results.all())
    assert len(rows) == 6
    assert [row.is_change for row in rows] == [False] * 5 + [True]


def test_a_criterion_that_is_not_due_is_not_looked_at(told):
    criterion = looked(automatic())

    rounds.look(criterion.pk)

    assert criterion.results.count() == 1


def test_two_workers_never_look_at_the_same_time(told):
    criterion = automatic()

    def nested():
        rounds.look(criterion.pk)
        assert rounds.ask(criterion) is False
        assert standing(criterion) == CriterionStanding.RUNNING
        return checking.passed("Once.")

    told.finding = nested

    rounds.look(criterion.pk)

    assert [row.detail for row in criterion.results.all()] == ["Once."]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_many_hints_at_once_one_becomes_a_look(told):
    criterion = automatic()  # looked at by now: hints are followed at once here
    Watch.objects.filter(pk=criterion.pk).update(next_at=Now())
    looks, gate = [], threading.Barrier(6)

    def finding():
        looks.append(1)
        return checking.passed("Once.")

    told.finding = finding

    def worker():
        gate.wait()
        rounds.look(criterion.pk)
        connection.close()

    threads = [threading.Thread(target=worker) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(looks) == 1
    assert criterion.results.filter(detail="Once.").count() == 1
    assert standing(criterion) == CriterionStanding.MET


def test_what_a_lost_worker_left_is_taken_up_after_its_lease_and_told(told):
    criterion = automatic()
    claim = rounds._claim(criterion.pk)
    rounds.look(criterion.pk)
    assert criterion.results.count() == 0

    later(criterion, minutes=10)
    rounds.look(criterion.pk)

    assert [row.outcome for row in criterion.results.all()] == ["passed", "unknown"]
    # What the lost one might still say is not heard.
    rounds._keep(claim, checking.failed("Late."))
    assert standing(criterion) == CriterionStanding.MET
    assert criterion.results.count() == 2


def test_the_scheduler_sends_a_hint_for_what_is_due_and_not_at_every_look(
    told, django_capture_on_commit_callbacks
):
    due, idle = automatic(), looked(automatic())
    over = automatic(gate=GateFactory(train=TrainFactory(state="cancelled")))
    people = CriterionFactory()

    rounds.remind_workers()
    first = Watch.objects.get(pk=due.pk).hinted_until
    rounds.remind_workers()

    assert first > timezone.now()
    assert Watch.objects.get(pk=due.pk).hinted_until == first
    assert Watch.objects.get(pk=idle.pk).hinted_until is None
    assert Watch.objects.get(pk=over.pk).hinted_until is None
    assert not Watch.objects.filter(pk=people.pk).exists()


def test_a_gate_that_is_passed_is_not_looked_at_any_more(told):
    criterion = automatic(gate=GateFactory(train=TrainFactory(state="construction")))

    rounds.look(criterion.pk)

    assert criterion.results.count() == 0
    assert seen(criterion).state == "open"


def test_another_check_forgets_what_was_found_and_what_is_still_to_come(told):
    criterion = looked(automatic())
    rounds.ask(criterion)
    claim = rounds._claim(criterion.pk)
    manager = UserFactory(role="Release manager")

    rounds.set_check(seen(criterion), by=manager, version=None, parameters={"other": 1})

    assert standing(criterion) == CriterionStanding.NOT_RUN
    assert seen(criterion).state == "open"
    rounds._keep(claim, checking.passed("Of the other question."))
    assert standing(criterion) == CriterionStanding.NOT_RUN


def test_opened_again_it_is_looked_at_anew(told):
    criterion = looked(automatic())

    perform(criterion, "reopen", by=UserFactory(role="Release manager"), reason="Look again")

    assert standing(criterion) == CriterionStanding.NOT_RUN
    assert looked(criterion).status == CriterionStanding.MET


def test_what_had_no_answer_is_asked_again_sooner(told):
    told.finding = checking.unknown("No answer.")

    criterion = looked(automatic(check_every=600))

    assert criterion.watch.next_at - timezone.now() < dt.timedelta(minutes=6)


# --- What trains know ----------------------------------------------------------------------------


def found(key, criterion):
    return checking.get(key).look(criterion, criterion.gate.train, {})


def test_all_work_items_done():
    criterion = CriterionFactory()
    train = criterion.gate.train
    place = BoardingFactory(train=train)
    assert found("work", criterion).outcome == "failed"

    item = WorkItemFactory(release=place.release, key="K-1")
    WorkItemFactory(release=place.release, state="done")
    WorkItemFactory(state="proposed")  # of somebody else's
    assert found("work", criterion) == checking.failed("1 of 2 work items are not done: K-1.")

    edit(item, by=UserFactory(), state="deferred")
    assert found("work", criterion).outcome == "passed"


def test_no_open_clash():
    criterion = CriterionFactory()
    train, environment = criterion.gate.train, EnvironmentFactory(name="stage")
    wanted = BookingFactory(environment=environment, state="requested", exclusive=True)
    Reservation.objects.create(train=train, booking=wanted)
    assert found("clash", criterion).outcome == "passed"

    BookingFactory(environment=environment, state="confirmed", exclusive=True)
    assert found("clash", criterion) == checking.failed("Booked twice: stage.")


# --- Pages ---------------------------------------------------------------------------------------


def test_a_manager_has_a_criterion_checked_by_itself(client, manager):
    criterion = CriterionFactory()
    address = reverse("trains:check-edit", args=[criterion.pk])
    assert "All work items done" in client.get(address).content.decode()

    good = {"check_every": 5, "good_for": 30, "green_for": 0, "version": criterion.version}
    answer = client.post(f"{address}?by=work", good)

    assert answer.status_code == 303
    assert answer.headers["Location"] == criterion.check_url
    criterion = seen(criterion)
    assert (criterion.checked_by, criterion.good_for) == ("work", 30)
    assert criterion.status == CriterionStanding.NOT_RUN
    page = client.get(criterion.check_url).content.decode()
    assert "All work items done" in page
    assert "Not checked yet" in page


def test_times_that_make_no_sense_are_refused_beside_their_fields(client, manager):
    criterion = CriterionFactory()
    address = reverse("trains:check-edit", args=[criterion.pk])

    answer = client.post(f"{address}?by=work", {"check_every": 60, "good_for": 5, "green_for": -1})

    assert answer.status_code == 422
    errors = answer.context["form"].errors
    assert set(errors) == {"good_for", "green_for"}
    assert seen(criterion).checked_by == ""


def test_what_somebody_else_has_chosen_meanwhile_is_shown_beside_ones_own(client, manager, told):
    criterion = automatic()
    address = reverse("trains:check-edit", args=[criterion.pk])
    stale = {"check_every": 5, "good_for": 30, "green_for": 0, "version": criterion.version - 1}

    answer = client.post(f"{address}?by=work", stale)

    assert answer.status_code == 409
    found = {row.label: (row.yours, row.theirs) for row in answer.context["differences"]}
    assert found["Checked by"] == ("work", "told")
    assert seen(criterion).checked_by == "told"


def test_people_may_decide_again(client, manager, told):
    criterion = looked(automatic())

    answer = client.post(
        f"{reverse('trains:check-edit', args=[criterion.pk])}?by=people",
        {"version": criterion.version},
    )

    assert answer.status_code == 303
    criterion = seen(criterion)
    assert (criterion.checked_by, criterion.state) == ("", "open")
    assert not Watch.objects.filter(pk=criterion.pk).exists()
    assert criterion.results.count() == 1


def test_check_now_is_for_its_owner_and_release_managers(client, manager, told):
    criterion = looked(automatic())
    address = reverse("trains:check-now", args=[criterion.pk])

    client.post(address)
    assert Watch.objects.get(pk=criterion.pk).next_at <= timezone.now()

    client.force_login(UserFactory(role="Stakeholder"))
    assert client.post(address).status_code == 403


def test_the_gates_tab_tells_the_states_apart(client, manager, told):
    train = TrainFactory()
    gate = GateFactory(train=train)
    automatic(gate=gate, title="Never looked at")
    looked(automatic(gate=gate, title="Fine"))
    told.finding = checking.failed("Broken build.")
    looked(automatic(gate=gate, title="Bad"))

    page = client.get(train.tab_url("gates")).content.decode()

    for word in ("Not run", "Met", "Failed", "Broken build."):
        assert word in page
    assert "Mark met" not in page


def test_what_is_due_is_looked_at_whether_or_not_the_broker_is_there(told):
    criterion = automatic()

    rounds.remind_workers()
    rounds.look(criterion.pk)

    assert CheckResult.objects.filter(criterion=criterion).count() == 1
