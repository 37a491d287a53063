"""What a receiver accepts with 202 is followed until it has ended."""

import json
import time

import pytest

from tests.turnovers.executors.following import to_its_end
from tests.turnovers.executors.receiver import json_answer, receiving
from turnovers.executors import CalledBack, TaskContext, get
from turnovers.executors.values import VALUES

WEBHOOK = get("http")
POLLED = {
    "mode": "polled",
    "poll_seconds": 1,
    "done_field": "job.state",
    "done_values": "done, skipped",
    "failed_values": "failed",
}
CALLS_BACK = {"mode": "calls_back"}


@pytest.fixture
def receiver(settings):
    with receiving() as receiver:
        settings.OUTBOUND_ALLOW = [receiver.name]
        receiver.answers["/jobs"] = accepted({"Location": "/jobs/1"})
        yield receiver


def accepted(headers, body=b"{}"):
    return 202, headers, body


def states(*names):
    """Answers with one state after the other, and the last for ever."""
    left = list(names)

    def answer(handler):
        state = left.pop(0) if len(left) > 1 else left[0]
        text = json.dumps({"job": {"state": state}}).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    return answer


def run(receiver, *, timeout=10, more=None, **given):
    parameters = {"method": "POST", "url": f"{receiver.url}/jobs", "success_from": 200}
    context = TaskContext(
        parameters={**parameters, "success_to": 299, **given},
        key="1:2:1",
        attempt=1,
        fence=1,
        timeout=timeout,
        variables=dict.fromkeys(VALUES, "x"),
        **(more or {}),
    )
    return to_its_end(WEBHOOK, context)


class TestAsking:
    def test_until_it_is_done(self, receiver):
        receiver.answers["/jobs/1"] = states("queued", "running", "done")
        said = []

        outcome = run(
            receiver, **POLLED, headers="Authorization: Bearer x", more={"write": said.append}
        )

        assert (outcome.succeeded, outcome.unknown) == (True, False)
        assert outcome.detail == "It was accepted (HTTP 202), and job.state is “done”."
        assert "".join(said).splitlines()[-4:] == [
            "job.state is “queued”",
            "job.state is “running”",
            "job.state is “done”",
            '{"job": {"state": "done"}}',
        ]
        first, *asked = receiver.calls
        assert [call["method"] for call in asked] == ["GET"] * 3
        assert {call["headers"]["Authorization"] for call in asked} == {"Bearer x"}
        assert first["method"] == "POST"

    def test_until_it_has_failed_which_is_known(self, receiver):
        receiver.answers["/jobs/1"] = states("failed")

        outcome = run(receiver, **POLLED)

        assert (outcome.succeeded, outcome.unknown) == (False, False)
        assert "job.state is “failed”" in outcome.detail

    def test_at_an_address_in_the_answer(self, receiver):
        receiver.answers["/jobs"] = accepted({}, b'{"links": {"self": "/jobs/1?full=1"}}')
        receiver.answers["/jobs/1?full=1"] = states("done")

        assert run(receiver, **POLLED, poll_field="links.self").succeeded

    def test_survives_answers_that_are_none(self, receiver):
        answers = [
            (500, {}, b""),
            (200, {}, b"not json"),
            lambda handler: handler.connection.close(),
            json_answer({"job": {"state": "done"}}),
        ]
        real = receiver.answers

        def next_one(handler):
            real["/jobs/1"] = answers.pop(0)
            given = real["/jobs/1"]
            real["/jobs/1"] = next_one
            if callable(given):
                given(handler)
                return
            status, _, text = given
            handler.send_response(status)
            handler.send_header("Content-Length", str(len(text)))
            handler.end_headers()
            handler.wfile.write(text)

        real["/jobs/1"] = next_one

        assert run(receiver, **POLLED).succeeded

    def test_until_the_time_is_up_and_then_nobody_knows(self, receiver):
        receiver.answers["/jobs/1"] = states("running")
        began = time.monotonic()

        outcome = run(receiver, **POLLED, timeout=2)

        assert (outcome.succeeded, outcome.unknown) == (False, True)
        assert outcome.detail == (
            "It was accepted (HTTP 202), and job.state is “running”, and did not end within "
            "2 seconds. Whether it happened is not known."
        )
        assert time.monotonic() - began < 4

    def test_until_a_person_stops_it(self, receiver):
        receiver.answers["/jobs/1"] = states("running")
        began = time.monotonic()

        outcome = run(
            receiver,
            **POLLED,
            timeout=60,
            more={"is_stopped": lambda: time.monotonic() - began > 1.5},
        )

        assert outcome.unknown
        assert "as a person stopped it" in outcome.detail
        assert time.monotonic() - began < 4

    @pytest.mark.parametrize(
        "address",
        [
            "http://evil.example/jobs/1",
            "http://127.0.0.1:1/jobs/1",
            "//evil.example/",
            "https:///jobs",
            "file:///etc/passwd",
            "http://me:you@127.0.0.1/",
            "http://[::1",
            "",
        ],
    )
    def test_nowhere_else_than_where_it_was_sent(self, receiver, address):
        receiver.answers["/jobs"] = accepted({"Location": address})

        outcome = run(receiver, **POLLED)

        assert (outcome.succeeded, outcome.unknown) == (False, True)
        assert "cannot be asked how it ends" in outcome.detail
        assert len(receiver.calls) == 1

    def test_not_where_it_has_ended_at_once(self, receiver):
        receiver.answers["/jobs"] = (200, {}, b"{}")
        assert run(receiver, **POLLED).succeeded

        receiver.answers["/jobs"] = (409, {}, b"{}")
        outcome = run(receiver, **POLLED)
        assert (outcome.succeeded, outcome.unknown) == (False, False)


