"""An HTTP request to a tool that deploys, checks or tells."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from turnovers.executors.base import Executor, Following, Outcome, SecretRefused, TaskContext
from turnovers.executors.credentials import referred_to, secret_problems
from turnovers.executors.followup import NOT_KNOWN, Followup, as_told, look_up
from turnovers.executors.outbound import (
    MOST_ANSWER,
    Answer,
    NotCalled,
    Unclear,
    call,
    is_allowed,
    target_of,
)
from turnovers.executors.request_form import (
    WebhookForm,
    in_address,
    in_header,
    in_json,
    is_json,
    parse_headers,
)
from turnovers.executors.signing import signed
from turnovers.executors.values import put_in, samples

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: What a gateway answers when whoever is behind it has not; the work may have been done.
FROM_BETWEEN = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})


class Webhook(Executor):
    """Sends one request and judges the answer, or follows what was accepted until it has ended."""

    key = "http"
    name = "HTTP request"
    icon = "send"
    form = WebhookForm

    def problems(self, parameters: dict[str, Any]) -> list[str]:
        """Also the target that nobody has allowed, and secrets that are not for it."""
        found = super().problems(parameters)
        if found:
            return found
        target = target_of(put_in(parameters["url"], samples()))
        if not is_allowed(target):
            return [
                f"{target.name} as an allowed target: an administrator adds it to OUTBOUND_ALLOW."
            ]
        return secret_problems(_secrets_of(parameters), target.name)

    def summary(self, parameters: dict[str, Any]) -> str:
        return f"{parameters.get('method', 'POST')} {parameters.get('url', '')}".strip()

    def run(self, context: TaskContext) -> Outcome | Following:
        given = context.parameters
        mode = given.get("mode") or "answers"
        try:
            url = put_in(given["url"], context.variables, safe=in_address)
            target = target_of(url)
            own = self._own_headers(context, target.name)
            body = self._body(context, target.name)
            answer = call(
                str(given.get("method", "POST")),
                url,
                headers=own | self._our_headers(context, target.name, body, mode),
                body=body,
                timeout=context.timeout,
                still_ours=context.still_ours,
                is_stopped=context.is_stopped,
            )
        except (NotCalled, SecretRefused) as error:
            return Outcome(succeeded=False, detail=f"{error} Nothing was sent.")
        except Unclear as error:
            if mode == "calls_back" and (told := context.called_back()):
                return as_told(told)
            detail = f"The request was sent. {error} {NOT_KNOWN}"
            return Outcome(succeeded=False, detail=detail, unknown=True)
        except (KeyError, ValueError) as error:
            detail = f"The request cannot be made: {error}. Nothing was sent."
            return Outcome(succeeded=False, detail=detail)
        if mode != "answers" and answer.status == HTTPStatus.ACCEPTED:
            return Followup.begin(context, url, own, answer)
        return self._judge(given, answer)

    def follow(self, context: TaskContext, handle: dict[str, Any]) -> Outcome | Following:
        """Look whether what was accepted has ended."""
        try:
            own = self._own_headers(context, target_of(handle["url"]).name)
        except (SecretRefused, KeyError, ValueError):
            own = {}  # it may call back, or be asked without; what it answers is told
        return Followup(context, own, handle).look()

    def _own_headers(self, context: TaskContext, target: str) -> dict[str, str]:
        """Those of the plan, with the secrets that it refers to."""
        given = put_in(
            context.parameters.get("headers", ""),
            context.variables,
            safe=in_header,
            secret=lambda name: _for_header(name, context.secrets(name, target)),
        )
        return {"User-Agent": "release-manager", **dict(parse_headers(given))}

    def _our_headers(
        self, context: TaskContext, target: str, body: bytes, mode: str
    ) -> dict[str, str]:
        """Those that say what this is, and that it comes from us."""
        given = context.parameters
        ours = {
            "Idempotency-Key": context.key,
            "X-Attempt": str(context.attempt),
            "X-Fence": str(context.fence),
        }
        if body.strip() and is_json(given.get("headers", "")):
            ours["Content-Type"] = "application/json"
        if name := given.get("signing_secret"):
            ours |= signed(body, key=context.key, secret=context.secrets(name, target))
        if mode == "calls_back":
            ours["X-Callback-Url"] = context.callback_url()
        return ours

    def _body(self, context: TaskContext, target: str) -> bytes:
        safe: Callable[[str], str] = str
        if is_json(context.parameters.get("headers", "")):
            safe = in_json
        text = put_in(
            context.parameters.get("body", ""),
            context.variables,
            safe=safe,
            secret=lambda name: context.secrets(name, target),
        )
        return text.encode()

    def _judge(self, given: Mapping[str, Any], answer: Answer) -> Outcome:
        status = f"HTTP {answer.status} {answer.phrase}".strip()
        output = f"{status}\n\n{answer.text}"
        first, last = int(given.get("success_from", 200)), int(given.get("success_to", 299))
        if not first <= answer.status <= last:
            if answer.status in FROM_BETWEEN:
                detail = f"{status}, which a gateway says. {NOT_KNOWN}"
                return Outcome(succeeded=False, detail=detail, output=output, unknown=True)
            return Outcome(succeeded=False, detail=f"{status}{_hint(answer)}.", output=output)
        if field := given.get("success_field"):
            wanted, found = str(given.get("success_value", "")), look_up(answer.body, field)
            if found != wanted:
                said = "is missing" if found is None else f"is “{found[:200]}”"
                detail = f"{status}, but {field} {said}, not “{wanted}”."
                return Outcome(succeeded=False, detail=detail, output=output)
        return Outcome(succeeded=True, detail=f"{status}.", output=output)


def _secrets_of(parameters: Mapping[str, Any]) -> list[str]:
    """The names of all secrets that the request takes along."""
    signing = parameters.get("signing_secret") or ""
    names = referred_to(parameters.get("headers") or "", parameters.get("body") or "")
    return list(dict.fromkeys([*names, *([signing] if signing else [])]))


def _for_header(name: str, value: str) -> str:
    """A secret that is sent as it is, or not at all."""
    if not (value.isascii() and value.isprintable()):
        raise ValueError(f"the secret {name} has characters that no header takes")
    return value


def _hint(answer: Answer) -> str:
    if len(answer.body) >= MOST_ANSWER:
        return "; its answer was cut off"
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        return "; redirects are not followed"
    return ""
