"""Versions of a plan: when they are taken, what they say, and what lies between two of them."""

import datetime as dt

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from approvals.models import Signoff
from approvals.services import LevelPlan
from environments.models import Booking
from releasemgr.accounts.models import User
from releasemgr.workflow.edit import create, edit, remove
from releasemgr.workflow.perform import perform
from tests.factories import (
    BoardingFactory,
    CriterionFactory,
    EnvironmentFactory,
    MilestoneFactory,
    ReleaseFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
)
from trains.models import Gate, Milestone, PlanContent, PlanVersion
from trains.plan import baselines
from trains.plan.baselines import keep, take
from trains.plan.comparison import compare, slip_in_words, summary
from trains.plan.facts import plan_of
from trains.plan.witnesses import witnesses
from trains.services import change_train, define_approval, renew_approval, reserve

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def train(manager):
    """One in Scoping with a gate, and with an approver of its train approval."""
    train = TrainFactory(name="Hibiscus", manager=manager, needs_train_approval=True)
    for stage in ("scoping", "construction", "qa"):
        create(Gate(train=train, stage=stage), by=manager)
    approver = UserFactory(username="approver", role="Approver")
    define_approval(train, "train", [LevelPlan(people=[approver])], by=manager, version=None)
    train.refresh_from_db()
    return train


def again(train):
    """The train as it stands in the database."""
    return type(train).objects.get(pk=train.pk)


def told(train):
    """The occasions of its versions, oldest first."""
    versions = PlanVersion.objects.filter(train=train).order_by("number")
    return [(version.occasion, version.by_name) for version in versions]


def between(train, version):
    """What changed since a version, and who did it, as sentences."""
    differences = compare(version.content.facts, plan_of(again(train)))
    found = witnesses(train.pk, differences, version.at, timezone.now())
    return {d.sentence: found[d].actor if d in found else "" for d in differences}


def test_a_request_a_decision_and_the_gate_it_opens_each_keep_the_plan(train, manager):
    perform(train, "request_train_approval", by=manager)
    perform(again(train).train_signoff, "approve", by=User.objects.get(username="approver"))

    robot = str(User.objects.robot())
    assert told(train) == [
        ("Train approval asked for", str(manager)),
        ("Train approval complete", str(User.objects.get(username="approver"))),
        ("Scoping gate passed", robot),
    ]
    assert again(train).state == "construction"
    assert PlanContent.objects.filter(train=train).count() == 1


def test_asking_again_keeps_the_changed_plan(train, manager):
    perform(train, "request_train_approval", by=manager)
    later = train.end + 7 * DAY
    change_train(again(train), by=manager, version=None, engineers=[], end=later)

    renew_approval(again(train), "train", by=manager, version=None)

    latest = PlanVersion.objects.filter(train=train).first()
    assert (latest.number, latest.changes, latest.slip) == (2, 1, 7)


def test_a_rejection_is_kept_with_its_reason(train, manager):
    perform(train, "request_train_approval", by=manager)
    approver = User.objects.get(username="approver")

    perform(again(train).train_signoff, "reject", by=approver, reason="Too early")

    latest = PlanVersion.objects.filter(train=train).first()
    assert (latest.occasion, latest.reason) == ("Train approval rejected", "Too early")


def test_each_step_of_an_approval_has_words_or_decides_nothing():
    steps = {step.name for step in Signoff().get_all_state_transitions()}

    assert set(baselines.SHEETS) | baselines.UNTOLD == steps


def test_a_refused_step_keeps_nothing(train, manager):
    CriterionFactory(gate=train.gates.get(stage="scoping"))

    with pytest.raises(Exception, match="Criterion"):
        perform(train, "request_train_approval", by=manager)

    assert told(train) == []


def test_who_added_removed_and_moved_what_and_by_how_many_days(train, manager):
    other = UserFactory(username="other", role="Release manager")
    kept = create(Milestone(train=train, title="Freeze", due=dt.date(2026, 3, 3)), by=manager)
    gone = create(Milestone(train=train, title="Party", due=dt.date(2026, 3, 4)), by=manager)
    same = create(Milestone(train=train, title="Review", due=dt.date(2026, 3, 5)), by=manager)
    version = keep(train, by=manager, reason="")
    edit(kept, by=other, due=dt.date(2026, 3, 10))
    remove(gone, by=other)
    create(Milestone(train=train, title="Dry run", due=dt.date(2026, 3, 6)), by=manager)
    edit(same, by=other, same_role=True)

    assert between(train, version) == {
        "Milestone “Party” was removed (due 4 March 2026)": str(other),
        "Milestone “Freeze”: Due moved from 3 March 2026 to 10 March 2026: 7 days later": str(
            other
        ),
        "Milestone “Dry run” was added (due 6 March 2026)": str(manager),
    }


