"""Adding, editing, removing, putting back and copying the tasks of a plan."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from tests.factories import (
    EnvironmentFactory,
    RunFactory,
    TaskFactory,
    TaskRunFactory,
    TurnoverFactory,
    UserFactory,
)
from turnovers.models import DeploymentTask, Turnover

pytestmark = pytest.mark.django_db


def page_of(answer):
    return answer.content.decode()


def typed(**facts):
    return {
        "title": "Confirm the restore point",
        "section": "Prepare",
        "instructions": "Look at the dashboard.",
        "owner": "",
        "owner_group": "",
        "estimate_minutes": 10,
        "timeout_seconds": 300,
        "attempts": 1,
        "undo": "",
        "place": "last",
    } | facts


def new(turnover, query=""):
    return reverse("turnovers:task-new", args=[turnover.pk]) + query


def titles(turnover):
    return [task.title for task in turnover.tasks.in_order()]


# --- Adding ---------------------------------------------------------------------------------------


def test_a_manual_task_is_added_with_its_owner(as_developer, developer, turnover):
    answer = as_developer.post(new(turnover), typed(owner=developer.pk))

    task = turnover.tasks.get()
    assert (answer.status_code, answer.url) == (
        303,
        f"{turnover.get_absolute_url()}#task-{task.pk}",
    )
    assert (task.title, task.owner, task.executor) == ("Confirm the restore point", developer, "")
    said = Turnover.objects.get().history.latest()
    assert said.history_change_reason == "Added task 1, “Confirm the restore point”"
    assert said.history_user == developer


def test_a_group_can_own_a_task(as_developer, turnover):
    group = Group.objects.get(name="Developer")
    as_developer.post(new(turnover), typed(owner_group=group.pk))
    assert turnover.tasks.get().owner_words == "Developer"


def test_a_task_is_added_behind_another(as_developer, turnover):
    first = TaskFactory(turnover=turnover, order=1, title="First")
    TaskFactory(turnover=turnover, order=2, title="Last")
    assert f'<option value="{first.pk}" selected>' in page_of(
        as_developer.get(new(turnover, f"?after={first.pk}"))
    )

    as_developer.post(new(turnover), typed(title="Between", place=first.pk))

    assert titles(turnover) == ["First", "Between", "Last"]


def test_an_automated_task_has_the_form_of_what_carries_it_out(as_developer, turnover):
    answer = as_developer.post(new(turnover, "?executor=checkpoint"), typed(title="Half-way"))

    assert answer.status_code == 303
    assert turnover.tasks.get().executor == "checkpoint"


def test_the_form_offers_every_way_to_carry_a_task_out(as_developer, turnover):
    page = page_of(as_developer.get(new(turnover)))
    assert 'href="?executor=manual"' in page
    assert 'href="?executor=checkpoint"' in page
    assert "timeout_seconds" not in page


def test_a_way_that_is_not_there_is_not_found(as_developer, turnover):
    assert as_developer.get(new(turnover, "?executor=magic")).status_code == 404


@pytest.mark.parametrize(
    "facts",
    [
        {"title": ""},
        {"title": "x" * 501},
        {"estimate_minutes": "9" * 30},
        {"estimate_minutes": -1},
        {"owner": "9" * 30},
        {"place": "elsewhere"},
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(as_developer, turnover, facts):
    answer = as_developer.post(new(turnover), typed(instructions="Kept \u202etxet", **facts))

    assert answer.status_code == 422
    assert "Kept \u202etxet" in page_of(answer)
    assert titles(turnover) == []


def test_a_person_and_a_group_together_are_refused(as_developer, developer, turnover):
    group = Group.objects.get(name="Developer")
    answer = as_developer.post(new(turnover), typed(owner=developer.pk, owner_group=group.pk))
    assert answer.status_code == 422
    assert "Choose a person or a group, not both." in page_of(answer)


def test_no_task_is_added_to_a_delivered_plan(as_developer, developer):
    delivered = TurnoverFactory(author=developer, state="delivered")

    answer = as_developer.post(new(delivered), typed())

    assert answer.status_code == 409
    assert "is frozen" in page_of(answer)
    assert titles(delivered) == []


def test_product_owners_add_no_tasks(as_owner, turnover):
    assert as_owner.get(new(turnover)).status_code == 403


# --- Editing --------------------------------------------------------------------------------------


def test_a_task_is_edited(as_developer, turnover):
    task = TaskFactory(turnover=turnover, executor="", title="Before")

    answer = as_developer.post(task.get_absolute_url(), typed(title="After", version=task.version))

    task.refresh_from_db()
    assert answer.status_code == 303
    assert (task.title, task.estimate_minutes) == ("After", 10)
    said = Turnover.objects.get().history.latest()
    assert said.history_change_reason == f"Changed task {task.order}, “After”"


def test_saving_a_task_without_a_change_leaves_the_turnover_as_it_is(as_developer, turnover):
    task = TaskFactory(
        turnover=turnover,
        executor="",
        **{
            name: typed()[name] for name in ("title", "section", "instructions", "estimate_minutes")
        },
    )
    before = Turnover.objects.get().version

    as_developer.post(task.get_absolute_url(), typed(version=task.version))

    assert Turnover.objects.get().version == before


def test_who_edits_an_older_task_is_told_and_keeps_the_text(as_developer, turnover):
    task = TaskFactory(turnover=turnover, executor="")
    as_developer.post(task.get_absolute_url(), typed(title="Theirs", version=task.version))

    answer = as_developer.post(task.get_absolute_url(), typed(title="Mine", version=task.version))

    assert answer.status_code == 409
    assert 'value="Mine"' in page_of(answer)
    assert "Theirs" in page_of(answer)
    assert titles(turnover) == ["Theirs"]


def test_others_read_the_task(as_owner, turnover):
    task = TaskFactory(turnover=turnover, instructions="Look twice.")

    page = page_of(as_owner.get(task.get_absolute_url()))

    assert "Look twice." in page
    assert "<textarea" not in page
    assert as_owner.post(task.get_absolute_url(), typed()).status_code == 403


def test_the_task_of_another_turnover_is_not_found_here(as_developer, turnover):
    task = TaskFactory()
    address = reverse("turnovers:task", args=[turnover.pk, task.pk])
    assert as_developer.get(address).status_code == 404


# --- Removing and putting back --------------------------------------------------------------------


def remove(client, task):
    return client.post(reverse("turnovers:task-remove", args=[task.turnover_id, task.pk]))


def put_back(client, task):
    return client.post(reverse("turnovers:task-restore", args=[task.turnover_id, task.pk]))


def test_a_removed_task_is_shown_and_can_be_put_back(as_developer, turnover):
    tasks = [TaskFactory(turnover=turnover, order=n, title=f"T{n}") for n in (1, 2, 3)]

    assert remove(as_developer, tasks[1]).status_code == 303
    page = page_of(as_developer.get(turnover.get_absolute_url()))
    assert titles(turnover) == ["T1", "T3"]
    assert [task.order for task in turnover.tasks.in_order()] == [1, 2]
    assert "Put back" in page

    assert put_back(as_developer, tasks[1]).status_code == 303
    assert titles(turnover) == ["T1", "T2", "T3"]


def test_a_task_that_has_run_can_be_removed_and_its_run_still_shows_it(as_developer, turnover):
    task = TaskFactory(turnover=turnover, title="Migrate")
    ran = TaskRunFactory(run=RunFactory(turnover=turnover, state="failed"), task=task)

    assert remove(as_developer, task).status_code == 303

    assert titles(turnover) == []
    ran.refresh_from_db()
    assert str(ran) == "Migrate"


def test_a_delivered_plan_loses_no_task(as_developer, developer):
    delivered = TurnoverFactory(author=developer, state="ready")
    task = TaskFactory(turnover=delivered)

    answer = remove(as_developer, task)

    assert answer.status_code == 409
    # The developer is told who can take it back, without a way to a page that would refuse them.
    assert "Release engineer" in page_of(answer)
    assert delivered.step_url("take_back") not in page_of(answer)
    assert put_back(as_developer, task).status_code == 409
    assert DeploymentTask.objects.get(pk=task.pk).removed_at is None


def test_product_owners_remove_nothing(as_owner, turnover):
    task = TaskFactory(turnover=turnover)
    assert remove(as_owner, task).status_code == 403
    assert put_back(as_owner, task).status_code == 403


def test_removing_asks_for_a_post(as_developer, turnover):
    task = TaskFactory(turnover=turnover)
    address = reverse("turnovers:task-remove", args=[turnover.pk, task.pk])
    assert as_developer.get(address).status_code == 405


# --- Copying --------------------------------------------------------------------------------------


def test_tasks_are_copied_behind_those_that_are_there(as_developer, turnover):
    TaskFactory(turnover=turnover, order=1, title="Mine")
    source = TurnoverFactory(release=turnover.release)
    owner = UserFactory()
    TaskFactory(turnover=source, order=1, title="Drain", executor="", owner=owner)
    TaskFactory(turnover=source, order=1, title="Freeze")
    address = reverse("turnovers:copy-tasks", args=[turnover.pk])
    assert "Copy 2 tasks" in page_of(as_developer.get(address))

    answer = as_developer.post(address, {"source": source.pk, "version": turnover.version})

    assert answer.status_code == 303
    assert [(t.order, t.title) for t in turnover.tasks.in_order()] == [
        (1, "Mine"),
        (2, "Drain"),
        (2, "Freeze"),
    ]
    assert turnover.tasks.get(title="Drain").owner == owner


def test_the_source_is_found_by_words(as_developer, turnover):
    other = TurnoverFactory(title="Keystone", environment=EnvironmentFactory(name="qa"))
    TaskFactory(turnover=other)
    address = reverse("turnovers:copy-tasks", args=[turnover.pk])

    assert "Keystone" not in page_of(as_developer.get(address))
    assert "Keystone" in page_of(as_developer.get(address + "?q=keyst"))
    assert "No turnovers match" in page_of(as_developer.get(address + "?q=zzz"))


@pytest.mark.parametrize("source", ["x", "0", "9" * 30])
def test_a_source_that_is_not_there_is_not_found(as_developer, turnover, source):
    address = reverse("turnovers:copy-tasks", args=[turnover.pk])
    assert as_developer.post(address, {"source": source}).status_code == 404


def test_who_names_no_source_is_told(as_developer, turnover):
    address = reverse("turnovers:copy-tasks", args=[turnover.pk])
    assert as_developer.post(address).status_code == 400


def test_nothing_is_copied_into_a_delivered_plan(as_developer, developer):
    delivered = TurnoverFactory(author=developer, state="delivered")
    source = TaskFactory().turnover

    answer = as_developer.post(
        reverse("turnovers:copy-tasks", args=[delivered.pk]), {"source": source.pk}
    )

    assert answer.status_code == 409
    assert titles(delivered) == []
