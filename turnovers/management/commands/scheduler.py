"""``manage.py scheduler``: start what is due and call workers, until asked to stop."""

from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from turnovers.engine.scheduler import Scheduler

if TYPE_CHECKING:
    from types import FrameType

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Start turnovers at their time and call workers; runs until Ctrl-C or SIGTERM."
    # `migrate`, which comes first, runs them; they load every page, and none is served from here.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        scheduler = Scheduler()

        def stop(number: int, frame: FrameType | None) -> None:
            scheduler.asked_to_stop.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        logger.info("Scheduler started.")
        scheduler.run()
        logger.info("Scheduler stopped.")
