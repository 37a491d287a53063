"""Several decisions about one train, on one page with one comment."""

import pytest
from django.urls import reverse

from approvals.models import Decision, Signoff
from approvals.services import ask
from releasemgr.ui import navigation
from releasemgr.workflow.perform import perform
from tests.factories import (
    BoardingFactory,
    CriterionFactory,
    GateFactory,
    LevelFactory,
    PolicyFactory,
    RuleFactory,
    SignoffFactory,
    TrainFactory,
    UserFactory,
)
from trains.models import Boarding, Criterion

pytestmark = pytest.mark.django_db


def page_of(train):
    return reverse("portal:together", args=[train.pk])


@pytest.fixture
def ana():
    return UserFactory(role="Approver")


@pytest.fixture
def train():
    return TrainFactory()


def sheet_about(train, person, **columns):
    signoff = SignoffFactory(**columns)
    RuleFactory(level=LevelFactory(signoff=signoff), person=person)
    by = UserFactory(role="Release manager")
    url = train.get_absolute_url()
    return ask(
        signoff, by=by, question=f"{signoff}?", content={"A": 1}, facts=[], barred=[], url=url
    )


def criterion_of(train, owner):
    return CriterionFactory(gate=GateFactory(train=train, stage="scoping"), owner=owner)


def send(client, train, verdict="yes", comment="", only=None, **changes):
    address = page_of(train)
    listed = client.get(address).context["choices"]
    form = {f"seen-{choice.key}": choice.seen for choice in listed}
    chosen = [choice.key for choice in listed if only is None or choice.key in only]
    return client.post(
        address, {"chosen": chosen, "verdict": verdict, "comment": comment} | form | changes
    )


def test_all_that_waits_about_a_train_is_decided_with_one_comment(client, train, ana):
    sheets = [sheet_about(train, ana), sheet_about(train, ana)]
    criterion = criterion_of(train, ana)
    elsewhere = sheet_about(TrainFactory(), ana)
    client.force_login(ana)
    assert f"Decide 3 about RT-{train.pk} together" in client.get("/work/").content.decode()

    assert send(client, train, comment="Go").status_code == 303

    assert {Signoff.objects.get(pk=s.pk).state for s in sheets} == {"approved"}
    assert [d.comment for d in Decision.objects.all()] == ["Go", "Go"]
    assert Criterion.objects.get(pk=criterion.pk).state == "met"
    assert Signoff.objects.get(pk=elsewhere.pk).state == "ready"


def test_only_the_chosen_are_decided(client, train, ana):
    first, second = sheet_about(train, ana), sheet_about(train, ana)
    client.force_login(ana)

    assert send(client, train, only=[f"signoff-{first.pk}"]).status_code == 303

    assert Signoff.objects.get(pk=first.pk).state == "approved"
    assert Signoff.objects.get(pk=second.pk).state == "ready"


def test_each_refused_one_is_told_why_and_stops_none_of_the_others(client, train, ana):
    fine, changed = sheet_about(train, ana), sheet_about(train, ana)
    client.force_login(ana)
    stale = {f"seen-signoff-{changed.pk}": changed.seal}
    perform(changed, "request", by=UserFactory(role="Release manager"), content={"A": 2})

    answer = send(client, train, **stale)

    assert answer.status_code == 409
    said = answer.content.decode()
    assert "1 decided" in said
    assert f"Refused: {changed}?" in said
    assert "“1” became “2”" in said
    assert Signoff.objects.get(pk=fine.pk).state == "approved"
    assert Signoff.objects.get(pk=changed.pk).state == "ready"
    assert Decision.objects.get().signoff == fine


def test_saying_no_to_several_needs_a_comment(client, train, ana):
    signoff, criterion = sheet_about(train, ana), criterion_of(train, ana)
    client.force_login(ana)

    answer = send(client, train, "no")
    assert answer.status_code == 422
    assert "Say why" in answer.content.decode()
    assert not Decision.objects.exists()
    assert send(client, train, "no", comment="Too early").status_code == 303

    assert Signoff.objects.get(pk=signoff.pk).state == "rejected"
    assert Criterion.objects.get(pk=criterion.pk).state == "rejected"


def test_places_on_the_train_are_given_together(client):
    manager = UserFactory(role="Release manager")
    train = TrainFactory(manager=manager)
    asked = [
        BoardingFactory(train=train, state="requested", requested_by=UserFactory())
        for _ in range(2)
    ]
    client.force_login(manager)

    assert send(client, train).status_code == 303

    assert {Boarding.objects.get(pk=b.pk).state for b in asked} == {"aboard"}


@pytest.mark.parametrize(
    "form",
    [
        {"chosen": []},
        {"chosen": ["signoff-999999"]},
        {"verdict": "perhaps"},
        {"verdict": ""},
        {"comment": "x" * 2001},
    ],
)
def test_what_is_no_decision_decides_nothing(client, train, ana, form):
    sheet_about(train, ana)
    client.force_login(ana)

    assert send(client, train, **form).status_code == 422
    assert not Decision.objects.exists()


@pytest.mark.parametrize("seen", ["", "1:" + "0" * 64, "9" * 40, "x"])
def test_who_has_seen_something_else_decides_nothing(client, train, ana, seen):
    signoff, criterion = sheet_about(train, ana), criterion_of(train, ana)
    client.force_login(ana)
    keys = {f"seen-signoff-{signoff.pk}": seen, f"seen-criterion-{criterion.pk}": seen}

    assert send(client, train, **keys).status_code == 409

    assert not Decision.objects.exists()
    assert Criterion.objects.get().state == "open"


def test_others_decisions_are_not_listed_nor_taken(client, train, ana):
    signoff = sheet_about(train, ana)
    client.force_login(UserFactory(role="Release manager"))

    assert "waits for your decision" in client.get(page_of(train)).content.decode()
    assert send(client, train, chosen=[f"signoff-{signoff.pk}"]).status_code == 422
    assert not Decision.objects.exists()


def test_what_asks_for_the_password_is_decided_on_its_own_page(client, train, ana):
    signoff = sheet_about(train, ana, policy=PolicyFactory(asks_password=True))
    client.force_login(ana)

    assert "decide it on its own page" in client.get(page_of(train)).content.decode()
    assert send(client, train).status_code == 422
    assert Signoff.objects.get(pk=signoff.pk).state == "ready"


def test_looking_decides_nothing(client, train, ana):
    signoff = sheet_about(train, ana)
    client.force_login(ana)

    query = f"?chosen=signoff-{signoff.pk}&verdict=yes"
    assert client.get(f"{page_of(train)}{query}").status_code == 200
    assert not Decision.objects.exists()


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_costs_the_same_for_one_decision_and_for_three(
    client, train, ana, django_assert_num_queries, monkeypatch, count
):
    monkeypatch.setattr(navigation, "counters", [])
    monkeypatch.setattr(navigation, "following", [])
    gate = GateFactory(train=train, stage="scoping")
    for _ in range(count):
        sheet_about(train, ana)
        CriterionFactory(gate=gate, owner=ana)
    client.force_login(ana)

    with django_assert_num_queries(6):
        client.get(page_of(train))
