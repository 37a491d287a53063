"""The demo only goes where it belongs, and comes in two sizes."""

import pytest
from django.core.management import CommandError, call_command

from releasemgr.demo.services import is_empty
from tests.factories import TrainFactory
from trains.models import Train

pytestmark = pytest.mark.django_db


def test_it_refuses_where_real_data_exist():
    train = TrainFactory()

    with pytest.raises(CommandError, match="only goes into an empty one"):
        call_command("demo_data")

    assert list(Train.objects.all()) == [train]


def test_it_stays_away_quietly_when_asked_to(capsys):
    TrainFactory()

    call_command("demo_data", "--if-empty")

    assert Train.objects.count() == 1


def test_it_refuses_where_others_can_reach_it_unless_that_is_meant(settings):
    settings.ON_LAPTOP = False

    with pytest.raises(CommandError, match="Others can reach"):
        call_command("demo_data")
    assert is_empty()
    call_command("demo_data", "--i-know", "--users-file", settings.VAR_DIR / "users.json")

    assert Train.objects.exists()


def test_years_of_work_can_be_added(tmp_path):
    call_command("demo_data", "--size", "large", "--users-file", str(tmp_path / "users.json"))

    assert Train.objects.filter(state="closed").count() > 500
