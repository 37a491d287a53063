"""What the steps of approvals, of their conditions and of deputies have to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.timezone import localtime

from approvals.models import Condition, Decision, Signoff
from approvals.rules import absent_voices, not_to_decide
from approvals.services import whose_turn
from releasemgr.notices.news.words import because
from releasemgr.notices.services import News, people_in
from trains.models import Train

if TYPE_CHECKING:
    from collections.abc import Iterator

    from releasemgr.accounts.models import Deputy, User


def asking(sheet: Signoff, people: list[User], says: str = "") -> News:
    """That it waits for these people. Each is told once for each time that its level opens."""
    again = sheet.round > 1
    asker = f"{sheet.requested_by} asks" if sheet.requested_by else "It is asked"
    why = " again: what it is about has changed, or it was withdrawn" if again else ""
    return News(
        "approval_renewed" if again else "approval_asked",
        sheet,
        people,
        sheet.question or sheet.title,
        f"{sheet.title}, level {sheet.open_level}. {asker}{why}. {says}",
        occasion=_turn_of(sheet),
        until=sheet.due,
    )


def _turn_of(sheet: Signoff) -> str:
    """What makes it another turn: the round, the level, and what was taken back in that round."""
    back = sum(d.round == sheet.round and d.recalls_id is not None for d in sheet.decisions.all())
    return f"{sheet.round}:{sheet.open_level}" + (f":{back}" if back else "")


def approval_asked(signoff: Signoff, by: User, reason: str, says: str = "") -> Iterator[News]:
    """Whose turn it is now; those who were told of it already are not told again."""
    if signoff.is_asked:
        sheet = Signoff.objects.with_levels().get(pk=signoff.pk)
        yield asking(sheet, whose_turn(sheet), says)


def approval_went_on(signoff: Signoff, by: User, reason: str) -> Iterator[News]:
    """To the next level, or to its end."""
    if signoff.state == Signoff.State.APPROVED:
        yield News(
            "approval_given",
            signoff,
            _askers(signoff),
            f"{signoff.title}: approved",
            f"With what {by} did, nothing is missing.",
        )
    yield from approval_asked(signoff, by, reason)
    yield from _in_their_place(signoff, by)


def _in_their_place(signoff: Signoff, by: User) -> Iterator[News]:
    """To whoever's vote somebody else gave: they can take it back."""
    for given in signoff.standing:
        if given.on_behalf_of_id is not None and given.person_id == by.pk:
            how = " as an override" if given.is_override else ", standing in for you"
            yield News(
                "vote_given",
                signoff,
                people_in([given.on_behalf_of_id]),
                f"{signoff.title}: {by} decided in your place",
                f"{given.status.label}{how}. {given.comment}",
                occasion=f"decision {given.pk}",
            )


def approval_escalated(signoff: Signoff, by: User, reason: str) -> Iterator[News]:
    says = "It has waited for long; somebody may now decide in place of whoever is missing."
    yield from approval_asked(signoff, by, reason, says)


def approval_due(signoff: Signoff, by: User, reason: str) -> Iterator[News]:
    """The reminders that its policy asks for; others get theirs by the date it is due."""
    if signoff.is_asked:
        sheet = Signoff.objects.with_levels().get(pk=signoff.pk)
        yield reminding(sheet, whose_turn(sheet), occasion=f"v{signoff.version}")


def reminding(sheet: Signoff, people: list[User], occasion: str = "") -> News:
    """That it still waits for those whose turn it is."""
    return News(
        "approval_due",
        sheet,
        people,
        sheet.question or sheet.title,
        f"{sheet.title} waits for your decision.",
        occasion=occasion,
        until=sheet.due,
    )


def approval_refused(signoff: Signoff, by: User, reason: str) -> Iterator[News]:
    yield News(
        "approval_refused",
        signoff,
        _askers(signoff),
        f"{signoff.title}: rejected",
        because(by, "rejected it", reason),
    )


