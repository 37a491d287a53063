"""Run a program with a clock that is wrong by so many seconds: ``shifted 7200 -m celery …``.

Only this process and its children believe it; the database keeps its own time.
"""

import datetime as dt
import runpy
import sys

import time_machine

if __name__ == "__main__":
    seconds, *program = sys.argv[1:]
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=float(seconds))
    time_machine.travel(moment, tick=True).start()
    sys.path.insert(0, "")
    if program[0] == "-m":
        sys.argv = program[1:]
        runpy.run_module(program[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = program
        runpy.run_path(program[0], run_name="__main__")
