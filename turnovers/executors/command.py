"""A command that administrators allow, run on the worker without a shell."""

from __future__ import annotations

import codecs
import os
import re
import selectors
import signal
import subprocess
import time
from typing import IO, TYPE_CHECKING, Any

from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError

from turnovers.executors.base import (
    ON_WORKER,
    Executor,
    Outcome,
    SecretRefused,
    TaskContext,
)
from turnovers.executors.credentials import secret_problems
from turnovers.executors.values import WORDS, no_secrets_in, only_known_values, put_in

if TYPE_CHECKING:
    from turnovers.models import AllowedCommand

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
STOP_SECONDS = 5.0
LOOK_SECONDS = 0.2
STOP_LOOK_SECONDS = 1.0
MOST_OUTPUT = 64 * 1024
LAST_CHUNKS = 16
#: Signals with which others end a process, such as a kernel without memory; what it had done by
#: then nobody says.
FROM_OUTSIDE = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGKILL, signal.SIGTERM})
NOT_A_NAME = re.compile(r"[^A-Z0-9]")


def allowed_command(name: str) -> AllowedCommand | None:
    """The command of that name, if it may be used."""
    # Looked up when asked: the models of this app know the executors, not the other way round.
    model: type[AllowedCommand] = apps.get_model("turnovers", "AllowedCommand")
    return model.objects.filter(name=name, is_active=True).first()


def command_choices() -> list[tuple[str, str]]:
    model: type[AllowedCommand] = apps.get_model("turnovers", "AllowedCommand")
    found = model.objects.filter(is_active=True).values_list("name", "description")
    named = [(name, f"{name}: {words}" if words else name) for name, words in found]
    return [("", "Choose a command"), *named]


class CommandForm(forms.Form):
    """Which command, and the arguments of this task."""

    command = forms.ChoiceField(
        choices=command_choices, help_text="Administrators keep the list of allowed commands."
    )
    arguments = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=f"One a line; each line is one argument, whatever it contains. {WORDS}",
    )

    def clean_arguments(self) -> str:
        text: str = self.cleaned_data["arguments"]
        only_known_values(text)
        no_secrets_in(text)
        return text

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        command = allowed_command(cleaned.get("command", ""))
        if cleaned.get("arguments") and command is not None and not command.takes_arguments:
            self.add_error("arguments", ValidationError(f"“{command}” takes no arguments."))
        return cleaned


class Command(Executor):
    """Runs a program with a list of arguments, in a process group of its own."""

    key = "command"
    name = "Command"
    icon = "terminal"
    form = CommandForm

    def problems(self, parameters: dict[str, Any]) -> list[str]:
        """Also what the command's secrets lack."""
        found = super().problems(parameters)
        command = None if found else allowed_command(str(parameters.get("command", "")))
        return found or secret_problems(_secrets_of(command), ON_WORKER)

    def summary(self, parameters: dict[str, Any]) -> str:
        arguments = " ".join(str(parameters.get("arguments", "")).splitlines())
        return f"{parameters.get('command', '')} {arguments}".strip() or self.name

    def run(self, context: TaskContext) -> Outcome:
        command = allowed_command(str(context.parameters.get("command", "")))
        if command is None:
            return Outcome(succeeded=False, detail="This command is not allowed. Nothing was run.")
        added = put_in(str(context.parameters.get("arguments", "")), context.variables).splitlines()
        if added and not command.takes_arguments:
            detail = f"“{command}” takes no arguments. Nothing was run."
            return Outcome(succeeded=False, detail=detail)
        try:
            environment = _environment(command, context)
        except SecretRefused as error:
            return Outcome(succeeded=False, detail=f"{error} Nothing was run.")
        if not context.still_ours():
            detail = "The run was stopped, or somebody else took the task, before the command."
            return Outcome(succeeded=False, detail=f"{detail} Nothing was run.")
        try:
            process = _start([command.program, *command.arguments, *added], command, environment)
        except (OSError, ValueError) as error:
            return Outcome(succeeded=False, detail=f"“{command}” could not be started: {error}.")
        return _watch(process, context)