def test_of_two_who_changed_a_thing_the_one_who_made_it_so_is_named(train, manager):
    first, second, third = (UserFactory(username=f"person-{n}") for n in range(3))
    milestone = create(Milestone(train=train, title="Freeze", due=dt.date(2026, 3, 3)), by=manager)
    version = keep(train, by=manager, reason="")
    edit(milestone, by=first, due=dt.date(2026, 3, 5))
    edit(milestone, by=second, due=dt.date(2026, 3, 2))
    edit(milestone, by=third, same_role=True)

    (who,) = between(train, version).values()

    assert who == str(second)


def test_a_train_that_ends_earlier_gains_days(train, manager):
    version = keep(train, by=manager, reason="")
    earlier = train.end - DAY
    change_train(train, by=manager, version=None, engineers=[], end=earlier)

    (sentence,) = between(train, version)

    assert sentence.startswith("Train: End moved from ")
    assert sentence.endswith(": 1 day earlier")
    assert slip_in_words(-1) == "The end is 1 day earlier: 1 day is gained"


def test_a_gate_that_follows_its_stage_is_moved_by_whoever_moved_the_stage(train, manager):
    other = UserFactory(username="other", role="Release manager")
    version = keep(train, by=manager, reason="")
    moved = train.qa_end + 2 * DAY
    change_train(train, by=other, version=None, engineers=[], qa_end=moved)

    found = between(train, version)

    gate = next(sentence for sentence in found if sentence.startswith("Gate “QA”"))
    assert gate.endswith("2 days later")
    assert found[gate] == str(other)


def test_who_came_aboard_and_who_left_is_told_with_who_decided(train, manager):
    owner = UserFactory(username="owner", role="Product owner")
    leaves = BoardingFactory(train=train, release=ReleaseFactory(owner=owner))
    version = keep(train, by=manager, reason="")
    perform(leaves, "leave", by=owner, reason="Not ready")
    comes = BoardingFactory(train=train, state="requested", requested_by=owner)
    perform(comes, "accept", by=manager)

    found = between(train, version)

    out, came = leaves.release.application.name, comes.release.application.name
    assert found == {
        f"Application release “{out}” was removed (version 1.0)": str(owner),
        f"Application release “{came}” was added (version 1.0)": str(manager),
    }


def test_reservations_and_turnovers_belong_to_the_plan(train, manager):
    version = keep(train, by=manager, reason="")
    environment = EnvironmentFactory(name="stg-eu")
    begin = dt.datetime(2027, 3, 1, 8, tzinfo=dt.UTC)
    reserve(train, environment, begin, begin + DAY, exclusive=True, anyway=False, by=manager)
    developer = UserFactory(username="dev", role="Developer")
    turnover = TurnoverFactory.build(
        title="Hibiscus to stg-eu",
        train=train,
        release=None,
        environment=environment,
        author=developer,
        earliest=None,
        latest=None,
    )
    create(turnover, by=developer)

    assert between(train, version) == {
        "Reservation “stg-eu” was added (from 1 March 2027, 08:00)": str(manager),
        "Turnover “Hibiscus to stg-eu” was added": str(developer),
    }
    booking = Booking.objects.get()
    later = keep(again(train), by=manager, reason="")
    perform(booking, "release", by=manager, reason="Not needed")
    assert between(train, later) == {
        "Reservation “stg-eu” was removed (from 1 March 2027, 08:00)": str(manager)
    }


def test_what_is_renamed_is_still_the_same_thing(train, manager):
    milestone = create(Milestone(train=train, title="Freeze", due=dt.date(2026, 3, 3)), by=manager)
    version = keep(train, by=manager, reason="")
    edit(milestone, by=manager, title="Code freeze")

    assert list(between(train, version)) == [
        "Milestone “Code freeze”: Title changed from “Freeze” to “Code freeze”"
    ]


