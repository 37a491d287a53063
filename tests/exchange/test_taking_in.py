"""What an import makes, changes, leaves alone and leaves out."""

import datetime as dt
import os
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command

from environments.models import Booking, Environment
from releasemgr.exchange.models import Dataset
from releasemgr.exchange.reader import FileRefused, read
from releasemgr.workflow.edit import edit
from releasemgr.workflow.perform import perform
from tests.exchange.files import small
from tests.factories import BookingFactory, UserFactory
from trains.models import (
    Application,
    ApplicationRelease,
    Boarding,
    Dependency,
    Milestone,
    Team,
    Train,
    WorkItem,
)
from turnovers.models import Content, DeploymentTask, Turnover

pytestmark = pytest.mark.django_db

HERE = Path(__file__).resolve().parents[2]
REAL = Path(os.environ.get("RELEASE_DATA", HERE.parent / "shared" / "data"))
SETS = ["opensearch", "openstack-recent", "osg-environments"]
real = pytest.mark.skipif(not REAL.is_dir(), reason="needs the real data sets: RELEASE_DATA=folder")


def everything():
    """How many rows every table of ours has, history included."""
    labels = {"approvals", "environments", "exchange", "trains", "turnovers"}
    return {
        model._meta.label: model._base_manager.count()
        for model in apps.get_models()
        if model._meta.app_label in labels
    }


def counts(plan, action):
    return {label: n[action] for label, n in plan.report.counts.items() if n[action]}


def notes(plan):
    return [f"{place}: {why}" for place, why in plan.report.notes]


# --- New rows ---


def test_every_kind_of_object_becomes_a_row(take):
    plan = take(small())

    assert counts(plan, "create") == {
        "Teams": 1,
        "Applications": 2,
        "Environments": 2,
        "Bookings": 1,
        "Trains": 2,
        "Milestones": 3,
        "Application releases": 4,
        "Work items": 4,
        "Turnovers": 2,
        "Dependencies": 2,
    }
    assert Application.objects.get(external_id="press").team == Team.objects.get()
    assert Environment.objects.get(external_id="barn/west").parent.name == "Barn"
    assert Dependency.objects.count() == 2


def test_states_follow_from_the_words_of_the_file(take):
    take(small())

    state = {row.external_id: row.state for row in Train.objects.all()}
    assert state == {"t1": "closed", "t2": "scoping"}
    state = {row.external_id: row.state for row in ApplicationRelease.objects.all()}
    assert state == {
        "t1/press": "closed",
        "t1/label": "cancelled",
        "t2/press": "planning",
        "t2/label": "planning",
    }
    state = {row.external_id: row.state for row in Turnover.objects.all()}
    assert state == {"t1/go": "closed", "t2/go": "draft"}
    state = {row.external_id: row.state for row in Environment.objects.all()}
    assert state == {"barn": "online", "barn/west": "offline"}
    state = {row.external_id: row.state for row in Milestone.objects.all()}
    assert state == {"m1": "completed", "m2": "completed", "m3": "open"}
    assert sorted(WorkItem.objects.values_list("title", "kind", "state")) == [
        ("Announce", "task", "proposed"),
        ("Cider", "request", "done"),
        ("Cider, too", "task", "proposed"),
        ("Crash", "defect", "done"),
    ]


def test_releases_ride_their_train_and_cancelled_ones_have_left(take):
    take(small())

    places = Boarding.objects.values_list("train__external_id", "release__external_id", "state")
    assert set(places) == {
        ("t1", "t1/press", "aboard"),
        ("t1", "t1/label", "left"),
        ("t2", "t2/press", "aboard"),
        ("t2", "t2/label", "aboard"),
    }


def test_a_train_gets_its_type_its_approvals_and_its_gates(take):
    take(small())

    train = Train.objects.get(external_id="t2")
    assert train.release_type.name == "Major"
    assert train.needs_executive_approval
    assert [gate.stage for gate in train.gates.all()] == ["scoping", "construction", "qa"]
    assert Train.objects.get(external_id="t1").release_type.name == "Minor"


def test_a_version_that_tells_nothing_makes_the_type_imported(take):
    data = small()
    data["trains"][1]["version"] = "2026.1"

    take(data)

    assert Train.objects.get(external_id="t2").release_type.name == "Imported"


