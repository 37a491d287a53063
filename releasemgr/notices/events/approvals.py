"""What is told of approvals: to those who decide, and to those who asked."""

from __future__ import annotations

from approvals.oversight import may_confirm_condition
from approvals.rules import may_recall
from releasemgr.accounts.roles import APPROVER, RELEASE_MANAGER
from releasemgr.notices import rules
from releasemgr.notices.events.kinds import Event, Way

DECIDED, ASKED = "Approvals you decide", "Approvals you asked for"
_YOURS = "you asked for it, or manage the train it is about"

EVENTS = (
    Event(
        "approval_asked",
        "An approval reaches your level",
        DECIDED,
        "you are named on the level that is open, or stand in for somebody who is",
        rules.who_decides,
    ),
    Event(
        "approval_renewed",
        "An approval is asked again, for other content",
        DECIDED,
        "you are named on the level that is open, or stand in for somebody who is; what you may "
        "have seen before has changed",
        rules.who_decides,
    ),
    Event(
        "approval_due",
        "An approval that waits for you is due tomorrow, is late, or has waited for long",
        DECIDED,
        "it waits for your decision",
        rules.who_decides,
        Way.DIGEST,
        {APPROVER: Way.MAIL},
    ),
    Event(
        "vote_given",
        "Somebody decided in your place",
        DECIDED,
        "it was your vote, and you can take it back",
        rules.while_in("ready", "approved", may=may_recall),
    ),
    Event(
        "condition_open",
        "An approval waits for you to confirm your condition",
        DECIDED,
        "you asked for it, or stand in for who did; the approval does not count before",
        rules.while_condition_is_open(may_confirm_condition),
        Way.DIGEST,
    ),
    Event(
        "deputy_named",
        "You are to stand in for somebody",
        DECIDED,
        "you decide in their place in that time, and what waits for them is in My work",
        rules.who_stands_in,
    ),
    Event(
        "approval_given",
        "An approval you asked for was given",
        ASKED,
        _YOURS,
        rules.while_in("approved"),
        Way.APP,
        {RELEASE_MANAGER: Way.DIGEST},
    ),
    Event(
        "approval_refused",
        "An approval you asked for was rejected or postponed",
        ASKED,
        _YOURS,
        rules.while_in("rejected", "postponed", "void", "draft"),
    ),
    Event(
        "approval_recalled",
        "A decision on an approval you had been given was taken back",
        ASKED,
        _YOURS,
        rules.while_in("ready"),
    ),
    Event(
        "approval_expired",
        "An approval you asked for has expired",
        ASKED,
        f"{_YOURS}, and it can be asked again",
        rules.while_in("expired"),
    ),
    Event(
        "approval_void",
        "An approval you asked for was withdrawn",
        ASKED,
        _YOURS,
        rules.while_in("void"),
        Way.APP,
        {RELEASE_MANAGER: Way.DIGEST},
    ),
    Event(
        "condition_asked",
        "An approval you asked for has a condition",
        ASKED,
        f"{_YOURS}; it does not count before the condition is met",
        rules.while_condition_is_open(),
    ),
    Event(
        "condition_settled",
        "A condition of an approval you asked for was confirmed or waived",
        ASKED,
        _YOURS,
        rules.while_in("met", "waived"),
        Way.APP,
        {RELEASE_MANAGER: Way.DIGEST},
    ),
)
