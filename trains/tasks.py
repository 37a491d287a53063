"""Celery entry points: hints with an id. The database says what is to be done."""

from __future__ import annotations

from celery import shared_task

from trains import rounds


@shared_task(time_limit=rounds.LOOK_LIMIT)
def check_criterion(pk: int) -> None:
    """Look whether a criterion is true; harmless where that is not due, or under way."""
    rounds.look(pk)
