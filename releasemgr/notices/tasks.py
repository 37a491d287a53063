"""Celery entry points: hints without arguments. The rows say what is to be done."""

from __future__ import annotations

from celery import shared_task

from releasemgr.notices import postman, reminders, telling

#: A hint that nobody took for so long is worth nothing: the scheduler has given others by then.
STALE_SECONDS = 600


@shared_task(expires=STALE_SECONDS)
def send() -> None:
    """Send the mails that are due; what is left after a while is left to another worker."""
    if postman.send():
        send.delay()


@shared_task(expires=STALE_SECONDS)
def look() -> None:
    """See what time has made due."""
    reminders.look()


@shared_task(expires=STALE_SECONDS)
def spread() -> None:
    """Tell people of what has happened; what is left after a while is left to another worker."""
    if telling.spread():
        spread.delay()
