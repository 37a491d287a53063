"""Secrets and signatures in HTTP requests, and what must not happen to them."""

import base64
import hashlib
import hmac
import json
import time

import pytest

from tests.turnovers.executors.receiver import receiving
from tests.turnovers.executors.vaults import VALUE, make_secret
from turnovers.executors import TaskContext, get
from turnovers.executors.signing import is_signed, signed
from turnovers.executors.values import VALUES
from turnovers.redaction import INSTEAD
from turnovers.vault import Vault

pytestmark = pytest.mark.django_db
WEBHOOK = get("http")
TOKEN = "token-of-plain-letters"
KNOWN = {"method": "POST", "success_from": 200, "success_to": 299}


@pytest.fixture
def receiver(settings):
    with receiving() as receiver:
        settings.OUTBOUND_ALLOW = [receiver.name]
        yield receiver


def run(url, values=None, **given):
    attempt = Vault()
    context = TaskContext(
        parameters={**KNOWN, "url": url, **given},
        key="7:8:1",
        attempt=1,
        fence=1,
        timeout=5,
        variables=dict.fromkeys(VALUES, "x") | (values or {}),
        secrets=attempt.value_for,
    )
    return attempt.redacted(WEBHOOK.run(context))


def test_a_secret_goes_into_headers_and_body(receiver):
    make_secret("token", TOKEN, [receiver.name])
    make_secret("password", VALUE, [receiver.name])

    outcome = run(
        receiver.url,
        headers="Authorization: Bearer {secret:token}",
        body='{"password": "{secret:password}", "version": "{version}"}',
    )

    assert outcome.succeeded
    assert receiver.calls[0]["headers"]["Authorization"] == f"Bearer {TOKEN}"
    assert json.loads(receiver.calls[0]["body"]) == {"password": VALUE, "version": "x"}


def test_a_receiver_that_says_it_back_tells_nobody(receiver):
    make_secret("token", TOKEN, [receiver.name])
    receiver.answers["/"] = (200, {}, json.dumps({"state": f"no {TOKEN}"}).encode())

    outcome = run(
        f"{receiver.url}/",
        headers="X-Token: {secret:token}",
        success_field="state",
        success_value="ok",
    )

    assert TOKEN not in outcome.detail + outcome.output
    assert f"state is “no {INSTEAD}”" in outcome.detail


def test_it_goes_to_no_other_target(receiver):
    make_secret("token", TOKEN, ["ci.example:443"])

    outcome = run(receiver.url, headers="X-Token: {secret:token}")

    assert outcome.detail == (
        f"The secret token may not be given to {receiver.name}. Nothing was sent."
    )
    assert not outcome.unknown
    assert receiver.calls == []


def test_a_value_that_looks_like_a_reference_is_none(receiver):
    make_secret("token", TOKEN, [receiver.name])

    run(
        receiver.url,
        {"title": "{secret:token}"},
        headers="X-Title: {title}",
        body='{"title": "{title}"}',
    )

    assert receiver.calls[0]["headers"]["X-Title"] == "{secret:token}"
    assert json.loads(receiver.calls[0]["body"]) == {"title": "{secret:token}"}


def test_a_secret_that_no_header_takes_is_not_sent_in_part(receiver):
    make_secret("token", "two lines\r\nX-Evil: 1", [receiver.name])

    outcome = run(receiver.url, headers="X-Token: {secret:token}")

    assert "the secret token has characters that no header takes" in outcome.detail
    assert outcome.detail.endswith("Nothing was sent.")
    assert receiver.calls == []


