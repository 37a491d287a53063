"""Freezes of a file become freezes here, and go back as they are now."""

import datetime as dt
import json

import pytest
from django.core.management import call_command

from environments.models import Environment
from releasemgr.accounts.models import User
from releasemgr.exchange.export import export
from releasemgr.exchange.models import Dataset
from releasemgr.exchange.reader import check
from releasemgr.operations.verify.histories import states_are_reached, versions_are_whole
from releasemgr.workflow.edit import edit
from releasemgr.workflow.perform import perform
from tests.exchange.files import small
from tests.exchange.test_taking_in import REAL, everything, notes, real
from tests.factories import FreezeFactory, UserFactory
from trains.models import Application, Freeze, Milestone, Team, Train

pytestmark = pytest.mark.django_db

UTC = dt.UTC
FREEZES = [
    {
        "id": "f/scope",
        "name": "Scope freeze",
        "train": "t2",
        "milestone": "m3",
        "scope": "train",
        "start": "2026-07-01",
    },
    {
        "id": "f/pickers",
        "name": "Pickers freeze",
        "train": "t2",
        "scope": "project",
        "owner": "pickers",
        "start": "2026-06-20",
    },
    {
        "id": "f/weekends",
        "name": "Weekends",
        "environment": "barn",
        "start": "2026-06-20",
        "end": "2026-06-21",
        "time_zone": "Europe/London",
        "recurrence": "weekly",
        "recurs_until": "2027-06-20T00:00:00+01:00",
        "reason": "Nobody is there.",
    },
    {
        "id": "f/press",
        "name": "Press",
        "application": "press",
        "start": "2026-09-01T10:00:00-05:00",
    },
    {
        "id": "f/kind",
        "name": "Barns",
        "scope": "kind",
        "kind": "barn",
        "start": "2026-09-01",
        "end": "2026-09-02T12:00:00Z",
    },
    {"id": "f/all", "name": "Harvest", "scope": "all", "start": "2026-09-01", "end": "2026-09-30"},
]


def frozen(*freezes):
    return small(freezes=json.loads(json.dumps(freezes or FREEZES)))


def exported(name="orchard"):
    data = json.loads("".join(export(Dataset.objects.get(name=name))))
    return check(data)


def freeze(name):
    return Freeze.objects.get(external_id=name)


def test_each_scope_of_a_file_becomes_a_freeze(take):
    take(frozen())

    train = Train.objects.get(external_id="t2")
    scope = freeze("f/scope")
    assert (scope.scope, scope.train, scope.team, scope.stops) == ("train", train, None, "scope")
    assert scope.begins == dt.datetime(2026, 7, 1, tzinfo=UTC)
    assert (scope.ends, scope.milestone) == (None, Milestone.objects.get(external_id="m3"))
    team = freeze("f/pickers")
    assert (team.scope, team.train, team.team) == ("train", train, Team.objects.get())
    weekends = freeze("f/weekends")
    assert weekends.environment == Environment.objects.get(external_id="barn")
    assert (weekends.stops, weekends.recurrence) == ("deployments", "weekly")
    assert weekends.begins == dt.datetime(2026, 6, 19, 23, tzinfo=UTC)
    assert weekends.ends == dt.datetime(2026, 6, 21, 23, tzinfo=UTC)
    assert freeze("f/press").application == Application.objects.get(external_id="press")
    assert freeze("f/press").begins == dt.datetime(2026, 9, 1, 15, tzinfo=UTC)
    assert (freeze("f/kind").kind, freeze("f/kind").scope) == ("barn", "kind")
    assert freeze("f/all").ends == dt.datetime(2026, 10, 1, tzinfo=UTC)
    assert not [*states_are_reached(), *versions_are_whole()]
    story = weekends.history.get()
    assert story.history_change_reason == "Imported from orchard.json"


def test_what_was_imported_is_exported_and_a_second_import_changes_nothing(take):
    take(frozen())
    before = everything()

    assert exported()["freezes"] == FREEZES
    take(frozen())

    assert everything() == before


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ({}, "it does not say what is frozen"),
        ({"scope": "docs"}, "it does not say what is frozen"),
        ({"scope": "train"}, "it does not say what is frozen"),
        ({"scope": "project", "train": "t2", "owner": "x"}, "its owner is no team of the file"),
        ({"scope": "all", "end": "2026-05-30"}, "it does not end after it begins"),
        ({"scope": "all", "recurrence": "weekly"}, "it comes again, but it has no end"),
        (
            {"scope": "all", "recurrence": "weekly", "end": "2026-06-20"},
            "it lasts longer than the 7 days after which it comes again",
        ),
        (
            {
                "scope": "all",
                "recurrence": "weekly",
                "end": "2026-06-02",
                "recurs_until": "2026-05-01T00:00:00Z",
            },
            "it comes again until before it begins",
        ),
    ],
)
def test_what_cannot_become_a_freeze_is_left_out_told_and_exported(take, raw, why):
    data = frozen({"id": "f", "name": "Odd", "start": "2026-06-01"} | raw)

    assert f"freezes[0]: left out: {why}." in notes(take(data))

    assert not Freeze.objects.exists()
    assert exported()["freezes"] == data["freezes"]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"time_zone": "Mars/Base"}, "time zone: no time zone is known by this name"),
        ({"stops": "scope"}, "stops: this cannot be stopped there"),
        ({"recurrence": "daily"}, "recurrence: not one of none, weekly, monthly, yearly"),
    ],
)
def test_words_that_are_not_known_are_told(take, raw, said):
    data = frozen({"id": "f", "name": "Odd", "scope": "all", "start": "2026-06-01"} | raw)

    assert any(line.startswith(f"freezes[0], {said}") for line in notes(take(data)))

    assert exported()["freezes"] == data["freezes"]


