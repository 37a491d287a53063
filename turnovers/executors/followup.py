"""What a receiver has accepted is followed until it has ended: by asking, or by a call back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from turnovers.executors.base import LAST_SECONDS, CalledBack, Following, Outcome
from turnovers.executors.outbound import Answer, NotCalled, Target, Unclear, call, target_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from turnovers.executors.base import TaskContext

NOT_KNOWN = "Whether it happened is not known."
ASK_SECONDS = 5
#: One question may take so long; the next may be answered.
QUESTION_SECONDS = 30.0
#: Many that are accepted end soon.
FIRST_SECONDS = 1.0
ACCEPTED = "It was accepted (HTTP 202)"
MOST_WORDS = 200


class Followup:
    """One accepted request, from its 202 to its end, as often as somebody looks.

    ``handle`` is what is remembered in between: where it was sent, where it is asked, and what was
    last known of it.
    """

    def __init__(
        self, context: TaskContext, headers: Mapping[str, str], handle: Mapping[str, Any]
    ) -> None:
        self.context = context
        self.given = context.parameters
        self.headers = {**headers, "Idempotency-Key": context.key}
        self.handle = dict(handle)
        self.calls_back = self.given.get("mode") == "calls_back"
        self.every = float(self.given.get("poll_seconds") or ASK_SECONDS)

    @classmethod
    def begin(
        cls, context: TaskContext, url: str, headers: Mapping[str, str], accepted: Answer
    ) -> Outcome | Following:
        """What is to be followed from here on, or why it cannot be."""
        self = cls(context, headers, {"url": url, "address": "", "last": ACCEPTED})
        self._note(f"HTTP 202 {accepted.phrase}\n{accepted.text}".strip())
        try:
            self.handle["address"] = self._address(accepted)
        except ValueError as error:
            if not self.calls_back:
                return self._unknown(f"but cannot be asked how it ends: {error}")
        return Following(self.handle, min(self.every, FIRST_SECONDS))

    def look(self) -> Outcome | Following:
        """Whether it has ended, and how."""
        if self.calls_back and (told := self.context.called_back()):
            self._note(told.body)
            return replace(as_told(told), output="")
        if self.context.is_stopped():
            return self._unknown("and was not waited for any longer, as a person stopped it.")
        left = self.context.left or 0.0
        if address := self.handle["address"]:
            ended = self._ask(address, min(QUESTION_SECONDS, max(left, LAST_SECONDS)))
            if ended is not None:
                return ended
        if left <= 0:
            return self._unknown(f"and did not end within {self.context.timeout:g} seconds.")
        return Following(self.handle, self.every)

    def _address(self, accepted: Answer) -> str:
        """Where to ask: the same host and port alone; empty where nothing is to be asked."""
        if not self.given.get("done_field"):
            return ""
        if field := self.given.get("poll_field"):
            found = look_up(accepted.body, field) or ""
        else:
            found = accepted.headers.get("location", "")
        if not found:
            raise ValueError("its answer names no address.")
        sent_to = str(self.handle["url"])
        address = urljoin(sent_to, found)
        if _place(target_of(address)) != _place(target_of(sent_to)):
            raise ValueError("the address in its answer is on another host or port.")
        return address

    def _ask(self, address: str, timeout: float) -> Outcome | None:
        """Ask once; an outcome where the answer says that it has ended."""
        field = str(self.given["done_field"])
        try:
            answer = call(
                "GET",
                address,
                headers=self.headers,
                body=b"",
                timeout=timeout,
                is_stopped=self.context.is_stopped,
            )
        except (NotCalled, Unclear, ValueError) as error:
            self.handle["last"] = f"{ACCEPTED}, and when last asked: {str(error).rstrip('.')}"
            return None
        state = look_up(answer.body, field)
        if state is None:
            self.handle["last"] = f"{ACCEPTED}, and last answered HTTP {answer.status}"
            return None
        words = f"{field} is “{state[:MOST_WORDS]}”"
        if not self.handle["last"].endswith(words):
            self._note(words)
        self.handle["last"] = f"{ACCEPTED}, and {words}"
        succeeded = state in _values(self.given.get("done_values"))
        if succeeded or state in _values(self.given.get("failed_values")):
            self._note(answer.text)
            return Outcome(succeeded, f"{self.handle['last']}.")
        return None

    def _note(self, line: str) -> None:
        self.context.write(f"{line}\n")

    def _unknown(self, why: str) -> Outcome:
        detail = f"{self.handle['last']}, {why} {NOT_KNOWN}"
        return Outcome(succeeded=False, detail=detail, unknown=True)


def as_told(told: CalledBack) -> Outcome:
    """What the receiver said when it called back, as an outcome."""
    said = "that it succeeded" if told.succeeded else "that it failed"
    words = look_up(told.body.encode(), "detail") or ""
    detail = f"It called back {said}{': ' if words else '.'}{words[:MOST_WORDS]}"
    return Outcome(succeeded=told.succeeded, detail=detail, output=told.body)


def look_up(body: bytes, path: str) -> str | None:
    """The value at a dotted path of a JSON text, as text; ``None`` where there is none."""
    try:
        value = json.loads(body)
        for name in path.split("."):
            value = value[int(name)] if isinstance(value, list) else value[name]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return None
    return value if isinstance(value, str) else json.dumps(value)


def _place(target: Target) -> tuple[str, str, int]:
    return target.scheme, target.host, target.port


def _values(text: str | None) -> set[str]:
    return {value.strip() for value in (text or "").split(",") if value.strip()}
