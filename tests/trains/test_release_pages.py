"""Application releases: lists, the page with its tabs, planning, places, needs, work."""

import datetime as dt
from itertools import pairwise

import pytest
from django.urls import reverse
from django.utils import timezone

from releasemgr.workflow.perform import perform
from tests.factories import (
    ApplicationFactory,
    BoardingFactory,
    MilestoneFactory,
    ReleaseFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
    WorkItemFactory,
)
from trains.dependencies import add_dependency
from trains.models import (
    Application,
    ApplicationRelease,
    Boarding,
    Dependency,
    Milestone,
    Team,
    WorkItem,
)

pytestmark = pytest.mark.django_db

HOSTILE = ["\u202eevil\u202c עברית", "<script>alert(1)</script>", "9" * 5000, "'; DROP TABLE x;--"]


@pytest.fixture
def owner():
    return UserFactory(username="kofi", first_name="Kofi", role="Product owner")


@pytest.fixture
def manager():
    return UserFactory(username="priya", role="Release manager")


@pytest.fixture
def developer():
    return UserFactory(username="dev", role="Developer")


@pytest.fixture
def release(owner):
    return ReleaseFactory(owner=owner, application=ApplicationFactory(name="Nova"))


def page(client, user, route, /, *args, **query):
    client.force_login(user)
    return client.get(reverse(f"trains:{route}", args=args), query)


def send(client, user, route, /, *args, **data):
    client.force_login(user)
    return client.post(reverse(f"trains:{route}", args=args), data)


def text(response):
    return response.content.decode()


# --- The list -------------------------------------------------------------------------------------


def test_the_list_shows_open_releases_with_their_train_and_work(client, owner, release):
    BoardingFactory(release=release, train=TrainFactory(name="Hibiscus"))
    WorkItemFactory(release=release, state="done")
    WorkItemFactory(release=release)
    ReleaseFactory(state="closed", application=ApplicationFactory(name="Gone"))

    shown = text(page(client, owner, "releases"))

    assert "Nova 1.0" in shown
    assert "Hibiscus" in shown
    assert "1 of 2" in shown
    assert "Gone" not in shown


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "nova"}, {"Nova 1.0"}),
        ({"q": "AR-{pk}"}, {"Nova 1.0"}),
        ({"view": "mine"}, {"Nova 1.0"}),
        ({"view": "free"}, {"Glance 1.0"}),
        ({"view": "over"}, {"Cinder 1.0"}),
        ({"state": "executing"}, {"Glance 1.0"}),
        ({"criticality": "optional"}, {"Glance 1.0"}),
        ({"q": "nothing at all"}, set()),
    ],
)
def test_the_list_is_searched_and_filtered(client, owner, release, query, found):
    BoardingFactory(release=release)
    ReleaseFactory(
        application=ApplicationFactory(name="Glance"), state="executing", criticality="optional"
    )
    ReleaseFactory(application=ApplicationFactory(name="Cinder"), state="cancelled")
    query = {name: value.format(pk=release.pk) for name, value in query.items()}

    answer = page(client, owner, "releases", **query)

    assert {str(row) for row in answer.context["page"]} == found


def test_an_empty_list_says_what_to_do_first(client, owner, developer):
    assert "New application release" in text(page(client, owner, "releases"))
    assert "New application release" not in text(page(client, developer, "releases"))


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_asks_as_many_questions_for_three_rows_as_for_one(
    client, owner, rows, django_assert_num_queries
):
    for _ in range(rows):
        BoardingFactory(release=ReleaseFactory(owner=owner))
    client.force_login(owner)

    with django_assert_num_queries(7):
        client.get(reverse("trains:releases"))


@pytest.mark.parametrize("words", HOSTILE)
def test_no_search_breaks_a_list(client, owner, words):
    for name in ("releases", "applications"):
        assert page(client, owner, name, q=words, page=words, sort=words).status_code == 200


