"""Years of trains in the list, and much on one train: neither costs more than few do."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from releasemgr.workflow.perform import perform
from tests.factories import (
    BoardingFactory,
    CriterionFactory,
    GateFactory,
    ReleaseTypeFactory,
    TrainFactory,
    TurnoverFactory,
)
from trains.models import Train

pytestmark = pytest.mark.django_db

MOST_QUERIES = 25


def test_whether_a_train_is_past_follows_its_state(manager):
    train = TrainFactory()
    assert not train.is_past

    perform(train, "cancel", by=manager, reason="No")

    assert Train.objects.get(pk=train.pk).is_past
    assert [entry.is_past for entry in train.history.order_by("version")] == [False, True]
    assert list(Train.objects.over()) == [train]


def test_it_follows_in_bulk_too():
    kind = ReleaseTypeFactory()
    Train.objects.bulk_create(
        Train(name=state, release_type=kind, state=state) for state in Train.State.values
    )

    assert set(Train.objects.over().values_list("name", flat=True)) == {"closed", "cancelled"}
    assert Train.objects.open().count() == len(Train.State.values) - 2


def test_nobody_says_otherwise_than_the_state_does():
    train = TrainFactory(is_past=True)

    assert not Train.objects.get(pk=train.pk).is_past


def test_the_list_never_counts_all_rows(client, manager):
    TrainFactory.create_batch(3)

    with CaptureQueriesContext(connection) as queries:
        client.get(reverse("trains:list"))

    asked = [query["sql"] for query in queries if 'FROM "trains_train"' in query["sql"]]
    assert asked
    assert not [sql for sql in asked if sql.startswith("SELECT COUNT(*)")]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("hibis", {"Hibiscus"}),
        ("BISC", {"Hibiscus"}),
        ("payments", {"Hibiscus", "Larch"}),
        ("payments larch", {"Larch"}),
        ("27.1", {"Larch"}),
        ("la", {"Larch"}),
        ('"quoted"', set()),
        ("50%", set()),
        ("(AND", set()),
        ("xylophone", set()),
    ],
)
def test_words_are_found_within_names_versions_and_purposes(words, found):
    TrainFactory(name="Hibiscus", purpose="Faster payments")
    TrainFactory(name="Larch", version_name="27.1", purpose="Payments abroad")

    assert set(Train.objects.matching(words).values_list("name", flat=True)) == found


def test_words_are_sorted_into_the_index_at_once():
    """A list of those yet to be sorted in makes each search dearer until somebody vacuums."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT reloptions FROM pg_class WHERE relname LIKE 'trains_%_words'")
            assert cursor.fetchall() == [(["fastupdate=off"],)] * 3


def test_what_is_renamed_is_found_by_its_new_name_alone():
    train = TrainFactory(name="Hibiscus")
    train.name = "Rosemary"
    train.save()

    assert not Train.objects.matching("hibiscus").exists()
    assert list(Train.objects.matching("rosemary")) == [train]


@pytest.mark.parametrize("few", [1000, 1])
def test_a_word_in_many_trains_is_found_like_one_in_few(monkeypatch, few):
    monkeypatch.setattr("trains.words.FEW", few)
    trains = TrainFactory.create_batch(3, name="Common")

    assert set(Train.objects.matching("common")) == set(trains)


@pytest.mark.parametrize("view", ["open", "over"])
def test_the_list_is_read_in_the_order_of_an_index(client, manager, view):
    """It neither sorts nor passes by the trains of other years."""
    TrainFactory.create_batch(3)
    rows = {"open": Train.objects.open().order_by("end", "pk")}
    rows["over"] = Train.objects.over().order_by("-end", "-pk")

    plan = rows[view].explain()

    if connection.vendor == "sqlite":  # PostgreSQL reads three rows without an index
        assert "trains_by_end" in plan
        assert "TEMP B-TREE" not in plan


def test_the_page_of_a_large_train_asks_no_more_than_that_of_a_small_one(client, manager):
    def asked(releases, turnovers, criteria):
        train = TrainFactory(state="construction", end=dt.date(2030, 1, 1))
        gate = GateFactory(train=train, stage="construction")
        CriterionFactory.create_batch(criteria, gate=gate, owner=manager)
        for _ in range(releases):
            place = BoardingFactory(train=train, release__state="executing")
        TurnoverFactory.create_batch(turnovers, release=place.release)
        client.get(train.get_absolute_url())
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(train.get_absolute_url())
        blockers = answer.context["between"].blockers
        assert len(blockers) == releases + criteria
        page = answer.content.decode()
        assert all(blocker.title in page for blocker in blockers)
        return len(queries)

    few, many = asked(2, 2, 2), asked(60, 10, 30)

    assert few == many <= MOST_QUERIES
