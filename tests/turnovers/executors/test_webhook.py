"""HTTP requests of automated tasks, against a real server that also misbehaves."""

import ipaddress
import json
import socket
import threading
import time

import pytest

from tests.turnovers.executors.receiver import json_answer, receiving
from turnovers.executors import TaskContext, get, outbound
from turnovers.executors.outbound import leads_inside
from turnovers.executors.values import VALUES

WEBHOOK = get("http")
KNOWN = {"success_from": 200, "success_to": 299}


@pytest.fixture
def receiver(settings):
    with receiving() as receiver:
        settings.OUTBOUND_ALLOW = [receiver.name]
        yield receiver


def context(url, **more):
    timeout, ours = more.pop("timeout", 5), more.pop("still_ours", lambda: True)
    stopped = more.pop("is_stopped", lambda: False)
    values = dict.fromkeys(VALUES, "x") | more.pop("values", {})
    return TaskContext(
        parameters={"method": "POST", "url": url, **KNOWN, **more},
        key="1:2:1",
        attempt=2,
        fence=2,
        timeout=timeout,
        variables=values,
        still_ours=ours,
        is_stopped=stopped,
    )


def form(**given):
    complete = {"method": "POST", "url": "https://deploy.example/run", **KNOWN, **given}
    return WEBHOOK.form(complete)


def test_a_request_carries_its_key_its_attempt_and_its_values(receiver):
    outcome = WEBHOOK.run(
        context(
            f"{receiver.url}/deploy/{{environment}}?by={{task}}",
            headers="X-Item: {item}\nAuthorization: Bearer abc",
            body='{"version": "{version}", "nested": {"a": 1}}',
            values={
                "environment": "prod eu/1",
                "version": 'a"b\n',
                "task": "x&y",
                "item": "Ü\r\nEvil: 1",
            },
        )
    )

    assert (outcome.succeeded, outcome.detail) == (True, "HTTP 200 OK.")
    call = receiver.calls[0]
    assert call["path"] == "/deploy/prod%20eu%2F1?by=x%26y"
    assert json.loads(call["body"]) == {"version": 'a"b\n', "nested": {"a": 1}}
    headers = call["headers"]
    assert headers["Idempotency-Key"] == "1:2:1"
    assert (headers["X-Attempt"], headers["X-Fence"]) == ("2", "2")
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"] == "Bearer abc"
    assert headers["X-Item"] == "???Evil: 1"
    assert "Evil" not in headers
    assert headers["Host"] == receiver.name


def test_a_body_of_another_type_is_sent_as_it_is(receiver):
    headers = "Content-Type: text/plain"

    WEBHOOK.run(context(receiver.url, headers=headers, body="{item}", values={"item": 'a "b"'}))

    assert receiver.calls[0]["body"] == b'a "b"'
    assert receiver.calls[0]["headers"]["Content-Type"] == "text/plain"


@pytest.mark.parametrize(
    ("answer", "more", "succeeded", "words"),
    [
        ((500, {}, b"disk full"), {}, False, "HTTP 500 Internal Server Error."),
        ((404, {}, b""), {"success_from": 404, "success_to": 404}, True, "HTTP 404"),
        ((302, {"Location": "/elsewhere"}, b""), {}, False, "redirects are not followed"),
        (
            json_answer({"result": [{"state": "done"}]}),
            {"success_field": "result.0.state", "success_value": "done"},
            True,
            "HTTP 200",
        ),
        (
            json_answer({"state": "failed"}),
            {"success_field": "state", "success_value": "done"},
            False,
            "state is “failed”, not “done”",
        ),
        (
            json_answer({"ok": True}),
            {"success_field": "ok", "success_value": "true"},
            True,
            "HTTP 200",
        ),
        (
            (200, {}, b"not json"),
            {"success_field": "state", "success_value": "done"},
            False,
            "state is missing",
        ),
        (
            (200, {}, b"[" * 50_000),
            {"success_field": "state", "success_value": "done"},
            False,
            "state is missing",
        ),
    ],
)
def test_the_answer_is_judged_by_status_and_field(receiver, answer, more, succeeded, words):
    receiver.answers["/"] = answer

    outcome = WEBHOOK.run(context(f"{receiver.url}/", **more))

    assert outcome.succeeded is succeeded
    assert words in outcome.detail
    assert len(receiver.calls) == 1