def _start(
    arguments: list[str], command: AllowedCommand, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 -- a list, no shell, and a program that is allowed
        arguments,
        cwd=command.directory or None,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _environment(command: AllowedCommand, context: TaskContext) -> dict[str, str]:
    """Nothing of the worker's own, which holds its secrets; the task's values as RM_…"""
    named = {f"RM_{_word(name)}": value for name, value in _values(context)}
    for name in _secrets_of(command):
        # Not among the arguments, which everybody on the machine can read.
        named[f"RM_SECRET_{_word(name)}"] = context.secrets(name, ON_WORKER)
    return {"PATH": PATH, "LANG": "C.UTF-8", "HOME": "/nonexistent", **named}


def _secrets_of(command: AllowedCommand | None) -> list[str]:
    return list(command.secrets.values_list("name", flat=True)) if command is not None else []


def _word(name: str) -> str:
    return NOT_A_NAME.sub("_", name.upper())


def _values(context: TaskContext) -> list[tuple[str, str]]:
    return [(name, value.replace("\0", "")) for name, value in context.variables.items()]


def _watch(process: subprocess.Popen[bytes], context: TaskContext) -> Outcome:
    """Read along until the command ends or has to; leave nothing of it behind."""
    assert process.stdout is not None  # noqa: S101 -- it was asked for
    deadline = time.monotonic() + context.timeout
    output, pipe = Tail(context), process.stdout
    by_itself, why = False, ""
    try:
        os.set_blocking(pipe.fileno(), False)
        why = _read_along(process, pipe, output, deadline)
        by_itself = not why
    finally:
        if not by_itself:
            _ask_to_end(process)
        _end_group(process)
        output.drain(pipe)
        pipe.close()
    if not by_itself:
        detail = f"It was started. {why} How far it came is not known."
        return Outcome(succeeded=False, detail=detail, output=output.text, unknown=True)
    code = process.returncode
    return Outcome(
        succeeded=code == 0, detail=_ending(code), output=output.text, unknown=-code in FROM_OUTSIDE
    )


def _read_along(
    process: subprocess.Popen[bytes], pipe: IO[bytes], output: Tail, deadline: float
) -> str:
    """Why it has to be stopped; nothing where it ended by itself."""
    context = output.context
    ask_at = time.monotonic() + STOP_LOOK_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while not _has_ended(process):
            left = deadline - time.monotonic()
            if left <= 0:
                return f"It did not end within {context.timeout:g} seconds and was stopped."
            if time.monotonic() >= ask_at:
                if context.is_stopped():
                    return "A person had it stopped."
                ask_at = time.monotonic() + STOP_LOOK_SECONDS
            if selector.select(min(LOOK_SECONDS, left)) and not output.read(pipe):
                time.sleep(min(LOOK_SECONDS, left))  # it has closed its output and still runs
    return ""


class Tail:
    """The end of what a command prints, passed on as it comes."""

    def __init__(self, context: TaskContext) -> None:
        self.context = context
        self.text = ""
        # A character may lie across two pieces.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read(self, pipe: IO[bytes]) -> bool:
        """Take what is there now; False at the end of the output."""
        try:
            chunk = os.read(pipe.fileno(), MOST_OUTPUT)
        except BlockingIOError:
            return True
        text = self._decoder.decode(chunk, final=not chunk)
        self.text = (self.text + text)[-MOST_OUTPUT:]
        self.context.write(text)
        return bool(chunk)

    def drain(self, pipe: IO[bytes]) -> None:
        """Take what is left in the pipe."""
        for _ in range(LAST_CHUNKS):
            if not self.read(pipe):
                return


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has; it is not reaped, so that its process group cannot be mistaken."""
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, process.pid, flags) is not None


def _ask_to_end(process: subprocess.Popen[bytes]) -> None:
    """Give the group a moment to end by itself."""
    os.killpg(process.pid, signal.SIGTERM)
    until = time.monotonic() + STOP_SECONDS
    while not _has_ended(process) and time.monotonic() < until:
        time.sleep(LOOK_SECONDS / 4)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End the command and everything that it has started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _ending(code: int) -> str:
    if -code in FROM_OUTSIDE:
        return f"Ended by signal {-code}. How far it came is not known."
    return f"Ended by signal {-code}." if code < 0 else f"Exit status {code}."
