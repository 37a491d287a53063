"""Planning a train and its parts, and what happens when others were faster or it is over."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from approvals.models import Signoff
from releasemgr.accounts.models import User
from releasemgr.workflow.perform import perform
from tests.factories import (
    BoardingFactory,
    BookingFactory,
    CriterionFactory,
    EnvironmentFactory,
    GateFactory,
    LevelFactory,
    MilestoneFactory,
    ReleaseFactory,
    ReleaseTypeFactory,
    RuleFactory,
    SignoffFactory,
    TrainFactory,
    UserFactory,
)
from trains.models import Boarding, Criterion, Milestone, Reservation, Train

pytestmark = pytest.mark.django_db

NEW = "/trains/new/"


def text(answer):
    return answer.content.decode()


def fields(train, **others):
    """What the form of a train sends."""
    return {
        "version": train.version,
        "name": train.name,
        "release_type": train.release_type_id,
        "purpose": train.purpose,
        "start": train.start.isoformat(),
        "scoping_end": train.scoping_end.isoformat(),
        "construction_end": train.construction_end.isoformat(),
        "qa_end": train.qa_end.isoformat(),
        "end": train.end.isoformat(),
        "manager": train.manager_id,
    } | others


# --- A new train ----------------------------------------------------------------------------------


def test_the_release_type_is_chosen_first_and_brings_its_approvals(client, manager):
    kind = ReleaseTypeFactory(name="Spring release", needs_executive_approval=True)

    assert "Spring release" in text(client.get(NEW))
    form = client.get(NEW, {"type": kind.pk}).context["form"]

    assert form["needs_executive_approval"].value() is True
    assert form["needs_train_approval"].value() is False
    assert form["manager"].value() == manager.pk


def test_a_new_train_gets_its_gates_criteria_and_crew_in_one_go(client, manager):
    kind = ReleaseTypeFactory()
    engineer = UserFactory(role="Release engineer")
    today = timezone.localdate().isoformat()

    answer = client.post(
        NEW,
        {
            "name": "Larch",
            "release_type": kind.pk,
            "manager": manager.pk,
            "engineers": [engineer.pk],
            "start": today,
            "end": today,
            "needs_train_approval": "on",
            "criteria_scoping": "Scope is agreed\n\n  Budget is agreed \nScope is agreed",
            "criteria_qa": "Tests pass",
        },
    )

    train = Train.objects.get()
    assert (answer.status_code, answer.url) == (303, train.get_absolute_url())
    assert train.state == "scoping"
    assert train.needs_train_approval
    assert not train.needs_executive_approval
    assert [gate.stage for gate in train.gates.all()] == ["scoping", "construction", "qa"]
    titles = Criterion.objects.order_by("pk").values_list("gate__stage", "title")
    assert list(titles) == [
        ("scoping", "Scope is agreed"),
        ("scoping", "Budget is agreed"),
        ("qa", "Tests pass"),
    ]
    assert list(train.engineers.all()) == [engineer]
    assert train.history.get().history_user == manager


def test_dates_that_run_backwards_are_refused_with_what_was_typed(client, manager):
    kind = ReleaseTypeFactory()

    answer = client.post(
        NEW,
        {"name": "Larch", "release_type": kind.pk, "start": "2030-06-02", "end": "2030-06-01"},
    )

    assert answer.status_code == 422
    assert "This is before “Start” (2 June 2030)" in text(answer)
    assert 'value="Larch"' in text(answer)
    assert not Train.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start", "0001-01-01"),
        ("end", "9999-12-31"),
        ("end", "2030-02-31"),
        ("name", ""),
        ("name", "x" * 201),
        ("manager", "9" * 40),
        ("engineers", "-1"),
        ("engineers", "9" * 40),
        ("release_type", "nonsense"),
        ("criteria_scoping", "x" * 301),
        ("criteria_qa", "\n".join(str(n) for n in range(60))),
        ("criteria_qa", "x\n" * 6000),
    ],
)
def test_what_cannot_be_is_refused_in_words(client, manager, field, value):
    good = {"name": "Larch", "release_type": ReleaseTypeFactory().pk}

    answer = client.post(NEW, good | {field: value})

    assert answer.status_code == 422
    assert "There is a problem" in text(answer)
    assert not Train.objects.exists()


def test_any_language_is_a_name(client, manager):
    kind = ReleaseTypeFactory()

    client.post(NEW, {"name": "רכבת \u202e<script>", "release_type": kind.pk})

    train = Train.objects.get()
    page = text(client.get(train.get_absolute_url()))
    assert "רכבת" in page
    assert "<script>רכבת" not in page
    assert "\u202e<script>" not in page


def test_a_nul_is_refused(client, manager):
    answer = client.post(NEW, {"name": "a\0b", "release_type": ReleaseTypeFactory().pk})

    assert answer.status_code == 400
    assert not Train.objects.exists()


# --- Editing --------------------------------------------------------------------------------------


def test_the_plan_is_edited_with_its_author(client, manager):
    train = TrainFactory(manager=manager)
    engineer = UserFactory(role="Release engineer")

    answer = client.post(
        train.edit_url, fields(train, name="Birch", engineers=[engineer.pk], purpose="New")
    )

    train.refresh_from_db()
    assert answer.status_code == 303
    assert (train.name, train.purpose) == ("Birch", "New")
    assert list(train.engineers.all()) == [engineer]
    assert train.history.latest().history_user == manager

    client.post(train.edit_url, fields(train))
    assert not train.engineers.exists()


def test_whoever_was_slower_keeps_the_text_and_sees_the_others(client, manager):
    train = TrainFactory(manager=manager)
    seen = fields(train, purpose="Mine")
    other = UserFactory(role="Release manager", first_name="Ola", last_name="Nordmann")
    client.force_login(other)
    client.post(train.edit_url, fields(train, purpose="Theirs"))
    client.force_login(manager)

    answer = client.post(train.edit_url, seen)

    assert answer.status_code == 409
    assert "Ola Nordmann changed" in text(answer)
    assert "Mine" in text(answer)
    assert "<td>Theirs</td>" in text(answer)
    train.refresh_from_db()
    assert train.purpose == "Theirs"
    # What is saved from the page that showed both counts.
    again = answer.context["form"].shown_version
    assert client.post(train.edit_url, seen | {"version": again}).status_code == 303
    train.refresh_from_db()
    assert train.purpose == "Mine"


def test_a_list_without_a_choice_says_so_in_words(client, manager):
    train = TrainFactory(manager=manager)

    form = client.get(train.edit_url).context["form"]

    assert ("", "None") in [*form["calendar"].field.choices]
    assert ("", "Choose one") in [*form["release_type"].field.choices]


@pytest.mark.parametrize("state", ["closed", "cancelled"])
def test_what_is_over_is_read_only_everywhere(client, manager, state):
    train = TrainFactory(manager=manager, state=state)
    gate = GateFactory(train=train)
    criterion = CriterionFactory(gate=gate)
    milestone = MilestoneFactory(train=train)
    environment = EnvironmentFactory()
    release = ReleaseFactory()
    start = timezone.now()
    posts = {
        train.edit_url: fields(train, name="Other"),
        reverse("trains:health", args=[train.pk]): {"health_override": ""},
        reverse("trains:gate-edit", args=[gate.pk]): {"date": "2030-01-01"},
        reverse("trains:criterion-new", args=[gate.pk]): {"title": "More"},
        reverse("trains:criterion-edit", args=[criterion.pk]): {"title": "Other"},
        reverse("trains:criterion-remove", args=[criterion.pk]): {},
        reverse("trains:milestone-new", args=[train.pk]): {"title": "More", "due": "2030-01-01"},
        reverse("trains:milestone-edit", args=[milestone.pk]): {
            "title": "Other",
            "due": "2030-01-01",
        },
        reverse("trains:milestone-remove", args=[milestone.pk]): {},
        reverse("trains:board", args=[train.pk]): {"release": release.pk},
        reverse("trains:reservation-new", args=[train.pk]): {
            "environment": environment.pk,
            "starts": start.strftime("%Y-%m-%dT%H:%M"),
            "ends": (start + dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M"),
        },
        reverse("trains:approval-define", args=[train.pk, "train"]): {
            "level1_people": [UserFactory().pk]
        },
    }
    for url, data in posts.items():
        assert client.get(url).status_code == 200, url
        assert client.post(url, data).status_code == 409, url

    train.refresh_from_db()
    assert train.history.count() == 1
    assert Criterion.objects.get().title == criterion.title
    assert Milestone.objects.get().title == milestone.title
    assert not Boarding.objects.exists()
    assert not Reservation.objects.exists()
    assert not Signoff.objects.exists()


@pytest.mark.parametrize("role", ["Stakeholder", "Developer", "Approver", "Product owner"])
def test_only_release_managers_plan(client, role):
    train = TrainFactory()
    gate = GateFactory(train=train)
    criterion = CriterionFactory(gate=gate)
    milestone = MilestoneFactory(train=train)
    client.force_login(UserFactory(role=role))

    for url in [
        NEW,
        train.edit_url,
        reverse("trains:health", args=[train.pk]),
        reverse("trains:gate-edit", args=[gate.pk]),
        reverse("trains:criterion-new", args=[gate.pk]),
        reverse("trains:criterion-edit", args=[criterion.pk]),
        reverse("trains:criterion-remove", args=[criterion.pk]),
        reverse("trains:milestone-new", args=[train.pk]),
        reverse("trains:milestone-edit", args=[milestone.pk]),
        reverse("trains:milestone-remove", args=[milestone.pk]),
        reverse("trains:approval-define", args=[train.pk, "train"]),
        reverse("trains:approval-renew", args=[train.pk, "train"]),
        reverse("trains:reservation-new", args=[train.pk]),
    ]:
        assert client.get(url).status_code == 403, url
        assert client.post(url).status_code == 403, url


# --- Status ---------------------------------------------------------------------------------------


def test_the_status_is_set_by_hand_with_a_note_and_taken_back(client, manager):
    train = TrainFactory(manager=manager)
    url = reverse("trains:health", args=[train.pk])

    silent = client.post(url, {"version": train.version, "health_override": "at_risk"})
    assert silent.status_code == 422

    client.post(
        url,
        {"version": train.version, "health_override": "at_risk", "health_note": "Supplier is late"},
    )
    page = text(client.get(train.get_absolute_url()))
    assert "Supplier is late" in page
    assert "computed: on track" in page

    train.refresh_from_db()
    client.post(url, {"version": train.version, "health_override": "", "health_note": "Old"})
    train.refresh_from_db()
    assert (train.health_override, train.health_note) == ("", "")


# --- Gates, criteria, milestones ------------------------------------------------------------------


def test_a_criterion_is_added_changed_and_removed(client, manager):
    gate = GateFactory(train=TrainFactory(manager=manager))
    owner = UserFactory(role="Developer")

    added = client.post(
        reverse("trains:criterion-new", args=[gate.pk]),
        {"title": "Scope is agreed", "owner": owner.pk, "own_due": "2030-01-01"},
    )
    criterion = Criterion.objects.get()
    assert added.status_code == 303
    assert (criterion.gate, criterion.owner) == (gate, owner)

    url = reverse("trains:criterion-edit", args=[criterion.pk])
    client.post(url, {"version": criterion.version, "title": "Scope is signed"})
    criterion.refresh_from_db()
    assert criterion.title == "Scope is signed"

    assert client.get(reverse("trains:criterion-remove", args=[criterion.pk])).status_code == 200
    client.post(reverse("trains:criterion-remove", args=[criterion.pk]))
    assert not Criterion.objects.exists()
    assert Criterion.history.latest().history_user == manager


def test_a_gate_that_is_passed_takes_no_more_criteria(client, manager):
    gate = GateFactory(train=TrainFactory(manager=manager, state="construction"))

    answer = client.post(reverse("trains:criterion-new", args=[gate.pk]), {"title": "Late"})

    assert answer.status_code == 409
    assert "has been passed" in text(answer)
    assert not Criterion.objects.exists()


def test_the_steps_of_a_criterion_stand_beside_it(client, manager):
    criterion = CriterionFactory(gate=GateFactory(train=TrainFactory(manager=manager)))
    url = criterion.gate.train.tab_url("gates")

    assert criterion.step_url("meet") in text(client.get(url))
    client.post(
        criterion.step_url("meet"),
        {"version": criterion.version, "evidence": "Minutes of Monday"},
    )
    assert "Minutes of Monday" in text(client.get(url))


def test_a_gate_has_a_date_of_its_own(client, manager):
    gate = GateFactory(train=TrainFactory(manager=manager))
    url = reverse("trains:gate-edit", args=[gate.pk])

    client.post(url, {"version": gate.version, "date": "2030-01-01"})
    gate.refresh_from_db()

    assert gate.day == dt.date(2030, 1, 1)


def test_a_milestone_is_added_changed_and_removed(client, manager):
    train = TrainFactory(manager=manager)

    client.post(
        reverse("trains:milestone-new", args=[train.pk]),
        {"title": "Feature freeze", "due": "2030-01-01", "for_all": "on"},
    )
    milestone = Milestone.objects.get()
    assert (milestone.train, milestone.for_all) == (train, True)
    assert "for all application releases" in text(client.get(train.tab_url("milestones")))

    url = reverse("trains:milestone-edit", args=[milestone.pk])
    client.post(url, {"version": milestone.version, "title": "Freeze", "due": "2030-01-02"})
    milestone.refresh_from_db()
    assert (milestone.title, milestone.for_all) == ("Freeze", False)

    client.post(reverse("trains:milestone-remove", args=[milestone.pk]))
    assert not Milestone.objects.exists()


# --- Approvals ------------------------------------------------------------------------------------


def define(client, train, which="train", **levels):
    sheet = getattr(train, f"{which}_signoff")
    version = {"version": sheet.version} if sheet else {}
    url = reverse("trains:approval-define", args=[train.pk, which])
    return client.post(url, version | levels)


def test_an_approval_is_defined_with_levels_of_people_and_groups(client, manager):
    train = TrainFactory(manager=manager, needs_train_approval=True)
    person = UserFactory(role="Approver")
    group = UserFactory(role="Release engineer").groups.get()

    answer = define(
        client,
        train,
        level1_name="Board",
        level1_people=[person.pk],
        level2_group0=group.pk,
        level2_needed0="2",
    )

    train.refresh_from_db()
    levels = train.train_signoff.levels.all()
    assert answer.status_code == 303
    assert [str(level) for level in levels] == ["1. Board", "Level 2"]
    assert [str(rule) for level in levels for rule in level.rules.all()] == [
        str(person),
        "2 of Release engineer",
    ]
    page = text(client.get(train.tab_url("approvals")))
    assert "2 of Release engineer" in page


def test_the_approvers_are_changed_without_touching_what_stays(client, manager):
    train = TrainFactory(manager=manager)
    stays, goes, comes = (UserFactory(role="Approver") for _ in range(3))
    define(client, train, level1_people=[stays.pk, goes.pk], level2_people=[goes.pk])
    train.refresh_from_db()
    kept = train.train_signoff.levels.get(number=1).rules.get(person=stays)

    define(client, train, level1_people=[stays.pk, comes.pk])

    level = Signoff.objects.get().levels.get()
    assert {rule.person for rule in level.rules.all()} == {stays, comes}
    assert kept in level.rules.all()


@pytest.mark.parametrize(
    "levels",
    [
        {},
        {"level2_people": "someone"},
        {"level1_needed0": "2"},
        {"level1_group0": "group", "level1_needed0": "0"},
        {"level1_group0": "group", "level1_group1": "group"},
        {"level1_group0": "group", "level1_needed0": "9" * 30},
        {"level1_people": "9" * 30},
    ],
)
def test_a_sheet_that_makes_no_sense_is_refused(client, manager, levels):
    train = TrainFactory(manager=manager)
    known = {
        "someone": UserFactory(role="Approver").pk,
        "group": UserFactory(role="Approver").groups.get().pk,
    }

    answer = define(client, train, **{k: known.get(v, v) for k, v in levels.items()})

    assert answer.status_code == 422
    assert not Signoff.objects.exists()


def test_a_sheet_that_is_being_decided_is_left_alone(client, manager):
    train = waiting_train(manager)

    answer = define(client, train, level1_people=[UserFactory(role="Approver").pk])

    assert answer.status_code == 409
    assert "Withdraw it first" in text(answer)


def test_two_who_name_approvers_at_once_do_not_overwrite_each_other(client, manager):
    train = TrainFactory(manager=manager)
    first, second = UserFactory(role="Approver"), UserFactory(role="Approver")
    define(client, train, level1_people=[first.pk])
    train.refresh_from_db()
    seen = train.train_signoff.version
    define(client, train, level1_people=[first.pk, second.pk])

    url = reverse("trains:approval-define", args=[train.pk, "train"])
    answer = client.post(url, {"version": seen, "level1_people": [second.pk]})

    assert answer.status_code == 409
    assert Signoff.objects.get().levels.get().rules.count() == 2


def waiting_train(manager):
    """A train whose approval has been asked for."""
    sheet = SignoffFactory(title="Train approval")
    RuleFactory(level=LevelFactory(signoff=sheet))
    train = TrainFactory(manager=manager, needs_train_approval=True, train_signoff=sheet)
    perform(train, "request_train_approval", by=manager)
    return Train.objects.get(pk=train.pk)


def test_an_approval_is_asked_again_for_what_has_changed(client, manager):
    train = waiting_train(manager)
    Train.objects.filter(pk=train.pk).update(purpose="Something else")
    url = reverse("trains:approval-renew", args=[train.pk, "train"])

    page = client.get(url)
    assert "Something else" in text(page)
    answer = client.post(url, {"version": train.train_signoff.version})

    sheet = Signoff.objects.get(pk=train.train_signoff_id)
    assert answer.status_code == 303
    assert (sheet.state, sheet.round) == ("ready", 2)
    assert sheet.content["Purpose"] == "Something else"


def test_a_given_approval_of_other_content_is_asked_again(client, manager):
    train = waiting_train(manager)
    MilestoneFactory(train=train)
    sheet = train.train_signoff
    person = sheet.levels.get().rules.get().person
    Train.objects.filter(pk=train.pk).update(manager=None)  # something else stops the train
    perform(sheet, "approve", by=person)
    Train.objects.filter(pk=train.pk).update(manager=manager, purpose="Something else")

    url = reverse("trains:approval-renew", args=[train.pk, "train"])
    assert client.post(url).status_code == 303

    sheet.refresh_from_db()
    assert (sheet.state, sheet.round) == ("ready", 2)
    assert Train.objects.get(pk=train.pk).state == "awaiting_train"


def test_an_approval_the_train_does_not_wait_for_is_not_asked_again(client, manager):
    train = waiting_train(manager)
    perform(train, "hand_back", by=manager, reason="Too early")

    url = reverse("trains:approval-renew", args=[train.pk, "train"])

    assert client.post(url).status_code == 409
    assert (
        client.get(reverse("trains:approval-renew", args=[train.pk, "nonsense"])).status_code == 404
    )


def test_nobody_decides_upon_their_own_train_however_it_was_asked_for(client, manager):
    other = UserFactory(role="Release manager")
    sheet = SignoffFactory(title="Train approval")
    level = LevelFactory(signoff=sheet)
    RuleFactory(level=level, person=None, group=manager.groups.get(), needed=1)
    UserFactory(role="Release manager")
    TrainFactory(manager=manager, needs_train_approval=True, train_signoff=sheet)

    perform(sheet, "request", by=other)

    assert set(Signoff.objects.get().barred.all()) == {manager, other}


# --- Places and reservations ----------------------------------------------------------------------


def test_a_product_owner_asks_for_a_place_for_an_own_release(client):
    owner = UserFactory(role="Product owner")
    client.force_login(owner)
    train = TrainFactory()
    mine, others = ReleaseFactory(owner=owner), ReleaseFactory()
    url = reverse("trains:board", args=[train.pk])

    assert client.post(url, {"release": others.pk}).status_code == 422
    assert client.post(url, {"release": mine.pk}).status_code == 303

    place = Boarding.objects.get()
    assert (place.train, place.state, place.requested_by) == (train, "requested", owner)
    # It has a place already.
    assert client.post(url, {"release": mine.pk}).status_code == 422


def test_a_train_that_left_construction_takes_nobody_aboard(client, manager):
    train = TrainFactory(manager=manager, state="verification")

    answer = client.post(reverse("trains:board", args=[train.pk]), {"release": ReleaseFactory().pk})

    assert answer.status_code == 409
    assert not Boarding.objects.exists()


def period(starts, days=1):
    form = "%Y-%m-%dT%H:%M"
    ends = starts + dt.timedelta(days=days)
    return {"starts": starts.strftime(form), "ends": ends.strftime(form), "exclusive": "on"}


def test_an_environment_is_reserved_for_the_train(client, manager):
    train = TrainFactory(manager=manager)
    environment = EnvironmentFactory()
    url = reverse("trains:reservation-new", args=[train.pk])

    answer = client.post(url, {"environment": environment.pk} | period(timezone.now()))

    booking = train.reservations.get().booking
    assert answer.status_code == 303
    assert (booking.environment, booking.state) == (environment, "confirmed")
    assert booking.kind == "train"
    assert environment.name in text(client.get(train.tab_url("reservations")))


def test_a_refused_reservation_names_every_clash_and_can_be_asked_for_anyway(client, manager):
    train = TrainFactory(manager=manager)
    environment = EnvironmentFactory()
    now = timezone.now()
    for number in range(2):
        held = BookingFactory(
            environment=environment,
            title=f"Maintenance {number}",
            starts=now + dt.timedelta(hours=number),
            ends=now + dt.timedelta(hours=number + 1),
        )
        perform(held, "confirm", by=User.objects.robot())
    url = reverse("trains:reservation-new", args=[train.pk])
    wanted = {"environment": environment.pk} | period(now)

    answer = client.post(url, wanted)
    assert answer.status_code == 409
    assert "Maintenance 0" in text(answer)
    assert "Maintenance 1" in text(answer)
    assert not Reservation.objects.exists()

    assert client.post(url, wanted | {"anyway": "on"}).status_code == 303
    assert train.reservations.get().booking.state == "requested"


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        ("0001-01-01T00:00", "2030-01-01T00:00"),
        ("2030-01-01T00:00", "9999-12-31T23:59"),
        ("2030-01-02T00:00", "2030-01-01T00:00"),
        ("nonsense", ""),
    ],
)
def test_a_period_that_cannot_be_is_refused(client, manager, starts, ends):
    train = TrainFactory(manager=manager)
    url = reverse("trains:reservation-new", args=[train.pk])
    data = {"environment": EnvironmentFactory().pk, "starts": starts, "ends": ends}

    assert client.post(url, data).status_code == 422


def test_closing_a_train_gives_its_reservations_back(client, manager):
    train = TrainFactory(manager=manager, state="deployment")
    environment = EnvironmentFactory()
    url = reverse("trains:reservation-new", args=[train.pk])
    client.post(url, {"environment": environment.pk} | period(timezone.now()))
    BoardingFactory(train=train, state="left")

    client.post(train.step_url("close"), {"version": train.version})

    assert Train.objects.get(pk=train.pk).state == "closed"
    assert train.reservations.get().booking.state == "released"
