"""A condition on what an address answers: its status, or a value in its JSON."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

from trains.checking.base import Check, Finding, failed, passed, unknown
from turnovers.evidence.questions import ask, clean_address, refuse_secrets, says
from turnovers.executors.credentials import referred_to
from turnovers.executors.followup import look_up
from turnovers.executors.request_form import HEADER_NAME, OURS, parse_headers

if TYPE_CHECKING:
    from trains.models import Criterion, Train
    from turnovers.executors.outbound import Answer

COMPARED = {
    "is": "is",
    "is_not": "is not",
    "at_least": "is at least",
    "at_most": "is at most",
    "contains": "contains",
}
NUMBERS = {"at_least", "at_most"}
MOST_SHOWN = 100


class ConditionForm(forms.Form):
    """What to ask and what must be true of the answer."""

    url = forms.CharField(
        label="Address",
        max_length=1000,
        help_text="Asked with GET. Its host and port must be on the list of allowed targets.",
    )
    field = forms.CharField(
        label="JSON field",
        required=False,
        max_length=200,
        help_text="Such as status or checks.0.state; empty where the HTTP status says it all.",
    )
    compare = forms.ChoiceField(
        label="The value", choices=list(COMPARED.items()), required=False, initial="is"
    )
    value = forms.CharField(label="This", required=False, max_length=200)
    headers = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="One a line, such as Authorization: Bearer {secret:name}.",
    )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        if "{" in url:
            raise ValidationError("Write the address out; secrets go into headers.")
        return clean_address(url)

    def clean_headers(self) -> str:
        text: str = self.cleaned_data["headers"]
        for name, value in parse_headers(text):
            if not HEADER_NAME.fullmatch(name):
                raise ValidationError("Write each header on its own line, as Name: value.")
            if name.lower() in OURS or not value.isprintable():
                raise ValidationError(f"{name} is set for you, or has a value that is no header's.")
        return text

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        cleaned["compare"] = cleaned.get("compare") or "is"
        if cleaned.get("field") and not cleaned.get("value"):
            self.add_error("value", "Say what the field must be compared with.")
        value = cleaned.get("value")
        if cleaned["compare"] in NUMBERS and value and _number(value) is None:
            self.add_error("value", "This comparison needs a number.")
        if cleaned.get("url") and (names := referred_to(cleaned.get("headers", ""))):
            try:
                refuse_secrets(names, cleaned["url"])
            except ValidationError as error:
                self.add_error("headers", error)
        return cleaned


class Condition(Check):
    """Asks an address and compares one value of the answer."""

    key = "answer"
    name = "HTTP answer"
    explains = "True when an address answers with success and, if asked, a JSON field fits."
    icon = "send"
    form = ConditionForm

    def summary(self, parameters: dict[str, Any]) -> str:
        url, field = parameters.get("url", ""), parameters.get("field")
        if not field:
            return f"{url} answers with success"
        words = COMPARED[parameters.get("compare") or "is"]
        return f"{field} of {url} {words} “{parameters.get('value', '')}”"

    def look(self, criterion: Criterion, train: Train, parameters: dict[str, Any]) -> Finding:
        return ask(
            parameters["url"],
            parameters.get("headers") or "",
            lambda answer: judge(answer, parameters),
        )


def judge(answer: Answer, parameters: dict[str, Any]) -> Finding:
    """What the answer says; one without the field says nothing."""
    is_success = HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES
    field = parameters.get("field")
    if not field:
        return passed(f"{says(answer)}.") if is_success else failed(f"{says(answer)}.")
    if not is_success:
        return unknown(f"{says(answer)}, so “{field}” cannot be read.")
    found = look_up(answer.body, field)
    if found is None:
        return unknown(f"Its answer has no “{field}”.")
    wanted, compare = str(parameters.get("value", "")), parameters.get("compare") or "is"
    holds = _holds(found, compare, wanted)
    if holds is None:
        return unknown(f"{field} is “{found[:MOST_SHOWN]}”, which is no number.")
    said = f"{field} is “{found[:MOST_SHOWN]}”"
    if holds:
        return passed(f"{said}.")
    return failed(f"{said}; needed: {COMPARED[compare]} “{wanted}”.")


def _holds(found: str, compare: str, wanted: str) -> bool | None:
    """Whether the value fits; None where it cannot be compared so."""
    if compare in NUMBERS:
        here, limit = _number(found), _number(wanted)
        if here is None or limit is None:
            return None
        return here >= limit if compare == "at_least" else here <= limit
    if compare == "contains":
        return wanted in found
    return (found == wanted) is (compare == "is")


def _number(text: str) -> float | None:
    """A number as JSON and people write it; not one that no number can be compared with."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) <= float(10**300) else None
