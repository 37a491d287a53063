"""The components that templates write in one word: icons, states, people, fields, dates."""

from __future__ import annotations

import datetime as dt
import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from django import forms, template
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html

from releasemgr.ui import times
from releasemgr.ui.changes import tell
from releasemgr.workflow.states import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.forms import BoundField
    from django.template import RequestContext
    from django.utils.safestring import SafeString

    from releasemgr.accounts.models import User
    from releasemgr.workflow.between import Between
    from releasemgr.workflow.rules import Blocker, Way

register = template.Library()

FULL = 100
#: A page draws the same few glyphs, words and names again and again. ``typed``, since a text that
#: is marked as safe equals one that is not.
drawn_once = lru_cache(maxsize=4096, typed=True)


def _classes(*names: str) -> str:
    return " ".join(name for name in names if name)


@cache
def _sprite() -> str:
    """The address of the file that holds every icon; a page asks for it a hundred times."""
    return static("icons.svg")


@drawn_once
def _glyph(name: str, css: str = "") -> SafeString:
    """A status glyph without a word; what turns is the outer <svg>, which our CSS can reach."""
    return format_html(
        '<svg class="{}" viewBox="0 0 16 16" aria-hidden="true"><use href="{}#s-{}"/></svg>',
        _classes("st", "spin" if name == "run" else "", css),
        _sprite(),
        name,
    )


def _status(subject: Status | Any) -> Status:
    """A status, or the status of a record."""
    status: Status = subject if isinstance(subject, Status) else subject.status
    return status


@drawn_once
def _worded(css: str, status: Status, label: str) -> SafeString:
    """A glyph and its word, in the tone of the state."""
    drawing = _glyph(status.glyph)
    return format_html(
        '<span class="{} tone-{}">{}{}</span>', css, status.tone, drawing, label or status.label
    )


@register.simple_tag
@drawn_once
def icon(name: str, css: str = "") -> SafeString:
    """A Lucide icon; decoration, so it always stands beside words or in a labelled button."""
    return format_html(
        '<svg class="{}" viewBox="0 0 24 24" aria-hidden="true"><use href="{}#i-{}"/></svg>',
        _classes("i", css),
        _sprite(),
        name,
    )


@register.simple_tag
def st(name: str, tone: str = "", css: str = "") -> SafeString:
    """A status glyph, in its tone, beside words that say the same."""
    return _glyph(name, _classes("glyph" if tone else "", f"tone-{tone}" if tone else "", css))


@register.simple_tag
def state(subject: Status | Any, label: str = "") -> SafeString:
    """Glyph and word: how a state reads in tables and lists."""
    return _worded("state", _status(subject), label)


@register.simple_tag
def pill(subject: Status | Any, label: str = "") -> SafeString:
    """The tinted state beside a page's heading."""
    return _worded("pill", _status(subject), label)


@register.simple_tag
def glyph(subject: Status | Any) -> SafeString:
    """The state's glyph alone; its word is there for those who cannot see it."""
    return _said(_status(subject))


@drawn_once
def _said(status: Status) -> SafeString:
    """A glyph that says its word itself."""
    return format_html(
        '<svg class="{}" viewBox="0 0 16 16" role="img" aria-label="{}">'
        '<use href="{}#s-{}"/></svg>',
        _classes("st", "spin" if status.glyph == "run" else "", "glyph", f"tone-{status.tone}"),
        status.label,
        _sprite(),
        status.glyph,
    )


@register.simple_tag
def av(name: object, css: str = "") -> SafeString:
    """The initials of a person, in a circle."""
    words = str(name).replace("-", " ").split()
    initials = "".join(word[0] for word in words[:2]).upper()
    return format_html(
        '<span class="{}" aria-hidden="true">{}</span>', _classes("av", css), initials
    )


