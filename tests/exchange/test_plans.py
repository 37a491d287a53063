"""Milestones with what was planned before, and tasks with what carries out and undoes them."""

import datetime as dt
import json

import pytest
from django.core.management import call_command

from releasemgr.accounts.models import User
from releasemgr.exchange.export import export
from releasemgr.exchange.models import Dataset
from releasemgr.exchange.reader import check
from releasemgr.operations.verify.histories import states_are_reached, versions_are_whole
from releasemgr.workflow.edit import create, edit
from tests.exchange.files import small
from tests.exchange.test_taking_in import REAL, everything, notes, real
from tests.factories import UserFactory
from trains.models import ApplicationRelease, Milestone
from turnovers.models import DeploymentTask, Turnover

pytestmark = pytest.mark.django_db

HISTORY = [
    {"recorded_at": "2026-03-01T10:00:00Z", "date": "2026-06-20"},
    {"recorded_at": "2026-04-01T10:00:00Z", "removed": True},
    {"recorded_at": "2026-05-01T10:00:00Z", "date": "2026-06-24"},
    {"recorded_at": "2026-06-01T10:00:00Z", "date": "2026-07-01"},
]
UNDO = {
    "title": "Take the apples back",
    "commands": ["carts --back"],
    "executor": "wait",
    "parameters": {"how": "for", "minutes": 3},
    "duration_minutes": 4,
    "attempts": 2,
}
PRESS = {
    "executor": "wait",
    "parameters": {"how": "for", "minutes": 7},
    "timeout_seconds": 900,
    "attempts": 3,
    "repeat_safe": True,
    "not_before": "2026-08-01T21:00:00+00:00",
    "undo": "Pour it back",
    "undone_by": UNDO,
}


def exported():
    return check(json.loads("".join(export(Dataset.objects.get()))))


def copy_of(value):
    return json.loads(json.dumps(value))


# --- Milestones -----------------------------------------------------------------------------------


def with_history():
    data = small()
    data["trains"][1]["milestones"][0]["history"] = copy_of(HISTORY)
    return data


def test_earlier_plans_of_a_milestone_are_its_history_and_the_first_its_baseline(take):
    take(with_history())

    milestone = Milestone.objects.get(external_id="m3")
    assert (milestone.baseline, milestone.drift) == (dt.date(2026, 6, 20), 11)
    story = milestone.history.order_by("version")
    assert [(row.version, row.due, row.history_type) for row in story] == [
        (1, dt.date(2026, 6, 20), "+"),
        (2, dt.date(2026, 6, 24), "~"),
        (3, dt.date(2026, 7, 1), "~"),
    ]
    first, second, now = (row.history_change_reason for row in story)
    assert first == "Imported from orchard.json: as planned on 2026-03-01"
    assert second == "Imported from orchard.json: as planned on 2026-05-01"
    assert now == "Imported from orchard.json"
    assert not [*versions_are_whole(), *states_are_reached()]
    assert exported() == with_history()


def test_plans_that_name_the_end_of_a_week_move_with_what_they_are_called(take):
    data = small()
    data["trains"][1]["milestones"][0] |= {
        "date": "2026-07-09",
        "history": [
            {"recorded_at": "2026-03-01T10:00:00Z", "start": "2026-06-29", "end": "2026-07-03"},
            {"recorded_at": "2026-04-01T10:00:00Z", "start": "2026-07-06", "end": "2026-07-10"},
        ],
    }

    take(data)

    milestone = Milestone.objects.get(external_id="m3")
    assert (milestone.baseline, milestone.drift) == (dt.date(2026, 7, 2), 7)


@pytest.mark.parametrize(
    "history", [[], [7, "x", None], [{"date": 7}], [{"date": "soon"}, {"end": "9999-12-31"}]]
)
def test_a_history_that_tells_no_dates_makes_none(take, history):
    data = small()
    data["trains"][1]["milestones"][0]["history"] = [one for one in history if one is not None]

    take(data)

    milestone = Milestone.objects.get(external_id="m3")
    assert (milestone.baseline, milestone.history.count()) == (None, 1)
    assert exported() == data


