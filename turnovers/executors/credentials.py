"""References to secrets in the parameters of tasks: ``{secret:name}``, and fields that name one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.apps import apps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from turnovers.models import Secret

REFERENCE = re.compile(r"\{secret:([A-Za-z0-9_-]+)\}")
#: Parameters with such a name hold nothing but the name of a secret.
FIELD_ENDING = "secret"


def secret_choices() -> list[tuple[str, str]]:
    """The secrets by name, for a field in which one is chosen, or none."""
    found = _secrets().objects.values_list("name", "description")
    named = [(name, f"{name}: {words}" if words else name) for name, words in found]
    return [("", "None"), *named]


def referred_to(*texts: str) -> list[str]:
    """The names in references, in the order of their first use."""
    return list(dict.fromkeys(name for text in texts for name in REFERENCE.findall(text)))


def named_in(parameters: dict[str, Any]) -> set[str]:
    """The names of all secrets that a task's parameters name in any way."""
    texts = {field: text for field, text in parameters.items() if isinstance(text, str)}
    chosen = {text for field, text in texts.items() if field.endswith(FIELD_ENDING) and text}
    return chosen | set(referred_to(*texts.values()))


def secret_problems(names: Iterable[str], target: str) -> list[str]:
    """What these secrets lack before they can be given to that target, in sentences."""
    found = {row.name: row for row in _secrets().objects.filter(name__in=set(names))}
    problems = []
    for name in names:
        if name not in found:
            problems.append(f"The secret {name}: an administrator adds it.")
        elif target.lower() not in {str(entry).lower() for entry in found[name].targets}:
            problems.append(f"{target} as a target of the secret {name}: ask an administrator.")
        elif found[name].set_at is None:
            problems.append(f"A value of the secret {name}: an administrator sets it.")
    return problems


def _secrets() -> type[Secret]:
    # Looked up when asked: the models of this app know the executors, not the other way round.
    model: type[Secret] = apps.get_model("turnovers", "Secret")
    return model
