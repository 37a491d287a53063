"""Celery entry points: hints with an id. The row says what is to be done."""

from __future__ import annotations

from celery import shared_task

from releasemgr.exchange import services

#: An import is one piece of work that nobody else can take over meanwhile.
LONGEST = 3600


@shared_task(time_limit=LONGEST)
def check_upload(pk: int) -> None:
    """Read a file and compare it with what is here."""
    services.check(pk)


@shared_task(time_limit=LONGEST)
def import_upload(pk: int) -> None:
    """Write what a checked file says."""
    services.carry_out(pk)
