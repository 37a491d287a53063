"""Criteria in numbers: changed on one page, copied from a library, saved to it."""

import pytest
from django.urls import reverse

from releasemgr.workflow.edit import edit
from tests.factories import CriterionFactory, GateFactory, TrainFactory, UserFactory
from trains.models import Criterion, LibraryCriterion, Watch

pytestmark = pytest.mark.django_db


@pytest.fixture
def gate():
    return GateFactory(train=TrainFactory())


def page_of(gate):
    return reverse("trains:criteria", args=[gate.train.pk])


def sent(*criteria, **more):
    """What the page sends when nothing was typed."""
    data = {}
    for row in criteria:
        data |= {f"title_{row.pk}": row.title, f"due_{row.pk}": "", f"seen_{row.pk}": row.version}
    return data | more


def test_titles_dates_and_owners_change_together(client, manager, gate):
    first, second, third = (CriterionFactory(gate=gate) for _ in range(3))
    owner = UserFactory(role="Developer")
    data = sent(first, second, third, owners="give", owner=owner.pk)
    data |= {f"tick_{first.pk}": "on", f"tick_{second.pk}": "on"}
    data |= {f"title_{second.pk}": "Renamed", f"due_{second.pk}": "2027-02-01"}

    answer = client.post(page_of(gate), data)

    assert answer.status_code == 303
    rows = {row.pk: row for row in Criterion.objects.all()}
    assert [rows[row.pk].owner for row in (first, second, third)] == [owner, owner, None]
    assert rows[second.pk].title == "Renamed"
    assert rows[second.pk].own_due.isoformat() == "2027-02-01"
    assert rows[first.pk].history.latest().history_user == manager
    assert rows[third.pk].version == third.version


def test_those_ticked_are_removed_and_their_history_stays(client, manager, gate):
    gone, stays = CriterionFactory(gate=gate), CriterionFactory(gate=gate)

    client.post(page_of(gate), sent(gone, stays, removed="on", **{f"tick_{gone.pk}": "on"}))

    assert list(Criterion.objects.all()) == [stays]
    assert Criterion.history.filter(id=gone.pk).latest().transition == "remove"


def test_one_that_somebody_else_has_changed_stops_all_and_nothing_typed_is_lost(
    client, manager, gate
):
    mine, theirs = CriterionFactory(gate=gate), CriterionFactory(gate=gate)
    data = sent(mine, theirs)
    edit(theirs, by=UserFactory(), title="Theirs")
    data |= {f"title_{mine.pk}": "Mine", f"title_{theirs.pk}": "Mine too"}

    answer = client.post(page_of(gate), data)

    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Somebody else has just changed" in page
    assert "It says now: Theirs" in page
    assert 'value="Mine too"' in page
    assert not Criterion.objects.filter(title__startswith="Mine").exists()


def test_what_is_wrong_stands_beside_its_field(client, manager, gate):
    row = CriterionFactory(gate=gate)
    data = sent(row, owners="give") | {f"title_{row.pk}": "", f"due_{row.pk}": "tomorrow"}

    answer = client.post(page_of(gate), data)

    assert answer.status_code == 422
    errors = answer.context["form"].errors
    assert {f"title_{row.pk}", f"due_{row.pk}", "owner", "__all__"} == set(errors)


def test_a_gate_that_is_passed_is_not_offered(client, manager):
    gate = GateFactory(train=TrainFactory(state="construction"))
    row = CriterionFactory(gate=gate)

    client.post(page_of(gate), sent(row) | {f"title_{row.pk}": "Other"})

    assert Criterion.objects.get(pk=row.pk).title == row.title


def test_from_one_gate_to_the_library_and_to_another_gate(client, manager, gate):
    source = CriterionFactory(
        gate=gate, title="All work done", checked_by="work", good_for=90, description="Really."
    )
    other = GateFactory(train=TrainFactory(), stage="qa")
    CriterionFactory(gate=other, title="There already")
    there = LibraryCriterion.objects.create(title="There already")

    client.post(reverse("trains:criterion-to-library", args=[source.pk]))
    kept = LibraryCriterion.objects.get(title="All work done")
    assert (kept.stage, kept.good_for, kept.history.get().history_user) == ("scoping", 90, manager)

    address = reverse("trains:criteria-from-library", args=[other.pk])
    assert "All work done" in client.get(address, {"q": "really"}).content.decode()
    answer = client.post(address, {"chosen": [kept.pk, there.pk]})

    assert answer.status_code == 303
    copy = other.criteria.get(title="All work done")
    assert (copy.checked_by, copy.good_for, copy.state) == ("work", 90, "open")
    assert Watch.objects.filter(pk=copy.pk).exists()
    assert other.criteria.count() == 2


def test_saved_again_it_takes_the_place_of_what_the_library_had(client, manager, gate):
    source = CriterionFactory(gate=gate)
    address = reverse("trains:criterion-to-library", args=[source.pk])
    client.post(address)
    edit(source, by=manager, description="Better said.")

    client.post(address)

    kept = LibraryCriterion.objects.get()
    assert (kept.description, kept.version) == ("Better said.", 2)


def test_choosing_nothing_is_told(client, manager, gate):
    answer = client.post(reverse("trains:criteria-from-library", args=[gate.pk]), {})

    assert answer.status_code == 422
    assert "Choose at least one." in answer.content.decode()


def test_what_is_no_longer_offered_is_not_copied(client, manager, gate):
    old = LibraryCriterion.objects.create(title="Old", is_active=False)

    answer = client.post(
        reverse("trains:criteria-from-library", args=[gate.pk]), {"chosen": [old.pk]}
    )

    assert answer.status_code == 422
    assert not gate.criteria.exists()
