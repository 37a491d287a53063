"""Gates and exit criteria, with their checks, evidence and waivers, in and out of a file."""

import datetime as dt
import json

import pytest
from django.utils import timezone

from environments.models import Environment
from releasemgr.accounts.models import User
from releasemgr.exchange.export import export
from releasemgr.exchange.models import Dataset
from releasemgr.exchange.reader import FileRefused, check
from releasemgr.operations.verify.histories import states_are_reached
from releasemgr.workflow.edit import create, edit
from releasemgr.workflow.perform import perform
from tests.exchange.files import small
from tests.exchange.test_taking_in import counts, everything, notes
from tests.factories import UserFactory
from trains.models import Criterion, Evidence, Train, Waiver
from trains.waivers import ask_waiver

pytestmark = pytest.mark.django_db

GATES = [
    {
        "stage": "scoping",
        "date": "2026-07-10",
        "criteria": [
            {
                "title": "Orchard answers",
                "description": "Before anything is picked",
                "owner": "Ann O'Nym",
                "due": "2026-07-05",
                "environment": "barn",
                "checked_by": "answer",
                "parameters": {
                    "url": "https://orchard.example/health",
                    "field": "state",
                    "compare": "is",
                    "value": "ripe",
                    "headers": "",
                },
                "check_every": 5,
                "good_for": 30,
                "green_for": 10,
            },
            {"title": "Agreed", "state": "met", "evidence": "All said yes"},
            {"title": "Agreed", "state": "waived", "waivers": [{"reason": "Late"}]},
        ],
    },
    {
        "stage": "qa",
        "criteria": [
            {
                "title": "In the barn",
                "checked_by": "verified",
                "parameters": {"environment": "barn"},
            },
            {
                "title": "Tasted",
                "filed": [
                    {"note": "Sweet", "added_by": "Ann O'Nym", "added_at": "2026-06-01T08:00:00Z"},
                    {"url": "https://orchard.example/taste", "file": "taste.pdf"},
                ],
            },
        ],
    },
]


@pytest.fixture(autouse=True)
def _allowed(settings):
    settings.OUTBOUND_ALLOW = ["orchard.example:443"]


def with_gates(**changes):
    """The small data, with gates on the train that is planned, and on the one that is over."""
    data = small(**changes)
    data["trains"][1]["gates"] = json.loads(json.dumps(GATES))
    data["trains"][0]["gates"] = [
        {
            "stage": "qa",
            "criteria": [
                {"title": "Loaded", "state": "met", "evidence": "By 40 carts"},
                {"title": "Weighed", "state": "waived"},
                {"title": "Work done", "checked_by": "work"},
            ],
        }
    ]
    return data


def exported(name="orchard"):
    return check(json.loads("".join(export(Dataset.objects.get(name=name)))))


def criterion(title, train="t2"):
    return Criterion.objects.get(gate__train__external_id=train, title=title)


def test_criteria_come_in_with_their_checks_and_evidence(take):
    plan = take(with_gates())

    train = Train.objects.get(external_id="t2")
    assert train.gates.get(stage="scoping").date == dt.date(2026, 7, 10)
    row = criterion("Orchard answers")
    assert (row.gate.stage, row.description, row.own_due, row.environment.external_id) == (
        "scoping",
        "Before anything is picked",
        dt.date(2026, 7, 5),
        "barn",
    )
    assert row.parameters == GATES[0]["criteria"][0]["parameters"]
    assert (row.check_every, row.good_for, row.green_for) == (5, 30, 10)
    assert (row.owner, row.watch.next_at is not None) == (None, True)
    barn = criterion("In the barn")
    assert barn.parameters == {"environment": str(Environment.objects.get(external_id="barn").pk)}
    first, second = criterion("Tasted").filed.all()
    assert first.note == "Sweet\n(By Ann O'Nym, 2026-06-01)"
    assert (second.note, second.url) == (
        "File taste.pdf, which stayed where it was.",
        "https://orchard.example/taste",
    )
    assert counts(plan, "create")["Exit criteria"] == 8
    assert plan.report.kept["criterion", "waivers"] == 1


