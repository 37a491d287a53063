"""Commands of automated tasks, as real processes."""

import sys
import time
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from tests.turnovers.executors.vaults import VALUE, make_secret, make_value
from turnovers.executors import ON_WORKER, TaskContext, get
from turnovers.executors.values import VALUES
from turnovers.models import AllowedCommand
from turnovers.redaction import INSTEAD
from turnovers.vault import Vault

pytestmark = pytest.mark.django_db
COMMAND = get("command")


@pytest.fixture
def python():
    """An allowed command that runs the Python code in its arguments."""
    return AllowedCommand.objects.create(
        name="python", program=sys.executable, arguments=["-c"], takes_arguments=True
    )


def run(
    code="", *, timeout=10, still_ours=lambda: True, write=lambda text: None, more=None, **given
):
    parameters = {"command": "python", "arguments": code, **given}
    context = TaskContext(
        parameters=parameters,
        key="1:2:1",
        attempt=1,
        fence=1,
        timeout=timeout,
        variables=dict.fromkeys(VALUES, "x") | {"environment": "prod; rm -rf /"},
        still_ours=still_ours,
        write=write,
        **(more or {}),
    )
    return COMMAND.run(context)


def test_a_command_that_ends_well_succeeds_with_its_output(python):
    outcome = run("print('done')")

    assert (outcome.succeeded, outcome.detail) == (True, "Exit status 0.")
    assert outcome.output == "done\n"


def test_a_command_that_ends_badly_fails_with_its_status_and_errors(python):
    outcome = run("import sys; print('why', file=sys.stderr); sys.exit(3)")

    assert (outcome.succeeded, outcome.detail, outcome.output) == (
        False,
        "Exit status 3.",
        "why\n",
    )


def test_values_are_arguments_and_never_a_shell(python):
    outcome = run("import sys; print(sys.argv[1:])\n{environment}\n$(id)")

    assert outcome.output == "['prod; rm -rf /', '$(id)']\n"


def test_the_workers_environment_stays_with_the_worker(python, monkeypatch):
    monkeypatch.setenv("SECRET_KEYS", "very secret")

    outcome = run("import os; print(sorted(os.environ)); print(os.environ['RM_ENVIRONMENT'])")

    assert "SECRET_KEYS" not in outcome.output
    assert "prod; rm -rf /" in outcome.output


def test_a_command_that_takes_too_long_is_stopped_with_everything_it_started(python):
    child = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True); "
    began = time.monotonic()

    outcome = run(child + "import time; time.sleep(60)", timeout=1)

    assert (outcome.succeeded, outcome.unknown) == (False, True)
    assert "did not end within 1 seconds and was stopped" in outcome.detail
    assert "How far it came is not known." in outcome.detail
    assert time.monotonic() - began < 9
    assert not is_alive(int(outcome.output))


def test_one_that_does_not_listen_to_signals_is_stopped_all_the_same(python):
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"

    assert not run(deaf, timeout=1).succeeded


def test_a_person_stops_it_with_everything_it_started(python):
    child = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True); "
    began = time.monotonic()

    outcome = run(
        child + "import time; time.sleep(60)",
        timeout=60,
        more={"is_stopped": lambda: time.monotonic() - began > 1},
    )

    assert (outcome.succeeded, outcome.unknown) == (False, True)
    assert "A person had it stopped. How far it came is not known." in outcome.detail
    assert time.monotonic() - began < 9
    assert not is_alive(int(outcome.output))


def test_one_that_others_end_is_unknown_and_one_that_fails_by_itself_is_not(python):
    ended = run("import os; os.kill(os.getpid(), 9)")
    broken = run("import os; os.kill(os.getpid(), 11)")

    assert (ended.unknown, ended.detail) == (
        True,
        "Ended by signal 9. How far it came is not known.",
    )
    assert (broken.unknown, broken.detail) == (False, "Ended by signal 11.")
    assert not run("import sys; sys.exit(3)").unknown


