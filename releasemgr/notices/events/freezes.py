"""What is told of freezes and of exceptions from them."""

from __future__ import annotations

from releasemgr.notices import rules
from releasemgr.notices.events.kinds import Event

FREEZES = "Freezes"

EVENTS = (
    Event(
        "freeze_declared",
        "A freeze covers work of yours",
        FREEZES,
        "a turnover or an application release of yours, or one in your environment, is covered",
        rules.while_in("in_force"),
    ),
    Event(
        "freeze_lifted",
        "A freeze of work of yours was lifted",
        FREEZES,
        "a turnover or an application release of yours, or one in your environment, was covered",
        rules.while_in("lifted"),
    ),
    Event(
        "exception_asked",
        "Somebody asks for an exception from a freeze",
        FREEZES,
        "you may grant or refuse it",
        rules.whose_turn,
        urgent=True,
    ),
    Event(
        "exception_answered",
        "An exception you asked for was granted or refused",
        FREEZES,
        "you asked for it, or it is for work of yours",
        rules.while_in("granted", "refused"),
    ),
)