def test_a_file_decides_nothing_that_is_still_ahead(take):
    plan = take(with_gates())

    assert set(Criterion.objects.filter(gate__train__external_id="t2").values_list("state")) == {
        ("open",)
    }
    assert not Waiver.objects.exists()
    where = "trains[1], criterion “Agreed” of the scoping gate"
    assert f"{where}: met elsewhere; it is open here." in notes(plan)
    assert f"{where}: waived elsewhere; it is open here." in notes(plan)


def test_what_was_met_before_a_gate_was_passed_counts_and_no_waiver_does(take):
    take(with_gates())

    assert (criterion("Loaded", "t1").state, criterion("Loaded", "t1").evidence) == (
        "met",
        "By 40 carts",
    )
    assert criterion("Weighed", "t1").state == "open"
    assert criterion("Work done", "t1").watch.next_at is None


def test_the_export_of_an_import_with_gates_equals_it(take):
    take(with_gates())

    assert exported() == with_gates()


def test_the_same_gates_again_change_nothing(take):
    take(with_gates())
    before = everything()

    take(with_gates())

    assert everything() == before


def test_an_unknown_check_and_refused_parameters_leave_it_to_people(take):
    data = with_gates()
    first, *_ = data["trains"][1]["gates"][0]["criteria"]
    first["checked_by"] = "crystal ball"
    data["trains"][1]["gates"][1]["criteria"][0] |= {"checked_by": "answer", "parameters": [1]}

    said = notes(take(data))

    for title in ("Orchard answers", "In the barn"):
        row = criterion(title)
        assert (row.checked_by, row.parameters) == ("", {})
    assert any("crystal ball is not known here: people decide" in line for line in said)
    assert any("HTTP" in line and "refuses its parameters" in line for line in said)
    assert exported() == data


def test_a_check_of_a_host_that_was_not_allowed_then_is_exported_as_it_was(take, settings):
    settings.OUTBOUND_ALLOW = []
    said = notes(take(with_gates()))
    assert criterion("Orchard answers").checked_by == ""
    assert any("is not an allowed target" in line for line in said)

    settings.OUTBOUND_ALLOW = ["orchard.example:443"]

    assert exported() == with_gates()


def test_criteria_made_here_go_out_and_come_in_elsewhere(take):
    take(small())
    train = Train.objects.get(external_id="t2")
    manager, engineer = UserFactory(role="Release manager"), UserFactory(role="Release engineer")
    gate = train.gates.get(stage="construction")
    barn = Environment.objects.get(external_id="barn")
    row = create(
        Criterion(
            gate=gate,
            title="In the barn",
            owner=engineer,
            checked_by="verified",
            parameters={"environment": str(barn.pk)},
            green_for=7,
        ),
        by=manager,
    )
    create(Evidence(criterion=row, note="Seen", added_by=manager), by=manager)
    until = timezone.localdate() + dt.timedelta(days=9)
    waiver = ask_waiver(Waiver(criterion=row, reason="Rain", scope="All", until=until), by=engineer)
    perform(waiver, "refuse", by=UserFactory(role="Release manager"), reason="No.")

    data = exported()

    (said,) = data["trains"][1]["gates"][0]["criteria"]
    assert said["parameters"] == {"environment": "barn"}
    assert (said["owner"], said["green_for"], said["checked_by"]) == (str(engineer), 7, "verified")
    assert said["waivers"][0]["state"] == "refused"
    assert said["waivers"][0]["asked_by"] == str(engineer)
    take(data | {"dataset": "elsewhere"})
    copy = Criterion.objects.get(gate__train__dataset="elsewhere")
    there = Environment.objects.get(dataset="elsewhere", external_id="barn")
    assert copy.parameters == {"environment": str(there.pk)}
    assert (copy.green_for, copy.owner, copy.state) == (7, None, "open")
    assert copy.filed.get().note.startswith(f"Seen\n(By {manager}")
    again = exported("elsewhere")
    assert again["trains"][1]["gates"] == data["trains"][1]["gates"]
    take(data)
    assert exported() == data


def test_an_environment_of_nobodys_data_set_is_left_out_of_the_file(take):
    take(small())
    gate = Train.objects.get(external_id="t2").gates.get(stage="qa")
    ours = Environment.objects.create(name="Ours")
    parameters = {"environment": str(ours.pk)}
    made = Criterion(gate=gate, title="X", environment=ours, checked_by="verified")
    made.parameters = parameters
    create(made, by=User.objects.robot())

    (said,) = exported()["trains"][1]["gates"][0]["criteria"]

    assert said == {"title": "X", "checked_by": "verified"}