def test_tasks_keep_their_order_and_headings_become_phases(take):
    take(small())

    turnover = Turnover.objects.get(external_id="t2/go")
    assert list(
        turnover.tasks.values_list("order", "section", "title", "instructions", "estimate_minutes")
    ) == [
        (2, "Before", "Warn", "Only if: it is late", 5),
        (3, "Work", "Press", "press --all\npress --rest", 20),
    ]
    assert not any(task.executor or task.owner for task in turnover.tasks.all())
    assert turnover.earliest == dt.datetime(2026, 8, 1, 20, tzinfo=dt.UTC)


def test_a_turnover_carries_what_the_file_says(take):
    take(small())

    content = Content.objects.get()
    assert (content.turnover.external_id, content.release.external_id, content.version_name) == (
        "t1/go",
        "t1/press",
        "3.1.0",
    )


def test_reservations_are_shared_and_confirmed(take):
    take(small())

    booking = Booking.objects.get()
    assert (booking.kind, booking.title) == ("maintenance", "Roof")
    assert (booking.state, booking.exclusive) == ("confirmed", False)
    assert booking.starts == dt.datetime(2026, 7, 1, 1, tzinfo=dt.UTC)


def test_every_new_row_says_who_imported_it_and_from_where(take):
    ines = UserFactory(first_name="Ines", last_name="Duarte")

    take(small(), by=ines)

    rows = [Train, Team, Environment, Booking, Milestone, Boarding, Dependency, DeploymentTask]
    for model in [*rows, Application, ApplicationRelease, WorkItem, Turnover, Content]:
        assert model.history.count() == model.objects.count() > 0
        for entry in model.history.all():
            assert (entry.actor, entry.history_user) == ("Ines Duarte", ines)
            assert entry.history_change_reason == "Imported from orchard.json"
            assert entry.history_type == "+"


def test_what_has_no_row_is_told_with_its_reason(take):
    said = notes(take(small()))

    assert "reservations[0]: left out: it begins and ends at the same moment." in said
    assert "trains[0].milestones[1]: left out: it has no date." in said
    assert "trains[0].turnovers[1]: left out: it names no environment." in said
    external = "trains[0].application_releases[1].depends_on[1]: left out"
    assert any(line.startswith(external) for line in said)
    link = "trains[0].application_releases[0].work_items[1], url: not a web address: no link."
    assert link in said
    assert "freezes[0]: left out: it does not say what is frozen." in said
    assert len(said) == 6


def test_what_has_no_field_is_counted(take):
    kept = take(small()).report.kept

    assert kept["dataset", "runbooks"] == 1
    assert kept["application", "product"] == 1
    assert kept["train", "stages"] == 1
    assert ("train", "name") not in kept


def test_a_long_text_is_shortened_and_told(take):
    data = small()
    data["trains"][0]["name"] = "x" * 500

    assert "trains[0], name: longer than 200 characters: shortened." in notes(take(data))
    assert len(Train.objects.get(external_id="t1").name) == 200


def test_hostile_texts_are_stored_as_they_are(take):
    data = small()
    name = "<script>alert(1)</script> \u202e\u200f שלום 'quote' \"--; DROP\n\ttab 🍎"
    data["trains"][0]["name"] = name

    take(data)

    assert Train.objects.get(external_id="t1").name == name


def test_a_rehearsal_writes_nothing(take):
    before = everything()

    plan = take(small(), rehearse=True)

    assert plan.report.total("create") > 20
    assert everything() == before


def test_a_refused_file_writes_nothing(take):
    before = everything()
    data = small()
    data["reservations"][1]["environment"] = "nowhere"

    with pytest.raises(FileRefused, match="nowhere"):
        take(data)

    assert everything() == before


def test_two_data_sets_do_not_meet(take):
    take(small())
    take(small(dataset="vineyard"))

    assert Train.objects.filter(external_id="t1").count() == 2
    vineyard = Train.objects.get(dataset="vineyard", external_id="t1")
    assert {place.release.dataset for place in vineyard.boardings.all()} == {"vineyard"}


# --- The second time ---


