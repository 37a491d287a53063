"""Secrets: sealed with keys of the environment, handed out for their targets alone."""

import logging
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.turnovers.executors.vaults import VALUE, make_secret
from turnovers import sealing, vault
from turnovers.executors import ON_WORKER, Outcome, SecretRefused
from turnovers.models import Secret, SecretValue
from turnovers.redaction import INSTEAD

pytestmark = pytest.mark.django_db
TARGET = "ci.example:443"


@pytest.fixture(autouse=True)
def _keys(settings):
    settings.SECRETS_KEYS = ["first key, long and random"]


def test_a_secret_is_handed_out_for_its_target():
    make_secret(targets=[TARGET])

    assert vault.value_for("deployer", TARGET) == VALUE
    assert vault.value_for("deployer", "CI.example:443") == VALUE


@pytest.mark.parametrize(
    "target",
    ["ci.example:8443", "evil.example:443", "sub.ci.example:443", "ci.example", ON_WORKER, ""],
)
def test_and_for_no_other(target):
    make_secret(targets=[TARGET])

    with pytest.raises(SecretRefused, match="may not be given to"):
        vault.value_for("deployer", target)


def test_what_is_stored_is_sealed_and_in_no_history():
    secret = make_secret(targets=[TARGET])

    assert VALUE not in secret.value.sealed
    assert all(VALUE not in str(vars(row)) for row in secret.history.all())
    assert secret.history.first().actor != ""


def test_a_secret_that_is_not_there_or_has_no_value_is_refused_in_words():
    make_secret("empty", value="", targets=[TARGET])

    with pytest.raises(SecretRefused, match=r"There is no secret nothing\."):
        vault.value_for("nothing", TARGET)
    with pytest.raises(SecretRefused, match=r"The secret empty has no value\."):
        vault.value_for("empty", TARGET)


def test_without_its_key_a_secret_is_refused_and_nothing_else_breaks(settings, client):
    make_secret(targets=[TARGET])
    settings.SECRETS_KEYS = ["another key"]

    with pytest.raises(SecretRefused, match="sealed with a key that is not in SECRETS_KEYS"):
        vault.value_for("deployer", TARGET)
    assert client.get("/login/").status_code == 200


def test_the_sealed_text_of_one_secret_is_worth_nothing_for_another():
    mine = make_secret("mine", value="somebody's password", targets=["evil.example:443"])
    other = make_secret("other", targets=[TARGET])
    SecretValue.objects.filter(secret=mine).update(sealed=other.value.sealed)

    with pytest.raises(SecretRefused, match="was changed, or belongs elsewhere"):
        vault.value_for("mine", "evil.example:443")


@pytest.mark.parametrize("broken", ["", "1", "1.x", "2.aa.bb", "1.{key}.@@", "1.{key}.AAAA"])
def test_a_broken_text_is_refused_in_words(broken):
    secret = make_secret(targets=[TARGET])
    key = secret.value.sealed.split(".")[1]
    SecretValue.objects.update(sealed=broken.format(key=key))

    with pytest.raises(SecretRefused, match="cannot be opened"):
        vault.value_for("deployer", TARGET)


def test_the_same_value_is_never_sealed_to_the_same_text():
    assert sealing.seal("a", row="1") != sealing.seal("a", row="1")


def test_keys_are_replaced_in_peace(settings):
    secret = make_secret(targets=[TARGET])
    settings.SECRETS_KEYS = ["second key", *settings.SECRETS_KEYS]
    assert vault.value_for("deployer", TARGET) == VALUE

    out = StringIO()
    call_command("rotate_secrets", stdout=out)
    call_command("rotate_secrets", stdout=out)
    settings.SECRETS_KEYS = ["second key"]

    assert out.getvalue().splitlines() == [
        "Sealed with the first key: 1.",
        "Sealed with the first key: 0.",
    ]
    assert vault.value_for("deployer", TARGET) == VALUE
    assert Secret.objects.get().set_at == secret.set_at


def test_replacing_keys_names_what_no_key_opens(settings):
    make_secret(targets=[TARGET])
    settings.SECRETS_KEYS = ["another key"]
    make_secret("fresh", targets=[TARGET])
    settings.SECRETS_KEYS = ["third key", "another key"]

    with pytest.raises(CommandError, match=r"set them anew: deployer\."):
        call_command("rotate_secrets", stdout=StringIO())
    assert vault.value_for("fresh", TARGET) == VALUE


def test_an_attempt_shows_none_of_the_secrets_that_it_was_given():
    make_secret(targets=[TARGET])
    attempt, said = vault.Vault(), []
    write = attempt.guarded(said.append)

    write(f"before {VALUE}\n")
    value = attempt.value_for("deployer", TARGET)
    write(f"with {value[:5]}")
    write(f"{value[5:]} and {value[:4]}")
    outcome = attempt.redacted(
        Outcome(succeeded=False, detail=f"no {value}", output=value, unknown=True)
    )

    assert "".join(said) == f"before {VALUE}\nwith {INSTEAD} and {value[:4]}"
    assert outcome == Outcome(succeeded=False, detail=f"no {INSTEAD}", output=INSTEAD, unknown=True)


def test_the_redactor_of_a_task_knows_all_that_its_parameters_name(settings):
    make_secret("header", "header-value", [TARGET])
    make_secret("signing", "signing-value", [])
    make_secret("unnamed", "unnamed-value", [TARGET])
    parameters = {
        "headers": "Authorization: Bearer {secret:header}",
        "signing_secret": "signing",
        "success_from": 200,
    }

    text = vault.redactor_for(parameters).redact("header-value signing-value unnamed-value")

    assert text == f"{INSTEAD} {INSTEAD} unnamed-value"


def test_the_log_of_this_process_has_the_filter():
    from django.conf import settings as real  # noqa: PLC0415 -- the settings fixture hides it

    assert "secrets" in real.LOGGING["handlers"]["console"]["filters"]
    assert logging.getLogger().handlers
