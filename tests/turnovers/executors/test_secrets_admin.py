"""Administrators write secrets; nobody reads them again."""

import pytest
from django.urls import reverse

from releasemgr.accounts.roles import ADMINISTRATOR
from tests.factories import UserFactory
from tests.turnovers.executors.vaults import VALUE, make_secret
from turnovers import vault
from turnovers.executors import SecretRefused
from turnovers.models import AllowedCommand, Secret, SecretValue

pytestmark = pytest.mark.django_db
TARGET = "ci.example:443"
FORM = {"name": "deployer", "description": "", "targets": f'["{TARGET}"]', "value": ""}
ADD = "admin:turnovers_secret_add"


@pytest.fixture
def administrator(client):
    person = UserFactory(role=ADMINISTRATOR, is_staff=True)
    client.force_login(person)
    return person


def page(secret, name="change"):
    return reverse(f"admin:turnovers_secret_{name}", args=[secret.pk])


def test_a_secret_is_written_and_never_shown(client, administrator):
    answer = client.post(reverse(ADD), FORM | {"value": f" {VALUE} "})

    assert answer.status_code == 302
    secret = Secret.objects.get()
    assert vault.value_for("deployer", TARGET) == f" {VALUE} "
    for address in (
        page(secret),
        page(secret, "history"),
        reverse("admin:turnovers_secret_changelist"),
        reverse("admin:turnovers_secret_simple_history", args=[secret.pk, 1 + 0])
        if secret.history.filter(history_id=1).exists()
        else page(secret),
    ):
        shown = client.get(address).content.decode()
        assert VALUE not in shown
        assert secret.value.sealed not in shown
    assert [row.actor for row in secret.history.all()] == [str(administrator)] * 2


def test_a_form_that_is_wrong_does_not_show_it_either(client, administrator):
    answer = client.post(reverse(ADD), FORM | {"name": "no name!", "value": "very secret value"})

    assert answer.status_code == 200
    assert "very secret value" not in answer.content.decode()


def test_empty_keeps_the_value_that_is_there(client, administrator):
    secret = make_secret(targets=[TARGET])

    client.post(page(secret), FORM | {"description": "Of the deployer"})

    secret.refresh_from_db()
    assert (secret.description, vault.value_for("deployer", TARGET)) == ("Of the deployer", VALUE)


@pytest.mark.parametrize("targets", ['["evil.example:443"]', "[]", f'["{TARGET}", "command"]'])
def test_a_change_of_targets_drops_the_value(client, administrator, targets):
    secret = make_secret(targets=[TARGET])

    assert client.post(page(secret), FORM | {"targets": targets}).status_code == 302

    assert not SecretValue.objects.exists()
    secret.refresh_from_db()
    assert secret.set_at is None
    with pytest.raises(SecretRefused):
        vault.value_for("deployer", "evil.example:443")
    assert "the value was dropped" in secret.history.latest().history_change_reason


def test_a_change_of_targets_may_bring_a_new_value(client, administrator):
    secret = make_secret(targets=[TARGET])

    client.post(page(secret), FORM | {"targets": '["new.example:443"]', "value": "fresh value"})

    assert vault.value_for("deployer", "new.example:443") == "fresh value"


def test_a_value_is_dropped_when_asked_for(client, administrator):
    secret = make_secret(targets=[TARGET])
    both = FORM | {"forget": "on", "value": "another value"}
    assert client.post(page(secret), both).status_code == 200

    client.post(page(secret), FORM | {"forget": "on"})

    assert not SecretValue.objects.exists()


def test_a_secret_keeps_its_name_and_is_not_deleted(client, administrator):
    secret = make_secret(targets=[TARGET])

    client.post(page(secret), FORM | {"name": "other"})

    secret.refresh_from_db()
    assert secret.name == "deployer"
    assert client.post(page(secret, "delete"), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"targets": '"ci.example:443"'},
        {"targets": "[1]"},
        {"targets": '["*"]'},
        {"targets": '["*.example:443"]'},
        {"targets": '["ci.example"]'},
        {"targets": '["https://ci.example:443"]'},
        {"targets": "not json"},
        {"value": "short"},
        {"value": "x" * 20_000},
        {"value": "with\0nul in it"},
    ],
)
def test_what_would_not_be_safe_is_refused(client, administrator, wrong):
    assert client.post(reverse(ADD), FORM | wrong).status_code in {200, 400}
    assert not Secret.objects.exists()


def test_commands_get_only_secrets_for_commands(client, administrator):
    mine = make_secret("mine", targets=["command"])
    other = make_secret("other", targets=[TARGET])
    form = {"name": "deploy", "program": "/bin/true", "arguments": "[]", "is_active": "on"}
    add = reverse("admin:turnovers_allowedcommand_add")

    refused = client.post(add, form | {"secrets": [mine.pk, other.pk]})
    assert "not among the targets of other" in refused.content.decode()
    assert client.post(add, form | {"secrets": [mine.pk]}).status_code == 302
    assert list(AllowedCommand.objects.get().secrets.all()) == [mine]


def test_nobody_else_comes_here(client):
    client.force_login(UserFactory(role="Release manager", is_staff=True))
    assert client.get(reverse("admin:turnovers_secret_changelist")).status_code == 403
