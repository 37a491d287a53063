"""Search: the palette, the page, references, and who may see what."""

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from releasemgr.accounts.models import User
from tests.factories import (
    ApplicationFactory,
    BookingFactory,
    CadenceFactory,
    EnvironmentFactory,
    GateFactory,
    ReleaseFactory,
    TemplateFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
)
from trains.models import Waiver
from trains.plan import baselines

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(client):
    user = UserFactory(role="Product owner")
    client.force_login(user)
    return user


def waived(title):
    """A waiver of a criterion of this title, asked for."""
    criterion = GateFactory(train=TrainFactory()).criteria.create(title=title)
    return Waiver.objects.create(
        criterion=criterion,
        reason="No time",
        scope="All of it",
        until=timezone.localdate(),
        asked_by=UserFactory(),
    )


def find(client, words, **headers):
    return client.get(reverse("portal:search"), {"q": words}, headers=headers)


def palette(client, words):
    return find(client, words, HX_Request="true").content.decode()


def test_everything_of_a_name_is_found(client, person):
    application = ApplicationFactory(name="Aster core")
    rows = [
        TrainFactory(name="Aster train"),
        ReleaseFactory(application=application),
        TurnoverFactory(title="Aster turnover"),
        EnvironmentFactory(name="aster-stage"),
        BookingFactory(title="Aster rehearsal"),
        application,
        TemplateFactory(name="Aster template"),
        CadenceFactory(name="Every aster"),
        waived("Aster criterion"),
        baselines.keep(TrainFactory(), by=User.objects.robot(), reason="Before the aster"),
    ]

    page, fragment = find(client, "aster").content.decode(), palette(client, "aster")

    for row in rows:
        assert f'href="{row.get_absolute_url()}"' in page
        assert f'href="{row.get_absolute_url()}"' in fragment


def test_the_palette_gets_a_fragment_and_others_a_page(client, person):
    assert "<html" not in palette(client, "x")
    assert "Nothing found" in palette(client, "nothing of this name")
    answer = find(client, "nothing of this name")
    assert "<html" in answer.content.decode()
    assert "Nothing found" in answer.content.decode()
    assert "HX-Request" in answer["Vary"]


@pytest.mark.parametrize(
    ("factory", "kind"),
    [
        (TrainFactory, "rt-{}"),
        (ReleaseFactory, "AR-{}"),
        (TurnoverFactory, "TO-{:04}"),
        (BookingFactory, "EB {}"),
    ],
)
def test_a_reference_leads_to_its_record(client, person, factory, kind):
    row = factory()

    answer = find(client, kind.format(row.pk))

    assert (answer.status_code, answer.url) == (302, row.get_absolute_url())
    assert row.get_absolute_url() in palette(client, kind.format(row.pk))


@pytest.mark.parametrize(
    "words", ["RT-999999", "RT-" + "9" * 300, "TO-0", "%", "_", "'", "\u202e", "<b>"]
)
def test_no_words_break_the_search(client, person, words):
    assert find(client, words).status_code == 200
    assert "<b>" not in palette(client, words)


def test_words_with_a_nul_are_refused(client, person):
    assert find(client, "a\x00b").status_code == 400


def test_without_words_it_says_where_one_can_go(client, person):
    shown = palette(client, "")

    assert "My work" in shown
    assert "New application release" in shown
    assert "New train" not in shown


def test_commands_are_found_by_those_who_may(client, person):
    assert "New application release" in palette(client, "new rel")
    client.force_login(UserFactory(role="Stakeholder"))
    assert "New application release" not in palette(client, "new rel")


def test_who_may_see_nothing_finds_nothing(client):
    train = TrainFactory(name="Aster train")
    client.force_login(UserFactory())

    assert "Aster" not in palette(client, "aster")
    assert find(client, train.ref).status_code == 200
    assert train.get_absolute_url() not in find(client, train.ref).content.decode()


@pytest.mark.parametrize("rows", [1, 3])
def test_the_search_asks_as_many_questions_for_three_rows_as_for_one(
    client, person, rows, django_assert_num_queries
):
    for _ in range(rows):
        TrainFactory(name="Aster")
        ReleaseFactory(application=ApplicationFactory(name=f"Aster {_}"))
        TurnoverFactory(title="Aster")
        BookingFactory(title="Aster")
        CadenceFactory(name=f"Aster {_}", template=TemplateFactory(name=f"Aster {_}"))
        waived("Aster")
        baselines.keep(TrainFactory(), by=User.objects.robot(), reason="Aster")
    client.get(reverse("portal:search"))

    # SQLite asks its list of words apart.
    with django_assert_num_queries(15 if connection.vendor == "sqlite" else 14):
        client.get(reverse("portal:search"), {"q": "aster"}, headers={"HX-Request": "true"})
