"""The one page on which a record is made, edited or removed; every app's edit views are these.

Success answers 303, invalid input 422, a conflict or a refusal 409; what was typed is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db import IntegrityError, models
from django.http import HttpResponseRedirect
from django.shortcuts import render

from releasemgr.ui.times import day_in_words, moment_in_words
from releasemgr.workflow.edit import create, edit, remove
from releasemgr.workflow.refusals import Conflict, TransitionRefused
from releasemgr.workflow.rules import Blocker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from django.http import HttpResponse

    from releasemgr.http import UserRequest
    from releasemgr.ui.forms import EditForm


@dataclass(frozen=True)
class Difference:
    """A field that somebody else has set to something other than what was typed."""

    label: str
    yours: str
    theirs: str


def see_other(url: str) -> HttpResponseRedirect:
    """Send the browser on with a GET, as every successful POST does."""
    return HttpResponseRedirect(url, status=HTTPStatus.SEE_OTHER)


def edit_page(
    request: UserRequest,
    form_class: type[EditForm],
    row: Any,
    *,
    title: str,
    crumbs: Sequence[tuple[str, str]],
    save: Callable[[Any], Any] | None = None,
    allowed: Callable[[Any], Iterable[Blocker]] | None = None,
    back: str = "",
    done: Callable[[Any], str] | None = None,
    said: str = "{row}: saved.",
    form_kwargs: dict[str, Any] | None = None,
    template: str = "ui/edit_page.html",
    **context: Any,
) -> HttpResponse:
    """Show the form of ``row`` (stored, or new with its fixed fields set), or save what was sent.

    ``save`` takes the valid form and returns the row; without one the columns are stored by
    ``create`` or ``edit``. ``allowed`` lists what forbids the edit now; it is asked before the form
    is shown and, by ``edit``, again under the lock. ``back`` is where Cancel leads; ``done`` says
    where to go after saving (the row's own page, if not given). Who may edit,
    the view says. The template also knows ``submit`` (the button's word) and ``remove_url``.
    """
    back = back or (row.get_absolute_url() if row.pk else "")
    context |= {"title": title, "crumbs": crumbs, "back_url": back}
    arguments = {"instance": row} | (form_kwargs or {})
    standing = list(allowed(row)) if allowed is not None else []
    if request.method != "POST":
        context |= {"form": form_class(**arguments), "closed": bool(standing)}
        return render(request, template, context | {"blockers": standing})
    form = form_class(request.POST, request.FILES or None, **arguments)
    context["form"] = form
    if standing:
        return _refused(request, template, context, standing)
    if not form.is_valid():
        return render(request, template, context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        saved = save(form) if save is not None else _store(request, form, row, allowed)
    except (TransitionRefused, IntegrityError) as refusal:
        if isinstance(refusal, Conflict):
            context["differences"] = differences(form, refusal.row)
            form.instance.version = refusal.row.version
        found = [_OVERTAKEN] if isinstance(refusal, IntegrityError) else refusal.blockers
        return _refused(request, template, context, found)
    messages.success(request, said.format(row=saved))
    return see_other(done(saved) if done is not None else saved.get_absolute_url())


def remove_page(
    request: UserRequest,
    row: Any,
    *,
    crumbs: Sequence[tuple[str, str]],
    back: str,
    explains: str,
    allowed: Callable[[Any], Iterable[Blocker]] | None = None,
    delete: Callable[[Any], None] | None = None,
) -> HttpResponse:
    """Ask before ``row`` is removed, then remove it; its history stays.

    ``delete`` does it where more than the row itself has to go.
    """
    name = str(row)
    context: dict[str, Any] = {
        "title": f"Remove {name}?",
        "crumbs": crumbs,
        "back_url": back,
        "explains": explains,
        "blockers": list(allowed(row)) if allowed is not None else [],
    }
    if request.method != "POST":
        return render(request, "ui/remove_page.html", context)
    try:
        if delete is not None:
            delete(row)
        else:
            remove(row, by=request.user, allowed=allowed)
    except TransitionRefused as refused:
        context |= {"blockers": refused.blockers, "refused": True}
    except models.ProtectedError:
        used = Blocker(f"{name} is used elsewhere", now="What it belongs to needs it.")
        context |= {"blockers": [used], "refused": True}
    else:
        messages.success(request, f"{name}: removed.")
        return see_other(back)
    return render(request, "ui/remove_page.html", context, status=HTTPStatus.CONFLICT)


def differences(form: EditForm, theirs: Any) -> list[Difference]:
    """Where the record as it is now differs from what was typed, in words."""
    found = []
    for name, value in form.changes.items():
        if value != getattr(theirs, name):
            field = form.fields.get(name) or theirs._meta.get_field(name).formfield()
            label = str(field.label or name)
            yours = _words(form.instance, name, value)
            found.append(Difference(label, yours, _words(theirs, name, getattr(theirs, name))))
    return found


_OVERTAKEN = Blocker(
    "Somebody else has just stored something that this does not go together with",
    now="Look again, then do it once more. What you typed is kept.",
)


def _store(
    request: UserRequest,
    form: EditForm,
    row: Any,
    allowed: Callable[[Any], Iterable[Blocker]] | None,
) -> Any:
    reason = form.cleaned_data.get("reason", "")
    if row.pk is None:
        return create(form.instance, by=request.user, reason=reason)
    version = form.seen_version
    return edit(
        row, by=request.user, version=version, reason=reason, allowed=allowed, **form.changes
    )


def _refused(
    request: UserRequest,
    template: str,
    context: dict[str, Any],
    blockers: list[Blocker],
) -> HttpResponse:
    context |= {"blockers": blockers, "refused": True}
    return render(request, template, context, status=HTTPStatus.CONFLICT)


def _words(row: Any, name: str, value: Any) -> str:
    """A value as people read it."""
    if value in (None, "", {}):
        return "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if hasattr(value, "hour"):
        return moment_in_words(value)
    if hasattr(value, "year"):
        return day_in_words(value)
    display = getattr(row, f"get_{name}_display", None)
    return str(display() if display is not None else value)
