"""What a step costs, and how soon what is due begins, beside what the machine can do at all.

The limits are measured in the same run, in turns with the engine: two commits of the same
database, and a bare Celery chain with results on the same broker. Prints one line of JSON a figure,
with the aim where there is one. With DATABASE_URL (PostgreSQL) and BROKER_URL (Redis) set it
measures these, on a database and a Redis server of its own; else the embedded ones.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from turnovers.models import Run

STEPS = 100
ROUNDS = 5
MANY_STEPS = 10
PATIENCE = 120.0
TICK = 5
BARE = (
    *("-m", "celery", "--quiet", "--app=bench.chain", "worker", "--loglevel=WARNING"),
    *("--concurrency=2", "--without-gossip", "--without-mingle", "--without-heartbeat"),
)


def say(name: str, value: float, unit: str, aim: str = "") -> None:
    line: dict[str, Any] = {"name": name, "value": round(value, 2), "unit": unit}
    print(json.dumps(line | ({"aim": aim} if aim else {})), flush=True)


def wait_until(condition: Callable[[], bool], pause: float = 0.01) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(pause)


# --- One step -------------------------------------------------------------------------------------


def make_run(steps: int, receiver: str = "") -> Run:
    """A run whose turn has come: of checkpoints, or of calls to the receiver.

    Whoever measures makes it in one transaction, since workers find it as soon as it is stored.
    """
    from tests.factories import RunFactory, TaskFactory

    run = RunFactory()
    for order in range(1, steps + 1):
        more: dict[str, Any] = {"executor": "checkpoint"}
        if receiver:
            url = f"http://{receiver}/{run.turnover_id}/{order}/{order}"
            given = {"method": "POST", "url": url, "success_from": 200, "success_to": 299}
            more = {"executor": "http", "parameters": given}
        TaskFactory(turnover=run.turnover, order=order, **more)
    made: Run = run
    return made


def time_run(receiver: str = "") -> float:
    """Milliseconds a step, from the hint to the end of the run."""
    from django.db import transaction

    from turnovers.models import Run
    from turnovers.tasks import advance_run

    with transaction.atomic():
        run = make_run(STEPS, receiver)
    begin = time.perf_counter()
    advance_run.delay(run.pk)
    wait_until(Run.objects.filter(pk=run.pk, state="succeeded").exists, pause=0.002)
    return (time.perf_counter() - begin) / STEPS * 1000


def time_chain(receiver: str = "") -> float | None:
    """Milliseconds a step, from sending to the last result; None where the chain hangs.

    It does so now and then: a result or a message is lost, which is why the engine is what it is.
    """
    from celery import chain
    from celery.exceptions import TimeoutError as Hangs

    from bench.chain import nothing, post

    paths = [f"/0/{number}/{number}" for number in range(STEPS)]
    steps = [post.si(receiver, path) for path in paths] if receiver else [nothing.si()] * STEPS
    begin = time.perf_counter()
    result = chain(*steps).apply_async()
    try:
        result.get(timeout=20, interval=0.002)
    except Hangs:
        return None
    return (time.perf_counter() - begin) / STEPS * 1000


def measure_steps(receiver: str) -> None:
    from bench import limits

    times: dict[str, list[float]] = {}
    hung = 0
    for number in range(ROUNDS + 1):
        figures = {
            "two commits": limits.two_commits(STEPS),
            "chain": time_chain(),
            "step": time_run(),
            "HTTP chain": time_chain(receiver),
            "HTTP step": time_run(receiver),
        }
        hung += sum(value is None for value in figures.values())
        if number:  # the first round warms up
            for name, value in figures.items():
                if value is not None:
                    times.setdefault(name, []).append(value)
    middle = {name: statistics.median(values) for name, values in times.items()}
    how = f"median of {ROUNDS} rounds of {STEPS}"
    say(f"limit: two commits, {how}", middle["two commits"], "ms")
    say(f"bare Celery chain with results: step, {how}", middle["chain"], "ms")
    say(f"bare Celery chain with results: HTTP step, {how}", middle["HTTP chain"], "ms")
    say("bare Celery chain: rounds that hung", hung, "times")
    say(f"engine: step, {how}", middle["step"], "ms")
    say(f"engine: HTTP step, {how}", middle["HTTP step"], "ms")
    say("engine: step / two commits", middle["step"] / middle["two commits"], "times", "<= 2")
    say("engine: step / chain's", middle["step"] / middle["chain"], "times", "<= 1")
    ratio = middle["HTTP step"] / middle["HTTP chain"]
    say("engine: HTTP step / chain's HTTP step", ratio, "times", "<= 1")


# --- Many runs ------------------------------------------------------------------------------------


def time_many(runs: int, receiver: str = "") -> tuple[float, float]:
    """Steps a second, and how long the last run waited for its first step against its fair share.

    A fair share is what one step of every run takes at that pace. Workers are called as the
    scheduler calls them once it has started what is due.
    """
    from django.db import transaction
    from django.db.models import Max, Min

    from turnovers.engine.advance import look
    from turnovers.models import Attempt, Run

    with transaction.atomic():
        made = [make_run(MANY_STEPS, receiver).pk for _ in range(runs)]
    begin = time.time()
    with transaction.atomic():
        look()
    left = Run.objects.filter(pk__in=made).exclude(state="succeeded")
    wait_until(lambda: not left.exists(), pause=0.02)
    seconds = time.time() - begin
    first = (
        Attempt.objects.filter(task_run__run__in=made)
        .order_by()
        .values("task_run__run")
        .annotate(at=Min("ended_at"))
        .aggregate(last=Max("at"))["last"]
    )
    fair = seconds / MANY_STEPS
    return runs * MANY_STEPS / seconds, (first.timestamp() - begin) / fair


def measure_many(receiver: str) -> None:
    from bench import limits

    paces: dict[tuple[int, str], list[float]] = {}
    waits: dict[str, list[float]] = {"": [], receiver: []}
    limit = []
    for _ in range(3):
        limit.append(limits.steps_a_second(connections=2, seconds=2))
        for target in ("", receiver):
            for runs in (10, 100):
                pace, wait = time_many(runs, target)
                paces.setdefault((runs, target), []).append(pace)
                if runs == 100:
                    waits[target].append(wait)
    top = statistics.median(limit)
    say("limit: two connections, pairs of commits", top, "steps/s")
    for target, kind in (("", "steps"), (receiver, "HTTP steps")):
        few, many = (statistics.median(paces[runs, target]) for runs in (10, 100))
        say(f"engine: 10 runs at once, {kind}", few, "steps/s")
        say(f"engine: 100 runs at once, {kind}", many, "steps/s")
        say(f"engine: 100 runs, {kind} / limit", many / top, "times", ">= 0.5")
        say(f"engine: 100 runs / 10 runs, {kind}", many / few, "times", ">= 1")
        wait = statistics.median(waits[target])
        say(f"engine: latest first step of 100 runs, {kind}", wait, "fair shares", "<= 3")


# --- What is due ----------------------------------------------------------------------------------


def make_due(count: int, seconds: float) -> tuple[list[int], float]:
    """Accepted turnovers that are all due at the same second; returns them and that second."""
    import datetime as dt

    from environments.models import Booking, Environment
    from tests.factories import ReleaseFactory, UserFactory
    from turnovers.models import DeploymentTask, Turnover

    author = UserFactory(role="Developer")
    release = ReleaseFactory(state="executing")
    due = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(seconds=seconds)
    end = due + dt.timedelta(hours=2)
    serial = time.time_ns()
    environments = Environment.objects.bulk_create(
        Environment(name=f"due-{serial}-{number}", kind="test", state="online")
        for number in range(count)
    )
    bookings = Booking.objects.bulk_create(
        Booking(environment=place, title="Slot", starts=due, ends=end, state="confirmed")
        for place in environments
    )
    turnovers = Turnover.objects.bulk_create(
        Turnover(
            title=f"Due {number}",
            release=release,
            environment=booking.environment,
            booking=booking,
            author=author,
            earliest=due,
            latest=end,
            state="ready",
        )
        for number, booking in enumerate(bookings)
    )
    DeploymentTask.objects.bulk_create(
        DeploymentTask(turnover=turnover, order=1, title="Look", owner=author)
        for turnover in turnovers
    )
    for turnover in turnovers:
        Turnover.objects.filter(pk=turnover.pk).update(delivered_digest=turnover.plan_digest())
    assert time.time() < due.timestamp() - 1, "They were not made in time."
    return [turnover.pk for turnover in turnovers], due.timestamp()


def time_starts(count: int) -> tuple[float, float]:
    """Seconds from the due second until a run of each is stored, and until the first is."""
    from django.db import connection

    pks, due = make_due(count, seconds=TICK + 2 + count * 0.05)
    now = (
        "extract(epoch FROM clock_timestamp())::float8"
        if connection.vendor == "postgresql"
        else "(julianday('now') - 2440587.5) * 86400.0"
    )
    sql = f"SELECT (SELECT COUNT(*) FROM turnovers_run WHERE turnover_id BETWEEN %s AND %s), {now}"  # noqa: S608
    first, stored = 0.0, 0
    while stored < count:
        with connection.cursor() as cursor:
            cursor.execute(sql, [min(pks), max(pks)])
            stored, at = cursor.fetchone()
        if stored and not first:
            first = at - due
        assert at < due + PATIENCE, f"{stored} of {count} started"
        time.sleep(0.002)
    return at - due, first


def measure_starts() -> None:
    early = 0
    for count, rounds, aim in ((1, 3, "<= 0.05"), (100, 3, "<= 0.3"), (1000, 1, "<= 2")):
        times = [time_starts(count) for _ in range(rounds)]
        early += sum(first < 0 for _, first in times)
        last = statistics.median(last for last, _ in times)
        say(f"engine: due to started, {count} at once, median of {rounds}", last, "s", aim)
    say("engine: started early", early, "times", "0")


# --- All of it ------------------------------------------------------------------------------------


def measure(receiver: str) -> None:
    """Inside the installation that ``main`` has prepared."""
    import django

    django.setup()
    from bench import limits

    limits.prepare()
    measure_steps(receiver)
    measure_many(receiver)
    measure_starts()


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "releasemgr.settings")
    from django.conf import settings

    from tests.faults.receiver import Receiver
    from tests.turnovers.engine.processes import Servers, Stack

    on_servers = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
    receiver = Receiver()
    receiver.manners.work_seconds = 0
    with tempfile.TemporaryDirectory() as folder:
        stack = (Servers if on_servers else Stack)(Path(folder), receiver.name)
        # Nothing of what is measured waits for a lease or a tick.
        stack.environment |= {"LEASE_SECONDS": "120", "TICK_SECONDS": str(TICK)}
        try:
            stack.prepare()
            stack.start_worker()
            stack.start_scheduler()
            stack.start("bare", *BARE)
            command = [sys.executable, "-m", "bench.engine", "measure", receiver.name]
            done = subprocess.run(command, env=stack.environment, check=False)
            return done.returncode
        finally:
            stack.close()
            receiver.close()


if __name__ == "__main__":
    sys.exit(measure(sys.argv[2]) if sys.argv[1:2] == ["measure"] else main())