@register.simple_tag
def person(who: User | str | None, short: bool = False) -> SafeString:
    """A person by name, "Priya R." where it is tight; a dash where there is nobody."""
    if not who:
        return format_html('<span class="dim">–<span class="sr">{}</span></span>', "nobody")
    return _named(str(who), short)


@drawn_once
def _named(name: str, short: bool) -> SafeString:
    """A person's initials and name."""
    first, *others = name.split() or [name]
    shown = f"{first} {others[-1][0]}." if short and others else name
    return format_html('<span class="person">{}<span>{}</span></span>', av(name), shown)


@register.simple_tag
def meter(percent: float, tone: str = "you", css: str = "", label: str = "") -> SafeString:
    """A thin bar of progress; without a label it repeats words beside it."""
    says = format_html('role="img" aria-label="{}"' if label else 'aria-hidden="true"', label)
    filled = max(0, min(FULL, round(percent)))
    return format_html(
        '<svg class="{}" height="4" {}><rect class="bg" width="100%" height="4"/>'
        '<rect class="fg" width="{}%" height="4"/></svg>',
        _classes("meter", f"tone-{tone}", css),
        says,
        filled,
    )


@register.simple_tag
def cell(version: str, status: Status | Any | None = None) -> SafeString:
    """Which version is in an environment, and how; without a status it came some other way."""
    if not version:
        none = '<span class="cell-none">–<span class="sr">{}</span></span>'
        return format_html(none, "not deployed")
    if status is None:
        old = '<span class="cell cell-old">{}<span class="sr"> {}</span></span>'
        return format_html(old, version, "(not by this train)")
    known = _status(status)
    return format_html(
        '<span class="cell tone-{}">{}{}<span class="sr"> {}</span></span>',
        known.tone,
        _glyph(known.glyph),
        version,
        known.label,
    )


@register.simple_block_tag
def more(content: SafeString, label: str, row: Any = None) -> str:
    """A menu of what is done seldom, behind "…"; nothing where there is nothing in it.

    A menu of the page is the only one; a row of a list has a small one of its own.
    """
    if not content.strip():
        return ""
    name, words = ("more", label) if row is None else (f"more-{row.pk}", f"{label} {row}")
    context = {"content": content, "label": words, "name": name, "small": row is not None}
    return render_to_string("ui/_more.html", context)


@register.simple_tag(takes_context=True)
def query(context: RequestContext, **changes: object) -> str:
    """This page's query with some parameters replaced; ``None`` or "" takes one away."""
    parameters = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            parameters.pop(name, None)
        else:
            parameters[name] = str(value)
    return f"?{parameters.urlencode()}"


@register.filter
def is_yours(blocker: Blocker, user: User) -> bool:
    """Whether this person can clear the blocker."""
    return blocker.is_yours(user)


@register.filter
def leads(blocker: Blocker | Way, user: User) -> bool:
    """Whether the link of the blocker, or of the way round it, is of use to this person."""
    return blocker.leads(user)


@register.filter
def takes(between: Between, user: User) -> bool:
    """Whether this person may take the step that comes next."""
    return between.step is not None and between.step.step.has_perm(between.record, user)


@register.filter
def sentence(text: object) -> str:
    """The text with a full stop, unless it ends as a sentence already."""
    words = str(text).rstrip()
    return words if not words or words.endswith((".", "!", "?", "…", ".”")) else f"{words}."


@register.filter
def deed(entry: Any) -> str:
    """What a history row tells: a step and where it led, or a plain creation, edit or removal."""
    if not entry.transition or entry.history_type == "-":
        return {"+": "created it", "~": "edited it", "-": "removed it"}[entry.history_type]
    words = entry.instance_type.label_of(entry.transition, getattr(entry, "state", ""))
    if not hasattr(entry, "get_state_display"):
        return f"took the step “{words}”"
    return f"took the step “{words}”: now {entry.get_state_display()}"


