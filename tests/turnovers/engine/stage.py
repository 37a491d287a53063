"""A person at the application's other end, for the tests with real processes.

Reads one JSON object a line from standard input, does it, and answers with one a line.
"""

import json
import sys

import django

django.setup()

from releasemgr.accounts.models import User  # noqa: E402 -- after setup
from releasemgr.workflow.perform import perform  # noqa: E402
from tests.factories import TaskFactory, TurnoverFactory, UserFactory  # noqa: E402
from turnovers.models import Hold, TaskRun, Turnover  # noqa: E402

MODELS = {"turnover": Turnover, "taskrun": TaskRun, "hold": Hold}


def engineer():
    found = User.objects.filter(username="engineer").first()
    return found or UserFactory(username="engineer", role="Release engineer")


def make(tasks):
    """An accepted turnover whose window is open; the scheduler starts it."""
    turnover = TurnoverFactory()
    for task in tasks:
        manual = task.get("executor") == ""
        TaskFactory(turnover=turnover, owner=engineer() if manual else None, **task)
    turnover = perform(turnover, "deliver", by=turnover.author)
    return perform(turnover, "accept", by=engineer()).pk


def manager():
    found = User.objects.filter(username="manager").first()
    return found or UserFactory(username="manager", role="Release manager")


def step(model, pk, name, by="engineer", **data):
    person = manager() if by == "manager" else engineer()
    return perform(MODELS[model].objects.get(pk=pk), name, by=person, **data).state


def hold():
    return Hold.objects.create(reason="Test", placed_by=engineer()).pk


def look(pk):
    """Everything that a person could see of the turnover."""
    turnover = Turnover.objects.get(pk=pk)
    return {
        "state": turnover.state,
        "runs": [
            {
                "pk": run.pk,
                "state": run.state,
                "reason": run.reason,
                "tasks": [
                    {
                        "pk": row.pk,
                        "task": row.task_id,
                        "order": row.order,
                        "state": row.state,
                        "detail": row.detail,
                        "attempts": row.tries.count(),
                    }
                    for row in run.task_runs.order_by("order", "task_id")
                ],
            }
            for run in turnover.runs.order_by("number")
        ],
    }


DEEDS = {"make": make, "step": step, "look": look, "hold": hold}

for line in sys.stdin:
    wish = json.loads(line)
    sys.stdout.write(json.dumps(DEEDS[wish.pop("do")](**wish)) + "\n")
    sys.stdout.flush()
