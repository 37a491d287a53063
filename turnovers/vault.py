"""The vault: secrets are put in by administrators, and handed to a task for their targets alone."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from releasemgr.workflow.edit import edit
from turnovers import sealing
from turnovers.executors import Following, SecretRefused
from turnovers.executors.credentials import named_in
from turnovers.models import Secret, SecretValue
from turnovers.redaction import IN_USE, Redactor, Stream

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from releasemgr.accounts.models import User
    from turnovers.executors import Outcome


class Vault:
    """What one attempt at a task may use of the secrets, and what must not show of them.

    ``value_for`` is the ``secrets`` of its context; what it writes goes through ``guarded``, and
    how it ended through ``redacted``, which also passes on what ``guarded`` still holds.
    """

    def __init__(self) -> None:
        self.redactor = Redactor()
        self._streams: list[Stream] = []

    def value_for(self, name: str, target: str) -> str:
        """The value of the secret, for that target; raises ``SecretRefused``."""
        value = value_for(name, target)
        self.redactor.learn(value)
        return value

    def guarded(self, write: Callable[[str], None]) -> Callable[[str], None]:
        """``write`` for texts that may hold the secrets that were handed out."""
        stream = Stream(self.redactor, write)
        self._streams.append(stream)
        return stream.write

    def redacted(self, outcome: Outcome | Following) -> Outcome | Following:
        """The outcome, or what is remembered, without the secrets that were handed out."""
        for stream in self._streams:
            stream.end()
        if isinstance(outcome, Following):
            text = self.redactor.redact(json.dumps(outcome.handle))
            return dataclasses.replace(outcome, handle=json.loads(text))
        return dataclasses.replace(
            outcome,
            detail=self.redactor.redact(outcome.detail),
            output=self.redactor.redact(outcome.output),
        )


def value_for(name: str, target: str) -> str:
    """The value of the secret, for that target; raises ``SecretRefused``."""
    secret = Secret.objects.select_related("value").filter(name=name).first()
    if secret is None:
        raise SecretRefused(f"There is no secret {name}.")
    if target.lower() not in {str(entry).lower() for entry in secret.targets}:
        raise SecretRefused(f"The secret {name} may not be given to {target}.")
    value = _opened(secret)
    IN_USE.learn(value)
    return value


def redactor_for(parameters: dict[str, Any]) -> Redactor:
    """A redactor of all that the parameters of a task name and that can be opened here."""
    redactor = Redactor()
    for secret in Secret.objects.select_related("value").filter(name__in=named_in(parameters)):
        try:
            redactor.learn(_opened(secret))
        except SecretRefused:
            continue
    return redactor


def put_in(secret: Secret, value: str, *, by: User) -> None:
    """Seal a new value in the place of any old one."""
    with transaction.atomic():
        edit(secret, by=by, reason="Value set", set_at=timezone.now())
        sealed = sealing.seal(value, row=_row(secret))
        SecretValue.objects.update_or_create(secret=secret, defaults={"sealed": sealed})


def forget(secret: Secret, *, by: User, reason: str) -> None:
    """Drop the value; tasks that name the secret fail until it has another."""
    with transaction.atomic():
        edit(secret, by=by, reason=reason, set_at=None)
        SecretValue.objects.filter(secret=secret).delete()


def rotate() -> tuple[int, list[str]]:
    """Seal every value with the first key; returns how many, and the names of unreadable ones."""
    sealed, unreadable = 0, []
    for pk in SecretValue.objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            row = SecretValue.objects.select_for_update(of=("self",)).filter(pk=pk).first()
            if row is None or sealing.is_newest(row.sealed):
                continue
            try:
                text = sealing.unseal(row.sealed, row=_row(row.secret))
            except sealing.CannotUnseal:
                unreadable.append(row.secret.name)
                continue
            row.sealed = sealing.seal(text, row=_row(row.secret))
            row.save(update_fields=["sealed"])
            sealed += 1
    return sealed, unreadable


def _opened(secret: Secret) -> str:
    try:
        return sealing.unseal(secret.value.sealed, row=_row(secret))
    except SecretValue.DoesNotExist:
        raise SecretRefused(f"The secret {secret} has no value.") from None
    except sealing.CannotUnseal as error:
        raise SecretRefused(f"The secret {secret} cannot be opened. {error}") from error


def _row(secret: Secret) -> str:
    return f"turnovers.secret:{secret.pk}"
