"""What undoes a task: written beside it, delivered and copied with it, gone when it goes."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from tests.factories import TaskFactory, TurnoverFactory
from tests.turnovers.test_tasks_of_a_plan import new, page_of, typed
from turnovers import plans, services
from turnovers.changes import changes
from turnovers.models import DeploymentTask, Turnover

pytestmark = pytest.mark.django_db


@pytest.fixture
def task(turnover):
    return TaskFactory(turnover=turnover, order=1, title="Deploy")


def undo_of(task):
    return DeploymentTask.all_ever.filter(undoes=task)


def put_beside(task, **facts):
    return TaskFactory(
        **{"turnover": task.turnover, "undoes": task, "order": task.order, "title": "Restore"}
        | facts
    )


def test_what_undoes_a_task_is_written_beside_it(as_developer, turnover, task):
    address = new(turnover, f"?undoes={task.pk}&executor=checkpoint")
    form = page_of(as_developer.get(address))
    assert "What undoes task 1: Deploy" in form
    assert 'name="place"' not in form
    assert f"?executor=manual&amp;undoes={task.pk}" in form

    answer = as_developer.post(address, typed(title="Restore"))

    undo = undo_of(task).get()
    assert answer.url == f"{turnover.get_absolute_url()}#task-{task.pk}"
    assert (undo.title, undo.order, undo.executor) == ("Restore", 1, "checkpoint")
    said = Turnover.objects.get().history.latest()
    assert said.history_change_reason == "Added what undoes task 1, “Deploy”"


def test_it_is_no_task_of_the_way_forward(turnover, task):
    put_beside(task, estimate_minutes=500)

    assert list(turnover.tasks.all()) == [task]
    assert Turnover.objects.with_task_count().get(pk=turnover.pk).task_count == 1
    assert turnover.estimate_of_plan().total_seconds() == 300


def test_the_list_and_the_task_show_it(as_developer, as_owner, turnover, task):
    undo = put_beside(task)

    assert f'Undone by <a class="link" href="{undo.get_absolute_url()}">Restore</a>' in page_of(
        as_developer.get(turnover.get_absolute_url())
    )
    assert undo.get_absolute_url() in page_of(as_developer.get(task.get_absolute_url()))
    read = page_of(as_owner.get(undo.get_absolute_url()))
    assert "Undo task 1: Restore" in read
    assert f'<a class="link" href="{task.get_absolute_url()}">Task 1: Deploy</a>' in read


def test_it_is_edited_like_any_task(as_developer, task):
    undo = put_beside(task)

    form = page_of(as_developer.get(undo.get_absolute_url()))
    answer = as_developer.post(
        undo.get_absolute_url(), typed(title="Put back", version=undo.version)
    )

    assert 'name="not_before"' not in form
    assert 'name="undo"' not in form
    assert answer.url.endswith(f"#task-{task.pk}")
    assert undo_of(task).get().title == "Put back"


def test_a_task_has_one_that_undoes_it(as_developer, turnover, task):
    put_beside(task)

    answer = as_developer.post(new(turnover, f"?undoes={task.pk}"), typed(title="Another"))

    assert answer.status_code == 409
    assert "“Restore” undoes task “Deploy” already." in page_of(answer)
    assert undo_of(task).count() == 1


def test_nothing_undoes_what_undoes(as_developer, turnover, task):
    undo = put_beside(task)

    assert as_developer.get(new(turnover, f"?undoes={undo.pk}")).status_code == 404
    assert as_developer.get(new(turnover, "?undoes=x")).status_code == 404


def test_it_is_removed_and_put_back(as_developer, turnover, task):
    undo = put_beside(task)

    as_developer.post(reverse("turnovers:task-remove", args=[turnover.pk, undo.pk]))
    page = page_of(as_developer.get(turnover.get_absolute_url()))
    assert "Undone by" not in page
    assert "Restore" in page
    as_developer.post(reverse("turnovers:task-restore", args=[turnover.pk, undo.pk]))

    assert undo_of(task).get().removed_at is None
    assert list(turnover.tasks.all()) == [task]


def test_it_is_not_put_back_beside_another(as_developer, turnover, task):
    undo = put_beside(task)
    as_developer.post(reverse("turnovers:task-remove", args=[turnover.pk, undo.pk]))
    put_beside(task, title="Newer")

    answer = as_developer.post(reverse("turnovers:task-restore", args=[turnover.pk, undo.pk]))

    assert answer.status_code == 409
    assert [row.title for row in undo_of(task).filter(removed_at=None)] == ["Newer"]


def test_it_goes_and_comes_with_its_task_and_keeps_its_number(developer, turnover, task):
    second = TaskFactory(turnover=turnover, order=2, title="Second")
    put_beside(second)

    plans.remove_task(second, by=developer)
    assert "Undo" not in turnover.plan()
    assert turnover.whole_plan().count() == 1
    plans.remove_task(task, by=developer)
    plans.put_back(second, by=developer)

    assert [(row.order, row.title) for row in turnover.whole_plan()] == [
        (1, "Second"),
        (1, "Restore"),
    ]


def test_it_is_asked_for_all_that_it_needs_before_delivery(turnover, task):
    put_beside(task, executor="")

    [blocker] = turnover.step_blockers("deliver")

    assert str(blocker.title) == "What undoes task 1, Restore"
    assert blocker.needed == "A person or a group who does it."


def test_it_is_part_of_what_is_delivered(turnover, task):
    before = turnover.plan()
    digest = turnover.plan_digest()
    undo = put_beside(task)
    after = turnover.plan()

    assert turnover.plan_digest() != digest
    assert [(c.kind, c.name, c.detail) for c in changes(before, after)] == [
        ("added", "Restore", "undoes task 1")
    ]
    undo.title = "Put back"
    undo.save()
    assert [(c.kind, c.name, c.after) for c in changes(after, turnover.plan())] == [
        ("edited", "Undo: Restore", "Put back")
    ]
    assert [c.kind for c in changes(after, before)] == ["removed"]


def test_copies_of_tasks_come_with_what_undoes_them(developer, turnover, task):
    group = Group.objects.get(name="Developer")
    put_beside(task, owner_group=group, executor="", repeat_safe=True)
    TaskFactory(turnover=turnover, order=2, title="Second")
    target = TurnoverFactory(author=developer)
    TaskFactory(turnover=target, order=1, title="There")

    count = plans.copy_tasks(turnover, target, by=developer)

    assert count == 2
    copied = target.tasks.get(title="Deploy")
    undo = undo_of(copied).get()
    assert (undo.title, undo.order, undo.owner_group, undo.repeat_safe) == (
        "Restore",
        2,
        group,
        True,
    )


def test_promotion_takes_it_along(engineer, turnover, task):
    put_beside(task)

    promoted = services.make_next(turnover, by=engineer, environment=turnover.environment)

    assert [row.title for row in promoted.whole_plan()] == ["Deploy", "Restore"]
    assert undo_of(promoted.tasks.get()).count() == 1