class TestCallingBack:
    def test_the_address_goes_with_the_request(self, receiver):
        told = []
        receiver.answers["/jobs"] = accepted({})
        address = "https://releases.example/hooks/abc/"

        def called_back():
            told.append(1)
            return CalledBack(succeeded=True, body='{"succeeded": true}') if told[2:] else None

        outcome = run(
            receiver,
            **CALLS_BACK,
            more={"callback_url": lambda: address, "called_back": called_back},
        )

        assert receiver.calls[0]["headers"]["X-Callback-Url"] == address
        assert (outcome.succeeded, outcome.detail) == (True, "It called back that it succeeded.")

    def test_it_may_have_failed_and_say_why(self, receiver):
        body = '{"succeeded": false, "detail": "Disk full"}'
        told = CalledBack(succeeded=False, body=body)

        outcome = run(
            receiver, **CALLS_BACK, more={"callback_url": str, "called_back": lambda: told}
        )

        assert (outcome.succeeded, outcome.unknown) == (False, False)
        assert outcome.detail == "It called back that it failed: Disk full"
        assert body in outcome.output

    def test_it_may_call_before_its_answer_breaks_off(self, receiver):
        receiver.answers["/jobs"] = lambda handler: handler.connection.close()
        told = CalledBack(succeeded=True, body="{}")

        assert run(
            receiver, **CALLS_BACK, more={"callback_url": str, "called_back": lambda: told}
        ).succeeded
        assert run(receiver, **CALLS_BACK, more={"callback_url": str}).unknown

    def test_it_is_asked_where_its_call_is_lost(self, receiver):
        receiver.answers["/jobs/1"] = states("done")

        outcome = run(receiver, **{**POLLED, **CALLS_BACK}, more={"callback_url": str})

        assert outcome.succeeded

    def test_it_never_calls_and_then_nobody_knows(self, receiver):
        outcome = run(receiver, **CALLS_BACK, timeout=1, more={"callback_url": str})

        assert (outcome.succeeded, outcome.unknown) == (False, True)
        assert "did not end within 1 seconds. Whether it happened is not known." in outcome.detail
