"""Work that another tool does: start it once, follow it to its end, say what is known of it.

The tools differ in their addresses and words; what they have in common is here. Whatever fails
before anything was started is a plain failure. From then on only the tool's own last word counts:
where it does not come, the ending is unknown, and the link leads to where people can look.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import json
import re
import time
from abc import abstractmethod
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from turnovers.executors.base import (
    LAST_SECONDS,
    Executor,
    Following,
    Outcome,
    SecretRefused,
    TaskContext,
)
from turnovers.executors.outbound import Answer, NotCalled, Unclear, call, is_allowed, target_of
from turnovers.executors.values import WORDS, only_known_values, put_in

if TYPE_CHECKING:
    from collections.abc import Mapping

#: One question and its answer take no longer.
CALL_SECONDS = 30.0
#: How long to wait where a tool that is asked too often does not say.
PATIENCE_SECONDS = 10.0
#: After so many refusals in a row nobody is asked any more.
MOST_REFUSALS = 5
VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)
KEY_HELP = "The idempotency key is passed on under this name; empty to pass it on nowhere."


class NothingStarted(Exception):
    """It did not begin; the message says why, in a sentence."""


class NotKnown(Exception):
    """It began or may have begun, and how it ended cannot be said; the message says what can."""


@dataclass(frozen=True)
class Build:
    """One piece of work at the tool: ``address`` is for us to ask, ``link`` for people."""

    address: str
    link: str


@dataclass(frozen=True)
class Reading:
    """How it stands, in the tool's own words; ``build`` is where it is to be asked from now on."""

    build: Build
    words: str
    is_over: bool = False
    succeeded: bool = False


