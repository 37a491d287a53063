"""The administration shows every record that takes steps, and changes none of them."""

import pytest
from django.contrib import admin
from django.urls import reverse

from releasemgr.accounts.models import User
from releasemgr.workflow.models import Workflow
from tests import factories
from trains.models import ReleaseType
from turnovers.models import AllowedCommand

pytestmark = pytest.mark.django_db

FACTORIES = [
    factories.SignoffFactory,
    factories.EnvironmentFactory,
    factories.BookingFactory,
    factories.TrainFactory,
    factories.ReleaseFactory,
    factories.BoardingFactory,
    factories.CriterionFactory,
    factories.MilestoneFactory,
    factories.TurnoverFactory,
    factories.RunFactory,
    factories.TaskRunFactory,
    factories.HoldFactory,
    factories.ConditionFactory,
    factories.WaiverFactory,
    factories.CadenceFactory,
    factories.FreezeFactory,
    factories.FreezeExceptionFactory,
]


def page(row, name, *more):
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}", args=[row.pk, *more])


@pytest.fixture
def administrator(client):
    user = factories.UserFactory(role="Administrator", is_staff=True)
    client.force_login(user)
    return user


def test_everything_that_takes_steps_is_there():
    from django.apps import apps  # noqa: PLC0415 -- only here

    steered = {model for model in apps.get_models() if issubclass(model, Workflow)}

    assert steered <= set(admin.site._registry)
    assert {factory._meta.model for factory in FACTORIES} == steered


@pytest.mark.parametrize("factory", FACTORIES)
@pytest.mark.parametrize("superuser", [False, True])
def test_what_takes_steps_is_looked_at_and_never_changed(client, administrator, factory, superuser):
    User.objects.filter(pk=administrator.pk).update(is_superuser=superuser)
    row = factory()
    list_page = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_changelist")
    add_page = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_add")
    entry = page(row, "simple_history", row.history.latest().history_id)

    assert client.get(list_page).status_code == 200
    assert client.get(page(row, "change")).status_code == 200
    assert client.get(page(row, "history")).status_code == 200
    assert client.get(entry).status_code == 200
    for url in (add_page, page(row, "change"), page(row, "delete"), entry):
        assert client.post(url, {"state": "closed"}).status_code == 403
    assert type(row).objects.get(pk=row.pk).state == row.state


def test_administrators_keep_release_types_with_history(client, administrator):
    form = {"name": "Hotfix", "position": 7, "is_active": "on"}
    assert client.post(reverse("admin:trains_releasetype_add"), form).status_code == 302

    row = ReleaseType.objects.get(name="Hotfix")
    assert client.post(page(row, "change"), form | {"name": "Quick fix"}).status_code == 302

    row.refresh_from_db()
    assert (row.name, row.version) == ("Quick fix", 2)
    assert [entry.actor for entry in row.history.all()] == [str(administrator)] * 2
    assert client.post(page(row, "delete"), {"post": "yes"}).status_code == 403


def test_history_is_not_gone_back_to(client, administrator):
    form = {"name": "Hotfix", "position": 7, "is_active": "on"}
    client.post(reverse("admin:trains_releasetype_add"), form)
    row = ReleaseType.objects.get(name="Hotfix")
    entry = page(row, "simple_history", row.history.latest().history_id)

    assert client.post(entry, form | {"name": "Back"}).status_code == 403
    assert ReleaseType.objects.filter(name="Hotfix").exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"program": "deploy"}, "absolute path"),
        ({"arguments": '"rm -rf"'}, "list of texts"),
        ({"arguments": "[1]"}, "list of texts"),
    ],
)
def test_a_command_is_one_program_and_texts(client, administrator, wrong, said):
    form = {"name": "deploy", "program": "/bin/true", "arguments": "[]", "is_active": "on"}

    answer = client.post(reverse("admin:turnovers_allowedcommand_add"), form | wrong)

    assert said in answer.content.decode()
    assert not AllowedCommand.objects.exists()
    assert client.post(reverse("admin:turnovers_allowedcommand_add"), form).status_code == 302
    assert AllowedCommand.objects.get().history.latest().actor == str(administrator)


def test_others_see_no_administration(client):
    client.force_login(factories.UserFactory(role="Release manager"))
    assert client.get(reverse("admin:trains_train_changelist"), follow=True).status_code == 403
