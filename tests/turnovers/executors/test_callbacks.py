"""Receivers call back: at an address of their own, once, and nothing but that is changed."""

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from django.conf import settings as real
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.factories import TaskRunFactory
from tests.turnovers.executors.vaults import VALUE, make_secret
from turnovers import callbacks, tasks
from turnovers.executors import CalledBack
from turnovers.executors.signing import signed
from turnovers.models import Callback, Followed
from turnovers.redaction import INSTEAD

pytestmark = pytest.mark.django_db
TARGET = "deploy.example:443"
GOOD = {"succeeded": True, "detail": "Done"}


@pytest.fixture
def attempt():
    return make_attempt()


def make_attempt(**parameters):
    row = TaskRunFactory(
        task__executor="http",
        task__parameters={
            "url": f"https://{TARGET.removesuffix(':443')}/{{version}}",
            **parameters,
        },
    )
    return row.tries.create(fence=1, key=row.key, worker="w", claimed_at=timezone.now())


def path_of(attempt):
    return urlsplit(callbacks.open_callback(attempt.pk)).path


def send(path, said=GOOD, client=None, **headers):
    text = said if isinstance(said, bytes | str) else json.dumps(said)
    client = client or Client(enforce_csrf_checks=True)
    return client.post(path, text, content_type="application/json", headers=headers)


def test_what_it_says_is_written_down_and_calls_a_worker(
    attempt, monkeypatch, django_capture_on_commit_callbacks
):
    called = []
    monkeypatch.setattr(tasks.drain, "delay", called.append)
    ahead = timezone.now() + dt.timedelta(minutes=5)
    followed = Followed.objects.create(attempt=attempt, handle={}, ask_at=ahead, ends_at=ahead)
    before = snapshot(attempt)
    path = path_of(attempt)
    assert callbacks.answer_of(attempt.pk) is None

    with django_capture_on_commit_callbacks(execute=True):
        answer = send(path)

    assert (answer.status_code, answer.content) == (200, b"taken\n")
    assert callbacks.answer_of(attempt.pk) == CalledBack(succeeded=True, body=json.dumps(GOOD))
    assert called == [0]
    assert list(Followed.objects.to_be_asked()) == [followed]
    assert snapshot(attempt) == before


def snapshot(attempt):
    attempt.refresh_from_db()
    row = attempt.task_run
    row.refresh_from_db()
    return row.state, row.version, row.output, attempt.ended_at, attempt.outcome


def test_the_first_word_stands(attempt):
    path = path_of(attempt)
    assert send(path, {"succeeded": False}).content == b"taken\n"

    answer = send(path, {"succeeded": True})

    assert (answer.status_code, answer.content) == (200, b"already\n")
    assert not callbacks.answer_of(attempt.pk).succeeded


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_is_the_first():
    attempt = make_attempt()
    path = path_of(attempt)

    def one(number):
        try:
            return send(path, {"succeeded": True, "n": number}).content
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(16)))

    assert sorted(answers) == [b"already\n"] * 15 + [b"taken\n"]


def test_the_address_is_ours_and_its_token_is_not_kept(attempt):
    address = callbacks.open_callback(attempt.pk)
    token = address.rstrip("/").rpartition("/")[2]

    assert address.startswith(f"{real.BASE_URL}/hooks/")
    assert len(token) >= 43
    row = Callback.objects.get()
    assert token not in str(vars(row))


def test_a_new_address_closes_the_one_before(attempt):
    old, new = path_of(attempt), path_of(attempt)

    assert send(old).status_code == 404
    assert send(new).status_code == 200


@pytest.mark.parametrize("token", ["x", "x" * 5000, "%00", "..%2f", "ü", "'; DROP TABLE", "0" * 64])
def test_an_address_that_nobody_was_given_is_not_found(attempt, token):
    path_of(attempt)
    before = list(Callback.objects.values())

    assert send(f"/hooks/{token}/").status_code in {400, 404}
    assert list(Callback.objects.values()) == before


def test_the_digest_is_no_token(attempt):
    path_of(attempt)

    assert send(f"/hooks/{Callback.objects.get().token_digest}/").status_code == 404


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"succeeded": "true"}',
        b'{"succeeded": 1}',
        b'{"succeeded": null}',
        b"\xff\xfe",
        b"[" * 100_000,
        b"1" * 10_000,
    ],
)
def test_what_says_nothing_is_refused_and_may_be_said_again(attempt, said):
    path = path_of(attempt)

    assert send(path, said).status_code == 400
    assert callbacks.answer_of(attempt.pk) is None
    assert send(path).content == b"taken\n"


def test_forms_are_not_taken(attempt):
    path = path_of(attempt)
    assert Client().post(path, {"succeeded": "true"}).status_code == 400
    answer = Client().post(path, "succeeded=true", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400


def test_nothing_but_a_post_is_taken(attempt):
    path = path_of(attempt)
    for method in ("get", "head", "put", "patch", "delete", "options"):
        assert getattr(Client(), method)(path).status_code == 405
    assert callbacks.answer_of(attempt.pk) is None


def test_too_much_is_not_read(attempt):
    path = path_of(attempt)
    much = json.dumps(GOOD | {"output": "x" * (256 * 1024)})
    assert send(path, much).status_code == 413
    assert send(path, json.dumps(GOOD | {"output": "x" * (200 * 1024)})).status_code == 200


def test_nul_and_what_looks_like_markup_are_kept_as_text(attempt):
    path = path_of(attempt)

    assert send(path, b'{"succeeded": true, "a": "<script>"} \n').status_code == 200
    assert "<script>" in callbacks.answer_of(attempt.pk).body


def test_secrets_that_it_says_back_are_taken_out():
    make_secret("token", VALUE, [TARGET])
    attempt = make_attempt(headers="X-Token: {secret:token}")

    send(path_of(attempt), GOOD | {"echo": VALUE})

    assert INSTEAD in callbacks.answer_of(attempt.pk).body
    assert VALUE not in json.loads(callbacks.answer_of(attempt.pk).body).values()


class TestOfASignedTask:
    @pytest.fixture
    def path(self):
        make_secret("signing", "a signing secret", [TARGET])
        return path_of(make_attempt(signing_secret="signing"))

    def test_it_is_signed_too(self, path):
        text = json.dumps(GOOD)
        headers = signed(text.encode(), key="any", secret="a signing secret")

        assert send(path, text, **headers).content == b"taken\n"

    def test_or_it_is_refused_and_changes_nothing(self, path):
        text = json.dumps(GOOD)
        forged = signed(text.encode(), key="any", secret="a guess")
        other = signed(b"{}", key="any", secret="a signing secret")
        old = signed(text.encode(), key="any", secret="a signing secret", at=1_600_000_000)

        for headers in ({}, forged, other, old):
            assert send(path, text, **headers).status_code == 401
        assert Callback.objects.get().received_at is None

    def test_without_our_key_nothing_is_believed(self, path, settings):
        settings.SECRETS_KEYS = ["another key"]
        text = json.dumps(GOOD)
        headers = signed(text.encode(), key="any", secret="a signing secret")

        assert send(path, text, **headers).status_code == 401
