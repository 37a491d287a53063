"""A new row is announced in the transaction that stores it."""

import pytest

from releasemgr.workflow.edit import create
from releasemgr.workflow.models import row_created
from tests.factories import ReleaseTypeFactory, UserFactory
from trains.models import Train

pytestmark = pytest.mark.django_db


@pytest.fixture
def announced():
    heard = []

    def hear(sender, row, by, reason, **_):
        heard.append((row, by, reason, Train.objects.filter(pk=row.pk).exists()))

    row_created.connect(hear, sender=Train)
    yield heard
    row_created.disconnect(hear, sender=Train)


def a_train():
    return Train(name="Alder", release_type=ReleaseTypeFactory())


def test_who_listens_hears_of_the_stored_row_its_author_and_reason(announced):
    by = UserFactory()

    train = create(a_train(), by=by, reason="Planned")

    assert announced == [(train, by, "Planned", True)]


@pytest.mark.django_db(transaction=True)
def test_who_listens_and_fails_takes_the_row_back():
    def fail(sender, **_):
        raise LookupError("No")

    row_created.connect(fail, sender=Train)
    try:
        with pytest.raises(LookupError):
            create(a_train(), by=UserFactory())
    finally:
        row_created.disconnect(fail, sender=Train)

    assert not Train.objects.exists()
    assert not Train.history.exists()
