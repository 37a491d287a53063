"""The interface between a criterion and whatever finds out whether it is true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from trains.states import CheckOutcome

if TYPE_CHECKING:
    from django.forms import Form

    from trains.models import Criterion, Train

#: One look may take so long, in seconds, its calls to the outside altogether.
LOOK_SECONDS = 30.0


@dataclass(frozen=True)
class Finding:
    """What a look came to, in a sentence for people.

    ``UNKNOWN`` is for what could not be found out: no answer, or one that says nothing. It makes
    nothing true and nothing false; the answer before it counts until it is too old.
    """

    outcome: CheckOutcome
    detail: str


def passed(detail: str) -> Finding:
    return Finding(CheckOutcome.PASSED, detail)


def failed(detail: str) -> Finding:
    return Finding(CheckOutcome.FAILED, detail)


def unknown(detail: str) -> Finding:
    return Finding(CheckOutcome.UNKNOWN, detail)


class Check:
    """One way to find out whether a criterion is true. Subclasses are stateless.

    To add one, write a subclass and ``register`` it when all apps are ready. It only looks: it
    changes nothing, here or outside, since it may be asked again at any time.
    """

    key: ClassVar[str]
    name: ClassVar[str]
    #: What it asks, in a sentence, for whoever chooses one.
    explains: ClassVar[str]
    icon: ClassVar[str] = "bot"
    #: The form of its parameters; its cleaned data must be fit for JSON.
    form: ClassVar[type[Form]]

    def summary(self, parameters: dict[str, Any]) -> str:
        """What it asks with these parameters, on one line."""
        return self.name

    def look(self, criterion: Criterion, train: Train, parameters: dict[str, Any]) -> Finding:
        """Find out, within ``LOOK_SECONDS``. Raises nothing for what the outside does wrong."""
        raise NotImplementedError(self.key)
