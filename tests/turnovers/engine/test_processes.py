"""What the engine promises, with real processes that are killed, and a server that counts."""

import itertools
import json
import time

import pytest

from tests.turnovers.engine.processes import Servers, Stack, has_redis
from tests.turnovers.executors.receiver import receiving

TAGS = itertools.count()
ON_SERVERS = [pytest.mark.postgres, pytest.mark.redis]


@pytest.fixture(scope="module")
def receiver():
    with receiving() as receiver:
        yield receiver


@pytest.fixture(
    scope="module",
    params=["embedded", pytest.param("servers", marks=ON_SERVERS)],
)
def stack(request, receiver, tmp_path_factory):
    """Two schedulers at once and one worker of two processes."""
    folder = tmp_path_factory.mktemp("stack")
    if request.param == "servers" and not has_redis():
        pytest.skip("needs redis-server")
    stack = (Servers if request.param == "servers" else Stack)(folder, receiver.name)
    try:
        stack.prepare()
        stack.start_scheduler()
        stack.start_scheduler()
        stack.start_worker()
        yield stack
    finally:
        stack.close()


class Calls:
    """The calls of one test's tasks."""

    def __init__(self, receiver):
        self.receiver = receiver
        self.tag = f"t{next(TAGS)}"

    def task(self, order, name, **more):
        url = f"{self.receiver.url}/{self.tag}/{name}"
        parameters = {"method": "POST", "url": url, "success_from": 200, "success_to": 299}
        return {"order": order, "executor": "http", "parameters": parameters, **more}

    def accepted(self, order, name, **more):
        """A task whose call is accepted, and that is then asked until it is done."""
        address = f"/{self.tag}/{name}-job"
        self.receiver.answers[f"/{self.tag}/{name}"] = (202, {"Location": address}, b"{}")
        self.state(name, "running")
        task = self.task(order, name, **more)
        asks = {"mode": "polled", "poll_seconds": 1, "done_field": "state", "done_values": "done"}
        return task | {"parameters": task["parameters"] | asks}

    def state(self, name, state):
        """What is answered from now on, where it is asked how that task stands."""
        text = json.dumps({"state": state}).encode()
        self.receiver.answers[f"/{self.tag}/{name}-job"] = (200, {}, text)

    def answer(self, name, status):
        self.receiver.answers[f"/{self.tag}/{name}"] = (status, {}, b"")

    @property
    def made(self):
        with self.receiver.lock:
            return [c for c in self.receiver.calls if c["path"].startswith(f"/{self.tag}/")]

    @property
    def names(self):
        return [call["path"].rpartition("/")[2] for call in self.made]


@pytest.fixture
def calls(receiver):
    receiver.hold_seconds = 0
    yield Calls(receiver)
    receiver.hold_seconds = 0


def is_over(seen):
    return seen["state"] in {"deployed", "failed"}


def states(run):
    return [task["state"] for task in run["tasks"]]


def test_orders_follow_each_other_and_equal_orders_overlap(stack, calls, receiver):
    receiver.hold_seconds = 0.7
    tasks = [
        calls.task(1, "first"),
        calls.task(2, "left"),
        calls.task(2, "right"),
        {"order": 3, "executor": "checkpoint"},
        calls.task(4, "last"),
    ]

    seen = stack.wait_for(stack.do("make", tasks=tasks), is_over)

    assert seen["state"] == "deployed"
    assert calls.names[0] == "first"
    assert calls.names[3] == "last"
    assert sorted(calls.names[1:3]) == ["left", "right"]
    first, left, right, last = calls.made
    assert first["ended"] <= min(left["began"], right["began"])
    assert max(left["began"], right["began"]) < min(left["ended"], right["ended"])
    assert max(left["ended"], right["ended"]) <= last["began"]
    assert [task["attempts"] for task in seen["runs"][0]["tasks"]] == [1, 1, 1, 1, 1]


def test_a_failure_stops_the_run_and_a_person_says_how_it_goes_on(stack, calls):
    calls.answer("broken", 500)
    tasks = [calls.task(1, "fine"), calls.task(2, "broken"), calls.task(3, "after")]
    pk = stack.do("make", tasks=tasks)

    seen = stack.wait_for(pk, is_over)
    assert seen["state"] == "failed"
    assert "HTTP 500" in seen["runs"][0]["reason"]
    assert calls.names == ["fine", "broken"]

    calls.answer("broken", 200)
    done = seen["runs"][0]["tasks"][0]["task"]
    stack.do("step", model="turnover", pk=pk, name="retry", reason="Repaired.", skip=[done])
    seen = stack.wait_for(pk, lambda seen: seen["state"] == "deployed")

    assert states(seen["runs"][1]) == ["skipped", "succeeded", "succeeded"]
    assert calls.names == ["fine", "broken", "broken", "after"]
    keys = [call["headers"]["Idempotency-Key"] for call in calls.made]
    assert len(set(keys)) == 4
    assert keys[2] == keys[1][:-1] + "2"


def test_a_manual_task_waits_for_its_owner(stack, calls):
    pk = stack.do("make", tasks=[{"order": 1, "executor": ""}, calls.task(2, "after")])
    seen = stack.wait_for(pk, lambda seen: seen["runs"] and seen["runs"][0]["tasks"])
    time.sleep(1)
    assert calls.made == []

    row = seen["runs"][0]["tasks"][0]["pk"]
    stack.do("step", model="taskrun", pk=row, name="complete", evidence="Seen.")

    assert stack.wait_for(pk, is_over)["state"] == "deployed"
    assert calls.names == ["after"]


