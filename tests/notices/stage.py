"""A person at the application's other end, as in ``tests.turnovers.engine.stage``."""

import json
import sys

import django

django.setup()

from releasemgr.accounts.models import User  # noqa: E402 -- after setup
from releasemgr.notices.models import Letter, Notice  # noqa: E402
from releasemgr.workflow.perform import perform  # noqa: E402
from tests.factories import TaskRunFactory, TurnoverFactory, UserFactory  # noqa: E402


def someone(role):
    found = User.objects.filter(username=role[:5]).first()
    return found or UserFactory(username=role[:5], role=role)


def send_back():
    """A turnover comes back to its developer, who is told by mail; return the turnover's key."""
    turnover = TurnoverFactory(state="delivered")
    perform(turnover, "return_to_author", by=someone("Release engineer"), reason="Look again.")
    return turnover.pk


def give_task():
    """A running deployment comes to a task of somebody's; return their address."""
    return TaskRunFactory(task__owner=UserFactory(role="Developer")).task.owner.email


def look(pk):
    """What became of the letter about a turnover."""
    letter = Letter.objects.filter(notices__kind="turnovers.turnover", notices__row_id=pk).first()
    if letter is None:
        return {"state": "", "attempts": 0, "problem": ""}
    return {"state": letter.state, "attempts": letter.attempts, "problem": letter.problem}


def count():
    return {"letters": Letter.objects.count(), "notices": Notice.objects.count()}


DEEDS = {"send_back": send_back, "give_task": give_task, "look": look, "count": count}

for line in sys.stdin:
    wish = json.loads(line)
    sys.stdout.write(json.dumps(DEEDS[wish.pop("do")](**wish)) + "\n")
    sys.stdout.flush()
