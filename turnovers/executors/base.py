"""The interface between the run engine and whatever carries out an automated task."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from django.forms import Form

#: What is followed and has no time left is asked once more, and this is for the answer.
LAST_SECONDS = 5.0
#: The target of a secret that a command on this worker is given; all others are ``host:port``.
ON_WORKER = "command"


class SecretRefused(Exception):
    """A secret cannot be used here; the message says why, in a sentence."""


@dataclass(frozen=True)
class CalledBack:
    """What the receiver said when it called back: whether it succeeded, and its whole answer."""

    succeeded: bool
    body: str = ""


def no_secrets(name: str, target: str) -> str:
    raise SecretRefused(f"There is no secret {name} here.")


def no_address() -> str:
    raise NotImplementedError("Nobody can call back here.")


@dataclass(frozen=True)
class TaskContext:
    """What an executor is told: the parameters, who it is for, and how to stay safe.

    ``key`` is the idempotency key ``<turnover>:<task>:<n>``, where n grows only when a person
    says "run again"; ``fence`` is the attempt's number; ``timeout`` is in seconds.
    ``still_ours`` is asked right before the outside is touched; ``write`` streams output.

    ``secrets`` gives the value of a secret for a target, ``host:port`` or ``ON_WORKER``, or raises
    ``SecretRefused``; it is to be asked before anything is sent. ``callback_url`` makes the
    address at which the receiver may report once, and ``called_back`` says whether it has.
    ``is_stopped`` says that a person wants what is running to end: whoever waits for something
    asks it about every second, leaves off, and says what is known.

    ``left`` is for what is followed: the seconds that its time has left, or none and less.
    """

    parameters: dict[str, Any]
    key: str
    attempt: int
    fence: int
    timeout: float
    variables: Mapping[str, str] = field(default_factory=dict)
    still_ours: Callable[[], bool] = lambda: True
    write: Callable[[str], None] = lambda text: None
    secrets: Callable[[str, str], str] = no_secrets
    callback_url: Callable[[], str] = no_address
    called_back: Callable[[], CalledBack | None] = lambda: None
    is_stopped: Callable[[], bool] = lambda: False
    left: float | None = None


@dataclass(frozen=True)
class Outcome:
    """How it ended. ``detail`` is a sentence for people, with the last thing that is known.

    ``unknown`` is for the outside that was touched, or may have been, without an answer that says
    how it ended: no answer in time, a connection that broke, a stop in the middle. People then
    settle it. A failure without it is a plain one: it did not happen, or it is known to be wrong.
    """

    succeeded: bool
    detail: str = ""
    output: str = ""
    unknown: bool = False


@dataclass(frozen=True)
class Following:
    """It was taken up elsewhere and goes on there, so that no worker need wait for it.

    Whichever worker comes to it in ``again_in`` seconds asks the executor to ``follow`` it. The
    ``handle`` is all that this one needs to know then, as JSON; secrets have no place in it.
    """

    handle: dict[str, Any]
    again_in: float


class Executor:
    """One way to carry out a task. Subclasses are stateless."""

    key: ClassVar[str]
    name: ClassVar[str]
    icon: ClassVar[str] = "bot"
    #: Whether it touches nothing outside, and so is over before anybody could wonder.
    is_instant: ClassVar[bool] = False
    #: The form of its parameters; its cleaned data are what is stored on the task.
    form: ClassVar[type[Form]]

    def problems(self, parameters: dict[str, Any]) -> list[str]:
        """What the parameters lack, in sentences."""
        form = self.form(parameters)
        return [
            f"{form.fields[name].label or name}: {error}" if name in form.fields else str(error)
            for name, errors in form.errors.items()
            for error in errors
        ]

    def summary(self, parameters: dict[str, Any]) -> str:
        """One line for the task list."""
        return self.name

    def begins_at(self, parameters: dict[str, Any], now: dt.datetime) -> dt.datetime | None:
        """When it may be claimed at the earliest, seen from its turn; ``None`` for at once."""
        return None

    def run(self, context: TaskContext) -> Outcome | Following:
        """Carry it out. Raises nothing for what the outside does wrong: that is an Outcome."""
        raise NotImplementedError(self.key)

    def follow(self, context: TaskContext, handle: dict[str, Any]) -> Outcome | Following:
        """Ask once how it stands, of what ``run`` left to go on. Nothing is begun here.

        Where its time is over it is asked once more, and the answer is an Outcome.
        """
        raise NotImplementedError(self.key)