def test_the_date_is_the_baseline_once_building_has_begun(take):
    data = small()
    data["trains"][1]["status"] = "in-progress"

    take(data)

    milestone = Milestone.objects.get(external_id="m3")
    assert milestone.baseline == milestone.due
    assert exported() == data
    data["trains"][1]["milestones"][0]["date"] = "2026-07-04"
    take(data)
    assert Milestone.objects.get(external_id="m3").drift == 3
    assert exported()["trains"][1]["milestones"][0]["baseline"] == "2026-07-01"


def test_what_is_for_all_is_handed_out_and_copies_follow_the_file(take):
    data = small()
    data["trains"][1]["status"] = "in-progress"
    data["trains"][1]["milestones"][0] |= {"for_all": True, "same_role": True}
    take(data)
    milestone = Milestone.objects.get(external_id="m3")
    press = ApplicationRelease.objects.get(external_id="t2/press").milestones.get()
    assert (press.origin, press.due, press.same_role) == (milestone, milestone.due, True)
    label = ApplicationRelease.objects.get(external_id="t2/label").milestones.get()
    edit(label, by=User.objects.robot(), due=dt.date(2026, 7, 20))

    data["trains"][1]["milestones"][0]["date"] = "2026-07-05"
    take(data)

    press.refresh_from_db()
    label.refresh_from_db()
    assert (press.due, label.due) == (dt.date(2026, 7, 5), dt.date(2026, 7, 20))


def test_the_owner_of_a_milestone_goes_out_as_a_name_and_comes_in_as_nobody(take):
    take(small())
    owner = UserFactory(first_name="Ines", last_name="Duarte")
    edit(Milestone.objects.get(external_id="m3"), by=owner, owner=owner)

    data = exported()

    assert data["trains"][1]["milestones"][0]["owner"] == "Ines Duarte"
    take(data | {"dataset": "elsewhere"})
    assert Milestone.objects.get(dataset="elsewhere", external_id="m3").owner is None


@real
def test_the_real_histories_fill_the_milestones():
    path = REAL / "openstack-recent.json"
    call_command("import_release_data", path, verbosity=0)

    squash = Milestone.objects.get(external_id="openstack-dalmatian/d-manila-bugsquash")
    assert (squash.due, squash.baseline) == (dt.date(2024, 7, 11), dt.date(2024, 7, 4))
    assert squash.drift_words == "7 days later than its baseline, 4 July 2024"
    assert [row.due.day for row in squash.history.order_by("version")] == [4, 11]
    data = json.loads(path.read_text())
    told = [one for train in data["trains"] for one in train["milestones"]]
    begun = Milestone.objects.exclude(train__state__in=["scoping", "awaiting_train"])
    assert Milestone.objects.count() == len(told)
    assert not begun.filter(baseline=None).exists()
    assert [row for row in begun if row.drift] == [squash]


# --- Tasks ----------------------------------------------------------------------------------------


def with_tasks(**press):
    data = small()
    data["trains"][1]["turnovers"][0]["tasks"][2] |= copy_of(PRESS) | press
    return data


def task(title="Press"):
    return DeploymentTask.all_ever.get(turnover__external_id="t2/go", title=title, removed_at=None)


def test_a_task_comes_in_with_what_carries_it_out_and_what_undoes_it(take):
    take(with_tasks())

    row, undo = task(), task(UNDO["title"])
    assert (row.executor, row.parameters["minutes"], row.timeout_seconds) == ("wait", 7, 900)
    assert (row.attempts, row.repeat_safe, row.undo) == (3, True, "Pour it back")
    assert row.not_before == dt.datetime(2026, 8, 1, 21, tzinfo=dt.UTC)
    assert (undo.undoes, undo.order, undo.executor) == (row, row.order, "wait")
    assert (undo.instructions, undo.estimate_minutes, undo.attempts) == ("carts --back", 4, 2)
    assert undo.history.get().history_change_reason == "Imported from orchard.json"
    assert exported() == with_tasks()


def test_the_same_tasks_again_change_nothing(take):
    take(with_tasks())
    before = everything()

    take(with_tasks())

    assert everything() == before


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"executor": "elves"}, "elves is not known here: a person does it"),
        ({"parameters": {"how": "for"}}, "refuses its parameters: a person does it"),
        ({"parameters": 7}, "refuses its parameters: a person does it"),
    ],
)
def test_what_cannot_be_carried_out_here_is_left_to_a_person(take, change, why):
    data = with_tasks(**change)

    said = notes(take(data))

    assert (task().executor, task().parameters) == ("", {})
    assert any(why in line for line in said)
    assert exported() == data


