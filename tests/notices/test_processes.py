"""Mail is sent once, by real workers that are killed, with a mail server that counts."""

import time

import pytest

from tests.notices.sink import listening
from tests.turnovers.engine.processes import PATIENCE, Servers, Stack, has_redis

ON_SERVERS = [pytest.mark.postgres, pytest.mark.redis]
STAGE = "tests.notices.stage"


@pytest.fixture(scope="module", params=["embedded", pytest.param("servers", marks=ON_SERVERS)])
def stack(request, tmp_path_factory):
    """A scheduler, a worker of two processes, and a mail server."""
    if request.param == "servers" and not has_redis():
        pytest.skip("needs redis-server")
    folder = tmp_path_factory.mktemp("stack")
    stack = (Servers if request.param == "servers" else Stack)(folder, "")
    with listening() as stack.sink:
        stack.environment["EMAIL_URL"] = f"smtp://127.0.0.1:{stack.sink.port}"
        try:
            stack.manage("migrate", "--verbosity=0")
            stack.call_person(STAGE)
            stack.start_scheduler()
            stack.start_worker()
            yield stack
        finally:
            stack.sink.may_answer.set()
            stack.close()


@pytest.fixture(autouse=True)
def nothing_yet(stack):
    stack.sink.taken = []
    stack.sink.has_come.clear()
    stack.sink.may_answer.set()


def ids(stack):
    return [mail["Message-ID"] for mail in stack.sink.mails]


def test_a_step_is_mailed_once(stack):
    pk = stack.do("send_back")

    stack.wait_for(pk, lambda seen: seen["state"] == "sent")
    time.sleep(2)

    assert len(ids(stack)) == 1
    assert stack.do("look", pk=pk) == {"state": "sent", "attempts": 1, "problem": ""}


def test_what_waits_in_a_run_is_found_by_the_scheduler_and_mailed_once(stack):
    address = stack.do("give_task")
    until = time.monotonic() + PATIENCE
    while not stack.sink.taken:
        assert time.monotonic() < until, stack.logs()
        time.sleep(0.1)
    time.sleep(2)

    assert stack.sink.envelopes == [[address]]


def test_a_worker_killed_before_the_server_is_asked_loses_no_mail_and_doubles_none(stack):
    """Nobody is there when the step is stored: the hint may be lost, the letter is not."""
    stack.kill(stack.worker)
    pk = stack.do("send_back")
    time.sleep(2)
    assert ids(stack) == []

    stack.start_worker()
    stack.wait_for(pk, lambda seen: seen["state"] == "sent")
    time.sleep(2)

    assert len(ids(stack)) == 1


def test_a_worker_killed_before_the_servers_answer_sends_again_under_the_same_id(stack):
    """The one case in which a mail may come twice; the receiver can tell."""
    stack.sink.may_answer.clear()
    pk = stack.do("send_back")
    assert stack.sink.has_come.wait(PATIENCE), stack.logs()

    stack.kill(stack.worker)
    stack.sink.may_answer.set()
    stack.start_worker()
    stack.wait_for(pk, lambda seen: seen["state"] == "sent")
    time.sleep(2)

    assert len(ids(stack)) == 2
    assert len(set(ids(stack))) == 1
    assert stack.do("look", pk=pk)["attempts"] == 2


@pytest.mark.parametrize("stack", [pytest.param("servers", marks=ON_SERVERS)], indirect=True)
def test_a_flushed_broker_loses_no_mail(stack):
    letters = []
    for _ in range(5):
        letters.append(stack.do("send_back"))
        stack.flush_broker()

    for pk in letters:
        stack.wait_for(pk, lambda seen: seen["state"] == "sent")
    assert len(ids(stack)) == len(set(ids(stack))) == 5