def approval_postponed(signoff: Signoff, by: User, reason: str) -> Iterator[News]:
    slot = next((d for d in reversed(signoff.standing) if d.slot_starts and d.slot_ends), None)
    yield News(
        "approval_refused",
        signoff,
        _askers(signoff),
        f"{signoff.title}: postponed",
        f"{because(by, 'postponed it', reason)} {_slot(slot)}",
    )


def _slot(given: Decision | None) -> str:
    if given is None or given.slot_starts is None or given.slot_ends is None:
        return ""
    first, last = (
        date_format(localtime(moment), "j F Y, H:i e")
        for moment in (given.slot_starts, given.slot_ends)
    )
    return f"Wanted from {first} until {last}. Ask again for that."


def approval_recalled(signoff: Signoff, by: User, reason: str) -> Iterator[News]:
    """Whose turn it is again; and who asked, where it had been given."""
    yield from approval_asked(signoff, by, reason, f"{by} has taken a decision back.")
    taken = signoff.history.filter(transition="recall").first()
    before = taken.prev_record if taken else None
    if before is not None and before.state == Signoff.State.APPROVED:
        yield News(
            "approval_recalled",
            signoff,
            _askers(signoff),
            f"{signoff.title}: waits again",
            because(by, "took their decision back", reason),
        )


def approval_void(signoff: Signoff, by: User, reason: str) -> Iterator[News]:
    yield News(
        "approval_void",
        signoff,
        _askers(signoff),
        f"{signoff.title}: withdrawn",
        because(by, "withdrew it", reason),
    )


def approval_expired(signoff: Signoff, by: User, reason: str) -> Iterator[News]:
    yield News(
        "approval_expired",
        signoff,
        _askers(signoff),
        f"{signoff.title}: expired",
        f"{reason} Ask again where it is still wanted.",
    )


def _askers(signoff: Signoff) -> list[User]:
    """Whoever asked, and whoever manages the train that it is about."""
    owned = Q()
    for sheet in ("train_signoff", "development_signoff", "executive_signoff"):
        owned |= Q(**{sheet: signoff})
    managers = Train.objects.filter(owned).values_list("manager", flat=True)
    return people_in([signoff.requested_by_id, *managers])


# --- Conditions -----------------------------------------------------------------------------------


def condition_asked(condition: Condition, by: User | None, reason: str) -> Iterator[News]:
    """To those who see to it that it is met."""
    yield News(
        "condition_asked",
        condition,
        _askers(condition.signoff),
        f"{condition.signoff.title}: with a condition",
        because(condition.asked_by, "approves if", condition.words),
    )


def condition_settled(condition: Condition, by: User, reason: str) -> Iterator[News]:
    yield News(
        "condition_settled",
        condition,
        _askers(condition.signoff),
        f"{condition.signoff.title}: a condition is {condition.status.label.lower()}",
        f"{condition.words} {because(by, 'said so', reason)}",
    )


# --- Deputies -------------------------------------------------------------------------------------


def deputy_named(deputy: Deputy, by: User | None, reason: str) -> Iterator[News]:
    """To the deputy: that they are one and, where it has begun, what waits for the person."""
    first, last = (
        date_format(localtime(moment), "j F Y, H:i e") for moment in (deputy.starts, deputy.ends)
    )
    yield News(
        "deputy_named",
        deputy,
        [deputy.deputy],
        f"You stand in for {deputy.person}",
        f"From {first} until {last}. {deputy.note}",
        until=deputy.ends,
    )
    if deputy.is_current:
        yield from standing_in([deputy])


def standing_in(deputies: list[Deputy]) -> Iterator[News]:
    """What these can decide now in place of others; what they were told already is told once."""
    waiting: Any = Signoff.objects.where_it_is_the_turn_of(one.person_id for one in deputies)
    for sheet in waiting.with_levels().select_related("requested_by").order_by("pk"):
        absent, barred = set(absent_voices(sheet)), not_to_decide(sheet)
        for one in deputies:
            if one.person_id in absent and one.deputy_id not in barred:
                yield asking(sheet, [one.deputy], f"You stand in for {one.person}.")
