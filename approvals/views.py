"""The inbox of decisions, and the page on which one decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch, Q
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from approvals import rules
from approvals.content import differences
from approvals.forms import voice_words
from approvals.models import Decision, Signoff
from releasemgr.accounts.models import Deputy
from releasemgr.ui.paging import paginate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpResponse

    from approvals.models import Condition
    from approvals.querysets import SignoffQuerySet
    from releasemgr.accounts.models import User
    from releasemgr.http import UserRequest
    from releasemgr.workflow.models import StepView

TABS = {
    "waiting": "Waiting for me",
    "asked": "Asked",
    "decided": "Decided by me",
    "delegated": "Delegated",
}
HISTORY_LENGTH = 30
MOST_DEPUTIES = 5
#: The fact that stands above all others.
RECOMMENDATION = "Recommendation"


@login_required
@require_safe
def inbox(request: UserRequest) -> HttpResponse:
    """What waits for the reader; also what is asked of anybody, and what the reader decided."""
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS else "waiting"
    visible = Signoff.objects.visible_to(request.user)
    words = request.GET.get("q", "").strip()[:200]
    found = _rows(visible, tab, request.user).matching(words)
    waiting = visible.waiting_for(request.user).count()
    page = paginate(found.with_counts().select_related("requested_by"), request.GET.get("page"))
    if tab == "delegated":
        _say_for_whom(page.rows, request.user)
    context = {
        "tab": tab,
        "words": words,
        "page": page,
        "waiting": waiting,
        "stands_in": list(Deputy.objects.given_to(request.user)[:MOST_DEPUTIES]),
        "tabs": [
            {
                "label": label,
                "url": f"?tab={name}",
                "current": name == tab,
                "count": waiting if name == "waiting" else None,
            }
            for name, label in TABS.items()
        ],
    }
    return render(request, "approvals/inbox.html", context)


def _rows(visible: SignoffQuerySet, tab: str, user: User) -> SignoffQuerySet:
    """The rows of a tab, in the order in which one reads them."""
    if tab == "asked":
        return visible.asked().most_urgent_first()
    if tab == "decided":
        said = Q(person=user) | Q(on_behalf_of=user)
        mine = Decision.objects.filter(said).order_by("-pk")
        decided = visible.decided_by(user).last_decided_first(user)
        return decided.prefetch_related(Prefetch("decisions", mine, to_attr="mine"))
    if tab == "delegated":
        said = Q(person=user, on_behalf_of__isnull=False) | Q(on_behalf_of=user)
        lent = Decision.objects.filter(said, is_override=False).order_by("-pk")
        given = Prefetch("decisions", lent, to_attr="mine")
        return visible.delegated(user).with_levels().prefetch_related(given)
    return visible.waiting_for(user).most_urgent_first()


def _say_for_whom(signoffs: Iterable[Any], user: User) -> None:
    """Give each that waits ``for_whom``: in whose place the reader decides, or who in theirs."""
    mine = [row.person for row in Deputy.objects.standing_in(user)]
    theirs = Deputy.objects.of_each([user.pk]).get(user.pk, [])
    for signoff in signoffs:
        absent, barred = rules.absent_voices(signoff), rules.not_to_decide(signoff)
        found = [] if user.pk in barred else [f"for {one}" for one in mine if one.pk in absent]
        if user.pk in absent:
            found += [f"{one} for you" for one in theirs if one.pk not in barred]
        signoff.for_whom = found


@login_required
@require_safe
def detail(request: UserRequest, pk: int) -> HttpResponse:
    """One sheet: the question, what it is about, who has said what, and the answers."""
    visible = Signoff.objects.visible_to(request.user).with_levels()
    signoff = get_object_or_404(visible.select_related("requested_by", "policy"), pk=pk)
    entries = signoff.history.select_related("history_user").order_by("-history_id")
    standing = signoff.standing
    context = _position(signoff, request.user) | {
        "signoff": signoff,
        "recommendation": next((f for f in signoff.facts if f[0] == RECOMMENDATION), None),
        "facts": [fact for fact in signoff.facts if fact[0] != RECOMMENDATION],
        "levels": signoff.progress(),
        "decisions": standing,
        "votes": sum(decision.is_vote for decision in standing),
        "earlier": [d for d in signoff.decisions.all() if d not in standing],
        "content": [
            (label, value if isinstance(value, list) else [value])
            for label, value in signoff.content.items()
        ],
        "changes": _changes(signoff),
        "lacks": list(rules.against_counting(signoff)) if _is_approved(signoff) else [],
        "conditions": _conditions(signoff, request.user),
        "evidence": [row for ask in rules.evidence_questions for row in ask(signoff)],
        "steps": _steps(signoff, request.user),
        "own_steps": signoff.steps(request.user, only={"recall"}),
        "between": None if signoff.state == Signoff.State.READY else signoff.between(),
        "entries": entries[:HISTORY_LENGTH],
    }
    return render(request, "approvals/detail.html", context)


def _is_approved(signoff: Signoff) -> bool:
    return bool(signoff.state == Signoff.State.APPROVED)


def _conditions(signoff: Signoff, user: User) -> list[tuple[Condition, list[StepView]]]:
    """The conditions of decisions that stand, each with what the reader can do about it."""
    rows = signoff.conditions.filter(
        decision__round=signoff.round, decision__recalled_by__isnull=True
    ).select_related("asked_by")
    found = []
    for condition in rows:
        condition.signoff = signoff
        found.append((condition, condition.steps(user)))
    return found


def _steps(signoff: Signoff, user: User) -> list[StepView]:
    """What release managers do here; a first request belongs to the page of what it is about."""
    names = {"void"}
    if signoff.state == Signoff.State.READY:
        names.add("request")
        if signoff.allows_override:
            names |= {"override", "add_approver", "remove_approver"}
    return signoff.steps(user, only=names)


def _position(signoff: Signoff, user: User) -> dict[str, Any]:
    """Whether the reader decides now, and if not, why; and which of their decisions it is."""
    voices = rules.voices_for(signoff, user)
    if not voices:
        return {"decides": False, "why_not": _why_not(signoff, user)}
    waiting = Signoff.objects.waiting_for(user).most_urgent_first()
    ids = list(waiting.values_list("pk", flat=True)[:100])
    place = ids.index(signoff.pk) + 1 if signoff.pk in ids else 0
    for_others = [voice for voice in voices if voice != user]
    return {
        "decides": True,
        "place": place,
        "of": len(ids),
        "voices": [(voice.pk, voice_words(voice, user)) for voice in voices],
        "only_for": for_others[0] if len(voices) == 1 and for_others else None,
    }


def _why_not(signoff: Signoff, user: User) -> str:
    """Why there are no buttons for this reader."""
    if (mine := signoff.decision_of(user)) is not None:
        whose = f" for {mine.on_behalf_name}" if mine.on_behalf_name else ""
        who = f"You have decided{whose}"
        if mine.person_id != user.pk:
            who = f"{mine.person_name} has decided for you"
        return f"{who}: {mine.status.label.lower()}."
    if signoff.state != Signoff.State.READY:
        return f"Nothing is to be decided: {signoff.status.meaning.lower()}."
    people = [user, *signoff.principals_of(user)]
    levels = [number for person in people for number in signoff.levels_naming(person)]
    if not levels:
        return "You are not named on this approval. You can read it, and follow what is decided."
    if user.pk in signoff.barred_ids:
        return "It is your own work, or you asked for it: somebody else decides."
    if min(levels) > signoff.open_level:
        return f"Your level opens when level {signoff.open_level} is complete."
    return "Your level is complete without you."


def _changes(signoff: Signoff) -> list[Any]:
    """What has changed since it was asked for; asked only while the answer matters."""
    if signoff.state not in {Signoff.State.READY, Signoff.State.APPROVED}:
        return []
    return differences(signoff.content, rules.content_now(signoff))
