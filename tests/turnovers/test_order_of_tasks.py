"""Reordering through the page: buttons without script, the whole order with it."""

import pytest
from django.urls import reverse

from tests.factories import TaskFactory, TurnoverFactory
from turnovers.models import DeploymentTask, Turnover

pytestmark = pytest.mark.django_db


@pytest.fixture
def tasks(turnover):
    return [
        TaskFactory(turnover=turnover, order=order, title=title)
        for order, title in enumerate(["Drain", "Migrate", "Deploy", "Announce"], start=1)
    ]


def shown(turnover):
    return [(task.order, task.title) for task in turnover.tasks.in_order()]


def post(client, turnover, **data):
    address = reverse("turnovers:task-order", args=[turnover.pk])
    version = Turnover.objects.get(pk=turnover.pk).version
    return client.post(address, {"version": version} | data)


def test_a_task_moves_up_by_its_button(as_developer, turnover, tasks):
    answer = post(as_developer, turnover, up=tasks[2].pk)

    assert (answer.status_code, answer.url) == (303, turnover.get_absolute_url())
    assert shown(turnover) == [(1, "Drain"), (2, "Deploy"), (3, "Migrate"), (4, "Announce")]


def test_the_first_stays_first(as_developer, turnover, tasks):
    assert post(as_developer, turnover, up=tasks[0].pk).status_code == 303
    assert post(as_developer, turnover, down=tasks[3].pk).status_code == 303
    assert [title for _, title in shown(turnover)] == ["Drain", "Migrate", "Deploy", "Announce"]


def test_the_whole_order_is_stored_as_the_page_sends_it(as_developer, turnover, tasks, developer):
    order = [tasks[3].pk, tasks[0].pk, tasks[1].pk, tasks[2].pk]

    answer = post(as_developer, turnover, order=order, moved=tasks[3].pk)

    assert answer.status_code == 303
    assert [title for _, title in shown(turnover)] == ["Announce", "Drain", "Migrate", "Deploy"]
    said = Turnover.objects.get(pk=turnover.pk).history.latest()
    assert (said.actor, said.history_change_reason) == (str(developer), "Moved “Announce”")


def test_a_task_runs_in_parallel_with_the_previous_and_alone_again(as_developer, turnover, tasks):
    post(as_developer, turnover, join=tasks[2].pk)
    assert shown(turnover) == [(1, "Drain"), (2, "Migrate"), (2, "Deploy"), (3, "Announce")]

    post(as_developer, turnover, part=tasks[2].pk)
    assert shown(turnover) == [(1, "Drain"), (2, "Migrate"), (3, "Deploy"), (4, "Announce")]


def test_an_order_made_from_an_older_list_is_refused_with_the_page(as_developer, turnover, tasks):
    seen = Turnover.objects.get(pk=turnover.pk).version
    post(as_developer, turnover, up=tasks[1].pk)
    order = [task.pk for task in reversed(tasks)]

    answer = post(as_developer, turnover, version=seen, order=order)

    assert answer.status_code == 409
    assert "changed Nova to staging while you were looking at it" in answer.content.decode()
    assert 'id="order"' in answer.content.decode()
    assert [title for _, title in shown(turnover)][:2] == ["Migrate", "Drain"]


@pytest.mark.parametrize("order", [[], ["x"], ["1" * 40], [0, 0]])
def test_an_order_of_other_tasks_is_refused(as_developer, turnover, tasks, order):
    answer = post(as_developer, turnover, order=order)

    assert answer.status_code == 409
    assert "The list of tasks has changed" in answer.content.decode()


def test_nothing_moves_once_it_is_delivered(as_developer, developer):
    delivered = TurnoverFactory(author=developer, state="delivered")
    task = TaskFactory(turnover=delivered, order=1)
    TaskFactory(turnover=delivered, order=2)

    answer = post(as_developer, delivered, down=task.pk)

    assert answer.status_code == 409
    assert f"The plan of {delivered} is frozen" in answer.content.decode()
    assert DeploymentTask.objects.get(pk=task.pk).order == 1


def test_who_writes_no_turnovers_orders_nothing(as_owner, turnover, tasks):
    assert post(as_owner, turnover, up=tasks[1].pk).status_code == 403
    page = as_owner.get(turnover.get_absolute_url()).content.decode()
    assert "data-reorder" not in page
    assert "Add task" not in page


def test_a_task_of_another_turnover_is_not_found(as_developer, turnover):
    assert post(as_developer, turnover, up=TaskFactory().pk).status_code == 404
