"""Who is told what by which step, and who is not."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from approvals import services as approvals
from releasemgr.accounts.models import User
from releasemgr.exchange.services import import_file
from releasemgr.notices import errands, reminders
from releasemgr.notices.events import EVENTS, Way
from releasemgr.notices.models import Happening, Letter, Notice, Preferences
from releasemgr.notices.services import News, tell
from releasemgr.notices.telling import spread
from releasemgr.notices.told import TOLD
from releasemgr.workflow.edit import create, edit
from releasemgr.workflow.perform import perform
from tests.exchange.files import small, written
from tests.factories import (
    BoardingFactory,
    BookingFactory,
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
from trains.models import Boarding, Train
from turnovers.models import Hold

pytestmark = pytest.mark.django_db


def told(event):
    """The user names of those who were told of it, in order."""
    spread()
    rows = Notice.objects.filter(event=event).order_by("person__username")
    return list(rows.values_list("person__username", flat=True))


def a_sheet(*levels, **more):
    """A sheet with one level for each group of people."""
    signoff = SignoffFactory(title="Train approval", **more)
    for number, people in enumerate(levels, start=1):
        level = LevelFactory(signoff=signoff, number=number)
        for person in people:
            RuleFactory(level=level, person=person)
    return signoff


def ask(signoff, by, content=None):
    """Ask, and let a worker tell those whose turn it is."""
    signoff = approvals.ask(
        signoff,
        by=by,
        question="Start building Alder?",
        content=content or {"Train": "Alder"},
        facts=[],
        barred=[by],
        url="/trains/1/",
    )
    spread()
    return signoff


@pytest.fixture
def bea():
    return UserFactory(username="bea", role="Approver")


@pytest.fixture
def bob():
    return UserFactory(username="bob", role="Approver")


def test_an_approval_is_told_when_its_level_is_reached_and_not_before(manager, bea, bob):
    signoff = ask(a_sheet([bea], [bob]), manager)
    assert told("approval_asked") == ["bea"]

    perform(signoff, "approve", by=bea)

    assert told("approval_asked") == ["bea", "bob"]
    notice = Notice.objects.get(person=bob)
    assert (notice.title, notice.url) == ("Start building Alder?", f"/approvals/{signoff.pk}/")
    assert "level 2" in notice.words


def test_those_who_decide_with_others_are_told_once(manager, bea, bob):
    signoff = ask(a_sheet([bea, bob]), manager)

    perform(signoff, "approve", by=bea)

    assert told("approval_asked") == ["bea", "bob"]


def test_an_approval_asked_again_for_other_content_is_told_as_that(manager, bea):
    signoff = ask(a_sheet([bea]), manager)

    ask(signoff, manager, {"Train": "Birch"})

    assert told("approval_asked") == told("approval_renewed") == ["bea"]


def test_a_rejection_is_told_to_who_asked_and_to_nobody_else(manager, bea, bob):
    signoff = ask(a_sheet([bea], [bob]), manager)

    perform(signoff, "reject", by=bea, reason="Too early.")

    assert told("approval_refused") == ["man"]
    assert told("approval_asked") == ["bea"]
    assert Notice.objects.get(event="approval_refused").words.endswith("rejected it: Too early.")


def test_product_owners_are_told_when_their_train_goes_back(manager, owner, bea):
    signoff = a_sheet([bea], state="ready", round=1, open_level=1)
    train = TrainFactory(manager=manager, development_signoff=signoff, state="awaiting_development")
    BoardingFactory(train=train, release__owner=owner)

    perform(train, "hand_back", by=User.objects.robot(), reason="Bea rejected it: no tests.")

    assert told("train_returned") == ["man", "own"]


def test_a_cancelled_train_is_told_to_who_ran_it_and_a_lost_place_to_who_rode_it(
    manager, owner, engineer
):
    train = TrainFactory(manager=manager)
    train.crew.create(person=engineer)
    BoardingFactory(train=train, release__owner=owner)
    left = UserFactory(username="left", role="Product owner")
    BoardingFactory(train=train, release__owner=left, state="left")

    perform(train, "cancel", by=UserFactory(role="Release manager"), reason="Withdrawn.")

    assert told("train_cancelled") == ["eng", "man"]
    assert told("boarding_answered") == ["own"]


def test_the_last_vote_is_told_to_who_asked(manager, bea, bob):
    signoff = ask(a_sheet([bea], [bob]), manager)

    signoff = perform(signoff, "approve", by=bea)
    assert told("approval_given") == []
    perform(signoff, "approve", by=bob)

    assert told("approval_given") == ["man"]


def test_a_turnover_waits_for_engineers_but_not_for_its_author(engineer):
    author = UserFactory(username="both", role=["Developer", "Release engineer"])
    UserFactory(username="sam", role="Stakeholder")
    turnover = TurnoverFactory(author=author)
    TaskFactory(turnover=turnover)

    perform(turnover, "deliver", by=author)

    assert told("turnover_delivered") == ["eng"]


def test_a_turnover_that_came_back_is_told_to_its_author_with_the_reason(developer, engineer):
    turnover = TurnoverFactory(author=developer, state="delivered")

    perform(turnover, "return_to_author", by=engineer, reason="No way back.")
    spread()

    (notice,) = Notice.objects.filter(event="turnover_returned")
    assert (notice.person, notice.ref) == (developer, turnover.ref)
    assert "No way back." in notice.words


def test_a_failed_deployment_is_told_to_engineers_and_its_author(developer, engineer, owner):
    turnover = TurnoverFactory(author=developer, state="deploying")

    perform(turnover, "fail", by=User.objects.robot(), reason="Task 1, Deploy: HTTP 500")

    assert told("turnover_failed") == ["dev", "eng"]


def test_who_did_it_is_not_told(manager, engineer):
    turnover = TurnoverFactory(author=engineer, state="delivered")

    perform(turnover, "cancel", by=engineer, reason="Not needed.")
    spread()

    assert not Notice.objects.exists()


@pytest.mark.parametrize("verdict", ["accept", "reject"])
def test_a_place_is_asked_of_the_manager_and_answered_to_the_owner(manager, owner, verdict):
    train = TrainFactory(manager=manager)
    release = ReleaseFactory(owner=owner)
    place = create(Boarding(train=train, release=release, requested_by=owner), by=owner)
    assert told("boarding_asked") == ["man"]

    perform(place, verdict, by=manager, reason="So it is.")

    assert told("boarding_answered") == ["own"]


def test_a_hold_is_told_to_those_whose_work_it_stops(manager, developer, owner, engineer):
    UserFactory(username="else", role="Developer")
    train = TrainFactory(manager=manager)
    environment = EnvironmentFactory(owner=owner)
    TurnoverFactory(
        author=developer, state="ready", release=None, train=train, environment=environment
    )

    hold = create(Hold(reason="Smoke.", placed_by=engineer), by=engineer)
    assert told("hold_placed") == ["dev", "man", "own"]
    perform(hold, "lift", by=manager, reason="Fine.")

    assert told("hold_lifted") == ["dev", "eng", "own"]


def test_a_hold_of_nothing_is_told_to_nobody(engineer, manager):
    create(Hold(reason="Smoke.", placed_by=manager), by=manager)
    spread()

    assert not Notice.objects.exists()


def test_a_booking_is_asked_of_who_confirms_and_answered_to_who_asked(engineer, manager, owner):
    booking = create(
        BookingFactory.build(environment=EnvironmentFactory(), requested_by=owner), by=owner
    )
    assert told("booking_asked") == ["eng", "man"]

    perform(booking, "decline", by=engineer, reason="Taken.")

    assert told("booking_answered") == ["own"]


def test_a_rejected_criterion_is_told_to_the_manager(manager, owner):
    gate = GateFactory(train=TrainFactory(manager=manager))

    perform(CriterionFactory(gate=gate, owner=owner), "reject", by=owner, reason="Red.")

    assert told("criterion_rejected") == ["man"]


# --- Nobody who can do nothing about it ----------------------------------------------------------


def test_the_inactive_the_robot_and_those_without_a_role_are_told_nothing(manager, bea):
    gone = UserFactory(username="gone", role="Approver", is_active=False)
    roleless, robot = UserFactory(username="none"), User.objects.robot()
    everybody = [bea, gone, roleless, robot]
    signoff = a_sheet(everybody, state="ready", round=1, open_level=1)

    assert tell(News("approval_asked", signoff, everybody, "Start?")) == 1

    assert told("approval_asked") == ["bea"]


def test_who_may_no_longer_do_it_is_told_nothing(manager, owner):
    """A name on a row is not enough."""
    manager.groups.clear()
    train = TrainFactory(manager=User.objects.get(pk=manager.pk))

    create(Boarding(train=train, release=ReleaseFactory(owner=owner), requested_by=owner), by=owner)
    spread()

    assert not Notice.objects.exists()


# --- Once, and together with the step ------------------------------------------------------------


def test_the_same_is_told_once(manager):
    milestone = MilestoneFactory(owner=manager)
    item = News("milestone_due", milestone, [manager, manager], "Due", occasion="2026-01-01")

    assert [tell(item), tell(item)] == [1, 0]
    assert Letter.objects.count() == 0  # it is for the digest
    assert Notice.objects.count() == 1


def test_what_is_taken_back_is_not_told(manager, bea):
    signoff = a_sheet([bea])

    with transaction.atomic():
        perform(signoff, "request", by=manager)
        assert Happening.objects.exists()
        transaction.set_rollback(True)
    spread()

    assert not Notice.objects.exists()
    assert not Letter.objects.exists()


def test_a_notice_that_cannot_be_written_does_not_stop_the_step(
    developer, engineer, monkeypatch, caplog
):
    def breaks(*arguments):
        raise LookupError("No words")

    turnover = TurnoverFactory(author=developer, state="deploying")
    monkeypatch.setitem(TOLD[type(turnover)], "fail", breaks)

    turnover = perform(turnover, "fail", by=User.objects.robot(), reason="Broken.")
    other = TurnoverFactory(author=developer, state="delivered")
    perform(other, "return_to_author", by=engineer, reason="Look again.")
    spread()

    assert turnover.state == "failed"
    assert "Nobody was told of fail of turnovers.turnover" in caplog.text
    assert list(Notice.objects.values_list("event", flat=True)) == ["turnover_returned"]
    assert not Happening.objects.exists()


def test_what_happened_is_told_once_however_often_workers_are_called(developer, engineer):
    turnover = TurnoverFactory(author=developer, state="delivered")
    perform(turnover, "return_to_author", by=engineer, reason="Look again.")

    for _ in range(3):
        assert spread() is False

    assert Notice.objects.count() == 1


def test_a_worker_stops_telling_after_its_slice_and_says_that_there_is_more(developer, engineer):
    for _ in range(3):
        turnover = TurnoverFactory(author=developer, state="delivered")
        perform(turnover, "return_to_author", by=engineer, reason="Look again.")

    assert spread(slice_seconds=0.000001) is True
    assert Notice.objects.count() == 1
    assert spread() is False
    assert Notice.objects.count() == 3


def test_what_a_person_does_calls_a_worker_at_the_commit(
    developer, engineer, django_capture_on_commit_callbacks
):
    turnover = TurnoverFactory(author=developer, state="delivered")

    with django_capture_on_commit_callbacks(execute=True):
        perform(turnover, "return_to_author", by=engineer, reason="Look again.")

    assert Notice.objects.count() == 1


def test_what_happens_by_itself_is_found_by_the_scheduler(
    developer, engineer, django_capture_on_commit_callbacks
):
    turnover = TurnoverFactory(author=developer, state="deploying")
    with django_capture_on_commit_callbacks(execute=True):
        perform(turnover, "fail", by=User.objects.robot(), reason="Broken.")
    assert not Notice.objects.exists()

    with django_capture_on_commit_callbacks(execute=True):
        errands.Watch().call_workers()

    assert set(Notice.objects.values_list("event", flat=True)) == {"turnover_failed"}


def test_what_moved_on_before_it_was_told_is_told_as_it_is_now(developer, engineer):
    turnover = TurnoverFactory(author=developer, state="delivered")
    TaskFactory(turnover=turnover)
    perform(turnover, "return_to_author", by=engineer, reason="Look again.")
    perform(turnover, "deliver", by=developer)

    spread()

    assert list(Notice.objects.values_list("event", flat=True)) == ["turnover_delivered"]


def test_what_a_file_brings_is_told_to_nobody(manager, engineer, tmp_path):
    import_file(
        written(tmp_path, small()),
        by=manager,
        max_bytes=10**7,
        rehearse=False,
        progress=lambda percent, words: None,
    )
    spread()
    reminders.look()

    assert Train.objects.exists()
    assert not Notice.objects.exists()


# --- How it comes --------------------------------------------------------------------------------


def test_by_default_an_approval_is_mailed_and_a_milestone_is_for_the_digest(manager, bea):
    ask(a_sheet([bea]), manager)
    tell(News("milestone_due", MilestoneFactory(owner=bea), [bea], "Due"))

    asked, due = Notice.objects.order_by("event")
    assert (asked.letter is None, asked.digest_at) == (False, None)
    assert due.letter is None
    assert due.digest_at > timezone.now()


@pytest.mark.parametrize(
    ("way", "shown", "mailed", "in_digest"),
    [
        (Way.NONE, 0, False, False),
        (Way.APP, 1, False, False),
        (Way.DIGEST, 1, False, True),
        (Way.MAIL, 1, True, False),
    ],
)
def test_each_chooses_how_it_comes(manager, bea, way, shown, mailed, in_digest):
    Preferences.objects.create(person=bea, ways={"approval_asked": way.value})

    ask(a_sheet([bea]), manager)

    notices = list(Notice.objects.visible_to(bea))
    assert len(notices) == shown
    assert Letter.objects.exists() == mailed
    assert any(notice.digest_at for notice in notices) == in_digest


def test_who_has_no_address_is_told_in_the_application(manager):
    bea = UserFactory(role="Approver", email="")

    ask(a_sheet([bea]), manager)

    assert Notice.objects.visible_to(bea).count() == 1
    assert not Letter.objects.exists()


def test_of_several_roles_the_loudest_decides():
    event = EVENTS["hold_placed"]

    assert event.way_for([]) == Way.APP
    assert event.way_for(["Stakeholder", "Developer"]) == Way.MAIL


def test_words_of_people_begin_no_line_of_a_mail(developer, engineer):
    turnover = TurnoverFactory(author=developer, state="delivered", title="Nova")
    edit(turnover, by=developer, title="Nova\r\nBcc: everybody@example.com\x0b\u2028x")

    perform(turnover, "return_to_author", by=engineer, reason="No.\r\nBcc: x@example.com")
    spread()

    (letter,) = Letter.objects.all()
    assert letter.subject == "Nova Bcc: everybody@example.com x came back to you"


def test_telling_many_asks_no_more_than_telling_few():
    def asked(count):
        people = [UserFactory(role="Approver") for _ in range(count)]
        signoff = a_sheet(people, state="ready", round=1, open_level=1)
        with CaptureQueriesContext(connection) as queries:
            assert tell(News("approval_asked", signoff, people, "Start?")) == count
        return len(queries)

    assert asked(2) == asked(9)
