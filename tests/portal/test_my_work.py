"""My work: what waits, for whom, when; and what comes next."""

import datetime as dt

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from releasemgr.accounts.models import User
from releasemgr.portal import work
from releasemgr.portal.counts import how_much_waits
from releasemgr.workflow.perform import perform
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
    RunFactory,
    SignoffFactory,
    TaskFactory,
    TaskRunFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
    WorkItemFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager():
    return UserFactory(username="priya", role="Release manager")


@pytest.fixture
def engineer():
    return UserFactory(username="tomas", role="Release engineer")


@pytest.fixture
def owner():
    return UserFactory(username="kofi", role="Product owner")


@pytest.fixture
def approver():
    return UserFactory(username="mei", role="Approver")


def titles(user):
    return [row.title for row in work.waiting_for(user)]


def shown(client, user, **query):
    client.force_login(user)
    answer = client.get(reverse("portal:work"), query)
    assert answer.status_code == 200
    return answer.content.decode()


def ask(approver, **more):
    signoff = SignoffFactory(state="ready", open_level=1, round=1, **more)
    RuleFactory(level=LevelFactory(signoff=signoff), person=approver)
    return signoff


def test_the_front_door_leads_to_my_work(client, owner):
    client.force_login(owner)

    assert client.get("/").url == "/work/"
    client.logout()
    assert client.get("/work/").status_code == 302


def test_an_approval_waits_for_those_whose_turn_it_is(client, approver, owner):
    ask(approver, question="Put Hibiscus into production?")

    assert titles(approver) == ["Put Hibiscus into production?"]
    assert titles(owner) == []
    assert "Put Hibiscus into production?" in shown(client, approver)


def test_a_decision_taken_no_longer_waits(approver):
    signoff = ask(approver)

    perform(signoff, "approve", by=approver)

    assert titles(approver) == []


def test_criteria_milestones_and_releases_wait_for_their_owner(owner):
    train = TrainFactory(state="construction")
    CriterionFactory(gate=GateFactory(train=train, stage="construction"), owner=owner, title="Docs")
    CriterionFactory(gate=GateFactory(train=train, stage="qa"), owner=owner, title="Not yet")
    MilestoneFactory(train=train, owner=owner, title="Beta")
    BoardingFactory(train=train, release=ReleaseFactory(owner=owner))
    built = ReleaseFactory(owner=owner, state="executing")
    WorkItemFactory(release=built, state="done")
    unbuilt = ReleaseFactory(owner=owner, state="executing")
    WorkItemFactory(release=unbuilt)

    found = titles(owner)

    assert len(found) == 4
    assert "Is it met? Docs" in found
    assert "Reach the milestone “Beta”" in found
    assert f"Complete construction of {built}" in found


def test_places_and_free_trains_wait_for_their_manager(manager, owner):
    train = TrainFactory(manager=manager, name="Hibiscus")
    asked = BoardingFactory(train=train, state="requested", requested_by=owner)

    assert f"Give {asked.release} a place on Hibiscus" in titles(manager)
    assert "Take Hibiscus on to Construction" in titles(manager)
    CriterionFactory(gate=GateFactory(train=train))
    assert "Take Hibiscus on to Construction" not in titles(manager)


def test_a_train_said_to_be_free_can_take_its_next_step(client, manager):
    train = TrainFactory(manager=manager)
    row = next(row for row in work.waiting_for(manager) if row.title.startswith("Take"))
    client.force_login(manager)

    answer = client.post(row.act_url, {"version": train.version})

    assert answer.status_code == 303
    train.refresh_from_db()
    assert train.state == "construction"


def test_a_train_under_construction_is_free_when_all_aboard_are_built(manager):
    train = TrainFactory(manager=manager, state="construction", name="Hibiscus")
    assert titles(manager) == []
    release = ReleaseFactory(state="executing")
    BoardingFactory(train=train, release=release)
    assert titles(manager) == []
    perform(release, "complete_construction", by=release.owner)

    assert titles(manager) == ["Take Hibiscus on to Verification"]


def test_consent_waits_for_the_trains_engineer(engineer, manager):
    train = TrainFactory(state="verification", manager=manager, name="Hibiscus")
    train.crew.create(person=engineer)

    assert titles(engineer) == ["Consent to Hibiscus going to production"]
    perform(train, "give_consent", by=engineer)
    assert titles(engineer) == []
    assert titles(manager) == ["Take Hibiscus on to Deployment"]


@pytest.mark.parametrize(
    ("state", "words"),
    [("delivered", "Accept or return"), ("deployed", "Verify"), ("failed", "Mend")],
)
def test_turnovers_wait_for_release_engineers_but_not_for_their_author(engineer, state, words):
    TurnoverFactory(state=state)
    TurnoverFactory(state=state, author=engineer)

    found = titles(engineer)

    assert len([title for title in found if title.startswith(words)]) == (
        2 if state == "failed" else 1
    )


def test_a_returned_turnover_waits_for_its_developer(engineer):
    developer = UserFactory(role="Developer")
    turnover = TurnoverFactory(author=developer, title="Nova")
    assert titles(developer) == []
    TaskFactory(turnover=turnover)
    turnover = perform(turnover, "deliver", by=developer)

    perform(turnover, "return_to_author", by=engineer, reason="No backup task")

    assert titles(developer) == ["Revise Nova"]


def test_a_manual_task_waits_for_its_owner_while_its_run_is_on(owner):
    run = RunFactory()
    task = TaskFactory(turnover=run.turnover, executor="", owner=owner, title="Restore point")
    TaskRunFactory(run=run, task=task)

    assert titles(owner) == ["Restore point"]