class Session:
    """The conversation with a tool about one attempt."""

    def __init__(self, context: TaskContext, base: str, headers: Mapping[str, str]) -> None:
        self.context = context
        self.base = base.rstrip("/")
        self.headers = {"User-Agent": "release-manager", "Accept": "application/json", **headers}
        left = context.timeout if context.left is None else max(context.left, LAST_SECONDS)
        self.ends = time.monotonic() + left
        #: Up to where the tool's own output has been read.
        self.offset = 0

    @property
    def left(self) -> float:
        return self.ends - time.monotonic()

    def get(self, address: str) -> Answer:
        """Read something; raises ``NotCalled`` or ``Unclear``."""
        return self._patiently("GET", address, {}, b"", lambda: True)

    def start(self, address: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Begin it, which is sent at most once. Raises ``NothingStarted`` or ``NotKnown``."""
        try:
            answer = self._patiently("POST", address, headers, body, self.context.still_ours)
        except NotCalled as error:
            raise NothingStarted(str(error)) from error
        except Unclear as error:
            raise NotKnown(f"{error} Whether it was started is not known.") from error
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise NotKnown(f"{said(answer)} Whether it was started is not known.")
        return answer

    def json(self, address: str) -> Any:
        """Read JSON; raises ``NotCalled``, ``Unclear``, or ``Refused`` for any other answer."""
        answer = self.get(address)
        if answer.status != HTTPStatus.OK:
            raise Refused(answer)
        return parsed(answer)

    def wait(self, seconds: float) -> None:
        """Let time pass, but not beyond the end or a stop, which raise ``NotKnown``."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self.context.is_stopped():
                raise NotKnown("It was stopped here.")
            if self.left <= 0:
                raise NotKnown(f"It had not ended within {self.context.timeout:g} seconds.")
            time.sleep(min(1.0, left, max(self.left, 0.01)))

    def write(self, text: str) -> None:
        """Show people what the tool prints."""
        if text:
            self.context.write(text)

    def _patiently(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes, still_ours: Any
    ) -> Answer:
        """Ask, and ask again where the tool says that it is asked too often: it did nothing."""
        while True:
            if self.left <= 0:
                raise NotCalled("There is no time left.")
            answer = call(
                method,
                address if "://" in address else f"{self.base}{address}",
                headers={**self.headers, **headers},
                body=body,
                timeout=min(CALL_SECONDS, self.left),
                still_ours=still_ours,
                is_stopped=self.context.is_stopped,
            )
            if not _is_too_often(answer):
                return answer
            pause = _retry_after(answer)
            if pause >= self.left:
                raise NotCalled(f"{said(answer)} It allows no more calls before the time is over.")
            try:
                self.wait(pause)
            except NotKnown as error:
                raise NotCalled(f"{said(answer)} {error}") from error


class Refused(Exception):
    """The tool answered, but not with what was asked for."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(said(answer))
        self.status = answer.status


class Elsewhere(Executor):
    """An executor whose work is done by another tool. Subclasses say how that one is asked."""

    #: What a piece of work is called there, as the middle of a sentence.
    noun: ClassVar[str] = "build"
    poll_seconds: ClassVar[float] = 3.0

    @abstractmethod
    def open(self, context: TaskContext) -> Session:
        """Begin to talk. Raises ``SecretRefused``."""

    @abstractmethod
    def find(self, session: Session) -> Build | None:
        """The newest piece of work that carries our key."""

    @abstractmethod
    def start(self, session: Session) -> Build:
        """Start it, once. Raises ``NothingStarted`` or ``NotKnown``."""

    @abstractmethod
    def read(self, session: Session, build: Build) -> Reading:
        """How it stands now."""

    def problems(self, parameters: dict[str, Any]) -> list[str]:
        """Also the target that nobody has allowed."""
        found = super().problems(parameters)
        if not found and not is_allowed(target := target_of(parameters["url"])):
            return [
                f"{target.name} as an allowed target: an administrator adds it to OUTBOUND_ALLOW."
            ]
        return found

    def run(self, context: TaskContext) -> Outcome | Following:
        try:
            session = self.open(context)
        except (SecretRefused, NothingStarted, KeyError, ValueError) as error:
            return Outcome(succeeded=False, detail=f"{error} Nothing was started.")
        try:
            reading = self._found_again(session) or Reading(self.start(session), "started")
        except NothingStarted as error:
            return Outcome(False, f"{error} Nothing was started.")
        except NotKnown as error:
            return Outcome(False, str(error), unknown=True)
        session.write(f"{reading.build.link} {reading.words}\n")
        return self._going_on(session, reading)

    def follow(self, context: TaskContext, handle: dict[str, Any]) -> Outcome | Following:
        """Ask once how it stands; what cannot be asked now is asked later, within reason."""
        last = Reading(Build(handle["address"], handle["link"]), handle["words"])
        refusals = int(handle["refusals"])
        if context.is_stopped():
            return _not_known("It was stopped here.", last)
        try:
            session = self.open(context)
            session.offset = int(handle["offset"])
            reading = self.read(session, last.build)
        except NotKnown as error:
            return _not_known(str(error), last)
        except (SecretRefused, NothingStarted, KeyError, ValueError) as error:
            problem = str(error)
        except (NotCalled, Unclear) as error:
            problem = str(error)
        except Refused as error:
            problem = str(error)
            refusals += error.status < HTTPStatus.INTERNAL_SERVER_ERROR
        else:
            if reading.words != last.words:
                session.write(f"{reading.build.link} {reading.words}\n")
            return self._going_on(session, reading)
        if refusals >= MOST_REFUSALS or (context.left or 0) <= 0:
            return _not_known(problem, last)
        return Following({**handle, "refusals": refusals}, self.poll_seconds)

    def _going_on(self, session: Session, reading: Reading) -> Outcome | Following:
        """Its end, or what is to be remembered of it until it is asked again."""
        build, context = reading.build, session.context
        if reading.is_over:
            detail = f"The {self.noun} ended: {reading.words}. {build.link}"
            return Outcome(reading.succeeded, detail)
        if context.left is not None and context.left <= 0:
            return _not_known(f"It had not ended within {context.timeout:g} seconds.", reading)
        handle = {"address": build.address, "link": build.link, "words": reading.words}
        return Following({**handle, "offset": session.offset, "refusals": 0}, self.poll_seconds)

    def _found_again(self, session: Session) -> Reading | None:
        """What an earlier attempt started, unless it is known to have failed."""
        if session.context.attempt == 1:
            return None
        try:
            build = self.find(session)
            reading = self.read(session, build) if build is not None else None
        except (NotCalled, Unclear, Refused) as error:
            words = f"{error} Whether an earlier attempt had started it could not be looked up."
            raise NotKnown(words) from error
        if reading is not None and reading.is_over and not reading.succeeded:
            return None
        return reading


class ElsewhereForm(forms.Form):
    """Where the tool is, and what it is told."""

    url = forms.CharField(
        label="Address",
        max_length=2000,
        help_text="Its host and port must be allowed by an administrator.",
    )
    variables = forms.CharField(
        label="Parameters",
        required=False,
        max_length=16_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=f"One a line, such as VERSION={{version}}. {WORDS}",
    )
    secret = forms.SlugField(
        label="Secret",
        max_length=100,
        help_text="The name of the secret that holds the token. Administrators keep secrets.",
    )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].rstrip("/")
        try:
            target = target_of(url)
        except ValueError as error:
            raise ValidationError(str(error)) from error
        if "?" in target.path or "#" in url:
            raise ValidationError("Give the address without anything behind ? or #.")
        return url

    def clean_variables(self) -> str:
        text: str = self.cleaned_data["variables"]
        only_known_values(text)
        for name, _ in pairs(text):
            if not VARIABLE_NAME.fullmatch(name):
                raise ValidationError("Write each parameter on its own line, as NAME=value.")
        return text


def pairs(text: str) -> list[tuple[str, str]]:
    """Names and values, one a line."""
    lines = (line.partition("=") for line in text.splitlines() if line.strip())
    return [(name.strip(), value.strip()) for name, _, value in lines]


def variables_of(context: TaskContext, key_name: str = "") -> dict[str, str]:
    """What the tool is told, our key included."""
    given = {
        name: put_in(value, context.variables)
        for name, value in pairs(context.parameters.get("variables", ""))
    }
    return given | ({key_name: context.key} if key_name else {})


def token_of(context: TaskContext) -> str:
    """The token; raises ``SecretRefused``."""
    target = target_of(context.parameters["url"]).name
    return context.secrets(context.parameters["secret"], target).strip()


def part(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")


def parsed(answer: Answer) -> Any:
    """The JSON of an answer; raises ``Unclear`` for one that is none."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise Unclear("It answered with something that is not JSON.") from error


def said(answer: Answer) -> str:
    """What a refusal says, in a sentence."""
    words = f"It answered HTTP {answer.status} {answer.phrase}".strip()
    try:
        body = json.loads(answer.body)
        more = body.get("message") or body.get("error") or body.get("detail")
    except (ValueError, AttributeError, RecursionError):
        more = None
    return f"{words}: {str(more)[:300].rstrip('.')}." if more else f"{words}."


def _is_too_often(answer: Answer) -> bool:
    """Also 403 with a time to come back, as GitHub says it."""
    return answer.status == HTTPStatus.TOO_MANY_REQUESTS or (
        answer.status == HTTPStatus.FORBIDDEN and "retry-after" in answer.headers
    )


def _retry_after(answer: Answer) -> float:
    """Seconds or a date, whichever it says."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return PATIENCE_SECONDS
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max(0.0, (moment - timezone.now()).total_seconds())


def _not_known(why: str, last: Reading) -> Outcome:
    """It goes on, or has ended, where it is: nobody here knows how."""
    detail = f"{why} Last known: {last.words}. {last.build.link}"
    return Outcome(succeeded=False, detail=detail, unknown=True)