def test_the_file_changes_criteria_that_nobody_changed_here(take):
    take(with_gates())
    robot = User.objects.robot()
    edit(criterion("Tasted"), by=robot, description="By two")
    answers = criterion("Orchard answers")
    claim = answers.watch.claim
    data = with_gates()
    scoping, qa = data["trains"][1]["gates"]
    scoping["date"] = "2026-07-11"
    scoping["criteria"][0] |= {"green_for": 99, "due": "2026-07-06"}
    scoping["criteria"].append({"title": "Announced", "checked_by": "work"})
    qa["criteria"][1]["description"] = "By one"

    take(data)

    assert criterion("Orchard answers").gate.date == dt.date(2026, 7, 11)
    answers = criterion("Orchard answers")
    assert (answers.green_for, answers.own_due) == (99, dt.date(2026, 7, 6))
    assert answers.watch.claim > claim
    assert criterion("Tasted").description == "By two"
    assert criterion("Announced").watch.next_at is not None
    assert criterion("Announced").history.get().actor == str(robot)


def test_the_file_leaves_the_criteria_of_a_passed_gate_alone(take):
    take(with_gates())
    data = with_gates()
    data["trains"][0]["gates"][0]["criteria"][0]["title"] = "Loaded twice"

    said = notes(take(data))

    assert not Criterion.objects.filter(title="Loaded twice").exists()
    place = "trains[0], criterion “Loaded twice”"
    assert f"{place}: its gate is not ahead here; its criteria stay." in said


def test_criteria_follow_a_train_that_has_passed_their_gate_elsewhere(take):
    take(with_gates())
    data = with_gates()
    data["trains"][1]["status"] = "in-progress"

    take(data)

    states = Criterion.objects.filter(gate__train__external_id="t2", title="Agreed")
    assert list(states.order_by("pk").values_list("state", flat=True)) == ["met", "open"]
    assert not list(states_are_reached())
    assert exported() == data


def test_a_criterion_that_was_renamed_here_is_not_made_again(take):
    take(with_gates())
    edit(criterion("Tasted"), by=User.objects.robot(), title="Tasted by two")
    data = with_gates()
    data["trains"][1]["gates"][1]["criteria"][1]["description"] = "With bread"

    take(data)

    assert Train.objects.get(external_id="t2").gates.get(stage="qa").criteria.count() == 2


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"stage": "picking"}, "gates[0].stage"),
        ({"stage": "qa"}, "gates[1].stage"),
        ({"date": "soon"}, "gates[0].date"),
        ({"criteria": [{"title": ""}]}, "gates[0].criteria[0].title"),
        ({"criteria": [{"title": "x", "state": "fine"}]}, "gates[0].criteria[0].state"),
        ({"criteria": [{"title": "x", "environment": "x"}]}, "gates[0].criteria[0].environment"),
        ({"criteria": [{"title": "x", "check_every": "1"}]}, "gates[0].criteria[0].check_every"),
        ({"criteria": [{"title": "x", "filed": [{"by": 1}]}]}, "gates[0].criteria[0].filed[0].by"),
    ],
)
def test_gates_that_are_wrong_are_refused_with_their_place(change, place):
    data = with_gates()
    data["trains"][1]["gates"][0] |= change

    with pytest.raises(FileRefused) as refused:
        check(data)

    assert refused.value.place == f"trains[1].{place}"


def test_dates_of_a_train_run_forwards():
    data = small()
    data["trains"][0] |= {"scoping_end": "2026-02-01", "qa_end": "2026-01-20"}

    with pytest.raises(FileRefused, match=r"trains\[0\]\.qa_end: this is before “scoping_end”"):
        check(data)


def test_the_whole_schedule_comes_in_and_goes_out(take):
    data = small()
    dates = {
        "scoping_end": "2026-06-10",
        "construction_end": "2026-07-10",
        "qa_end": "2026-08-10",
        "end": "2026-08-20",
    }
    data["trains"][1] |= dates

    take(data)

    train = Train.objects.get(external_id="t2")
    assert {name: getattr(train, name).isoformat() for name in dates} == dates
    assert exported() == data
    edit(train, by=User.objects.robot(), qa_end=dt.date(2026, 8, 11))
    assert exported()["trains"][1]["qa_end"] == "2026-08-11"
