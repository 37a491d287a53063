"""The outbox: a step that people are to be told of is noted in its own transaction, and told later.

One row is all that it costs the step. A worker finds out whom it concerns, writes a notice for each
of them, with its mail, and removes the row, in one transaction: so it is told once, whichever
process is lost, and whatever became of the hint. Whom it concerns is asked when it is told.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import InterfaceError, OperationalError, transaction

from releasemgr.notices.models import Happening, kind_of
from releasemgr.notices.services import call, tell
from releasemgr.notices.told import what_of
from releasemgr.workflow.rules import as_of

if TYPE_CHECKING:
    from releasemgr.accounts.models import User

logger = logging.getLogger(__name__)

#: After so long the worker is free for what else was called for: a night on which many deployments
#: end has many to tell of, and those that still run go first.
SLICE_SECONDS = 0.5


def note(row: Any, step: str, *, by: User | None, reason: str) -> None:
    """Have people told of it, once it is stored.

    Where a person did it, a worker is called at once. What happens by itself is found by the
    scheduler: the run engine sends no message for it.
    """
    Happening.objects.create(
        kind=kind_of(row),
        row_id=row.pk,
        step=step,
        version=row.version,
        by=by,
        reason=reason,
        at=as_of(row),
    )
    if by is None or not by.is_robot:
        call("spread")


def spread(slice_seconds: float = SLICE_SECONDS) -> bool:
    """Tell people of what has happened, for a slice of time; True where more is left."""
    until = time.monotonic() + slice_seconds
    while _tell_oldest():
        if time.monotonic() >= until:
            return Happening.objects.exists()
    return False


def _tell_oldest() -> bool:
    """Tell people of what happened first, of what nobody else is telling now; False of nothing."""
    with transaction.atomic():
        rows: Any = Happening.objects.select_related("by").order_by("pk")
        happening = rows.select_for_update(skip_locked=True, of=("self",)).first()
        if happening is None:
            return False
        _tell(happening)
        happening.delete()
    return True


def _tell(happening: Happening) -> None:
    """What has no words, or none for what became of its row, is logged and stops nothing else."""
    try:
        with transaction.atomic():
            model = apps.get_model(happening.kind)
            row: Any = model._default_manager.filter(pk=happening.row_id).first()
            if row is None:
                return
            for news in what_of(model, happening.step)(row, happening.by, happening.reason):
                item = news
                if not item.occasion and item.row == row:
                    # The version that the step made: by now there may be others.
                    item = replace(item, occasion=f"v{happening.version}")
                tell(item, by=happening.by, now=happening.at)
    except (OperationalError, InterfaceError):
        raise  # such as a lock that was lost: it stays noted, and is told later
    except Exception:
        logger.exception("Nobody was told of %s.", happening)
