"""What a receiver has accepted is followed until it has ended: by asking, or by a call back."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from turnovers.executors.base import CalledBack, Outcome
from turnovers.executors.outbound import Answer, NotCalled, Target, Unclear, call, target_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from turnovers.executors.base import TaskContext

NOT_KNOWN = "Whether it happened is not known."
ASK_SECONDS = 5
#: One question may take so long; the next may be answered.
QUESTION_SECONDS = 30.0
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
MOST_WORDS = 200


class Followup:
    """One accepted request, from its 202 to its end."""

    def __init__(
        self,
        context: TaskContext,
        url: str,
        headers: Mapping[str, str],
        accepted: Answer,
        deadline: float,
    ) -> None:
        self.context = context
        self.given = context.parameters
        self.url = url
        self.headers = {**headers, "Idempotency-Key": context.key}
        self.accepted = accepted
        self.deadline = deadline
        self.calls_back = self.given.get("mode") == "calls_back"
        self.output = ""
        self.last = "It was accepted (HTTP 202)"

    def outcome(self) -> Outcome:
        """Wait for the end and judge it."""
        self._note(f"HTTP 202 {self.accepted.phrase}\n{self.accepted.text}".strip())
        try:
            address = self._address()
        except ValueError as error:
            if not self.calls_back:
                return self._unknown(f"but cannot be asked how it ends: {error}")
            address = ""
        every = int(self.given.get("poll_seconds") or ASK_SECONDS)
        ask_at, pause = time.monotonic() + min(every, LONGEST_PAUSE), FIRST_PAUSE
        while True:
            if self.calls_back and (told := self.context.called_back()):
                return as_told(told, self.output)
            if self.context.is_stopped():
                return self._unknown("and was not waited for any longer, as a person stopped it.")
            left = self.deadline - time.monotonic()
            if left <= 0:
                return self._unknown(f"and did not end within {self.context.timeout:g} seconds.")
            if address and time.monotonic() >= ask_at:
                if ended := self._ask(address, min(QUESTION_SECONDS, left)):
                    return ended
                ask_at = time.monotonic() + every
            time.sleep(min(pause, max(0.0, self.deadline - time.monotonic())))
            pause = min(pause * 2, LONGEST_PAUSE)

    def _address(self) -> str:
        """Where to ask: the same host and port alone; empty where nothing is to be asked."""
        if not self.given.get("done_field"):
            return ""
        if field := self.given.get("poll_field"):
            found = look_up(self.accepted.body, field) or ""
        else:
            found = self.accepted.headers.get("location", "")
        if not found:
            raise ValueError("its answer names no address.")
        address = urljoin(self.url, found)
        if _place(target_of(address)) != _place(target_of(self.url)):
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
            self.last = f"It was accepted (HTTP 202), and when last asked: {str(error).rstrip('.')}"
            return None
        state = look_up(answer.body, field)
        if state is None:
            self.last = f"It was accepted (HTTP 202), and last answered HTTP {answer.status}"
            return None
        words = f"{field} is “{state[:MOST_WORDS]}”"
        if not self.last.endswith(words):
            self._note(words)
        self.last = f"It was accepted (HTTP 202), and {words}"
        if state in _values(self.given.get("done_values")):
            return Outcome(succeeded=True, detail=f"{self.last}.", output=self._with(answer))
        if state in _values(self.given.get("failed_values")):
            return Outcome(succeeded=False, detail=f"{self.last}.", output=self._with(answer))
        return None

    def _note(self, line: str) -> None:
        self.output += f"{line}\n"
        self.context.write(f"{line}\n")

    def _with(self, answer: Answer) -> str:
        return f"{self.output}\n{answer.text}"

    def _unknown(self, why: str) -> Outcome:
        detail = f"{self.last}, {why} {NOT_KNOWN}"
        return Outcome(succeeded=False, detail=detail, output=self.output, unknown=True)


def as_told(told: CalledBack, before: str = "") -> Outcome:
    """What the receiver said when it called back, as an outcome."""
    said = "that it succeeded" if told.succeeded else "that it failed"
    words = look_up(told.body.encode(), "detail") or ""
    detail = f"It called back {said}{': ' if words else '.'}{words[:MOST_WORDS]}"
    output = f"{before}\n{told.body}".strip()
    return Outcome(succeeded=told.succeeded, detail=detail, output=output)


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
