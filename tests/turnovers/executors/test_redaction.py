"""Secrets taken out of whatever is printed, however it is spelt and cut."""

import base64
import json
import logging
import re
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.turnovers.executors.vaults import VALUE
from turnovers.redaction import IN_USE, INSTEAD, RedactingFilter, Redactor, Stream

RAW = VALUE.encode()
SPELT = {
    "plain": VALUE,
    "base64": base64.b64encode(RAW).decode(),
    "base64 for addresses": base64.urlsafe_b64encode(RAW).decode(),
    "in an address": quote(VALUE, safe=""),
    "in a path": quote(VALUE),
    "in a form": quote_plus(VALUE),
    "in small escapes": re.sub("%..", lambda found: found[0].lower(), quote(VALUE, safe="")),
    "hex": RAW.hex(),
    "HEX": RAW.hex().upper(),
    "json": json.dumps(VALUE)[1:-1],
    "json as it is": json.dumps(VALUE, ensure_ascii=False)[1:-1],
    "json with slashes": json.dumps(VALUE)[1:-1].replace("/", "\\/"),
    "json all escaped": "".join(f"\\u{ord(letter):04x}" for letter in VALUE),
    "python": repr(VALUE)[1:-1],
    "html": escape(VALUE),
}


@pytest.mark.parametrize("spelling", SPELT)
def test_a_secret_is_taken_out_in_every_spelling(spelling):
    text = f"before {SPELT[spelling]} after"

    assert Redactor([VALUE]).redact(text) == f"before {INSTEAD} after"


@pytest.mark.parametrize("before", ["", "u:", "me:", "admin:", "somebody:"])
def test_a_secret_inside_of_something_longer_in_base64_is_taken_out(before):
    header = base64.b64encode(f"{before}{VALUE}:more".encode()).decode()
    kept = Redactor([VALUE]).redact(f"Authorization: Basic {header}")

    assert INSTEAD in kept
    rest = kept.removeprefix("Authorization: Basic ").split(INSTEAD)
    assert max(map(len, rest)) <= len(base64.b64encode(f"{before}:more".encode())) + 2


@pytest.mark.parametrize("spelling", SPELT)
def test_a_secret_across_two_pieces_is_taken_out(spelling):
    text = f"before {SPELT[spelling]} after"
    for place in range(len(text) + 1):
        said = []
        stream = Stream(Redactor([VALUE]), said.append)
        stream.write(text[:place])
        stream.write(text[place:])
        stream.end()
        assert "".join(said) == f"before {INSTEAD} after"


@given(
    st.lists(st.text(alphabet="abc12 ", max_size=7), max_size=12),
    st.sampled_from([["abcabc"], ["aabaab", "aabaabc1"], ["abcab1", "b1cabc"]]),
)
def test_pieces_say_what_the_whole_says(pieces, values):
    redactor, said = Redactor(values), []
    stream = Stream(redactor, said.append)
    for piece in pieces:
        stream.write(piece)
    stream.end()

    whole = "".join(said)
    assert not any(value in whole for value in values)
    assert whole == redactor.redact("".join(pieces))


def test_what_cannot_be_a_secret_is_passed_on_at_once():
    said = []
    stream = Stream(Redactor([VALUE]), said.append)

    stream.write("line 1\nline 2\n")

    assert "".join(said) == "line 1\nline 2\n"


def test_of_two_secrets_that_begin_alike_nothing_is_left():
    assert Redactor(["password1", "password123"]).redact("password123!") == f"{INSTEAD}!"


def test_each_line_of_a_long_secret_is_taken_out():
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqh\nkiG9w0BAQEFAASCBK\n-----END KEY-----\n"

    assert "kiG9w0" not in Redactor([key]).redact("error at line kiG9w0BAQEFAASCBK of 3")


def test_a_long_secret_does_not_slow_output_down():
    redactor = Redactor(["\n".join(f"{line:064d}" for line in range(60))])
    stream = Stream(redactor, lambda text: None)
    for _ in range(20):
        stream.write("x" * 64 * 1024)

    assert redactor.redact("x" * 64 * 1024) == "x" * 64 * 1024


def test_the_log_has_neither_the_secret_nor_its_traceback():
    IN_USE.learn(VALUE)
    handler = Collector()
    handler.addFilter(RedactingFilter())
    log = logging.Logger("test")  # noqa: LOG001 -- one that has no other handlers
    log.addHandler(handler)

    log.warning("Sent %s to %s", VALUE, {"token": SPELT["base64"]})
    try:
        int(VALUE)
    except ValueError:
        log.exception("It failed")

    said = "\n".join(handler.lines)
    assert said.count(INSTEAD) >= 3
    assert "ValueError" in said
    assert not any(text in said for text in SPELT.values())


class Collector(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record))
