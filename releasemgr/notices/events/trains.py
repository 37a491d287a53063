"""What is told of trains, of what rides them, and of cadences."""

from __future__ import annotations

from releasemgr.notices import rules
from releasemgr.notices.events.kinds import Event, Way
from trains.rules import may_steer

TRAINS = "Trains"

EVENTS = (
    Event(
        "train_returned",
        "A train went back to the stage before",
        TRAINS,
        "you manage the train, or own an application release aboard",
        rules.while_in("scoping", "construction", "verification"),
    ),
    Event(
        "train_cancelled",
        "A train was cancelled",
        TRAINS,
        "you managed the train, or were one of its release engineers",
        rules.while_in("cancelled"),
    ),
    Event(
        "train_made",
        "A cadence made your next train",
        TRAINS,
        "you manage it, and it is to be planned",
        rules.while_in("scoping", may=may_steer),
        Way.DIGEST,
    ),
    Event(
        "cadence_paused",
        "A cadence of yours makes no more trains",
        TRAINS,
        "you manage its trains, or may steer any, and can resume it",
        rules.while_in("paused", may=may_steer),
    ),
    Event(
        "boarding_asked",
        "Somebody asks for a place on your train",
        TRAINS,
        "you manage the train",
        rules.whose_turn,
    ),
    Event(
        "boarding_answered",
        "Your request for a place was answered",
        TRAINS,
        "you asked for the place, own the application release, or manage the train",
        rules.while_in("aboard", "rejected", "left"),
    ),
    Event(
        "release_begins",
        "Work on an application release of yours can begin",
        TRAINS,
        "it is yours, and its train is in Construction",
        rules.whose_turn,
        Way.DIGEST,
    ),
    Event(
        "release_back",
        "An application release of your train is built anew, or was cancelled",
        TRAINS,
        "you manage its train",
        rules.while_in("executing", "cancelled"),
    ),
    Event(
        "consent_asked",
        "A train waits for your consent",
        TRAINS,
        "you are its release engineer, and its QA criteria are settled",
        rules.whose_turn,
    ),
    Event(
        "consent_given",
        "A train of yours has the consent of release engineering",
        TRAINS,
        "you manage the train, and its next step is yours",
        rules.while_in("verification"),
        Way.DIGEST,
    ),
)
