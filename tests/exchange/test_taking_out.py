"""An export of an import equals it, but for what was changed here."""

import json

import pytest
from django.core.management import CommandError, call_command

from environments.models import Environment
from releasemgr.accounts.models import User
from releasemgr.exchange.export import export
from releasemgr.exchange.models import Dataset
from releasemgr.exchange.reader import check
from releasemgr.workflow.edit import create, edit, remove
from releasemgr.workflow.perform import perform
from tests.exchange.files import small, written
from tests.exchange.test_taking_in import REAL, SETS, everything, real
from tests.factories import TaskFactory, TurnoverFactory, UserFactory
from trains.models import ApplicationRelease, Dependency, Milestone, Train
from turnovers.models import Turnover

pytestmark = pytest.mark.django_db


@pytest.fixture
def orchard(tmp_path):
    """The small data set, imported."""
    call_command("import_release_data", written(tmp_path, small()), verbosity=0)
    return Dataset.objects.get()


def exported(dataset):
    data = json.loads("".join(export(dataset)))
    return check(data)


@pytest.fixture
def robot(db):
    return User.objects.robot()


def test_the_export_of_an_import_equals_it(orchard):
    assert exported(orchard) == small()


@real
@pytest.mark.parametrize("name", SETS)
def test_the_export_of_a_real_data_set_equals_it(name, tmp_path):
    path, out = REAL / f"{name}.json", tmp_path / "out.json"
    call_command("import_release_data", path, verbosity=0)

    call_command("export_release_data", dataset=name, output=out)

    assert json.loads(out.read_text()) == json.loads(path.read_text())


def test_edits_made_here_are_exported(orchard, robot):
    edit(Train.objects.get(external_id="t2"), by=robot, name="Orchard Four", end=None)
    edit(Environment.objects.get(external_id="barn"), by=robot, owner_name="", position=5)

    data = exported(orchard)

    expected = small()
    expected["trains"][1]["name"] = "Orchard Four"
    del expected["environments"][1]["owner"]
    expected["environments"][1]["order"] = 5
    assert data == expected


def test_steps_taken_here_are_exported(orchard):
    manager = UserFactory(role="Release manager")
    perform(Train.objects.get(external_id="t2"), "cancel", by=manager, reason="No apples.")
    expected = small()
    expected["trains"][1]["status"] = "abandoned"

    data = exported(orchard)

    assert data["trains"][1]["status"] == "abandoned"
    assert data["trains"][0] == expected["trains"][0]


def test_a_completed_milestone_is_exported_as_one_that_happened(orchard):
    milestone = Milestone.objects.get(external_id="m3")
    owner = UserFactory(role="Release manager")
    edit(milestone, by=owner, owner=owner)
    perform(milestone, "complete", by=owner)

    assert exported(orchard)["trains"][1]["milestones"][0]["actual"] is True


def test_dependencies_made_and_removed_here_are_exported(orchard, robot):
    press, label = (
        ApplicationRelease.objects.get(external_id=f"t2/{n}") for n in ("press", "label")
    )
    remove(press.dependencies.get(), by=robot)
    create(Dependency(release=label, needs=press, kind="build"), by=robot)

    releases = exported(orchard)["trains"][1]["application_releases"]

    assert "depends_on" not in releases[0]
    assert releases[1]["depends_on"] == [{"release": "t2/press", "kind": "build"}]


def test_changed_tasks_are_exported_and_numbered_anew(orchard, robot):
    turnover = Turnover.objects.get(external_id="t2/go")
    warn, press = turnover.tasks.all()
    edit(warn, by=robot, order=4)
    edit(press, by=robot, title="Press all", order=3)
    TaskFactory(turnover=turnover, order=2, title="Ring the bell", executor="", section="Work")

    tasks = exported(orchard)["trains"][1]["turnovers"][0]["tasks"]

    assert [(task["order"], task["title"]) for task in tasks] == [
        (1, "Before"),
        (2, "Ring the bell"),
        (3, "Press all"),
        (4, "Warn"),
    ]
    assert tasks[3]["parent"] == 1
    assert tasks[2]["commands"] == ["press --all", "press --rest"]


def test_an_export_comes_in_again_without_a_change(orchard, robot, tmp_path):
    edit(Train.objects.get(external_id="t2"), by=robot, purpose="To be drunk.")
    path = tmp_path / "again.json"
    call_command("export_release_data", dataset="orchard", output=path)
    call_command("import_release_data", path, verbosity=0)
    before = everything()

    call_command("import_release_data", path, verbosity=0)

    assert everything() == before
    assert Train.objects.get(external_id="t2").purpose == "To be drunk."


def test_what_was_made_here_belongs_to_no_data_set(orchard):
    TurnoverFactory(train=Train.objects.get(external_id="t2"), release=None)

    assert exported(orchard) == small()


def test_the_export_goes_to_the_terminal_without_a_file(orchard, capsys):
    call_command("export_release_data", dataset="orchard")

    assert json.loads(capsys.readouterr().out) == small()


def test_an_unknown_data_set_is_named_with_the_known_ones(orchard):
    with pytest.raises(CommandError, match=r"no data set meadow\. There is: orchard"):
        call_command("export_release_data", dataset="meadow")


def test_a_place_that_cannot_be_written_is_told(orchard, tmp_path):
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_release_data", dataset="orchard", output=tmp_path / "none" / "x.json")
