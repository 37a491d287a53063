"""Two people send their forms at the same instant, on PostgreSQL: one wins, the other is told."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from approvals.content import digest
from approvals.models import Decision, Signoff
from environments.models import Booking
from releasemgr.workflow.perform import perform
from tests.factories import (
    CriterionFactory,
    EnvironmentFactory,
    LevelFactory,
    RuleFactory,
    SignoffFactory,
    TaskFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
)
from trains.models import Train
from turnovers.models import Turnover

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("as_installed"),
]

ROUNDS = range(5)


def post(person, address, **data):
    """A form that the person is about to send."""
    client = Client()
    client.force_login(person)
    return lambda: client.post(address, data)


def at_once(*sendings):
    """Send all together; the statuses, in order."""
    barrier = Barrier(len(sendings))

    def run(send):
        try:
            barrier.wait()
            return send().status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(sendings)) as pool:
        return list(pool.map(run, sendings))


def steps_taken(row):
    return list(row.history.exclude(transition="").values_list("transition", flat=True))


def delivered():
    developer = UserFactory(role="Developer")
    turnover = TurnoverFactory(author=developer)
    TaskFactory(turnover=turnover)
    return perform(turnover, "deliver", by=developer)


@pytest.mark.parametrize("turn", ROUNDS)
def test_two_engineers_accept_one_turnover(turn):
    turnover = delivered()
    engineers = [UserFactory(role="Release engineer") for _ in range(4)]
    address, version = turnover.step_url("accept"), turnover.version

    statuses = at_once(*(post(who, address, version=version) for who in engineers))

    assert sorted(statuses) == [303, 409, 409, 409]
    turnover.refresh_from_db()
    assert turnover.state == "ready"
    assert steps_taken(turnover).count("accept") == 1
    assert Booking.objects.filter(environment=turnover.environment).count() == 1


@pytest.mark.parametrize("turn", ROUNDS)
def test_one_accepts_while_another_returns_it(turn):
    turnover = delivered()
    one, other = UserFactory(role="Release engineer"), UserFactory(role="Release engineer")
    version = turnover.version

    statuses = at_once(
        post(one, turnover.step_url("accept"), version=version),
        post(other, turnover.step_url("return_to_author"), version=version, reason="No"),
    )

    assert sorted(statuses) == [303, 409]
    turnover.refresh_from_db()
    assert turnover.state == ("ready" if statuses[0] == 303 else "draft")
    assert len(steps_taken(turnover)) == 2  # delivered, and judged once


@pytest.mark.parametrize("turn", ROUNDS)
def test_a_plan_is_edited_while_it_is_delivered(turn):
    developer, colleague = UserFactory(role="Developer"), UserFactory(role="Developer")
    turnover = TurnoverFactory(author=developer)
    task = TaskFactory(turnover=turnover, executor="", owner=developer)
    edit = reverse("turnovers:task", args=[turnover.pk, task.pk])

    statuses = at_once(
        post(developer, turnover.step_url("deliver"), version=turnover.version),
        post(colleague, edit, title="Something else", version=task.version, estimate_minutes=5),
    )

    assert set(statuses) <= {303, 409}
    turnover.refresh_from_db()
    if turnover.state == "delivered":
        # What was delivered is what is there: nobody changed it behind the engineer's back.
        engineer = UserFactory(role="Release engineer")
        perform(turnover, "accept", by=engineer)
    else:
        assert statuses == [409, 303]


@pytest.mark.parametrize("turn", ROUNDS)
def test_a_turnover_is_edited_while_it_is_accepted(turn):
    turnover = delivered()
    engineer, author = UserFactory(role="Release engineer"), turnover.author
    fields = {
        "title": "Something else",
        "environment": EnvironmentFactory().pk,
        "earliest": f"{timezone.now():%Y-%m-%dT%H:%M}",
        "latest": f"{timezone.now() + dt.timedelta(days=1):%Y-%m-%dT%H:%M}",
        "author": author.pk,
    }

    statuses = at_once(
        post(engineer, turnover.step_url("accept"), version=turnover.version),
        post(author, reverse("turnovers:edit", args=[turnover.pk]), version=1, **fields),
    )

    assert statuses == [303, 409]
    assert Turnover.objects.get(pk=turnover.pk).title == turnover.title


@pytest.mark.parametrize("turn", ROUNDS)
def test_the_last_vote_is_given_twice_at_once(turn):
    board = Group.objects.create(name="Board")
    people = [UserFactory(role=["Approver"]) for _ in range(4)]
    for person in people:
        person.groups.add(board)
    sheet = SignoffFactory()
    RuleFactory(level=LevelFactory(signoff=sheet), person=None, group=board, needed=1)
    sheet = perform(sheet, "request", by=UserFactory(role="Release manager"), content={"A": "1"})

    statuses = at_once(
        *(post(who, sheet.step_url("approve"), version=sheet.version) for who in people)
    )

    assert sorted(statuses) == [303, 409, 409, 409]
    assert Signoff.objects.get(pk=sheet.pk).state == "approved"
    assert Decision.objects.filter(signoff=sheet).count() == 1


@pytest.mark.parametrize("turn", ROUNDS)
def test_a_train_is_edited_while_it_is_approved(turn):
    manager, approver = UserFactory(role="Release manager"), UserFactory(role="Approver")
    sheet = SignoffFactory()
    RuleFactory(level=LevelFactory(signoff=sheet), person=approver)
    train = TrainFactory(manager=manager, needs_train_approval=True, train_signoff=sheet)
    train = perform(train, "request_train_approval", by=manager)
    sheet.refresh_from_db()
    client = Client()
    client.force_login(manager)
    address = reverse("trains:edit", args=[train.pk])
    form = client.get(address).context["form"]
    fields = {n: form[n].value() for n in form.fields if form[n].value() not in (None, "", False)}

    statuses = at_once(
        post(manager, address, **{**fields, "purpose": "Something else"}),
        post(approver, sheet.step_url("approve"), version=sheet.version),
    )

    assert set(statuses) <= {303, 409}
    assert 303 in statuses
    given = Decision.objects.filter(signoff=sheet)
    assert given.count() == (statuses[1] == 303)
    train = Train.objects.get(pk=train.pk)
    if statuses[1] == 303:
        # The decision counts for what was shown, and for nothing else.
        was_asked = digest(Signoff.objects.get(pk=sheet.pk).content)
        assert [decision.digest for decision in given] == [was_asked]
        assert train.state == "construction"
    else:
        assert train.state == "awaiting_train"


@pytest.mark.parametrize("turn", ROUNDS)
def test_two_book_one_slot(turn):
    place = EnvironmentFactory()
    people = [UserFactory(role="Release engineer") for _ in range(4)]
    tomorrow = timezone.now() + dt.timedelta(days=1)
    fields = {
        "environment": place.pk,
        "title": "Tests",
        "kind": "maintenance",
        "starts": f"{tomorrow:%Y-%m-%dT%H:%M}",
        "ends": f"{tomorrow + dt.timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "exclusive": "on",
    }

    statuses = at_once(*(post(who, reverse("environments:book"), **fields) for who in people))

    assert sorted(statuses) == [303, 409, 409, 409]
    assert Booking.objects.filter(environment=place, state="confirmed").count() == 1


@pytest.mark.parametrize("turn", ROUNDS)
def test_two_edit_one_record(turn):
    manager = UserFactory(role="Release manager")
    criterion = CriterionFactory()
    address = reverse("trains:criterion-edit", args=[criterion.pk])

    statuses = at_once(*(post(manager, address, title=f"Title {n}", version=1) for n in range(4)))

    assert sorted(statuses) == [303, 409, 409, 409]
    criterion.refresh_from_db()
    assert criterion.title == f"Title {statuses.index(303)}"
    assert criterion.version == 2
