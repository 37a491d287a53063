"""The form of an HTTP request: what is checked before a plan with one is delivered."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from django import forms
from django.core.exceptions import ValidationError

from turnovers.executors.credentials import secret_choices
from turnovers.executors.outbound import target_of
from turnovers.executors.values import WORDS, no_secrets_in, only_known_values, put_in, samples

METHODS = ("POST", "PUT", "PATCH", "DELETE", "GET")
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
#: What the engine says itself, so that a plan cannot say otherwise.
OURS = frozenset(
    {
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "idempotency-key",
        "x-attempt",
        "x-fence",
        "x-callback-url",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        # The answer is read as it comes: in one piece, not packed, and not before it was asked for.
        "accept-encoding",
        "expect",
        "te",
        "trailer",
        "upgrade",
    }
)
MODES = {
    "answers": "Answers when it has finished",
    "polled": "Answers 202 and is asked",
    "calls_back": "Answers 202 and calls back",
}
ASK_SECONDS = 5


class WebhookForm(forms.Form):
    """Method, address, headers and body; how it ends; and what counts as success."""

    method = forms.ChoiceField(choices=[(name, name) for name in METHODS], initial="POST")
    url = forms.CharField(
        label="Address",
        max_length=2000,
        help_text="Begins with https://. Its host and port must be allowed by an administrator.",
    )
    headers = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="One a line, such as Authorization: Bearer {secret:deployer}.",
    )
    body = forms.CharField(
        required=False,
        max_length=64_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=f"JSON, or anything else with a Content-Type header of its own. {WORDS}",
    )
    signing_secret = forms.ChoiceField(
        label="Signed with",
        required=False,
        choices=secret_choices,
        help_text="Adds the headers of Standard Webhooks, with which the receiver checks it.",
    )
    mode = forms.ChoiceField(
        label="The receiver", required=False, choices=list(MODES.items()), initial="answers"
    )
    poll_field = forms.CharField(
        label="Where to ask",
        required=False,
        max_length=200,
        help_text="The JSON field of the 202 answer that holds the address to ask, on the same "
        "host and port; empty where the Location header says it.",
    )
    poll_seconds = forms.IntegerField(
        label="Ask every (seconds)", required=False, min_value=1, max_value=3600, initial=5
    )
    done_field = forms.CharField(
        label="The JSON field that says how far it is",
        required=False,
        max_length=200,
        help_text="Such as status or job.state. Also for one that calls back, where it can be "
        "asked in case its call is lost.",
    )
    done_values = forms.CharField(
        label="It is done at", required=False, max_length=200, help_text="Values, by commas."
    )
    failed_values = forms.CharField(
        label="It has failed at", required=False, max_length=200, help_text="Values, by commas."
    )
    success_from = forms.IntegerField(
        label="Success from status", min_value=100, max_value=599, initial=200
    )
    success_to = forms.IntegerField(
        label="Success to status", min_value=100, max_value=599, initial=299
    )
    success_field = forms.CharField(
        label="And this JSON field",
        required=False,
        max_length=200,
        help_text="Such as status or result.state; empty where the status says it all.",
    )
    success_value = forms.CharField(label="Equals", required=False, max_length=200)

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        only_known_values(url)
        no_secrets_in(url)
        try:
            target_of(put_in(url, samples()))
        except ValueError as error:
            raise ValidationError(str(error)) from error
        host = url.partition("://")[2].partition("/")[0]
        if "{" in host:
            raise ValidationError("The host and port are fixed; values may follow after them.")
        return url

    def clean_headers(self) -> str:
        text: str = self.cleaned_data["headers"]
        only_known_values(text)
        for name, value in parse_headers(text):
            if not HEADER_NAME.fullmatch(name):
                raise ValidationError("Write each header on its own line, as Name: value.")
            if name.lower() in OURS:
                raise ValidationError(f"{name} is set for you.")
            if not value.isprintable():
                raise ValidationError(f"{name} has a value with characters that no header takes.")
        return text

    def clean_mode(self) -> str:
        """Tasks that were written before there was a choice have none."""
        return self.cleaned_data["mode"] or "answers"

    def clean_poll_seconds(self) -> int:
        return self.cleaned_data["poll_seconds"] or ASK_SECONDS

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("success_from", 0) > cleaned.get("success_to", 599):
            self.add_error("success_to", "Must not be below the first status that is a success.")
        if bool(cleaned.get("success_field")) != bool(cleaned.get("success_value")):
            self.add_error("success_value", "Name both the field and its value, or neither.")
        self._check_end(cleaned)
        self._check_body(cleaned)
        return cleaned

    def _check_end(self, cleaned: dict[str, Any]) -> None:
        is_asked = bool(cleaned.get("done_field"))
        if cleaned.get("mode") == "polled" and not is_asked:
            self.add_error("done_field", "Name the field that says how far it is.")
        if is_asked != bool(cleaned.get("done_values")):
            self.add_error("done_values", "Name both the field and its values, or neither.")

    def _check_body(self, cleaned: dict[str, Any]) -> None:
        body = cleaned.get("body", "")
        try:
            only_known_values(body)
            if body.strip() and is_json(cleaned.get("headers", "")):
                json.loads(put_in(body, samples(), safe=in_json))
        except ValidationError as error:
            self.add_error("body", error)
        except (ValueError, RecursionError) as error:
            self.add_error("body", f"This is not JSON: {error}.")


def parse_headers(text: str) -> list[tuple[str, str]]:
    """Names and values, one a line."""
    lines = (line.partition(":") for line in text.splitlines() if line.strip())
    return [(name.strip(), value.strip()) for name, _, value in lines]


def is_json(headers: str) -> bool:
    """Whether the body is JSON: where no header says what else it is."""
    given = {name.lower(): value.lower() for name, value in parse_headers(headers)}
    return "json" in given.get("content-type", "json")


def in_json(value: str) -> str:
    """A value inside the quotes of a JSON text."""
    return json.dumps(value)[1:-1]


def in_address(value: str) -> str:
    return quote(value, safe="")


def in_header(value: str) -> str:
    """A value on the one line of a header, in the characters that a header takes."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in value)