def test_nobody_without_a_role_sees_a_release(client, release):
    stranger = UserFactory()

    assert page(client, stranger, "release", release.pk).status_code == 404
    assert "Nova" not in text(page(client, stranger, "releases"))


# --- The page -------------------------------------------------------------------------------------


def test_the_page_names_what_stands_before_the_next_step(client, owner, release):
    train = TrainFactory(name="Hibiscus", end=timezone.localdate())
    BoardingFactory(release=release, train=train)
    ApplicationRelease.objects.filter(pk=release.pk).update(
        end=timezone.localdate() + dt.timedelta(days=9)
    )

    shown = text(page(client, owner, "release", release.pk))

    assert "1 thing stands between" in shown
    assert "Hibiscus is still in Scoping" in shown
    assert "after the train’s end" in shown


@pytest.mark.parametrize("tab", ["work", "milestones", "dependencies", "turnovers", "history"])
def test_every_tab_opens(client, owner, release, tab):
    WorkItemFactory(release=release)
    MilestoneFactory(train=None, release=release)
    add_dependency(release, ReleaseFactory(), by=owner)
    TurnoverFactory(release=release)

    assert page(client, owner, "release-tab", release.pk, tab).status_code == 200


def test_there_is_no_such_tab_and_no_such_release(client, owner, release):
    assert page(client, owner, "release-tab", release.pk, "gates").status_code == 404
    assert page(client, owner, "release", 10**30).status_code == 404


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("tab", "queries"),
    [("work", 9), ("milestones", 9), ("dependencies", 10), ("turnovers", 9), ("history", 13)],
)
def test_a_tab_asks_as_many_questions_for_three_rows_as_for_one(
    client, owner, release, tab, queries, rows, django_assert_num_queries
):
    for _ in range(rows):
        WorkItemFactory(release=release)
        MilestoneFactory(train=None, release=release, owner=owner)
        add_dependency(release, ReleaseFactory(), by=owner)
        TurnoverFactory(release=release)
    client.force_login(owner)

    with django_assert_num_queries(queries):
        client.get(reverse("trains:release-tab", args=[release.pk, tab]))


# --- Planning -------------------------------------------------------------------------------------


def plan(**changes):
    return {"version_name": "2.0", "criticality": "critical", "version": 1} | changes


def test_a_release_is_planned_and_asks_for_a_place_at_once(client, owner):
    application, train = ApplicationFactory(), TrainFactory()

    answer = send(
        client,
        owner,
        "release-new",
        **plan(application=application.pk, owner=owner.pk, train=train.pk),
    )

    created = ApplicationRelease.objects.get(application=application)
    assert answer.status_code == 303
    assert answer.url == created.get_absolute_url()
    assert (created.version_name, created.criticality) == ("2.0", "critical")
    assert created.history.get().actor == str(owner)
    place = created.boardings.get()
    assert (place.train, place.state, place.requested_by) == (train, "requested", owner)


def test_a_release_is_planned_from_a_train(client, owner):
    train = TrainFactory()

    answer = page(client, owner, "release-new", train=train.pk)

    assert answer.context["form"]["train"].value() == train.pk
    assert page(client, owner, "release-new", train="x").status_code == 200


def test_dates_that_run_backwards_are_refused_and_what_was_typed_is_kept(client, owner):
    application = ApplicationFactory()

    answer = send(
        client,
        owner,
        "release-new",
        **plan(
            application=application.pk, start="2027-02-01", end="2027-01-01", description="Mine"
        ),
    )

    assert answer.status_code == 422
    assert "This is before 1 February 2027." in text(answer)
    assert "Mine" in text(answer)
    assert not ApplicationRelease.objects.exists()


@pytest.mark.parametrize("value", ["0001-01-01", "9999-12-31", "x", *HOSTILE])
def test_no_date_or_number_breaks_the_form(client, owner, value):
    answer = send(
        client,
        owner,
        "release-new",
        **plan(application=value, start=value, owner=value, train=value),
    )

    assert answer.status_code == 422