def test_a_hold_stops_the_line_and_lifting_it_lets_it_go_on(stack, calls):
    hold = stack.do("hold")
    try:
        pk = stack.do("make", tasks=[calls.task(1, "only")])
        time.sleep(2)
        assert stack.do("look", pk=pk)["runs"] == []
    finally:
        stack.do("step", model="hold", pk=hold, name="lift", reason="Fine.")

    assert stack.wait_for(pk, is_over)["state"] == "deployed"
    assert calls.names == ["only"]


def test_a_killed_worker_leaves_an_unknown_ending_that_two_people_settle(stack, calls, receiver):
    receiver.hold_seconds = 3
    pk = stack.do("make", tasks=[calls.task(1, "unclear", attempts=3), calls.task(2, "after")])
    until = time.monotonic() + 30
    while not calls.made and time.monotonic() < until:
        time.sleep(0.05)

    stack.kill(stack.worker)
    stack.start_worker()
    seen = stack.wait_for(pk, lambda seen: states(seen["runs"][0]) == ["unknown"])

    assert seen["state"] == "deploying"
    assert "Whether it happened is not known." in seen["runs"][0]["tasks"][0]["detail"]
    assert calls.names == ["unclear"]

    receiver.hold_seconds = 0
    row = {"model": "taskrun", "pk": seen["runs"][0]["tasks"][0]["pk"]}
    stack.do("step", **row, name="judge", verdict="happened", reason="The server has it.")
    stack.do("step", **row, name="confirm_happened", by="manager")
    stack.wait_for(pk, lambda seen: seen["state"] == "deployed")
    assert calls.names == ["unclear", "after"]


def test_a_killed_worker_of_a_repeat_safe_task_is_no_news(stack, calls, receiver):
    receiver.hold_seconds = 3
    pk = stack.do("make", tasks=[calls.task(1, "safe", repeat_safe=True)])
    until = time.monotonic() + 30
    while not calls.made and time.monotonic() < until:
        time.sleep(0.05)

    stack.kill(stack.worker)
    receiver.hold_seconds = 0
    stack.start_worker()
    stack.wait_for(pk, lambda seen: seen["state"] == "deployed")

    first, again = (call["headers"] for call in calls.made)
    assert first["Idempotency-Key"] == again["Idempotency-Key"]
    assert (first["X-Fence"], again["X-Fence"]) == ("1", "2")


def test_a_task_may_take_longer_than_a_lease(stack, calls, receiver):
    receiver.hold_seconds = 6

    seen = stack.wait_for(stack.do("make", tasks=[calls.task(1, "slow")]), is_over)

    assert seen["state"] == "deployed"
    assert calls.names == ["slow"]


def test_processes_that_are_killed_while_they_wait_leave_work_to_the_others(stack, calls):
    for name in ("one", "two", "three"):
        stack.kill_children(stack.worker)

        assert stack.wait_for(stack.do("make", tasks=[calls.task(1, name)]), is_over)
    assert calls.names == ["one", "two", "three"]


def test_what_goes_on_elsewhere_outlives_the_worker_that_began_it(stack, calls):
    pk = stack.do("make", tasks=[calls.accepted(1, "long"), calls.task(2, "after")])
    stack.wait_until(lambda: calls.names.count("long-job") >= 1)

    stack.kill(stack.worker)
    calls.state("long", "done")
    stack.start_worker()
    seen = stack.wait_for(pk, is_over)

    assert seen["state"] == "deployed"
    assert [task["attempts"] for task in seen["runs"][0]["tasks"]] == [1, 1]
    assert [calls.names.count(name) for name in ("long", "after")] == [1, 1]


def test_more_go_on_elsewhere_than_there_are_workers(stack, calls):
    names = [f"job{number}" for number in range(8)]
    pks = [stack.do("make", tasks=[calls.accepted(1, name)]) for name in names]
    stack.wait_until(lambda: set(names) <= set(calls.names))

    seen = stack.wait_for(stack.do("make", tasks=[calls.task(1, "between")]), is_over)
    assert seen["state"] == "deployed"
    for name in names:
        calls.state(name, "done")

    for pk in pks:
        assert stack.wait_for(pk, is_over)["state"] == "deployed"
    assert sorted(name for name in calls.names if name in names) == names


@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.parametrize("stack", [pytest.param("servers", marks=ON_SERVERS)], indirect=True)
class TestBroker:
    def test_a_flushed_broker_loses_nothing(self, stack, calls, receiver):
        receiver.hold_seconds = 0.2
        tasks = [calls.task(order, f"{order}-{n}") for order in range(1, 6) for n in range(2)]
        pk = stack.do("make", tasks=tasks)

        while not is_over(seen := stack.do("look", pk=pk)):
            stack.flush_broker()
            time.sleep(0.1)

        assert seen["state"] == "deployed"
        assert sorted(calls.names) == sorted(f"{n}-{m}" for n in range(1, 6) for m in range(2))
        assert [name[0] for name in calls.names] == sorted(name[0] for name in calls.names)

    def test_a_dead_broker_breaks_no_click_and_the_run_goes_on_when_it_is_back(self, stack, calls):
        pk = stack.do("make", tasks=[{"order": 1, "executor": ""}, calls.task(2, "after")])
        seen = stack.wait_for(pk, lambda seen: seen["runs"] and seen["runs"][0]["tasks"])
        stack.stop_broker()
        try:
            row = seen["runs"][0]["tasks"][0]["pk"]
            said = stack.do("step", model="taskrun", pk=row, name="complete")
        finally:
            stack.start_broker()
        stack.restarts_worker = True

        assert said == "succeeded"
        assert stack.wait_for(pk, is_over)["state"] == "deployed"
        assert calls.names == ["after"]