class TestSignatures:
    @pytest.mark.parametrize(
        ("value", "key"),
        [
            ("a plain signing secret", b"a plain signing secret"),
            (
                "whsec_" + base64.b64encode(b"0123456789abcdef" * 2).decode(),
                b"0123456789abcdef" * 2,
            ),
        ],
    )
    def test_are_those_of_standard_webhooks(self, receiver, value, key):
        make_secret("signing", value, [receiver.name])

        assert run(receiver.url, body='{"a": 1}', signing_secret="signing").succeeded

        call = receiver.calls[0]
        headers = call["headers"]
        said = f"{headers['Webhook-Id']}.{headers['Webhook-Timestamp']}.".encode() + call["body"]
        wanted = base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
        assert headers["Webhook-Signature"] == f"v1,{wanted}"
        assert headers["Webhook-Id"] == headers["Idempotency-Key"] == "7:8:1"
        assert abs(time.time() - int(headers["Webhook-Timestamp"])) < 60

    def test_are_those_of_the_published_example(self):
        headers = signed(
            b'{"test": 2432232314}',
            key="msg_p5jXN8AQM9LWM0D4loKWxJek",
            secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            at=1614265330,
        )
        assert headers["Webhook-Signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    def test_need_a_key_that_is_one(self, receiver):
        make_secret("signing", "whsec_not base64!", [receiver.name])

        outcome = run(receiver.url, signing_secret="signing")

        assert outcome.detail.endswith("is not Base64. Nothing was sent.")

    def test_hold_for_one_body_one_key_and_a_while(self):
        body, secret = b"{}", "a signing secret"
        headers = signed(body, key="1", secret=secret)
        several = headers | {"Webhook-Signature": f"v1,AAAA {headers['Webhook-Signature']}"}
        late = signed(body, key="1", secret=secret, at=time.time() - 301)

        assert is_signed(body, headers, secret=secret)
        assert is_signed(body, several, secret=secret)
        assert not is_signed(b"{ }", headers, secret=secret)
        assert not is_signed(body, headers, secret="another secret")
        assert not is_signed(body, headers | {"Webhook-Id": "2"}, secret=secret)
        assert not is_signed(body, late, secret=secret)
        for nonsense in ({}, {"Webhook-Timestamp": "²"}, {"Webhook-Timestamp": "9" * 5000}):
            assert not is_signed(
                body, headers | {"Webhook-Timestamp": ""} | nonsense, secret=secret
            )


class TestBeforeDelivery:
    def problems(self, receiver, **given):
        return WEBHOOK.problems({**KNOWN, "url": f"{receiver.url}/", **given})

    def test_all_is_well(self, receiver):
        make_secret("token", TOKEN, [receiver.name])
        given = {"headers": "X-Token: {secret:token}", "signing_secret": "token"}
        assert self.problems(receiver, **given) == []

    def test_what_secrets_lack_is_said(self, receiver):
        make_secret("other", TOKEN, ["ci.example:443"])
        make_secret("empty", "", [receiver.name])
        headers = "A: {secret:other}\nB: {secret:empty}\nC: {secret:nothing}"

        assert self.problems(receiver, headers=headers) == [
            f"{receiver.name} as a target of the secret other: ask an administrator.",
            "A value of the secret empty: an administrator sets it.",
            "The secret nothing: an administrator adds it.",
        ]

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"url": "http://127.0.0.1/{secret:token}"}, "where nobody sees them"),
            ({"headers": "{secret:token}: x"}, "Name: value"),
            ({"headers": "X: {secret:no name}"}, "Refer to a secret as"),
            ({"body": '{"a": {secret:token}}'}, "not JSON"),
            ({"headers": "Accept-Encoding: gzip"}, "is set for you"),
            ({"headers": "Webhook-Signature: v1,mine"}, "is set for you"),
            ({"headers": "X-Callback-Url: https://evil.example/"}, "is set for you"),
            ({"signing_secret": "nothing"}, "valid choice"),
            ({"mode": "polled"}, "how far it is"),
            ({"mode": "polled", "done_field": "state"}, "both"),
            ({"mode": "sometimes"}, "valid choice"),
            ({"poll_seconds": "0"}, "greater than"),
        ],
    )
    def test_what_would_go_wrong_is_refused(self, receiver, given, words):
        assert words in " ".join(self.problems(receiver, **given))