def test_only_its_owner_and_managers_edit_a_release(client, owner, manager, developer, release):
    other = UserFactory(role="Product owner")
    data = plan(application=release.application_id, owner=owner.pk)

    assert send(client, developer, "release-edit", release.pk, **data).status_code == 403
    assert send(client, other, "release-edit", release.pk, **data).status_code == 403
    assert send(client, manager, "release-edit", release.pk, **data).status_code == 303
    assert send(client, developer, "release-new", **data).status_code == 403


def test_an_edit_of_an_old_version_is_a_conflict_that_keeps_what_was_typed(
    client, owner, manager, release
):
    data = plan(application=release.application_id, owner=owner.pk)
    send(client, manager, "release-edit", release.pk, **data)

    answer = send(client, owner, "release-edit", release.pk, **data | {"version_name": "3.0"})

    assert answer.status_code == 409
    assert "3.0" in text(answer)
    assert ApplicationRelease.objects.get(pk=release.pk).version_name == "2.0"


def test_a_release_that_is_over_is_read_only(client, owner):
    release = ReleaseFactory(owner=owner, state="closed")

    answer = send(
        client, owner, "release-edit", release.pk, **plan(application=release.application_id)
    )

    assert answer.status_code == 409
    assert (
        send(
            client, owner, "work-new", release.pk, title="x", kind="task", state="proposed"
        ).status_code
        == 409
    )
    assert (
        send(client, owner, "release-board", release.pk, train=TrainFactory().pk).status_code == 409
    )


# --- Its place ------------------------------------------------------------------------------------


def test_its_owner_asks_for_a_place_once(client, owner, release):
    train = TrainFactory(name="Hibiscus")

    first = send(client, owner, "release-board", release.pk, train=train.pk)
    second = send(client, owner, "release-board", release.pk, train=train.pk)

    assert first.status_code == 303
    assert Boarding.objects.get().state == "requested"
    assert second.status_code == 409
    assert "waits for a place on Hibiscus" in text(second)
    assert "Requested" in text(page(client, owner, "release", release.pk))


def test_a_train_that_no_longer_boards_is_not_offered(client, owner, release):
    train = TrainFactory(state="deployment")

    assert send(client, owner, "release-board", release.pk, train=train.pk).status_code == 422


# --- What it needs --------------------------------------------------------------------------------


def chain(owner, *names):
    releases = [
        ReleaseFactory(owner=owner, application=ApplicationFactory(name=name), version_name="")
        for name in names
    ]
    for before, after in pairwise(releases):
        add_dependency(before, after, by=owner)
    return releases


def test_a_cycle_is_refused_and_named(client, owner):
    first, _, last = chain(owner, "A", "B", "C")

    answer = send(client, owner, "dependency-new", last.pk, needs=first.pk)

    assert answer.status_code == 409
    assert "It would be a cycle: C → A → B → C" in text(answer)
    assert Dependency.objects.count() == 2


def test_a_need_is_added_and_taken_away(client, owner, release):
    needed = ReleaseFactory(application=ApplicationFactory(name="Keystone"))

    assert send(client, owner, "dependency-new", release.pk, needs=needed.pk).status_code == 303
    assert "Keystone 1.0" in text(page(client, owner, "release-tab", release.pk, "dependencies"))
    assert send(client, owner, "dependency-new", release.pk, needs=needed.pk).status_code == 422
    assert send(client, owner, "dependency-new", release.pk, needs=release.pk).status_code == 422
    edge = Dependency.objects.get()
    assert page(client, owner, "dependency-remove", edge.pk).status_code == 200
    assert send(client, owner, "dependency-remove", edge.pk).status_code == 303
    assert not Dependency.objects.exists()
    assert Dependency.history.filter(history_type="-").get().actor == str(owner)


def test_a_diamond_is_no_cycle(owner):
    top, left, bottom = chain(owner, "top", "left", "bottom")
    right = ReleaseFactory()
    add_dependency(top, right, by=owner)

    add_dependency(right, bottom, by=owner)

    assert Dependency.objects.count() == 4
    assert left.dependents.count() == 1


