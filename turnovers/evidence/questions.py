"""One question to the outside, by the rules that hold for every call: see ``outbound``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from trains.checking.base import LOOK_SECONDS, Finding, unknown
from turnovers.executors.base import SecretRefused
from turnovers.executors.credentials import secret_problems
from turnovers.executors.outbound import Answer, NotCalled, Unclear, call, is_allowed, target_of
from turnovers.executors.request_form import parse_headers
from turnovers.executors.values import put_in
from turnovers.redaction import Redactor
from turnovers.vault import value_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def ask(url: str, headers: str, judge: Callable[[Answer], Finding]) -> Finding:
    """GET ``url`` and judge the answer; a secret in ``headers`` shows nowhere in what is found.

    What stops the call, or breaks it off, makes the finding unknown: it says nothing of the thing.
    """
    redactor = Redactor()

    def secret(name: str) -> str:
        value = value_for(name, target_of(url).name)
        redactor.learn(value)
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"the secret {name} has characters that no header takes")
        return value

    try:
        given = dict(parse_headers(put_in(headers, {}, secret=secret)))
        answer = call(
            "GET",
            url,
            headers={"User-Agent": "release-manager", "Accept": "application/json", **given},
            body=b"",
            timeout=LOOK_SECONDS,
        )
    except (NotCalled, SecretRefused, Unclear) as error:
        return unknown(redactor.redact(str(error)))
    except (KeyError, ValueError) as error:
        return unknown(f"It cannot be asked: {redactor.redact(str(error))}.")
    found = judge(answer)
    return Finding(found.outcome, redactor.redact(found.detail))


def clean_address(url: str) -> str:
    """Refuse what may not be called; raises ``ValidationError`` with what to do."""
    try:
        target = target_of(url)
    except ValueError as error:
        raise ValidationError(str(error)) from error
    if not is_allowed(target):
        raise ValidationError(
            f"{target.name} is not an allowed target: an administrator adds it to OUTBOUND_ALLOW."
        )
    return url


def refuse_secrets(names: Iterable[str], url: str) -> None:
    """Raise ``ValidationError`` where one of these secrets may not be given to that host."""
    if problems := secret_problems(names, target_of(url).name):
        raise ValidationError([f"It lacks: {problem}" for problem in problems])


def says(answer: Any) -> str:
    return f"HTTP {answer.status} {answer.phrase}".strip()
