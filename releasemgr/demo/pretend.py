"""What the demo's automated tasks run: it prints like a deployment and changes nothing.

``python -m releasemgr.demo.pretend COMPONENT VERSION SECONDS [fail]``
"""

from __future__ import annotations

import sys
import time

STEPS = ("draining", "stopping", "unpacking", "migrating", "starting", "warming up", "healthy")


def main(component: str, version: str, seconds: str, ending: str = "") -> int:
    """Take ``seconds``, say what happens meanwhile; return the exit status."""
    for step in STEPS:
        print(f"{time.strftime('%H:%M:%S')}  {component:<16} {version:<10} {step}", flush=True)  # noqa: T201
        time.sleep(float(seconds) / len(STEPS))
        if ending == "fail" and step == "migrating":
            print("migration 0047: column “risk_class” does not exist", flush=True)  # noqa: T201
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
