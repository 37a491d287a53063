"""What the scheduler does for notices at each of its passes: it calls workers, and no more.

Hints may be lost. What no worker took up is found here again, and two hints for the same do no
harm.
"""

from __future__ import annotations

import time
from typing import Any

from django.db import transaction

from releasemgr.notices import clock
from releasemgr.notices.models import Happening, Letter
from releasemgr.notices.querysets import REMIND
from releasemgr.notices.services import call
from releasemgr.notices.sources import waits

#: How often it is looked what time has made due, where nothing new waits for people.
LOOK_SECONDS = 60.0
#: So much of what is still to be told is told apart at each pass; workers begin with the oldest.
MOST_SEEN = 500


class Watch:
    """What one scheduler has called workers for."""

    def __init__(self) -> None:
        self._seen: set[tuple[Any, ...]] = set()
        self._looked_at = float("-inf")
        self._untold: set[int] = set()
        self._spread_at = float("-inf")

    def call_workers(self) -> None:
        """Have workers tell what has happened, look what time has made due, and send mails."""
        self._spread()
        self._look()
        _remind()

    def _spread(self) -> None:
        """Of what has just happened, and again while something of it is not told."""
        untold = Happening.objects.oldest(MOST_SEEN)
        is_left = time.monotonic() - self._spread_at >= REMIND.total_seconds()
        if untold - self._untold or (untold and is_left):
            self._spread_at = time.monotonic()
            call("spread")
        self._untold = untold

    def _look(self) -> None:
        """Where something new waits for people, or it was not looked lately."""
        waiting = waits()
        is_time = time.monotonic() - self._looked_at >= LOOK_SECONDS
        if is_time or waiting - self._seen:
            self._looked_at = time.monotonic()
            call("look")
        self._seen = waiting


def _remind() -> None:
    """Call a worker for mails that are due and of which none was told lately."""
    now = clock.now()
    if not Letter.objects.unhinted(now).exists():
        return
    with transaction.atomic():
        if Letter.objects.unhinted(now).update(hinted_at=now):
            call("send")


call_workers = Watch().call_workers