def test_the_same_file_again_changes_nothing(take):
    take(small())
    before = everything()
    stamp = Dataset.objects.get().imported_at

    plan = take(small())

    assert everything() == before
    assert (plan.report.total("create"), plan.report.total("change")) == (0, 0)
    assert Dataset.objects.get().imported_at == stamp


def test_a_changed_file_changes_exactly_what_changed(take):
    take(small())
    before = everything()
    data = small()
    data["trains"][1]["end"] = "2026-09-30"

    plan = take(data)

    assert counts(plan, "change") == {"Trains": 1}
    assert Train.objects.get(external_id="t2").end == dt.date(2026, 9, 30)
    after = everything()
    grown = {name for name in after if after[name] != before[name]}
    assert grown == {"trains.HistoricalTrain"}
    entry = Train.objects.get(external_id="t2").history.latest()
    assert (entry.history_type, entry.history_change_reason) == (
        "~",
        "Imported from orchard.json",
    )


def test_additions_find_their_place(take):
    take(small())
    data = small()
    release = data["trains"][1]["application_releases"][1]
    release["depends_on"] = [{"release": "t2/press", "kind": "build"}]
    release["work_items"] = [{"id": "18", "title": "Glue"}]

    plan = take(data)

    assert counts(plan, "create") == {"Work items": 1, "Dependencies": 1}
    label = ApplicationRelease.objects.get(external_id="t2/label")
    assert label.work_items.get().title == "Glue"
    assert label.dependencies.get().needs.external_id == "t2/press"


def test_a_dependency_that_the_file_drops_goes(take):
    take(small())
    data = small()
    del data["trains"][1]["application_releases"][0]["depends_on"]

    take(data)

    assert [str(d.release.external_id) for d in Dependency.objects.all()] == ["t1/label"]
    assert Dependency.history.filter(history_type="-").count() == 1


def test_what_the_file_no_longer_has_stays(take):
    take(small())
    data = small()
    data["trains"].pop()

    plan = take(data)

    assert Train.objects.filter(external_id="t2").exists()
    assert "Trains: 1 are no longer in the file; they stay here." in notes(plan)


def test_a_state_that_changed_in_the_file_is_followed(take):
    take(small())
    data = small()
    train = data["trains"][1]
    train["status"] = "abandoned"
    train["application_releases"][0]["status"] = "cancelled"

    take(data)

    assert Train.objects.get(external_id="t2").state == "cancelled"
    press = ApplicationRelease.objects.get(external_id="t2/press")
    assert (press.state, press.boardings.get().state) == ("cancelled", "left")
    assert Turnover.objects.get(external_id="t2/go").state == "cancelled"


def test_a_release_that_changed_trains_in_the_file_changes_trains(take):
    take(small())
    data = small()
    moved = data["trains"][1]["application_releases"].pop(1)
    data["trains"][0]["application_releases"].append(moved)

    take(data)

    places = Boarding.objects.filter(release__external_id="t2/label")
    assert sorted(places.values_list("train__external_id", "state")) == [
        ("t1", "aboard"),
        ("t2", "left"),
    ]


def test_the_file_changes_the_tasks_of_a_draft(take):
    take(small())
    data = small()
    tasks = data["trains"][1]["turnovers"][0]["tasks"]
    tasks[2]["title"] = "Press all"
    tasks.append({"order": 4, "title": "Sweep"})

    take(data)

    turnover = Turnover.objects.get(external_id="t2/go")
    assert [task.title for task in turnover.tasks.all()] == ["Warn", "Press all", "Sweep"]
    take(small())
    assert [task.title for task in turnover.tasks.all()] == ["Warn", "Press"]


def test_the_file_changes_the_contents_of_a_draft(take):
    take(small())
    data = small()
    data["trains"][1]["turnovers"][0]["application_releases"] = ["t2/label", "t2/press"]
    take(data)
    turnover = Turnover.objects.get(external_id="t2/go")
    assert [c.release.external_id for c in turnover.contents.all()] == ["t2/label", "t2/press"]

    data["trains"][1]["turnovers"][0]["application_releases"] = ["t2/press"]
    take(data)

    assert [c.release.external_id for c in turnover.contents.all()] == ["t2/press"]


# --- What people did here ---


