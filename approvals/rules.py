"""Who may decide upon a sheet, and when."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from django.utils.formats import date_format
from django.utils.timezone import localtime

from approvals.content import differences
from approvals.quorum import finds_a_quorum
from releasemgr.accounts.models import User
from releasemgr.accounts.roles import RELEASE_MANAGER
from releasemgr.workflow.rules import Blocker, as_of, guard, permission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from approvals.models import Signoff

#: Asked for what a sheet is about *now*: a function answers with the content, or None where the
#: sheet is not its own. The app that owns sheets appends to this list when it is ready.
current_content: list[Callable[[Signoff], dict[str, Any] | None]] = []

#: Asked for what the decision page shows first, in the same way.
current_facts: list[Callable[[Signoff], list[list[str]] | None]] = []

#: What upper apps know that keeps a decision from being taken back, such as "is deploying".
recall_questions: list[Callable[[Signoff], Iterable[Blocker]]] = []

#: Where whoever decides can look for themselves: an icon, words and an address for each.
evidence_questions: list[Callable[[Signoff], Iterable[tuple[str, str, str]]]] = []
#: Asked before anybody approves: what the owner of the sheet knows to be in the way.
decision_questions: list[Callable[[Signoff], Iterable[Blocker]]] = []


def content_now(signoff: Signoff) -> dict[str, Any]:
    """What would be decided upon at this moment; as asked for, where nobody owns the sheet."""
    for ask in current_content:
        if (content := ask(signoff)) is not None:
            return content
    content = signoff.content
    return dict(content)


def facts_now(signoff: Signoff) -> list[list[str]]:
    """The facts as they are at this moment; as asked with, where nobody owns the sheet."""
    for ask in current_facts:
        if (facts := ask(signoff)) is not None:
            return facts
    return list(signoff.facts)


@guard
def it_has_levels(signoff: Signoff) -> Iterator[Blocker]:
    levels = list(signoff.levels.all())
    if not levels:
        yield Blocker(
            f"{signoff} names no approvers",
            needed="At least one level with at least one rule.",
            owner=RELEASE_MANAGER,
            action="Name approvers",
            url=signoff.get_absolute_url(),
        )
    for level in levels:
        if not level.rules.all():
            yield Blocker(
                f"Level {level.number} of {signoff} names nobody",
                needed="At least one rule on each level.",
                owner=RELEASE_MANAGER,
                action="Name approvers",
                url=signoff.get_absolute_url(),
            )


@guard
def a_quorum_can_exist(signoff: Signoff) -> Iterator[Blocker]:
    """Every level can be filled by people who may decide; else it would wait for ever.

    All levels together: who is needed on two of them can only be counted on one.
    """
    yield from _beyond_reach(signoff, set(), {})


def against_waiting_for_ever(signoff: Signoff) -> Iterator[Blocker]:
    """The same while it is being decided: those who have had their say are not counted again."""
    used, votes = _said(signoff)
    yield from _beyond_reach(signoff, used, votes)


def _said(signoff: Signoff) -> tuple[set[int], dict[int, set[int]]]:
    """Who has had a say in this round, and the votes given, by the number of their level."""
    used: set[int] = set()
    votes: dict[int, set[int]] = defaultdict(set)
    for decision in signoff.standing:
        used |= decision.concerns
        if decision.is_vote:
            votes[decision.level_number].add(decision.voice_id)
    return used, votes


def _beyond_reach(
    signoff: Signoff, used: set[int], votes: dict[int, set[int]]
) -> Iterator[Blocker]:
    """The first level that cannot be filled, the levels below it included."""
    levels = [level for level in signoff.progress() if level.rules]
    for count, level in enumerate(levels, start=1):
        if not finds_a_quorum(levels[:count], used, votes):
            yield Blocker(
                f"Level {level.number} of {signoff} cannot be met",
                needed="Enough different people who may decide.",
                now="Too few active people are in it who do not decide on another level, besides "
                "those whose own work it is.",
                owner=RELEASE_MANAGER,
                action="Name approvers",
                url=signoff.get_absolute_url(),
            )
            return


@guard
def content_is_as_asked(signoff: Signoff) -> Iterator[Blocker]:
    """Nobody approves what has changed since it was asked for."""
    for change in differences(signoff.content, content_now(signoff)):
        yield Blocker(
            change.sentence,
            needed="The content that was asked about.",
            now=f"{change.label} has changed since.",
            owner=RELEASE_MANAGER,
            action="Ask again",
            url=signoff.get_absolute_url(),
            tone="warn",
            glyph="undo",
        )


@guard
def nothing_stops_deciding(signoff: Signoff) -> Iterator[Blocker]:
    """What the sheet is about is not held, as far as its owner knows."""
    for question in decision_questions:
        yield from question(signoff)


def votes_missing(signoff: Signoff) -> Iterator[Blocker]:
    """Whose votes an approval waits for, rule by rule; refuses nobody who wants to give one."""
    if signoff.state != "ready":
        return
    for level in signoff.progress():
        for rule in level.by_rule:
            if rule.missing:
                one = rule.rule.person
                yield Blocker(
                    f"{level.level}: {one or rule.rule.group} has not decided",
                    needed=f"{rule.missing} vote{'' if rule.missing == 1 else 's'}.",
                    now="Deciding." if level.is_open else "The level opens after the one before.",
                    owner=str(one or rule.rule.group),
                    owner_id=one.pk if one else None,
                    action="Open the approval",
                    url=signoff.get_absolute_url(),
                    expected=signoff.due and signoff.due.date(),
                    tone="wait" if level.is_open else "mute",
                    glyph="wait" if level.is_open else "todo",
                )


def not_being_decided(signoff: Signoff) -> Iterator[Blocker]:
    """What stops a change of the approvers: people are deciding, or have decided."""
    if signoff.state in {"ready", "approved"}:
        yield Blocker(
            f"{signoff} is {signoff.status.label.lower()}",
            needed="A sheet that nobody is deciding upon.",
            now="Withdraw it first; then the approvers can be changed.",
            owner=RELEASE_MANAGER,
            action="Open the approval",
            url=signoff.get_absolute_url(),
        )


@permission("Release managers ask for approvals.")
def may_request(signoff: Signoff, user: User) -> bool:
    return user.has_perm("approvals.request_signoff")


@permission("Only those named on the open level, and their deputies, decide; never on own work.")
def may_decide(signoff: Signoff, user: User) -> bool:
    """Named there, or somebody whose turn is over: those are told what has happened meanwhile."""
    signoff.read_whole()
    if user.pk in signoff.barred_ids:
        return False
    is_open = signoff.state == "ready"
    return any(
        not is_open or number <= signoff.open_level
        for voice in _voices(signoff, user)
        for number in signoff.levels_naming(voice)
    )


def _voices(signoff: Signoff, user: User) -> list[User]:
    """The person, and those whose deputy they are now; not those whose own work it is."""
    barred = signoff.barred_ids
    people = (user, *signoff.principals_of(user))
    return [voice for voice in people if voice.is_active and voice.pk not in barred]


def voices_for(signoff: Signoff, user: User) -> list[User]:
    """Whose vote this person can give now: their own first, then of those they stand in for.

    Nobody gives two votes in a round, and nobody's vote is given twice. A deputy stands in for the
    person, not for a deputy of theirs; whose own work it is neither votes nor is stood in for.
    """
    if signoff.state != "ready" or user.pk in signoff.barred_ids:
        return []
    said = {person for decision in signoff.standing for person in decision.concerns}
    if user.pk in said:
        return []
    return [
        voice
        for voice in _voices(signoff, user)
        if voice.pk not in said and signoff.open_level in signoff.levels_naming(voice)
    ]


def absent_voices(signoff: Signoff) -> list[int]:
    """The ids of those named on the open level who have not decided: whom an override can help."""
    eligible = {p for level in signoff.progress() if level.is_open for p in level.eligible}
    return sorted(eligible - not_to_decide(signoff))


def not_to_decide(signoff: Signoff) -> set[int]:
    """The ids of those who have had their say in this round, and of those whose own work it is."""
    said = {person for decision in signoff.standing for person in decision.concerns}
    return said | signoff.barred_ids


def voice_of(
    signoff: Signoff, person: User, voice: int | None, *, is_override: bool
) -> User | None:
    """Whose vote this decision would be; None where there is no such vote to give."""
    if is_override:
        if voice not in absent_voices(signoff):
            return None
        return User.objects.get(pk=voice)
    voices = voices_for(signoff, person)
    if voice is None:
        return voices[0] if voices else None
    return next((user for user in voices if user.pk == voice), None)


def against_deciding(
    signoff: Signoff,
    person: User,
    voice: User | None,
    *,
    seal: str,
    confirmed: bool,
    is_vote: bool,
) -> Iterator[Blocker]:
    """Why this person cannot decide now upon what they saw, though they are named."""
    if mine := signoff.decision_of(person):
        who = "You have decided already"
        if mine.person_id != person.pk:
            who = f"{mine.person_name} has decided for you"
        yield moved_on(signoff, who, f"{mine.status.label}, once each.")
    elif voice is None:
        yield moved_on(
            signoff,
            "Your level is complete without you",
            "Another level is open, or somebody else has given this vote.",
        )
    elif seal and seal != signoff.seal:
        seen = signoff.history.filter(digest=seal.rpartition(":")[2]).first()
        changes = differences(seen.content, signoff.content) if seen else []
        for change in changes:
            yield moved_on(signoff, change.sentence, "It was asked for again with this.")
        if not changes:
            yield moved_on(signoff, f"{signoff} was asked for again", "Look at it once more.")
    elif signoff.asks_password and not confirmed:
        yield Blocker(
            "Your password is asked for",
            needed="Your password, given with the decision.",
            action="Open the approval",
            url=signoff.get_absolute_url(),
        )
    elif is_vote:
        yield from _spends_a_vote_needed_elsewhere(signoff, person, voice)


def _spends_a_vote_needed_elsewhere(
    signoff: Signoff, person: User, voice: User
) -> Iterator[Blocker]:
    """A vote that leaves another place without a quorum, which there would be otherwise."""
    levels = [level for level in signoff.progress() if level.number >= signoff.open_level]
    used, votes = _said(signoff)
    if not finds_a_quorum(levels, used, votes):
        return
    votes[signoff.open_level].add(voice.pk)
    if not finds_a_quorum(levels, used | {person.pk, voice.pk}, votes):
        yield Blocker(
            f"{signoff} could not be completed after this",
            needed="Your vote elsewhere: one person decides once, and there are too few others.",
            now="Leave this one to somebody else, or have another approver added.",
            owner=RELEASE_MANAGER,
            action="Open the approval",
            url=signoff.get_absolute_url(),
        )


def moved_on(signoff: Signoff, title: str, now: str) -> Blocker:
    return Blocker(
        title,
        now=now,
        action="Look again",
        url=signoff.get_absolute_url(),
        tone="warn",
        glyph="undo",
    )


@permission("Release managers, and what happens by itself, make an approval void.")
def may_void(signoff: Signoff, user: User) -> bool:
    return user.is_robot or user.has_perm("approvals.request_signoff")


# --- Taking back ----------------------------------------------------------------------------------


@permission("Who has decided takes it back, or for whom a deputy has decided.")
def may_recall(signoff: Signoff, user: User) -> bool:
    return signoff.decision_of(user) is not None


@guard
def it_can_be_taken_back(signoff: Signoff) -> Iterator[Blocker]:
    """Until something was done upon it, as whoever owns the sheet knows."""
    for question in recall_questions:
        yield from question(signoff)


# --- What an approval still lacks -----------------------------------------------------------------


def against_counting(signoff: Signoff) -> Iterator[Blocker]:
    """What an approval that was given still lacks, its content apart."""
    if signoff.valid_until is not None and signoff.valid_until <= as_of(signoff):
        yield Blocker(
            f"{signoff} has expired",
            needed="An approval that still counts.",
            now=f"It counted until {date_format(localtime(signoff.valid_until), 'j F Y, H:i')}.",
            owner=RELEASE_MANAGER,
            action="Ask again",
            url=signoff.get_absolute_url(),
            tone="warn",
            glyph="undo",
        )
    for condition in signoff.conditions.open():
        yield Blocker(
            f"A condition is not met: {condition}",
            needed="Met, as whoever asked for it confirms.",
            now="The approval does not count before.",
            owner=str(condition.asked_by),
            owner_id=condition.asked_by_id,
            action="Open the approval",
            url=signoff.get_absolute_url(),
            tone="warn",
            glyph="todo",
        )