def test_a_version_says_for_ever_what_it_said(train, manager):
    version = keep(train, by=manager, reason="Before all")
    before = version.content.facts
    MilestoneFactory(train=train)
    change_train(again(train), by=manager, version=None, engineers=[], purpose="Another")

    stored = PlanVersion.objects.select_related("content").get(pk=version.pk)

    assert stored.content.facts == before
    assert summary(compare(before, stored.content.facts)) == "No difference"


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no such guard")
@pytest.mark.parametrize("model", [PlanVersion, PlanContent])
def test_the_database_refuses_to_rewrite_what_was_kept(train, manager, model):
    keep(train, by=manager, reason="")

    for change in (lambda rows: rows._raw_delete("default"), lambda rows: rows.update(train=train)):
        with pytest.raises(Exception, match="never rewritten"), transaction.atomic():
            change(model._base_manager.all()._clone())
    assert connection.vendor == "postgresql"


# --- The pages ------------------------------------------------------------------------------------


def test_the_train_page_leads_to_its_versions(client, train, manager):
    page = client.get(train.get_absolute_url()).content.decode()

    assert f'href="{train.versions_url}"' in page
    assert "No version yet" in client.get(train.versions_url).content.decode()


def test_the_list_says_how_much_changed_and_leads_to_what(client, train, manager):
    keep(train, by=manager, reason="Before all")
    later = train.end + 3 * DAY
    change_train(again(train), by=manager, version=None, engineers=[], end=later)
    keep(again(train), by=manager, reason="")

    page = client.get(train.versions_url).content.decode()

    assert "Before all" in page
    assert "1 change since version 1" in page
    assert "?from=1&amp;to=2" in page


def test_the_list_is_paged(client, train, manager):
    for _ in range(51):
        take(train, "Kept by hand", by=manager)

    page = client.get(train.versions_url)

    assert len(page.context["page"].rows) == 50
    assert "Version 1:" in client.get(f"{train.versions_url}?page=2").content.decode()


def test_two_versions_are_compared_whichever_way_round_they_are_named(client, train, manager):
    keep(train, by=manager, reason="")
    create(Milestone(train=train, title="Dry run", due=dt.date(2026, 3, 6)), by=manager)
    keep(again(train), by=manager, reason="")
    address = reverse("trains:plan-changes", args=[train.pk])

    for query in ("?from=1&to=2", "?from=2&to=1"):
        answer = client.get(address + query)
        (difference,) = answer.context["comparison"].differences
        assert (difference.kind, difference.name) == ("added", "Dry run")
        assert str(manager) in answer.content.decode()


def test_the_text_says_what_the_table_says(client, train, manager):
    keep(train, by=manager, reason="")
    create(Milestone(train=train, title="Dry run", due=dt.date(2026, 3, 6)), by=manager)

    answer = client.get(reverse("trains:plan-text", args=[train.pk]))

    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    text = answer.content.decode()
    assert f"  + Milestone “Dry run” was added (due 6 March 2026). {manager}, Today" in text
    assert "1 added. The end stays where it was." in text


@pytest.mark.parametrize("query", ["?from=99", "?to=7", "?from=x", "?from=-1", "?from=²"])
def test_a_version_that_does_not_exist_is_not_found(client, train, manager, query):
    keep(train, by=manager, reason="")

    for name in ("plan-changes", "plan-text"):
        address = reverse(f"trains:{name}", args=[train.pk])
        assert client.get(address + query).status_code == 404


def test_a_release_manager_keeps_a_version_by_hand(client, train, manager):
    address = reverse("trains:version-keep", args=[train.pk])

    answer = client.post(address, {"reason": "Before planning anew", "version": train.version})

    assert answer.status_code == 303
    version = PlanVersion.objects.get(train=train)
    assert (version.occasion, version.reason) == ("Kept by hand", "Before planning anew")
    assert (version.by, version.by_name) == (manager, str(manager))


def test_nothing_is_kept_of_a_train_that_is_over_or_has_changed_meanwhile(client, train, manager):
    address = reverse("trains:version-keep", args=[train.pk])

    stale = client.post(address, {"version": train.version - 1, "reason": "Kept words"})
    perform(train, "cancel", by=manager, reason="No")
    over = client.post(address, {"reason": "x"})

    assert (stale.status_code, over.status_code) == (409, 409)
    assert "Kept words" in stale.content.decode()
    assert not PlanVersion.objects.filter(train=train).exists()


def test_a_group_that_approves_is_kept_like_a_person(train, manager):
    approvers = Group.objects.get(name="Approver")
    define_approval(train, "train", [LevelPlan(groups=[(approvers, 1)])], by=manager, version=None)
    perform(again(train), "request_train_approval", by=manager)

    assert told(train) == [("Train approval asked for", str(manager))]
