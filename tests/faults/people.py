"""The people of the fault tests, at the application's other end.

Developers hand turnovers over, engineers accept them, place and lift holds; and where the ending of
a task is unknown, one engineer says what the receiver's book says and another confirms it. They
take their steps as people do, through ``perform``. Reads one JSON object a line from standard
input, does it, and answers with one a line; a database that is away is an answer, too.
"""

import datetime as dt
import json
import sys

import django

django.setup()

from django.db import DatabaseError, InterfaceError, connection  # noqa: E402 -- after setup
from django.db.models import Count, Max  # noqa: E402
from django.utils import timezone  # noqa: E402

from releasemgr.accounts.models import User  # noqa: E402
from releasemgr.workflow.edit import create  # noqa: E402
from releasemgr.workflow.perform import perform  # noqa: E402
from releasemgr.workflow.refusals import TransitionRefused  # noqa: E402
from tests.factories import (  # noqa: E402
    ReleaseFactory,
    TurnoverFactory,
    UserFactory,
)
from turnovers.models import Attempt, DeploymentTask, Hold, TaskRun, Turnover  # noqa: E402

#: The order of each step of a turnover: the second and the third are carried out side by side.
ORDERS = (1, 2, 2, 3, 4)


def person(username, role):
    found = User.objects.filter(username=username).first()
    return found or UserFactory(username=username, role=role)


def engineer():
    return person("engineer", "Release engineer")


def second_engineer():
    return person("second", "Release engineer")


#: How a task asks after what was accepted.
ASKS = {"mode": "polled", "poll_seconds": 1, "done_field": "state", "done_values": "done"}


def fill(turnovers, url, orders=ORDERS, timeout=2, attempts=3, opens_in=-60, asks=False):
    """Accepted turnovers of HTTP steps; in every second one the steps are repeat-safe."""
    release = ReleaseFactory(state="executing")
    developer = UserFactory(role="Developer")
    earliest = timezone.now() + dt.timedelta(seconds=opens_in)
    tasks = []
    for number in range(turnovers):
        turnover = TurnoverFactory(release=release, author=developer, earliest=earliest)
        made = [
            DeploymentTask(
                turnover=turnover,
                order=order,
                title=f"Step {step}",
                executor="http",
                parameters={
                    "method": "POST",
                    "url": f"{url}/{turnover.pk}/{order}/{step}",
                    "success_from": 200,
                    "success_to": 299,
                    **(ASKS if asks else {}),
                },
                timeout_seconds=timeout,
                attempts=attempts,
                repeat_safe=number % 2 == 0,
            )
            for step, order in enumerate(orders, 1)
        ]
        DeploymentTask.history.bulk_history_create(
            DeploymentTask.objects.bulk_create(made),
            default_user=developer,
            custom_historical_attrs={"transition": "", "actor": str(developer)},
        )
        for step, order in enumerate(orders, 1):
            tasks.append([turnover.pk, order, step, number % 2 == 0])
        turnover = perform(turnover, "deliver", by=developer)
        perform(turnover, "accept", by=engineer())
    return tasks


def progress(first, last):
    """How many of the turnovers are in which state, and the tasks that people must settle."""
    mine = Turnover.objects.filter(pk__range=(first, last)).order_by()
    unknown = TaskRun.objects.filter(run__turnover__pk__range=(first, last), state="unknown")
    return {
        "states": dict(mine.values_list("state").annotate(Count("pk"))),
        "unknown": list(unknown.values_list("pk", "run__turnover", "key")),
    }


def settle(pk, verdict):
    """Two people say what became of it: the first what they found, the second that it is so."""
    row = TaskRun.objects.get(pk=pk)
    if row.verdict != verdict:
        reason = "The receiver's book says so."
        row = perform(row, "judge", by=engineer(), reason=reason, verdict=verdict)
    return perform(row, f"confirm_{verdict}", by=second_engineer()).state


def facts(first, last):
    """What people had asked for, what the ledger says was sent, and who has not come to an end."""
    mine = {"task_run__run__turnover__pk__range": (first, last)}
    again = (
        TaskRun.history.filter(run__turnover__pk__range=(first, last), transition="confirm_again")
        .order_by()
        .values_list("task")
        .annotate(Count("pk"))
    )
    urls = dict(
        DeploymentTask.objects.filter(turnover__pk__range=(first, last)).values_list(
            "pk", "parameters"
        )
    )
    attempts = Attempt.objects.filter(**mine)
    return {
        "authorised": [[*_task(urls[pk]), times] for pk, times in again],
        "attempts": list(attempts.values_list("key", "fence")),
        "unsent": attempts.filter(sent_at=None).count(),
        "unknown": attempts.filter(outcome="unknown").count(),
        "stuck": [
            f"{turnover.ref} {turnover.state}: {run.reason or 'running' if run else 'not started'}"
            for turnover in Turnover.objects.filter(pk__range=(first, last)).exclude(
                state="deployed"
            )
            for run in [turnover.runs.order_by("-number").first()]
        ],
    }


def _task(parameters):
    return [int(part) for part in parameters["url"].split("/")[-3:]]


def hold():
    """Stop the line; answers with the hold and the database's time right after its commit."""
    row = create(Hold(reason="Test", placed_by=engineer()), by=engineer(), reason="Test")
    return [row.pk, database_time()]


def lift(pk):
    """Let it go on; answers with the last claim before it, and the time right before."""
    last = Attempt.objects.aggregate(at=Max("claimed_at"))["at"]
    perform(Hold.objects.get(pk=pk), "lift", by=engineer(), reason="Fine.")
    return last.timestamp() if last else 0.0


def database_time():
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        else:
            cursor.execute("SELECT (julianday('now') - 2440587.5) * 86400.0")
        return float(cursor.fetchone()[0])


def starts(first, last):
    """By how many seconds after its window opened each turnover's run began."""
    rows = Turnover.objects.filter(pk__range=(first, last)).order_by("pk")
    return [
        [(run.started_at - turnover.earliest).total_seconds() for run in turnover.runs.all()]
        for turnover in rows.prefetch_related("runs")
    ]


DEEDS = {deed.__name__: deed for deed in (fill, progress, settle, facts, hold, lift, starts)}


def answer(wish):
    try:
        return {"answer": DEEDS[wish.pop("do")](**wish)}
    except TransitionRefused as refused:
        return {"refused": str(refused)}
    except (DatabaseError, InterfaceError) as error:
        connection.close()
        return {"away": str(error)}


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()
