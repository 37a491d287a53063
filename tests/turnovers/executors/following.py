"""Carries out a task as the engine does, from its beginning to its end."""

import json
import time
from dataclasses import replace

from turnovers.executors import Following


def to_its_end(executor, context):
    """The outcome of the task; what goes on elsewhere is asked until it has ended.

    What was written meanwhile is the output, where the outcome brings none.
    """
    written, told = [], context.write

    def write(text):
        written.append(text)
        told(text)

    context = replace(context, write=write)
    ends = time.monotonic() + context.timeout
    ended = executor.run(context)
    while isinstance(ended, Following):
        time.sleep(max(0.0, min(ended.again_in, ends - time.monotonic())))
        handle = json.loads(json.dumps(ended.handle))  # as it is stored in between
        ended = executor.follow(replace(context, left=ends - time.monotonic()), handle)
    return ended if ended.output else replace(ended, output="".join(written))
