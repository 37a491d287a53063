"""Noting what people are to be told of, in the transaction in which it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from releasemgr.notices import errands, reminders, sources
from releasemgr.notices.telling import note
from releasemgr.notices.told import (
    EDITED,
    EDITED_ROW,
    NEW,
    NEW_IF,
    NEW_ROW,
    TOLD,
    TOLD_IF,
)
from releasemgr.workflow.models import row_created, row_edited, step_taken
from turnovers.engine import scheduler

if TYPE_CHECKING:
    from releasemgr.accounts.models import User


def connect() -> None:
    """Plug notices into the events of the apps below; called once, when all apps are ready."""
    for model in TOLD:
        step_taken.connect(note_step, sender=model, dispatch_uid=f"notices.step.{model}")
    for model in NEW:
        row_created.connect(note_new, sender=model, dispatch_uid=f"notices.new.{model}")
    for model in EDITED:
        row_edited.connect(note_edit, sender=model, dispatch_uid=f"notices.edit.{model}")
    reminders.sources.extend(sources.ALL)
    scheduler.errands.append(errands.call_workers)


def note_step(sender: Any, row: Any, name: str, by: User, reason: str, **_: Any) -> None:
    """Where people are to be told of the step."""
    if name in TOLD[sender] and (sender not in TOLD_IF or TOLD_IF[sender](row)):
        note(row, name, by=by, reason=reason)


def note_new(sender: Any, row: Any, by: User | None, reason: str, **_: Any) -> None:
    """Where people are to be told of the new row."""
    if sender not in NEW_IF or NEW_IF[sender](row):
        note(row, NEW_ROW, by=by, reason=reason)


def note_edit(
    sender: Any, row: Any, changed: set[str], by: User | None, reason: str, **_: Any
) -> None:
    """Where people are to be told of what was changed."""
    if EDITED[sender][0](changed):
        note(row, EDITED_ROW, by=by, reason=reason)