def test_only_its_owner_says_what_a_release_needs(client, developer, owner, release):
    needed = ReleaseFactory()
    edge = add_dependency(release, needed, by=owner)

    assert send(client, developer, "dependency-new", release.pk, needs=1).status_code == 403
    assert send(client, developer, "dependency-remove", edge.pk).status_code == 403


# --- Milestones -----------------------------------------------------------------------------------


def test_milestones_are_added_changed_and_removed(client, owner, release):
    data = {"title": "Beta", "due": "2027-01-05", "version": 1}

    assert send(client, owner, "release-milestone-new", release.pk, **data).status_code == 303
    milestone = Milestone.objects.get()
    assert (milestone.release, milestone.title) == (release, "Beta")
    data["title"] = "Gamma"
    assert send(client, owner, "release-milestone-edit", milestone.pk, **data).status_code == 303
    assert send(client, owner, "release-milestone-edit", milestone.pk, **data).status_code == 409
    assert "Gamma" in text(page(client, owner, "release-tab", release.pk, "milestones"))
    assert send(client, owner, "release-milestone-remove", milestone.pk).status_code == 303
    assert not Milestone.objects.exists()


def test_a_milestone_from_the_train_says_so(client, owner, manager, release):
    train = TrainFactory(name="Hibiscus", state="construction", manager=manager)
    MilestoneFactory(train=train, title="Feature freeze", for_all=True)
    place = Boarding.objects.create(train=train, release=release, requested_by=owner)
    perform(place, "accept", by=manager)

    shown = text(page(client, owner, "release-tab", release.pk, "milestones"))

    assert "Feature freeze" in shown
    assert "from Hibiscus" in shown


def test_others_do_not_touch_its_milestones(client, developer, release):
    milestone = MilestoneFactory(train=None, release=release)
    data = {"title": "x", "due": "2027-01-05"}

    assert send(client, developer, "release-milestone-new", release.pk, **data).status_code == 403
    assert (
        send(client, developer, "release-milestone-edit", milestone.pk, **data).status_code == 403
    )
    assert send(client, developer, "release-milestone-remove", milestone.pk).status_code == 403
    of_train = MilestoneFactory()
    assert send(client, developer, "release-milestone-edit", of_train.pk, **data).status_code == 404


@pytest.mark.parametrize("due", ["0001-01-01", "9999-12-31", "soon", "2027-13-45"])
def test_a_milestone_needs_a_real_date(client, owner, release, due):
    answer = send(client, owner, "release-milestone-new", release.pk, title="x", due=due)

    assert answer.status_code == 422


# --- Work items -----------------------------------------------------------------------------------


def item(**changes):
    return {"kind": "task", "title": "Build it", "state": "proposed", "version": 1} | changes


def test_developers_add_work_and_change_its_state(client, developer, release):
    assert send(client, developer, "work-new", release.pk, **item()).status_code == 303
    work = WorkItem.objects.get()
    answer = send(client, developer, "work-edit", work.pk, **item(state="done"))

    assert answer.status_code == 303
    assert answer.url == work.get_absolute_url()
    work.refresh_from_db()
    assert work.state == "done"
    assert work.history.latest().actor == str(developer)
    assert (
        send(client, developer, "work-edit", work.pk, **item(state="deferred")).status_code == 409
    )
    assert send(client, developer, "work-remove", work.pk).status_code == 303


def test_nothing_is_added_once_construction_is_complete(client, developer, owner):
    release = ReleaseFactory(owner=owner, state="complete")
    work = WorkItemFactory(release=release, state="done")

    added = send(client, developer, "work-new", release.pk, **item())
    changed = send(client, developer, "work-edit", work.pk, **item(title=work.title))

    assert (added.status_code, changed.status_code) == (409, 409)
    assert "Nothing is added any more" in text(added)
    assert WorkItem.objects.get().state == "done"


