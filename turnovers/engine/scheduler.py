"""Find what is due and what was left lying; any number of schedulers may run at once.

Each pass takes over claims whose worker is gone, starts the turnovers whose window has opened, lets
those expire whose window has passed, and calls workers for every run that can go on, whatever
became of earlier hints. All of it goes by the database's clock, and none of it is lost with the
broker.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, InterfaceError, connection

from releasemgr import celery_app
from releasemgr.accounts.models import User
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from turnovers import life
from turnovers.engine import following, leftovers
from turnovers.engine.advance import look
from turnovers.engine.entries import ask, moment, now_sql
from turnovers.engine.starting import start_due
from turnovers.engine.wake import Sleeper
from turnovers.models import Turnover
from turnovers.pulse import Pulse

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

SHORTEST_SLEEP = 0.02
#: A worker whose lock is gone, and that has not shown for so long that it lives, is gone. It shows
#: so every few seconds, also while its own session is away.
SILENCE_SECONDS = 5.0
#: What else is looked after at every pass: the apps above add theirs when all are ready.
errands: list[Callable[[], object]] = []


class Scheduler:
    """A loop that sleeps until something is due or changes, and never longer than a tick."""

    def __init__(self) -> None:
        self.asked_to_stop = threading.Event()
        self._refusals: dict[int, str] = {}
        self._pulse = Pulse("scheduler")
        #: How long until it is certain that a worker is gone.
        self._certain_in = settings.TICK_SECONDS

    def run(self) -> None:
        """Look again and again until asked to stop; a database that is away is waited for."""
        sleeper = Sleeper(self.asked_to_stop)
        celery_app.amqp.producer_pool  # noqa: B018 -- made now: the first start has no time for it
        while not self.asked_to_stop.is_set():
            try:
                sleeper.ready()
                self.look()
                sleeper.sleep(min(seconds_until_next(), self._certain_in))
            except (DatabaseError, InterfaceError, OSError):
                logger.warning("The database does not answer; trying again.", exc_info=True)
                connection.close()
                self.asked_to_stop.wait(min(1.0, settings.TICK_SECONDS))
        with suppress(DatabaseError, InterfaceError):
            self._pulse.end()

    def look(self) -> None:
        """One pass over everything."""
        by = User.objects.robot()
        for turnover in start_due(by=by):  # first: these have a time
            self._start(turnover, by)
        self._pulse.beat()
        self.take_over(by=by)
        self._expire(by)
        look()
        following.look()
        for errand in errands:
            self._run(errand)

    def take_over(self, *, by: User) -> set[int]:
        """End the claims of workers that are gone or silent; return the runs concerned."""
        carried = leftovers.carried()
        living = life.living({left.worker for left in carried})
        silence = min(SILENCE_SECONDS, settings.LEASE_SECONDS / 2)
        runs, waits = set(), [settings.TICK_SECONDS]
        for left in carried:
            is_gone = left.worker not in living and left.silent_for >= silence
            if is_gone or left.is_over_lease:
                if leftovers.take_over(left, by=by):
                    runs.add(left.run)
            elif left.worker not in living:
                waits.append(silence - left.silent_for)
        self._certain_in = max(SHORTEST_SLEEP, min(waits))
        return runs

    def _run(self, errand: Callable[[], object]) -> None:
        try:
            errand()
        except DatabaseError:
            raise
        except Exception:  # what one of them does wrong must not stop deployments
            logger.exception("%s failed.", errand)

    def _start(self, turnover: Turnover, by: User) -> None:
        """Start it if nothing stands in the way; one that cannot start does not stop the others."""
        self._step(turnover, "start", by, "Its window has opened.")

    def _expire(self, by: User) -> None:
        for turnover in Turnover.objects.missed():
            reason = f"Its window, {turnover.window_words}, passed before it could start."
            if why := self._refusals.get(turnover.pk):
                reason = f"{reason} It was waiting: {why}"
            self._step(turnover, "expire", by, reason)

    def _step(self, turnover: Turnover, step: str, by: User, reason: str) -> None:
        try:
            perform(turnover, step, by=by, reason=reason)
        except (TransitionRefused, PermissionDenied) as refused:
            self._say_once(turnover, str(refused))
        except DatabaseError:
            raise
        except Exception:  # one broken turnover must not stop all the others
            logger.exception("%s: %s did not succeed.", turnover.ref, step)
        else:
            self._refusals.pop(turnover.pk, None)
            logger.info("%s: %s.", turnover.ref, step)

    def _say_once(self, turnover: Turnover, why: str) -> None:
        """Waiting is normal: say why when it changes, not at every look."""
        if self._refusals.get(turnover.pk) != why:
            self._refusals[turnover.pk] = why
            logger.info("%s does not start yet: %s", turnover.ref, why)


#: The first moment of each kind that is still ahead.
_AHEAD = """
SELECT {now},
    (SELECT MIN(earliest) FROM turnovers_turnover WHERE state = 'ready' AND earliest > {now}),
    (SELECT MIN(latest) FROM turnovers_turnover WHERE state = 'ready' AND latest > {now}),
    (SELECT MIN(ready_at) FROM turnovers_taskrun WHERE state = 'waiting' AND ready_at > {now}),
    (SELECT MIN(lease_until) FROM turnovers_taskrun
        WHERE state = 'running' AND lease_until > {now}),
    (SELECT MIN(ask_at) FROM turnovers_followed WHERE ask_at > {now})
"""


def seconds_until_next() -> float:
    """How long nothing will be due, by the database's clock."""
    ((now, *ahead),) = ask(_AHEAD.format(now=now_sql()))
    waits = [(moment(one) - moment(now)).total_seconds() for one in ahead if one is not None]
    return float(max(SHORTEST_SLEEP, min([*waits, settings.TICK_SECONDS])))
