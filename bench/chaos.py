"""The big storm: 1,000 turnovers of 10 HTTP steps, and kill -9 of a worker's group every 2 seconds.

Prints one line of JSON when all is ready, one every ten seconds, and one with the verdict: what was
lost, doubled, out of order or stuck by the receiver's book. Half of the turnovers are repeat-safe,
the others once-only: two people settle what is unknown of these.

It has a PostgreSQL and a Redis server of its own; EMBEDDED=1 takes SQLite with messages in files.
TURNOVERS and STEPS make it smaller, WORKERS says how many groups there are to kill, and SEED
repeats its chances.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

DRAIN_SECONDS = 300.0


def say(**figures: object) -> None:
    print(json.dumps(figures), flush=True)


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "releasemgr.settings")
    import django

    django.setup()
    from tests.faults.postgres import Cluster
    from tests.faults.receiver import Manners
    from tests.faults.rig import Fault, Rig

    # Whoever ends this early wants all of it ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    turnovers, steps = int(os.environ.get("TURNOVERS", "1000")), int(os.environ.get("STEPS", "10"))
    seed = int(os.environ["SEED"]) if "SEED" in os.environ else None
    cluster = None if os.environ.get("EMBEDDED") else Cluster()
    with tempfile.TemporaryDirectory() as folder:
        workers = int(os.environ.get("WORKERS", "4"))
        rig = Rig(Path(folder), cluster=cluster, workers=workers, seed=seed)
        try:
            rig.prepare()
            say(seed=rig.seed, turnovers=turnovers, steps=turnovers * steps)
            began = time.monotonic()

            def tell() -> None:
                since = round(time.monotonic() - began, 1)
                say(since=since, done=rig.receiver.done, struck=rig.struck)

            report = rig.storm(
                Fault(2, rig.kill_a_worker),
                Fault(10, tell),
                turnovers=turnovers,
                orders=list(range(1, steps + 1)),
                timeout=10,
                manners=lambda tasks: Manners(work_seconds=0.005),
                seconds=24 * 3600,
                patience=DRAIN_SECONDS,
            )
        finally:
            rig.close()
            if cluster:
                cluster.close()
    flaws = {name: len(tasks) for name, tasks in report.flaws.items()}
    counted = {
        name: flaws.get(name, 0)
        for name in ("lost", "doubled", "unasked", "resent", "out_of_order", "overlapping")
    }
    say(
        **counted,
        stuck=len(report.stuck),
        unclaimed=report.unclaimed,
        steps=report.steps,
        calls=report.calls,
        kills=report.struck.get("kills", 0),
        repeats=report.repeats,
        unknown=report.unknown,
        authorised=report.authorised,
        seconds=report.seconds,
        drain=report.drain,
    )
    return 0 if report.is_flawless else 1


if __name__ == "__main__":
    sys.exit(main())