def test_what_people_changed_here_stays(take):
    take(small())
    train = Train.objects.get(external_id="t2")
    edit(train, by=UserFactory(), name="Renamed here")
    data = small()
    data["trains"][1] |= {"name": "Renamed there", "purpose": "New there"}

    plan = take(data)

    train.refresh_from_db(fields=["name", "purpose"])
    assert (train.name, train.purpose) == ("Renamed here", "New there")
    assert "trains[1], name: changed here too; what is here stays." in notes(plan)
    before = everything()
    take(data)
    assert everything() == before


def test_the_same_file_does_not_undo_what_people_changed_here(take):
    take(small())
    train = Train.objects.get(external_id="t2")
    edit(train, by=UserFactory(), name="Renamed here")
    before = everything()

    take(small())

    assert Train.objects.get(pk=train.pk).name == "Renamed here"
    assert everything() == before


def test_a_file_does_not_move_what_is_steered_here(take):
    take(small())
    manager = UserFactory(role="Release manager")
    train = Train.objects.get(external_id="t2")
    perform(train, "cancel", by=manager, reason="No apples this year.")
    data = small()
    data["trains"][1]["status"] = "in-progress"

    plan = take(data)

    assert Train.objects.get(external_id="t2").state == "cancelled"
    assert "trains[1]: its state is steered here; the file does not change it." in notes(plan)
    before = everything()
    take(data)
    assert everything() == before


def test_a_file_does_not_change_the_tasks_of_what_was_delivered_here(take):
    take(small())
    turnover = Turnover.objects.get(external_id="t2/go")
    perform(turnover, "cancel", by=UserFactory(role="Release engineer"), reason="Not now.")
    data = small()
    data["trains"][1]["turnovers"][0]["tasks"][2]["title"] = "Press all"

    plan = take(data)

    assert [task.title for task in turnover.tasks.all()] == ["Warn", "Press"]
    assert "trains[1].turnovers[0]: it is steered here; its tasks stay." in notes(plan)


def test_a_booking_that_clashes_with_one_made_here_is_left_out(take):
    data = small()
    roof = data["reservations"].pop()
    take(data)
    ours = BookingFactory(
        environment=Environment.objects.get(external_id="barn"),
        state=Booking.State.CONFIRMED,
        starts=dt.datetime(2026, 8, 1, tzinfo=dt.UTC),
        ends=dt.datetime(2026, 8, 2, tzinfo=dt.UTC),
    )
    data["reservations"].append(roof)

    plan = take(data)

    assert Booking.objects.get() == ours
    assert any(f"left out: {ours.ref}" in note for note in notes(plan))


def test_a_cycle_with_dependencies_made_here_is_refused(take):
    take(small())
    press, label = (
        ApplicationRelease.objects.get(external_id=f"t2/{n}") for n in ("press", "label")
    )
    Dependency.objects.create(release=press, needs=label)
    data = small()
    needs = [{"release": "t2/press", "kind": "build"}]
    data["trains"][1]["application_releases"][1]["depends_on"] = needs
    before = everything()

    with pytest.raises(FileRefused, match="With the dependencies made here this forms a cycle"):
        take(data)

    assert everything() == before


# --- The real data sets ---


@real
@pytest.mark.parametrize("name", SETS)
def test_a_real_data_set_comes_in_whole_and_once(name):
    path = REAL / f"{name}.json"
    data = read(path, max_bytes=10**8)
    call_command("import_release_data", path, verbosity=0)

    assert Train.objects.count() == len(data.get("trains", []))
    assert Environment.objects.count() == len(data.get("environments", []))
    releases = sum(len(t.get("application_releases", [])) for t in data.get("trains", []))
    assert ApplicationRelease.objects.count() == Boarding.objects.count() == releases
    empty = sum(r["start"] == r["end"] for r in data.get("reservations", []))
    assert Booking.objects.count() == len(data.get("reservations", [])) - empty
    before = everything()
    call_command("import_release_data", path, verbosity=0)
    assert everything() == before


@real
def test_the_real_dependencies_and_tasks_are_all_there():
    call_command("import_release_data", REAL / "opensearch.json", verbosity=0)

    assert Dependency.objects.count() == 1305
    assert WorkItem.objects.count() == 2342
    assert {turnover.tasks.count() for turnover in Turnover.objects.all()} == {26}
