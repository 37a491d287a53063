"""Values that tasks refer to in braces, such as ``{turnover}``, and how they are put in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Each value with what it means; ``carry.variables`` gives them.
VALUES = {
    "turnover": "the turnover's number, such as TO-0042",
    "title": "its title",
    "item": "the train or application release that is deployed",
    "environment": "the environment's name",
    "version": "the version or versions that are deployed",
    "run": "the number of the run",
    "task": "the task's title",
    "order": "the task's order",
    "key": "the idempotency key",
    "attempt": "the number of the attempt",
}
WORDS = "Values: " + ", ".join(f"{{{name}}}" for name in VALUES) + "."
_REFERENCE = re.compile(r"\{(?:secret:([A-Za-z0-9_-]+)|([A-Za-z_][A-Za-z0-9_]*))\}")


def put_in(
    text: str,
    values: Mapping[str, str],
    safe: Callable[[str], str] = str,
    secret: Callable[[str], str] | None = None,
) -> str:
    """``text`` with each reference replaced by its value, made ``safe`` for where it stands.

    References to secrets are replaced where ``secret`` gives their values. All of it happens in
    one go, so that a value that looks like a reference stays what it is.
    """

    def value(found: re.Match[str]) -> str:
        if found[1] is None:
            return safe(values[found[2]])
        return found[0] if secret is None else safe(secret(found[1]))

    return _REFERENCE.sub(value, text)


def only_known_values(text: str) -> None:
    """Refuse a reference to a value that there is not, and one to a secret that is no name."""
    found = _REFERENCE.findall(text)
    unknown = sorted({name for _, name in found if name} - set(VALUES))
    if unknown:
        raise ValidationError(f"There is no value {{{unknown[0]}}}. {WORDS}")
    if text.count("{secret:") != sum(1 for secret, _ in found if secret):
        raise ValidationError("Refer to a secret as {secret:name}.")


def no_secrets_in(text: str) -> None:
    """Refuse a reference to a secret where it would be seen."""
    if "{secret:" in text:
        raise ValidationError("Secrets go into headers and bodies, where nobody sees them.")


def samples() -> dict[str, str]:
    """A value for each name, to try a template with."""
    return dict.fromkeys(VALUES, "1")