class TestSecrets:
    def test_stand_in_its_environment_and_not_among_its_arguments(self, python):
        python.secrets.add(make_secret("deploy-key", targets=[ON_WORKER]))
        attempt, said = Vault(), []
        code = (
            "import os, pathlib; print(len(os.environ['RM_SECRET_DEPLOY_KEY'])); "
            "print(pathlib.Path('/proc/self/cmdline').read_bytes())"
        )

        outcome = run(code, write=said.append, more={"secrets": attempt.value_for})

        assert outcome.output.splitlines()[0] == str(len(VALUE))
        assert VALUE not in outcome.output

    def test_are_taken_out_of_what_it_prints_as_it_comes(self, python):
        python.secrets.add(make_secret("key", targets=[ON_WORKER]))
        attempt, said = Vault(), []
        code = (
            "import base64, os, sys, time; v = os.environ['RM_SECRET_KEY']; "
            "sys.stdout.write(v[:5]); sys.stdout.flush(); time.sleep(0.5); print(v[5:]); "
            "print(base64.b64encode(v.encode()).decode()); print(v.encode().hex())"
        )

        outcome = attempt.redacted(
            run(code, write=attempt.guarded(said.append), more={"secrets": attempt.value_for})
        )

        assert "".join(said) == outcome.output == f"{INSTEAD}\n" * 3

    def test_that_cannot_be_had_keep_it_from_being_run(self, python, settings):
        python.secrets.add(make_secret("key", targets=[ON_WORKER]))
        settings.SECRETS_KEYS = ["another"]

        outcome = run("print(1)", more={"secrets": Vault().value_for})

        assert "The secret key cannot be opened." in outcome.detail
        assert outcome.detail.endswith("Nothing was run.")
        assert not outcome.unknown

    def test_are_missed_before_the_plan_is_delivered(self, python):
        python.secrets.add(make_secret("key", value="", targets=[ON_WORKER]))
        assert "A value of the secret key" in COMMAND.problems({"command": "python"})[0]
        make_value("key")
        assert COMMAND.problems({"command": "python"}) == []

    def test_never_stand_in_arguments(self, python):
        [problem] = COMMAND.problems({"command": "python", "arguments": "{secret:key}"})
        assert "where nobody sees them" in problem


def test_what_it_left_running_neither_holds_up_nor_survives(python):
    began = time.monotonic()

    outcome = run("import subprocess; print(subprocess.Popen(['sleep', '60']).pid)")

    assert outcome.succeeded
    assert time.monotonic() - began < 5
    assert not is_alive(int(outcome.output))


def test_one_that_closes_its_output_is_waited_for(python):
    outcome = run("import os, time; os.close(1); os.close(2); time.sleep(0.5); os._exit(4)")

    assert outcome.detail == "Exit status 4."


def test_endless_output_is_cut_and_its_end_is_kept(python):
    outcome = run("n = 0; exec('while True: n += 1; print(n)')", timeout=1)

    assert "was stopped" in outcome.detail
    assert len(outcome.output) <= 64 * 1024
    assert int(outcome.output.split()[-2]) > 64 * 1024


def test_output_is_passed_on_while_it_runs_whatever_its_bytes(python):
    parts = []

    outcome = run("import sys; sys.stdout.buffer.write(b'\\xff\\x00ok\\n')", write=parts.append)

    assert "".join(parts) == outcome.output == "\N{REPLACEMENT CHARACTER}\0ok\n"


def test_nothing_is_run_that_is_not_allowed(python):
    python.is_active = False
    python.save()

    assert "not allowed. Nothing was run." in run("print(1)").detail
    assert "Nothing was run." in run(command="other").detail


def test_nothing_is_run_when_the_claim_is_lost(python):
    assert "Nothing was run." in run("print(1)", still_ours=lambda: False).detail


def test_arguments_only_where_they_are_allowed():
    AllowedCommand.objects.create(name="python", program=sys.executable, arguments=["--version"])

    assert run("").succeeded
    assert "takes no arguments" in run("-c").detail
    assert COMMAND.problems({"command": "python", "arguments": "-c"}) != []


def test_a_program_that_is_not_there_is_a_failure_in_words():
    AllowedCommand.objects.create(name="python", program="/nowhere/at-all")

    assert "could not be started" in run("").detail


def test_an_argument_with_nul_is_a_failure_in_words(python):
    assert "could not be started" in run("a\0b").detail


def test_the_form_knows_the_allowed_commands_and_the_values(python):
    assert COMMAND.problems({"command": "python", "arguments": "{version}"}) == []
    assert "no value {nothing}" in " ".join(
        COMMAND.problems({"command": "python", "arguments": "{nothing}"})
    )
    assert COMMAND.problems({"command": "rm", "arguments": ""}) != []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("program", "rsync"),
        ("program", "/bin/a\0b"),
        ("directory", "here"),
        ("arguments", {"a": 1}),
        ("arguments", [1]),
    ],
)
def test_administrators_write_commands_that_mean_the_same_everywhere(field, value):
    command = AllowedCommand(name="sync", program="/usr/bin/rsync")
    command.full_clean()
    setattr(command, field, value)

    with pytest.raises(ValidationError) as refused:
        command.full_clean()
    assert list(refused.value.message_dict) == [field]


def is_alive(pid):
    """Whether it still runs a moment later; one that only waits to be reaped does not."""
    for _ in range(40):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return False
        if state == "Z":
            return False
        time.sleep(0.05)
    return True