def test_what_came_back_is_kept_and_cut_off(receiver):
    receiver.answers["/"] = (200, {}, b"x" * 1_000_000)

    outcome = WEBHOOK.run(context(f"{receiver.url}/"))

    assert len(outcome.output) < outbound.MOST_ANSWER + 100


class TestTheOtherSideMisbehaves:
    def test_it_does_not_answer(self, receiver):
        receiver.hold_seconds = 3
        began = time.monotonic()

        outcome = WEBHOOK.run(context(receiver.url, timeout=0.5))

        assert not outcome.succeeded
        assert "within 0.5 seconds. Whether it happened is not known." in outcome.detail
        assert time.monotonic() - began < 2

    def test_it_answers_a_byte_at_a_time(self, receiver):
        def drip(handler):
            for _ in range(30):
                handler.wfile.write(b"H")
                handler.wfile.flush()
                time.sleep(0.1)

        receiver.answers["/"] = drip
        began = time.monotonic()

        outcome = WEBHOOK.run(context(f"{receiver.url}/", timeout=0.5))

        assert "Whether it happened is not known." in outcome.detail
        assert time.monotonic() - began < 2

    def test_a_person_stops_the_wait(self, receiver):
        receiver.hold_seconds = 5
        began = time.monotonic()

        outcome = WEBHOOK.run(context(receiver.url, timeout=60, is_stopped=lambda: True))

        assert outcome.unknown
        assert "was stopped before" in outcome.detail
        assert time.monotonic() - began < 3

    def test_its_answer_ends_early(self, receiver):
        def early(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", "100")
            handler.end_headers()
            handler.wfile.write(b"half")
            handler.close_connection = True

        receiver.answers["/"] = early

        outcome = WEBHOOK.run(context(f"{receiver.url}/"))

        assert (outcome.succeeded, outcome.unknown) == (False, True)

    @pytest.mark.parametrize("lines", [1, 60])
    def test_its_headers_never_end(self, receiver, lines):
        def long(handler):
            handler.send_response(200)
            for number in range(lines):
                handler.send_header(f"X-{number}", "x" * (120_000 // lines))
            handler.end_headers()

        receiver.answers["/"] = long

        outcome = WEBHOOK.run(context(f"{receiver.url}/"))

        assert (outcome.succeeded, outcome.unknown) == (False, True)

    @pytest.mark.parametrize("status", [502, 504])
    def test_a_gateway_says_that_it_does_not_know(self, receiver, status):
        receiver.answers["/"] = (status, {}, b"")

        outcome = WEBHOOK.run(context(f"{receiver.url}/"))

        assert (outcome.succeeded, outcome.unknown) == (False, True)
        assert "Whether it happened is not known." in outcome.detail

    def test_packed_answers_are_not_asked_for(self, receiver):
        WEBHOOK.run(context(receiver.url))

        assert receiver.calls[0]["headers"]["Accept-Encoding"] == "identity"

    def test_its_name_is_never_resolved(self, settings, monkeypatch):
        monkeypatch.setattr(
            outbound.socket, "getaddrinfo", lambda *given, **more: time.sleep(1) or []
        )
        settings.OUTBOUND_ALLOW = ["deploy.example:80"]

        outcome = WEBHOOK.run(context("http://deploy.example/", timeout=0.3))

        assert "was not resolved within 0.3 seconds. Nothing was sent." in outcome.detail
        assert not outcome.unknown

    def test_it_hangs_up(self, receiver):
        receiver.answers["/"] = lambda handler: handler.connection.shutdown(socket.SHUT_RDWR)

        outcome = WEBHOOK.run(context(f"{receiver.url}/"))

        assert outcome.unknown
        assert "Whether it happened is not known." in outcome.detail

    def test_it_speaks_something_else(self, receiver):
        receiver.answers["/"] = lambda handler: handler.wfile.write(b"\xff\xfe nonsense\r\n\r\n")

        outcome = WEBHOOK.run(context(f"{receiver.url}/"))

        assert not outcome.succeeded
        assert "Whether it happened is not known." in outcome.detail

    def test_nobody_is_there(self, settings):
        with socket.create_server(("127.0.0.1", 0)) as server:
            name = f"127.0.0.1:{server.getsockname()[1]}"
        settings.OUTBOUND_ALLOW = [name]

        outcome = WEBHOOK.run(context(f"http://{name}"))

        assert "connection refused. Nothing was sent." in outcome.detail

    def test_it_has_no_certificate_that_we_trust(self, receiver):
        outcome = WEBHOOK.run(context(f"https://{receiver.name}/"))

        assert "Nothing was sent." in outcome.detail
        assert receiver.calls == []


class TestWhereCallsMayGo:
    def test_not_to_a_host_that_nobody_allowed(self, receiver, settings):
        settings.OUTBOUND_ALLOW = ["deploy.example:443"]

        outcome = WEBHOOK.run(context(receiver.url))

        assert "not on the list of allowed targets" in outcome.detail
        assert receiver.calls == []

    def test_not_to_another_port_of_an_allowed_host(self, receiver, settings):
        settings.OUTBOUND_ALLOW = ["127.0.0.1:1"]

        assert "Nothing was sent." in WEBHOOK.run(context(receiver.url)).detail

    def test_not_where_a_redirect_leads(self, receiver):
        receiver.answers["/"] = (307, {"Location": f"{receiver.url}/elsewhere"}, b"")

        WEBHOOK.run(context(f"{receiver.url}/"))

        assert [call["path"] for call in receiver.calls] == ["/"]

    def test_not_through_a_proxy_of_the_environment(self, receiver, monkeypatch):
        with receiving() as proxy:
            monkeypatch.setenv("http_proxy", proxy.url)
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
            WEBHOOK.run(context(receiver.url))

            assert proxy.calls == []
        assert len(receiver.calls) == 1

    def test_not_to_this_machine_under_an_allowed_name(self, receiver, settings, monkeypatch):
        resolve_as(monkeypatch, "127.0.0.1")
        settings.OUTBOUND_ALLOW = [f"deploy.example:{receiver.server_port}"]

        outcome = WEBHOOK.run(context(f"http://deploy.example:{receiver.server_port}/"))

        assert "deploy.example leads to 127.0.0.1" in outcome.detail
        assert receiver.calls == []

    def test_not_where_one_of_several_addresses_is_forbidden(self, settings, monkeypatch):
        resolve_as(monkeypatch, "192.0.2.1", "169.254.169.254")
        settings.OUTBOUND_ALLOW = ["deploy.example:80"]

        outcome = WEBHOOK.run(context("http://deploy.example/"))

        assert "leads to 169.254.169.254" in outcome.detail

    def test_to_the_address_that_was_checked_and_not_to_a_later_one(
        self, receiver, settings, monkeypatch
    ):
        """A name server that answers differently the second time gains nothing."""
        asked = resolve_as(monkeypatch, "127.0.0.1")
        monkeypatch.setattr(outbound, "leads_inside", lambda address: False)
        settings.OUTBOUND_ALLOW = [f"deploy.example:{receiver.server_port}"]

        outcome = WEBHOOK.run(context(f"http://deploy.example:{receiver.server_port}/"))

        assert outcome.succeeded
        assert len(asked) == 1
        host = receiver.calls[0]["headers"]["Host"]
        assert host == f"deploy.example:{receiver.server_port}"

    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1",
            "0.0.0.0",  # noqa: S104 -- that is what is refused
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::7f00:1",
            "0.1.2.3",
            "100.100.100.200",
            "168.63.129.16",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "::ffff:0:127.0.0.1",
            "2001:0:0:0:0:0:80ff:fffe",
            "2001:db8::5efe:7f00:1",
            "2001:db8::200:5efe:a9fe:a9fe",
            "fec0::1",
            "ff05::2",
            "240.0.0.1",
        ],
    )
    def test_addresses_that_mean_this_machine_in_any_disguise(self, address):
        assert leads_inside(ipaddress.ip_address(address))

    @pytest.mark.parametrize(
        "url",
        [
            "http://2130706433/",
            "http://0x7f000001/",
            "http://017700000001/",
            "http://127.1/",
            "http://127.0.0.1.:{port}/",
            "http://[::ffff:127.0.0.1]:{port}/",
            "http://[::ffff:7f00:1]:{port}/",
            "http://127.0.0.1:{port}@evil.example/",
            "http://evil.example#@127.0.0.1:{port}/",
            "http://evil.example\\@127.0.0.1:{port}/",
            "http://127.0.0.1:{port}\\.evil.example/",
            "http://①②⑦.⓪.⓪.①:{port}/",
            "http://localhost:{port}/",
            "http://deploy.example.:443/",
            "http://deployexample:443/",
            "http://deploy.example.evil.example:443/",
            "http://evil-deploy.example:443/",
            "http://169.254.169.254/latest/meta-data/",
            "http://127.0.0.1:6379/",
            "http://0.0.0.0:{port}/",
            "file:///etc/passwd",
            "gopher://127.0.0.1:{port}/",
            "dict://127.0.0.1:{port}/",
            "ftp://127.0.0.1:{port}/",
            "unix:///run/docker.sock",
            "//127.0.0.1:{port}/",
            "http://127.0.0.1:{port}/\r\nHost: evil.example",
            "http://user@127.0.0.1:{port}/",
            "",
        ],
    )
    def test_no_disguise_leads_to_a_connection(self, receiver, settings, url):
        settings.OUTBOUND_ALLOW = ["deploy.example:443", "127.0.0.1:1"]

        outcome = WEBHOOK.run(context(url.format(port=receiver.server_port)))

        assert (outcome.succeeded, outcome.unknown) == (False, False)
        assert outcome.detail.endswith("Nothing was sent.")
        assert receiver.calls == []

    @pytest.mark.parametrize("address", ["10.1.2.3", "192.168.0.9", "203.0.113.7", "2001:4860::1"])
    def test_addresses_of_other_machines(self, address):
        assert not leads_inside(ipaddress.ip_address(address))


def resolve_as(monkeypatch, *addresses):
    """Let every name have these addresses; returns the list of questions asked."""
    asked, real = [], socket.getaddrinfo

    def answer(host, port, *args, **more):
        asked.append(host)
        return [found for address in addresses for found in real(address, port, *args, **more)]

    monkeypatch.setattr(outbound.socket, "getaddrinfo", answer)
    return asked


def test_nothing_is_sent_when_the_claim_is_lost_before_the_call(receiver):
    outcome = WEBHOOK.run(context(receiver.url, still_ours=lambda: False))

    assert "Nothing was sent." in outcome.detail
    assert receiver.calls == []


def test_calls_leave_no_thread_behind(receiver):
    before = threading.active_count()

    WEBHOOK.run(context(receiver.url))

    assert threading.active_count() <= before + 1  # the receiver's own for this connection


class TestTheForm:
    def test_takes_what_is_right(self):
        given = form(
            url="https://deploy.example:8443/{environment}?v={version}",
            headers="Accept: application/json\nX-By: {turnover}",
            body='{"version": "{version}"}',
            success_field="state",
            success_value="done",
        )
        assert given.is_valid(), given.errors
        json.dumps(given.cleaned_data)

    @pytest.mark.parametrize(
        ("field", "value", "words"),
        [
            ("url", "ftp://deploy.example/", "begins with https://"),
            ("url", "deploy.example", "begins with https://"),
            ("url", "http://", "begins with https://"),
            ("url", "https://me:secret@deploy.example/", "password"),
            ("url", "https://{environment}.example/", "host and port are fixed"),
            ("url", "https://deploy.example/{nothing}", "no value {nothing}"),
            ("url", "https://deploy.example:99999/", "out of range"),
            ("url", "https://[deploy.example/", "Invalid IPv6"),
            ("url", "https://deploy.example/a b", "spaces"),
            ("headers", "no colon", "Name: value"),
            ("headers", "Bad Name: x", "Name: value"),
            ("headers", "Idempotency-Key: mine", "is set for you"),
            ("headers", "host: other", "is set for you"),
            ("headers", "X-A: {nothing}", "no value"),
            ("body", "{not json}", "not JSON"),
            ("body", '{"a": {unknown}}', "no value {unknown}"),
            ("body", "[" * 60_000, "not JSON"),
            ("method", "TRACE", "valid choice"),
            ("success_from", "99999999999999999999999", "less than"),
            ("success_to", "100", "below"),
            ("success_field", "state", "both"),
        ],
    )
    def test_refuses_what_would_fail_at_night(self, field, value, words):
        problems = WEBHOOK.problems(
            {"method": "POST", "url": "https://deploy.example/", **KNOWN, field: value}
        )
        assert words in " ".join(problems)

    def test_a_target_that_nobody_allowed_is_said_in_words(self, settings):
        parameters = {"method": "POST", "url": "https://deploy.example/x", **KNOWN}
        settings.OUTBOUND_ALLOW = []
        [problem] = WEBHOOK.problems(parameters)
        assert "deploy.example:443" in problem
        assert "OUTBOUND_ALLOW" in problem
        settings.OUTBOUND_ALLOW = ["Deploy.example:443"]
        assert WEBHOOK.problems(parameters) == []

    def test_a_line_says_what_it_does(self):
        parameters = {"method": "PUT", "url": "https://deploy.example/x"}
        assert WEBHOOK.summary(parameters) == "PUT https://deploy.example/x"
