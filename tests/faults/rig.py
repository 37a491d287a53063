"""An installation under fire: real processes, faults on a timetable, and then calm.

A storm makes turnovers, lets faults strike while they are carried out, then stops striking and
waits until all have come to an end. What it reports is judged by the receiver's book.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tests.faults import tables
from tests.faults.receiver import Manners, Receiver
from tests.faults.verdict import judge
from tests.turnovers.engine.processes import ROOT, Servers, Stack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.postgres import Cluster
    from tests.faults.verdict import Task

#: As ``Stack`` sets it: short, so that the storms are.
LEASE = 4.0
QUEUE = "faults"
#: How long the storm's end may take once all is calm: seconds, where nobody else needs the machine.
PATIENCE = 120.0
#: People look at the outside before they judge, and what was on its way has arrived by then.
AFTERTHOUGHT = 1.0


@dataclass(frozen=True)
class Fault:
    """What strikes, and every how many seconds."""

    every: float
    strike: Callable[[], object]


@dataclass
class Report:
    """What became of a storm."""

    turnovers: int
    #: The numbers of the first and the last of them.
    first: int
    last: int
    steps: int
    #: Promise by promise, which tasks broke it; see ``Verdict``.
    flaws: dict[str, list[Task]]
    #: Calls of which the ledger has no attempt.
    unclaimed: int
    stuck: list[str]
    calls: int
    #: Calls that came with the key of an earlier one.
    repeats: int
    #: Endings that nobody knew, and how often two people then said "run it again".
    unknown: int
    authorised: int
    seconds: float
    #: From the last fault to the last end.
    drain: float
    struck: dict[str, int] = field(default_factory=dict)

    @property
    def is_flawless(self) -> bool:
        return not (self.flaws or self.unclaimed or self.stuck)

    def __str__(self) -> str:
        return json.dumps(asdict(self))


class Rig:
    """Workers, schedulers, people and a receiver, on one stack."""

    def __init__(
        self,
        folder: Path,
        *,
        cluster: Cluster | None = None,
        workers: int = 2,
        seed: int | None = None,
    ) -> None:
        self.seed = random.randrange(1_000_000) if seed is None else seed  # noqa: S311 -- chance
        self.random = random.Random(self.seed)  # noqa: S311 -- chance that can be repeated
        self.receiver = Receiver()
        self.cluster = cluster
        #: How many groups of workers, each with a pool of two processes.
        self.count = workers
        name = self.receiver.name
        self.stack = Servers(folder, name, cluster.server) if cluster else Stack(folder, name)
        self.stack.environment["QUEUE"] = QUEUE
        #: By how many seconds the clocks of workers and schedulers are wrong, in turns.
        self.shifts: list[int] = []
        self.workers: list[subprocess.Popen[bytes]] = []
        self.schedulers: list[subprocess.Popen[bytes]] = []
        self.struck: dict[str, int] = {}
        self._down: set[str] = set()
        self._later: list[tuple[float, int, Callable[[], object]]] = []
        self._tickets = itertools.count()
        self._unknown_since: dict[int, float] = {}

    def prepare(self) -> None:
        tables.lay(self.stack, self.cluster)
        self.stack.call_person("tests.faults.people")

    def close(self) -> None:
        for process in (*self.workers, *self.schedulers):
            _signal(process, signal.SIGCONT)
        self.stack.close()
        self.receiver.close()

    # --- People -----------------------------------------------------------------------------------

    def ask(self, deed: str, **data: Any) -> Any:
        """What people answer; None where the database is away or their step is refused."""
        return self.stack.do(deed, **data).get("answer")

    def insist(self, deed: str, **data: Any) -> Any:
        """Ask until the database is back."""
        until = time.monotonic() + PATIENCE
        while "answer" not in (said := self.stack.do(deed, **data)):
            assert time.monotonic() < until, said
            time.sleep(0.2)
        return said["answer"]

    def fill(self, turnovers: int, **more: Any) -> dict[Task, bool]:
        """Accepted turnovers, as tasks with whether each is repeat-safe."""
        made = self.insist("fill", turnovers=turnovers, url=self.receiver.url, **more)
        return {(turnover, order, step): safe for turnover, order, step, safe in made}

    # --- Storms -----------------------------------------------------------------------------------

    def storm(
        self,
        *faults: Fault,
        turnovers: int = 50,
        seconds: float = 12.0,
        schedulers: int = 1,
        manners: Callable[[dict[Task, bool]], Manners] = lambda tasks: Manners(),
        patience: float = PATIENCE,
        **fill: Any,
    ) -> Report:
        """Let the faults strike for so many seconds, or until all is done; then wait for the end.

        The turnovers are made first, and schedulers start when all have been accepted.
        """
        tasks = self.fill(turnovers, **fill)
        self.receiver.manners = manners(tasks)
        numbers = {turnover for turnover, _, _ in tasks}
        self.struck = {}
        began = time.monotonic()
        self.calm(schedulers)
        self._strike(faults, numbers, until=began + seconds)
        calm_at = time.monotonic()
        self.calm(max(1, schedulers))
        while not self._all_ended(numbers) and time.monotonic() < calm_at + patience:
            self._mend()
            time.sleep(0.1)
        ended = time.monotonic()
        self.dismiss_schedulers()
        return self._report(tasks, numbers, ended - began, ended - calm_at)

    def _strike(self, faults: tuple[Fault, ...], numbers: set[int], until: float) -> None:
        now = time.monotonic()
        due = [now + fault.every for fault in faults]
        while (now := time.monotonic()) < until and not self._all_ended(numbers):
            while self._later and self._later[0][0] <= now:
                heapq.heappop(self._later)[2]()
            for index, fault in enumerate(faults):
                if now >= due[index]:
                    fault.strike()
                    due[index] = now + fault.every
            self._mend()
            time.sleep(0.05)

    def _report(
        self, tasks: dict[Task, bool], numbers: set[int], seconds: float, drain: float
    ) -> Report:
        facts = self.insist("facts", first=min(numbers), last=max(numbers))
        authorised = {tuple(task): times for *task, times in facts["authorised"]}
        calls = self.receiver.calls_of(numbers)
        known = {tuple(attempt) for attempt in facts["attempts"]}
        return Report(
            turnovers=len(numbers),
            first=min(numbers),
            last=max(numbers),
            steps=len(tasks),
            flaws=judge(tasks, calls, authorised).flaws,
            unclaimed=sum((call.key, call.fence) not in known for call in calls),
            stuck=facts["stuck"],
            calls=len(calls),
            repeats=len(calls) - len({call.key for call in calls}),
            unknown=facts["unknown"],
            authorised=sum(authorised.values()),
            seconds=round(seconds, 1),
            drain=round(drain, 1),
            struck=self.struck,
        )

    def _all_ended(self, numbers: set[int]) -> bool:
        """Whether nothing is left to carry out; on the way, two people settle what is unknown."""
        seen = self.ask("progress", first=min(numbers), last=max(numbers))
        if seen is None:
            return False
        for pk, turnover, key in seen["unknown"]:
            self._settle(pk, turnover, key)
        return not {"ready", "deploying"} & set(seen["states"])

    def _settle(self, pk: int, turnover: int, key: str) -> None:
        """Look at the outside first; a refusal (the worker still lives) means: look again."""
        since = self._unknown_since.setdefault(pk, time.monotonic())
        happened = self.receiver.knows(turnover, key)
        if time.monotonic() > since + AFTERTHOUGHT and happened is not None:
            settled = self.ask("settle", pk=pk, verdict="happened" if happened else "again")
            if settled:
                del self._unknown_since[pk]

    # --- Calm -------------------------------------------------------------------------------------

    def calm(self, schedulers: int = 1) -> None:
        """Everything runs: broker, database, workers, and so many schedulers."""
        # Whatever was stopped for a while comes back now.
        while self._later:
            heapq.heappop(self._later)[2]()
        self._mend()
        while len(self.workers) < self.count:
            self.workers.append(self._start(self.stack.start_worker))
        self._need_schedulers(schedulers)

    def rest(self) -> None:
        """Nothing runs but the servers and the people."""
        self.dismiss_schedulers()
        while self.workers:
            self.stack.kill(self.workers.pop())

    def verify(self) -> str:
        """What ``manage.py verify`` finds wrong; nothing where there is no such command yet."""
        command = [sys.executable, "manage.py", "verify"]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.stack.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        is_known = "Unknown command" not in done.stderr
        return done.stdout + done.stderr if done.returncode and is_known else ""

    def _start(self, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        """Start it with the clock whose turn it is."""
        self.stack.prefix = []
        if self.shifts:
            shift = self.shifts[next(self._tickets) % len(self.shifts)]
            self.stack.prefix = ["-m", "tests.faults.shifted", str(shift)]
        try:
            return start()
        finally:
            self.stack.prefix = []

    def dismiss_schedulers(self) -> None:
        while self.schedulers:
            self.stack.kill(self.schedulers.pop())

    def _mend(self) -> None:
        """As a supervisor does: start again whatever has died."""
        for index, worker in enumerate(self.workers):
            if worker.poll() is not None:
                self.workers[index] = self._start(self.stack.start_worker)
        for index, scheduler in enumerate(self.schedulers):
            if scheduler.poll() is not None:
                self.schedulers[index] = self._start(self.stack.start_scheduler)

    # --- Faults -----------------------------------------------------------------------------------

    def kill_a_worker(self) -> None:
        """kill -9 of a whole group: the worker and the processes of its pool."""
        self._count("kills")
        self.stack.kill(self.random.choice(self.workers))

    def kill_a_child(self) -> None:
        """kill -9 of one process of a pool; its parent lives on, and thinks the message done."""
        worker = self.random.choice(self.workers)
        children = _children(worker.pid)
        if children:
            self._count("kills of children")
            with suppress(ProcessLookupError):
                os.kill(self.random.choice(children), signal.SIGKILL)

    def pause_a_worker(self, seconds: float) -> None:
        """It sleeps for longer than its lease and wakes in the middle of what it was doing."""
        self._count("pauses")
        worker = self.random.choice(self.workers)
        _signal(worker, signal.SIGSTOP)
        self.after(seconds, lambda: _signal(worker, signal.SIGCONT))

    def kill_a_scheduler(self) -> None:
        self._count("kills of schedulers")
        if self.schedulers:
            self.stack.kill(self.random.choice(self.schedulers))

    def do_without_schedulers(self, seconds: float) -> None:
        self._count("times without schedulers")
        count = len(self.schedulers)
        self.dismiss_schedulers()
        self.after(seconds, lambda: self._need_schedulers(count))

    def flush_broker(self) -> None:
        """Every message is gone."""
        self._count("flushes")
        with suppress(OSError):
            self.stack.flush_broker()

    def stop_broker(self, seconds: float) -> None:
        self._take_down("broker", self.stack.stop_broker, self.stack.start_broker, seconds)

    def restart_database(self, how: str, seconds: float = 0.5) -> None:
        """``fast`` closes every session; ``immediate`` is a crash."""
        assert self.cluster is not None
        stop = functools.partial(self.cluster.stop, how)
        self._take_down("database", stop, self.cluster.start, seconds, how)

    def _take_down(
        self,
        server: str,
        stop: Callable[[], object],
        start: Callable[[], object],
        seconds: float,
        how: str = "",
    ) -> None:
        """For so many seconds, unless it is down already."""
        if server in self._down:
            return

        def come_back() -> None:
            start()
            self._down.remove(server)

        self._count(f"{server} down {how}".strip())
        self._down.add(server)
        stop()
        self.after(seconds, come_back)

    def after(self, seconds: float, deed: Callable[[], object]) -> None:
        """Do it so much later, or when the storm is over."""
        moment = time.monotonic() + seconds
        heapq.heappush(self._later, (moment, next(self._tickets), deed))

    def _need_schedulers(self, count: int) -> None:
        while len(self.schedulers) < count:
            self.schedulers.append(self._start(self.stack.start_scheduler))

    def _count(self, what: str) -> None:
        self.struck[what] = self.struck.get(what, 0) + 1


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    """To its whole group, if it lives."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _children(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:  # noqa: PTH123 -- not a real path
            return [int(child) for child in file.read().split()]
    except OSError:
        return []
