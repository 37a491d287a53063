"""What is told of criteria, waivers and milestones."""

from __future__ import annotations

from releasemgr.notices import rules
from releasemgr.notices.events.kinds import Event, Way

GATES = "Gates and milestones"

EVENTS = (
    Event(
        "criterion_open",
        "A criterion of yours is to be answered",
        GATES,
        "it is yours to answer, and the train stands before its gate",
        rules.who_answers_criterion,
        Way.DIGEST,
    ),
    Event(
        "criterion_rejected",
        "A criterion of a train you manage was rejected",
        GATES,
        "you manage the train, which cannot pass the gate",
        rules.while_in("rejected"),
    ),
    Event(
        "check_failed",
        "The check of a criterion of yours failed, or answers no more",
        GATES,
        "it is yours to see to, and the train stands before its gate",
        rules.who_mends_check,
    ),
    Event(
        "waiver_asked",
        "Somebody asks that a criterion be waived",
        GATES,
        "you may grant or refuse it",
        rules.whose_turn,
    ),
    Event(
        "waiver_answered",
        "A waiver you asked for was granted or refused",
        GATES,
        "you asked for it, or own the criterion",
        rules.while_in("granted", "refused"),
    ),
    Event(
        "waiver_ends",
        "A waiver is about to end",
        GATES,
        "the criterion is yours, or you asked for the waiver, and it stops its gate afterwards",
        rules.while_in("granted"),
        Way.DIGEST,
    ),
    Event(
        "waiver_ended",
        "A waiver has ended, or was taken back",
        GATES,
        "the criterion is yours or of a train you manage, or you asked for the waiver; it stops "
        "its gate again",
        rules.while_in("expired", "revoked"),
    ),
    Event(
        "milestone_due",
        "A milestone of yours is due tomorrow, or late",
        GATES,
        "it is yours to reach",
        rules.who_acts_on_milestone,
        Way.DIGEST,
    ),
    Event(
        "milestone_moved",
        "A milestone of yours came with its train, or moved with it",
        GATES,
        "it is yours to reach",
        rules.who_acts_on_milestone,
        Way.DIGEST,
    ),
    Event(
        "milestone_missed",
        "A milestone of your train or application release was missed",
        GATES,
        "you answer for what it belongs to",
        rules.while_in("missed"),
    ),
)
