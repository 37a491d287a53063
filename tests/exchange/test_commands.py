"""``manage.py import_release_data``."""

import pytest
from django.core.management import CommandError, call_command

from releasemgr.accounts.models import User
from tests.exchange.files import small, written
from tests.factories import UserFactory
from trains.models import Train

pytestmark = pytest.mark.django_db


def run(*files, **options):
    call_command("import_release_data", *files, **options)


def test_it_tells_what_it_did(tmp_path, capsys):
    run(written(tmp_path, small()))

    said = capsys.readouterr().out
    assert "Trains: 2 created" in said
    assert "Milestones: 3 created, 1 left out" in said
    assert "reservations[0]: left out: it begins and ends at the same moment." in said
    assert "application product: 1" in said


def test_it_is_the_robots_work_unless_somebody_is_named(tmp_path):
    path = written(tmp_path, small())
    ines = UserFactory(username="ines")

    run(path, verbosity=0)
    run(written(tmp_path, small(dataset="vineyard")), user="ines", verbosity=0)

    authors = [train.history.get().history_user for train in Train.objects.order_by("pk")]
    assert authors == [User.objects.robot()] * 2 + [ines] * 2


def test_nobody_of_that_name_is_told(tmp_path):
    with pytest.raises(CommandError, match="nobody with the user name nemo"):
        run(written(tmp_path, small()), user="nemo")


def test_a_dry_run_tells_the_same_and_writes_nothing(tmp_path, capsys):
    run(written(tmp_path, small()), dry_run=True)

    said = capsys.readouterr().out
    assert "Trains: 2 created" in said
    assert "nothing was written" in said
    assert not Train.objects.exists()


def test_each_file_is_taken_or_refused_by_itself(tmp_path, capsys):
    good = written(tmp_path, small())
    bad = written(tmp_path, small(format="release-data/9"), name="bad.json")

    with pytest.raises(CommandError, match=r"Refused: bad\.json"):
        run(bad, good)

    assert "bad.json: format: this must be “release-data/1”" in capsys.readouterr().err
    assert Train.objects.count() == 2


def test_the_limit_can_be_set(tmp_path, capsys):
    with pytest.raises(CommandError):
        run(written(tmp_path, small()), max_bytes=100)

    assert "at most 100 are read" in capsys.readouterr().err


def test_progress_is_told_on_request(tmp_path, capsys):
    run(written(tmp_path, small()), verbosity=2)

    assert "100 %  Done" in capsys.readouterr().out
