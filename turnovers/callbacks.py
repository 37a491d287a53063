"""Calls back: the address that a receiver gets for one attempt, and what it says there, once."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse

from releasemgr.workflow.perform import dispatch_on_commit
from turnovers.executors import CalledBack, SecretRefused
from turnovers.executors.followup import as_told
from turnovers.executors.outbound import target_of
from turnovers.executors.signing import is_signed
from turnovers.executors.values import put_in, samples
from turnovers.models import Callback, Followed
from turnovers.vault import redactor_for, value_for

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from typing import Any

    from turnovers.models import Attempt

HINT = "turnovers.tasks.drain"
MOST_BODY = 256 * 1024
TOKEN_BYTES = 32


class NoSuchAddress(Exception):
    """Nobody was given that address."""


class NotSigned(Exception):
    """The task is signed, and the call back is not, or not by who has the key."""


class NotUnderstood(Exception):
    """The call back does not say how it ended; the message says what it has to say."""


def open_callback(attempt_pk: int) -> str:
    """A new address for the attempt; one that it had before and that nobody used is closed."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    Callback.objects.update_or_create(
        attempt_id=attempt_pk, defaults={"token_digest": _digest(token)}
    )
    return f"{settings.BASE_URL}{reverse('turnovers:callback', args=[token])}"


def answer_of(attempt_pk: int) -> CalledBack | None:
    """What was said at the address of the attempt, if anything was."""
    row = Callback.objects.filter(attempt=attempt_pk, received_at__isnull=False).first()
    return CalledBack(succeeded=bool(row.succeeded), body=row.body) if row is not None else None


def told_too_late(attempt: Attempt) -> tuple[dt.datetime, str] | None:
    """What was said at the address of an attempt after that had ended: when, and a sentence."""
    row: Callback | None = getattr(attempt, "callback", None)
    if row is None or row.received_at is None or attempt.ended_at is None:
        return None
    if row.received_at <= attempt.ended_at:
        return None
    told = as_told(CalledBack(succeeded=bool(row.succeeded), body=row.body))
    return row.received_at, told.detail


def receive(token: str, body: bytes, headers: Mapping[str, str]) -> bool:
    """Write down what a receiver says; False where it has said it before, which stands.

    It is entered by whoever asks next how the task stands, who is called for that.
    Raises ``NoSuchAddress``, ``NotSigned`` or ``NotUnderstood``.
    """
    rows = Callback.objects.select_related("attempt__task_run__task")
    row = rows.filter(token_digest=_digest(token)).first()
    if row is None:
        raise NoSuchAddress
    parameters = row.attempt.task_run.task.parameters
    _check_signature(parameters, body, headers)
    succeeded = _understand(body)
    text = body.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    with transaction.atomic():
        first: int = Callback.objects.filter(pk=row.pk, received_at=None).update(
            received_at=Now(),
            succeeded=succeeded,
            body=redactor_for(parameters).redact(text),
        )
        if first:
            Followed.objects.filter(attempt=row.attempt_id).update(ask_at=Now())
            dispatch_on_commit(HINT, 0)
    return bool(first)


def _check_signature(parameters: dict[str, Any], body: bytes, headers: Mapping[str, str]) -> None:
    name = parameters.get("signing_secret")
    if not name:
        return
    target = target_of(put_in(str(parameters.get("url", "")), samples())).name
    try:
        secret = value_for(name, target)
    except SecretRefused as refused:
        raise NotSigned(str(refused)) from refused
    if not is_signed(body, headers, secret=secret):
        raise NotSigned("Sign it as Standard Webhooks says, with the secret of the task.")


def _understand(body: bytes) -> bool:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if isinstance(said, dict) and isinstance(said.get("succeeded"), bool):
        return bool(said["succeeded"])
    raise NotUnderstood('Send JSON with "succeeded": true or false.')


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