def test_bookings_wait_for_those_who_confirm_but_not_ones_own(engineer, owner):
    BookingFactory(title="Rehearsal", environment=EnvironmentFactory(name="stg"))
    BookingFactory(requested_by=engineer)

    assert titles(engineer) == ["Confirm or decline Rehearsal on stg"]
    assert titles(owner) == []


def test_what_waits_is_grouped_by_its_date(owner):
    today = timezone.localdate()
    train = TrainFactory()
    for title, days in (("late", -1), ("now", 0), ("soon", 3)):
        due = today + dt.timedelta(days=days)
        MilestoneFactory(train=train, owner=owner, title=title, due=due)

    groups = work.grouped(work.waiting_for(owner))

    assert [(group.name, len(group.rows)) for group in groups] == [
        ("Overdue", 1),
        ("Today", 1),
        ("This week", 1),
    ]


def test_the_page_can_show_decisions_only(client, owner):
    train = TrainFactory()
    CriterionFactory(gate=GateFactory(train=train), owner=owner, title="Docs")
    MilestoneFactory(train=train, owner=owner, title="Beta")

    assert "Beta" not in shown(client, owner, show="decide")
    assert "Docs" not in shown(client, owner, show="do")
    assert "Beta" in shown(client, owner, show="nonsense")


def test_the_sidebar_counts_what_waits(owner, engineer, django_assert_num_queries):
    train = TrainFactory()
    MilestoneFactory(train=train, owner=owner)
    CriterionFactory(gate=GateFactory(train=train), owner=owner)
    owner.has_perm("trains.view_train")

    with django_assert_num_queries(1):
        assert how_much_waits(owner) == {"portal:work": 2, "approvals:inbox": 0}

    TurnoverFactory(state="delivered")
    assert how_much_waits(engineer)["portal:work"] == len(work.waiting_for(engineer)) == 1
    assert not any(how_much_waits(UserFactory()).values())


def test_the_sidebar_counts_decisions_at_the_approvals_too(owner):
    ana = UserFactory(role="Approver")
    RuleFactory(
        level__signoff=SignoffFactory(state="ready", round=1, open_level=1),
        person=ana,
        group=None,
    )

    assert how_much_waits(ana) == {"portal:work": 1, "approvals:inbox": 1}
    assert how_much_waits(owner) == {"portal:work": 0, "approvals:inbox": 0}


def test_a_number_in_the_sidebar_is_as_new_as_its_page(client, owner):
    milestone = MilestoneFactory(train=TrainFactory(), owner=owner)
    client.force_login(owner)
    about_me = reverse("accounts:me")
    assert '<span class="count count-you">1' in client.get(about_me).content.decode()

    perform(milestone, "complete", by=owner)

    assert "count-you" not in client.get(about_me).content.decode()


def test_a_new_role_counts_at_once(client):
    person = UserFactory()
    TurnoverFactory(state="delivered")
    assert how_much_waits(person).get("portal:work", 0) == 0

    person.groups.add(Group.objects.get(name="Release engineer"))

    assert how_much_waits(User.objects.get(pk=person.pk))["portal:work"] == 1


@pytest.mark.parametrize(
    "role",
    [
        "Release manager",
        "Release engineer",
        "Product owner",
        "Developer",
        "Approver",
        "Stakeholder",
        "Administrator",
    ],
)
def test_a_newcomer_reads_what_will_arrive(client, role):
    page = shown(client, UserFactory(role=role))

    assert "Nothing waits for you" in page
    assert "here" in page


def test_the_page_shows_what_deploys_next_with_the_readers_tasks(client, owner):
    now = timezone.now()
    soon = TurnoverFactory(state="ready", title="Nova", earliest=now + dt.timedelta(hours=2))
    TaskFactory(turnover=soon, executor="", owner=owner, title="Call the desk")
    TurnoverFactory(state="ready", title="Far away", earliest=now + dt.timedelta(days=3))
    run = RunFactory(turnover=TurnoverFactory(state="deploying", title="Glance"))

    page = shown(client, owner)

    assert "Nova" in page
    assert "Call the desk" in page
    assert "Far away" not in page
    assert page.index(">Glance<") < page.index(">Nova<")
    assert run.get_absolute_url() in page


def test_the_page_names_the_trains_at_risk_and_why(client, manager):
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    TrainFactory(
        name="Flamingo", manager=manager, start=yesterday - dt.timedelta(days=50), end=yesterday
    )

    page = shown(client, manager)

    assert "Flamingo" in page
    assert "has passed" in page


def everything(owner, train):
    """One of each thing that can wait, for one person who holds every role."""
    CriterionFactory(gate=GateFactory(train=train), owner=owner)
    MilestoneFactory(train=train, owner=owner)
    ask(owner)
    BoardingFactory(train=train, state="requested")
    free = TrainFactory(manager=owner)
    BoardingFactory(release=ReleaseFactory(owner=owner), train=TrainFactory(state="construction"))
    TurnoverFactory(state="delivered")
    TurnoverFactory(state="failed")
    TurnoverFactory(state="ready", earliest=timezone.now() + dt.timedelta(hours=1))
    run = RunFactory()
    TaskRunFactory(run=run, task=TaskFactory(turnover=run.turnover, executor="", owner=owner))
    BookingFactory()
    return free


@pytest.mark.parametrize("times", [1, 3])
def test_my_work_asks_the_same_questions_whatever_waits(client, times, django_assert_num_queries):
    person = UserFactory(
        role=["Release manager", "Release engineer", "Product owner", "Developer", "Approver"]
    )
    for _ in range(times):
        everything(person, TrainFactory(manager=person))
    client.force_login(person)

    with django_assert_num_queries(26):
        client.get(reverse("portal:work"))
