"""Redaction: the values of secrets taken out of whatever is printed, answered or logged."""

from __future__ import annotations

import base64
import json
import logging
import re
import threading
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

INSTEAD = "[secret]"
#: Nothing shorter is taken out, as it would be taken out of ordinary words, too.
SHORTEST = 6
#: A text that could begin a secret is looked for by so many of its first characters.
_HEAD = 4


class Redactor:
    """Takes the values that it was told of out of texts, in every spelling that it knows."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._values: frozenset[str] = frozenset()
        self.spellings: tuple[str, ...] = ()
        self.learn(*values)

    def learn(self, *values: str) -> None:
        """Take these out from now on, too."""
        with self._lock:
            if set(values) <= self._values:
                return
            self._values |= set(values)
            found = {text for value in self._values for text in spellings(value)}
            # The longest first: one secret may begin like another.
            self.spellings = tuple(sorted(found, key=lambda text: (-len(text), text)))

    def redact(self, text: str) -> str:
        """``text`` without them."""
        pattern = self._pattern_in(text)
        return text if pattern is None else pattern.sub(INSTEAD, text)

    def safe_length(self, text: str) -> int:
        """How much of ``text`` cannot be part of a secret that its continuation completes."""
        cut = min((_open_end(text, spelling) for spelling in self.spellings), default=len(text))
        pattern = self._pattern_in(text)
        if pattern is not None:
            for found in pattern.finditer(text):
                if found.start() < cut < found.end():
                    cut = found.start()
        return cut

    def _pattern_in(self, text: str) -> re.Pattern[str] | None:
        """A pattern of the spellings that are there: to look for all of them would take long."""
        there = [re.escape(spelling) for spelling in self.spellings if spelling in text]
        return re.compile("|".join(there)) if there else None


class Stream:
    """Passes a text on piece by piece, redacted, with secrets that lie across the pieces."""

    def __init__(self, redactor: Redactor, write: Callable[[str], None]) -> None:
        self.redactor = redactor
        self._write = write
        self._held = ""

    def write(self, text: str) -> None:
        """Pass on what is certain, and hold the rest until more comes."""
        text = self._held + text
        cut = self.redactor.safe_length(text)
        self._held = text[cut:]
        if cut:
            self._write(self.redactor.redact(text[:cut]))

    def end(self) -> None:
        """Nothing more comes."""
        text, self._held = self._held, ""
        if text:
            self._write(self.redactor.redact(text))


#: Every value that this process has used, for its own log.
IN_USE = Redactor()


class RedactingFilter(logging.Filter):
    """Takes the secrets that this process has used out of its log, tracebacks included."""

    _formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        if not IN_USE.spellings:
            return True
        record.msg, record.args = IN_USE.redact(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = IN_USE.redact(record.exc_text)
        if record.stack_info:
            record.stack_info = IN_USE.redact(record.stack_info)
        return True


def spellings(value: str) -> set[str]:
    """The ways in which a value may show: as it is, encoded, escaped; and each of its lines."""
    lines = {value, value.strip(), *(line.strip() for line in value.splitlines())}
    return {
        text
        for line in lines
        if len(line) >= SHORTEST
        for text in _spellings(line)
        if len(text) >= SHORTEST
    }


def _spellings(text: str) -> set[str]:
    raw = text.encode("utf-8", "surrogatepass")
    found = {text, raw.hex(), raw.hex().upper(), repr(text)[1:-1]}
    for encoded in (quote(text, safe="", errors="replace"), quote(text, errors="replace")):
        found |= {encoded, _small_escapes(encoded)}
    plus = quote_plus(text, errors="replace")
    found |= {plus, _small_escapes(plus), "".join(f"%{byte:02X}" for byte in raw)}
    for escaped in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        found |= {escaped, escaped.replace("/", "\\/")}
    units = text.encode("utf-16-be", "surrogatepass").hex()
    spelt = "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))
    found |= {spelt, re.sub(r"[a-f]", lambda letter: letter[0].upper(), spelt)}
    return found | {escape(text), escape(text, quote=False)} | _base64(raw)


def _base64(raw: bytes) -> set[str]:
    """In Base64, also as part of something longer: what is the same wherever it begins."""
    found = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    for before in range(3):
        # Bits of the neighbours are in the first and the last character; those are left off.
        first = (before * 8 + 5) // 6
        last = (before + len(raw)) * 8 // 6
        padded = b"\0" * before + raw
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            found.add(encode(padded).decode()[first:last])
    return found


def _small_escapes(text: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), text)


def _open_end(text: str, spelling: str) -> int:
    """Where the longest end of ``text`` begins that begins ``spelling`` without completing it."""
    start = max(0, len(text) - len(spelling) + 1)
    head = spelling[:_HEAD]
    while (start := text.find(head, start)) >= 0:
        if spelling.startswith(text[start:]):
            return start
        start += 1
    for length in range(min(_HEAD - 1, len(text), len(spelling) - 1), 0, -1):
        if text.endswith(spelling[:length]):
            return len(text) - length
    return len(text)