def test_a_file_that_names_what_is_not_in_it_is_refused(take):
    data = frozen({"id": "f", "name": "Odd", "train": "t9", "start": "2026-06-01"})

    with pytest.raises(Exception, match=r"freezes\[0\].train: no train “t9” is in the file"):
        take(data)


def test_one_that_does_not_begin_with_its_milestone_does_not_follow_it(take):
    take(frozen(FREEZES[0] | {"start": "2026-07-02"}))

    assert freeze("f/scope").milestone is None
    assert exported()["freezes"][0]["milestone"] == "m3"


def test_what_the_file_changes_is_changed_and_what_people_changed_stays(take):
    by = UserFactory(role="Release manager")
    take(frozen())
    edit(freeze("f/all"), by=by, name="The harvest")
    data = frozen()
    data["freezes"][5] |= {"name": "Harvest time", "end": "2026-10-05"}
    data["freezes"][4]["lifted"] = True

    said = notes(take(data))

    assert "freezes[5], name: changed here too; what is here stays." in said
    assert freeze("f/all").name == "The harvest"
    assert freeze("f/all").ends == dt.datetime(2026, 10, 6, tzinfo=UTC)
    assert freeze("f/kind").state == "lifted"


def test_a_freeze_that_is_gone_from_the_file_stays(take):
    take(frozen())

    said = notes(take(frozen(*FREEZES[:5])))

    assert "Freezes: 1 are no longer in the file; they stay here." in said
    assert freeze("f/all").state == "in_force"


def test_what_was_changed_and_lifted_here_shows_in_the_export(take):
    by = UserFactory(role="Release manager")
    take(frozen())
    edit(freeze("f/scope"), by=by, name="Scope is closed")
    moved = freeze("f/weekends")
    edit(moved, by=by, begins=moved.begins + dt.timedelta(hours=8))
    perform(freeze("f/pickers"), "lift", by=by, reason="Done early.")
    said = {one["id"]: one for one in exported()["freezes"]}

    assert said["f/scope"] == FREEZES[0] | {"name": "Scope is closed"}
    assert said["f/weekends"]["start"] == "2026-06-20T07:00:00+00:00"
    assert said["f/pickers"] == FREEZES[1] | {"lifted": True}
    before = everything()
    take(frozen())
    assert everything() == before
    take(exported() | {"dataset": "elsewhere"})
    again = Freeze.objects.filter(dataset="elsewhere", state="lifted")
    assert [one.name for one in again] == ["Pickers freeze"]


def test_freezes_declared_here_go_along_and_are_known_again(take):
    take(frozen())
    train = Train.objects.get(external_id="t2")
    barn = Environment.objects.get(external_id="barn")
    begins = dt.datetime(2026, 7, 1, tzinfo=UTC)
    FreezeFactory(
        name="Content",
        scope="train",
        train=train,
        team=Team.objects.get(),
        stops="scope",
        begins=begins,
        ends=None,
        milestone=Milestone.objects.get(external_id="m3"),
    )
    FreezeFactory(
        name="Nights",
        scope="environment",
        environment=barn,
        begins=begins,
        ends=begins + dt.timedelta(hours=6),
        time_zone="America/New_York",
        recurrence="monthly",
        recurs_until=begins + dt.timedelta(days=300),
    )
    FreezeFactory(name="Of the whole house")
    said = exported()
    made = said["freezes"][len(FREEZES) :]

    assert [one["name"] for one in made] == ["Content", "Nights"]
    before = everything()
    assert "Of the whole house" not in json.dumps(said)
    plan = take(said)
    assert not plan.creations["freeze"]
    assert everything() == before
    edit(
        Freeze.objects.get(name="Nights"),
        by=User.objects.robot(),
        reason="Later",
        ends=begins + dt.timedelta(hours=7),
    )
    assert not take(said).creations["freeze"]

    take(said | {"dataset": "elsewhere"})
    fields = ("scope", "stops", "begins", "time_zone", "recurrence", "recurs_until")
    for name in ("Content", "Nights"):
        here = Freeze.objects.get(name=name, dataset="")
        there = Freeze.objects.get(name=name, dataset="elsewhere")
        assert [getattr(there, one) for one in fields] == [getattr(here, one) for one in fields]
    content = Freeze.objects.get(name="Content", dataset="elsewhere")
    assert (content.team.dataset, content.milestone.external_id) == ("elsewhere", "m3")
    assert exported("elsewhere")["freezes"] == said["freezes"]


def test_what_was_kept_before_freezes_had_rows_is_still_exported(take):
    take(small(freezes=[]))
    Dataset.objects.update(kept={"left_out": [], "freezes": FREEZES[:1]})

    assert exported()["freezes"] == FREEZES[:1]
    take(frozen(FREEZES[0]))

    assert exported()["freezes"] == FREEZES[:1]


@real
def test_the_real_freezes_begin_with_their_milestones():
    path = REAL / "openstack-recent.json"
    call_command("import_release_data", path, verbosity=0)
    data = json.loads(path.read_text())
    teams = {team["id"] for team in data["teams"]}
    nobodys = [f for f in data["freezes"] if f["scope"] == "project" and f["owner"] not in teams]

    rows = Freeze.objects.filter(scope="train", stops="scope", ends=None)
    assert rows.count() == len(data["freezes"]) - len(nobodys)
    assert not rows.filter(milestone=None).exists()
    assert all(row.begins.date() == row.milestone.due for row in rows.with_scope())
    nova = rows.filter(team__external_id="nova")
    assert nova.count() == sum(one.get("owner") == "nova" for one in data["freezes"])
    assert exported("openstack-recent")["freezes"] == data["freezes"]