def test_unfinished_work_stands_before_the_end_of_construction(client, owner):
    release = ReleaseFactory(owner=owner, state="executing")
    WorkItemFactory(release=release, title="Write the docs")

    shown = text(page(client, owner, "release", release.pk))

    assert "1 thing stands between" in shown
    assert "Write the docs" in shown


def test_approvers_do_not_touch_work(client, release):
    approver, work = UserFactory(role="Approver"), WorkItemFactory(release=release)

    assert send(client, approver, "work-new", release.pk, **item()).status_code == 403
    assert send(client, approver, "work-edit", work.pk, **item()).status_code == 403
    assert send(client, approver, "work-remove", work.pk).status_code == 403
    assert (
        'name="state"'
        not in text(page(client, approver, "release-tab", release.pk, "work")).split("<table")[1]
    )


def test_work_is_filtered_by_state_kind_and_words(client, developer, release):
    WorkItemFactory(release=release, title="Old bug", kind="defect", state="done", key="N-1")
    WorkItemFactory(release=release, title="New wish", kind="request")

    for query in ({"state": "done"}, {"kind": "defect"}, {"q": "old n-1"}):
        answer = page(client, developer, "release-tab", release.pk, "work", **query)
        assert [str(row) for row in answer.context["page"]] == ["Old bug"]


@pytest.mark.parametrize("bad", [{"title": ""}, {"state": "x"}, {"url": "javascript:alert(1)"}])
def test_a_work_item_that_is_none_is_refused(client, developer, release, bad):
    answer = send(client, developer, "work-new", release.pk, **item(**bad))

    assert answer.status_code == 422
    assert not WorkItem.objects.exists()


def test_a_train_has_work_of_its_own(client, developer, manager):
    train = TrainFactory()

    assert send(client, developer, "train-work-new", train.pk, **item()).status_code == 303
    work = WorkItem.objects.get()
    assert work.train == train
    tab = text(page(client, developer, "tab", train.pk, "work"))
    assert reverse("trains:work-edit", args=[work.pk]) in tab
    perform(train, "cancel", by=manager, reason="No money")
    assert send(client, developer, "train-work-new", train.pk, **item()).status_code == 409


# --- Applications ---------------------------------------------------------------------------------


def test_an_application_is_added_with_a_new_team(client, owner):
    answer = send(
        client,
        owner,
        "application-new",
        name="Nova",
        team_name="Compute",
        addresses="https://example.org/nova\nhttps://example.org/nova\njavascript:x",
    )

    application = Application.objects.get()
    assert answer.status_code == 303
    assert application.team == Team.objects.get(name="Compute")
    assert application.repositories == ["https://example.org/nova", "javascript:x"]
    shown = text(page(client, owner, "application", application.pk))
    assert 'href="https://example.org/nova"' in shown
    assert 'href="javascript' not in shown


def test_an_application_is_changed_once(client, owner, developer, release):
    application = release.application
    data = {"name": "Nova II", "team_name": "", "version": 1}

    assert send(client, developer, "application-edit", application.pk, **data).status_code == 403
    assert send(client, owner, "application-edit", application.pk, **data).status_code == 303
    assert (
        send(client, owner, "application-edit", application.pk, **data | {"name": "N"}).status_code
        == 409
    )
    application.refresh_from_db()
    assert application.name == "Nova II"


def test_two_applications_of_one_name_are_refused(client, owner, release):
    answer = send(client, owner, "application-new", name="Nova")

    assert answer.status_code == 422
    assert "There is an application of this name already." in text(answer)


@pytest.mark.parametrize("rows", [1, 3])
def test_applications_ask_as_many_questions_for_three_rows_as_for_one(
    client, owner, rows, django_assert_num_queries
):
    for _ in range(rows):
        ReleaseFactory(application=ApplicationFactory(team=Team.objects.create(name="T")))
    client.force_login(owner)

    with django_assert_num_queries(6):
        client.get(reverse("trains:applications"))