def test_numbers_beyond_their_bounds_are_told(take):
    data = with_tasks(timeout_seconds=0, attempts=99)

    said = notes(take(data))

    assert (task().timeout_seconds, task().attempts) == (300, 1)
    assert any("timeout seconds: not from 1 to 86,400: 300 stands there." in line for line in said)
    assert exported() == data


def test_tasks_made_and_changed_here_go_out_with_what_undoes_them(take):
    take(with_tasks())
    robot, owner = User.objects.robot(), UserFactory(first_name="Ines", last_name="Duarte")
    warn = task("Warn")
    edit(warn, by=robot, owner=owner, undo="Say sorry", timeout_seconds=60)
    back = DeploymentTask(
        turnover=warn.turnover, undoes=warn, order=warn.order, title="Calm", owner=owner
    )
    create(back, by=robot)
    edit(task(UNDO["title"]), by=robot, attempts=5)

    _, first, second = exported()["trains"][1]["turnovers"][0]["tasks"]

    assert (first["owner"], first["undo"], first["timeout_seconds"]) == (
        "Ines Duarte",
        "Say sorry",
        60,
    )
    assert first["undone_by"] == {"title": "Calm", "duration_minutes": 5, "owner": "Ines Duarte"}
    assert second["undone_by"] == UNDO | {"attempts": 5}


def test_an_undo_task_that_was_removed_here_is_not_in_the_export(take):
    take(with_tasks())
    undo = task(UNDO["title"])
    edit(undo, by=User.objects.robot(), removed_at=dt.datetime(2026, 6, 1, tzinfo=dt.UTC))

    expected = with_tasks()
    del expected["trains"][1]["turnovers"][0]["tasks"][2]["undone_by"]
    assert exported() == expected


def test_the_file_changes_what_undoes_a_task_of_a_draft(take):
    take(small())
    take(with_tasks())
    assert task(UNDO["title"]).undoes == task()

    take(with_tasks(undone_by=UNDO | {"attempts": 9}))
    assert task(UNDO["title"]).attempts == 9

    data = with_tasks()
    del data["trains"][1]["turnovers"][0]["tasks"][2]["undone_by"]
    take(data)
    assert not DeploymentTask.all_ever.filter(removed_at=None).that_undo_something().exists()
    assert exported() == data


def test_what_undoes_a_task_stays_as_people_have_changed_it(take):
    take(with_tasks())
    edit(task(UNDO["title"]), by=User.objects.robot(), attempts=5)

    take(with_tasks(undone_by=UNDO | {"attempts": 9, "duration_minutes": 8}))

    undo = task(UNDO["title"])
    assert (undo.attempts, undo.estimate_minutes) == (5, 8)


def test_turnovers_and_application_releases_come_in_with_all_of_their_plan(take):
    data = small()
    window = {"scheduled_at": "2026-08-01T20:00:00+00:00", "latest_at": "2026-08-01T22:00:00+00:00"}
    more = {"description": "Over the hill", "if_late": "wait", "most_parallel": 2}
    data["trains"][1]["turnovers"][0] |= window | more
    dates = {"criticality": "optional", "start": "2026-06-02", "construction_end": "2026-07-02"}
    data["trains"][1]["application_releases"][0] |= dates

    take(data)

    turnover = Turnover.objects.get(external_id="t2/go")
    assert turnover.latest == dt.datetime(2026, 8, 1, 22, tzinfo=dt.UTC)
    assert {name: getattr(turnover, name) for name in more} == more
    press = ApplicationRelease.objects.get(external_id="t2/press")
    assert (press.criticality, press.start.day, press.construction_end.day) == ("optional", 2, 2)
    assert exported() == data


def test_a_window_that_ends_before_it_begins_and_unknown_words_are_told(take):
    data = small()
    data["trains"][1]["turnovers"][0] |= {"latest_at": "2026-07-01T00:00:00Z", "if_late": "weep"}
    data["trains"][1]["application_releases"][0]["criticality"] = "huge"

    said = notes(take(data))

    turnover = Turnover.objects.get(external_id="t2/go")
    assert (turnover.latest, turnover.if_late) == (None, "expire")
    where = "trains[1].turnovers[0]"
    assert f"{where}, latest: before the earliest start: no latest start." in said
    assert f"{where}, if late: not one of expire, wait: expire stands there." in said
    assert exported() == data