@register.simple_tag
def with_changes(entries: Iterable[Any]) -> list[Any]:
    """History rows, each with ``changes``: which fields it changed, and how."""
    return tell(entries)


# --- Dates ---


def _time(machine: str, title: str, words: str) -> SafeString:
    return format_html('<time datetime="{}" title="{}">{}</time>', machine, title, words)


@register.filter
def when(moment: dt.datetime | None) -> SafeString | str:
    """A moment as people say it: "Today 23:00"; the full date and zone are in its title."""
    if moment is None:
        return "–"
    words, title = times.moment_in_words(moment), times.full_moment(moment)
    return _time(moment.isoformat(), title, words)


@register.filter
def day(value: dt.date | dt.datetime | None) -> SafeString | str:
    """A day as people say it: "Wednesday", "5 December"."""
    if value is None:
        return "–"
    date = times.local(value).date() if isinstance(value, dt.datetime) else value
    return _day(date, timezone.localdate())


@drawn_once
def _day(date: dt.date, today: dt.date) -> SafeString:
    """A day in words, as they are today."""
    return _time(date.isoformat(), times.full_day(date), times.day_in_words(date, today))


@register.filter
def exactly(moment: dt.datetime | None) -> SafeString | str:
    """A moment in full, with its zone, for pages on which somebody decides."""
    if moment is None:
        return "–"
    title = times.full_moment(moment)
    return _time(moment.isoformat(), title, title)


@register.filter
def span(length: dt.timedelta | None) -> str:
    """A length of time: "1 h 20 min"."""
    return "–" if length is None else times.span_in_words(length)


# --- Forms ---

CHOICE_WIDGETS = (forms.RadioSelect, forms.CheckboxSelectMultiple)
PICKERS = (
    (forms.DateTimeInput, "datetime-local", "%Y-%m-%dT%H:%M"),
    (forms.DateInput, "date", "%Y-%m-%d"),
    (forms.TimeInput, "time", "%H:%M"),
)
ISO_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})?T?(\d{2}:\d{2}(:\d{2})?)?", re.ASCII)


def _kind(widget: forms.Widget) -> str:
    """How a widget is laid out."""
    if isinstance(widget, CHOICE_WIDGETS):
        return "choices"
    if isinstance(widget, forms.CheckboxInput):
        return "check"
    return "input"


def _class(widget: forms.Widget) -> str:
    """The class that gives a control its look."""
    if isinstance(widget, forms.Select):
        return "select"
    return "textarea" if isinstance(widget, forms.Textarea) else "input"


def _use_picker(bound: BoundField) -> None:
    """Let dates and times have the browser's own picker, which wants them in ISO.

    What was typed without one and is no date stays in a plain field: a picker would drop it.
    """
    widget, value = bound.field.widget, bound.value()
    for kind, name, form in PICKERS:
        if isinstance(widget, kind):
            widget.format = form
            if not isinstance(value, str) or not value or ISO_TIME.fullmatch(value):
                widget.input_type = name
            return


@register.inclusion_tag("ui/_field.html")
def field(bound: BoundField, label: str = "", hint: str = "") -> dict[str, Any]:
    """A form field with its label, hint and error, tied together for assistive technology."""
    kind = _kind(bound.field.widget)
    hint = hint or str(bound.help_text)
    described = _classes(
        f"{bound.auto_id}_hint" if hint else "", f"{bound.auto_id}_error" if bound.errors else ""
    )
    attrs: dict[str, str | bool] = {"aria-describedby": described} if described else {}
    if bound.errors:
        attrs["aria-invalid"] = "true"
    context = {"field": bound, "kind": kind, "label": label or bound.label, "hint": hint}
    if kind == "choices":
        return context | {"described": described, "options": list(bound)}
    if kind == "input":
        widget = bound.field.widget
        _use_picker(bound)
        attrs["class"] = _classes(_class(widget), widget.attrs.get("class", ""))
    return context | {"control": bound.as_widget(attrs=attrs)}
