"""What an entry of the history changed, field by field, in words that people read."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst

from releasemgr.ui import times

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Longer texts, and those of several lines, are folded away.
LONGEST = 80
NOTHING = "nothing"


@dataclass(frozen=True)
class Change:
    """One field: its label, and what it was and is; ``folded`` where that is long to read."""

    label: str
    before: str
    after: str
    folded: bool = False
    #: Said instead of both values where they are no text for people.
    summary: str = ""


@dataclass(frozen=True)
class _Difference:
    """A field that differs, with its raw values."""

    field: Any
    before: Any
    after: Any


def tell(entries: Iterable[Any]) -> list[Any]:
    """The history rows, each with ``changes``: what differs from the row before it.

    Asks once for each model what came before, and once for each model that a changed field names,
    however many rows there are.
    """
    rows = list(entries)
    differences: dict[int, list[_Difference]] = {id(row): [] for row in rows} | dict(
        _differences(rows)
    )
    names = _names(difference for found in differences.values() for difference in found)
    for row in rows:
        row.changes = [_in_words(difference, names) for difference in differences[id(row)]]
    return rows


def _differences(rows: list[Any]) -> Iterator[tuple[int, list[_Difference]]]:
    """For each row that followed another: where the two differ."""
    by_model: dict[type[models.Model], list[Any]] = defaultdict(list)
    for row in rows:
        if row.history_type == "~":
            by_model[type(row)].append(row)
    for model, later in by_model.items():
        before = _rows_before(model, later)
        for row in later:
            if earlier := before.get(row.history_id):
                yield id(row), list(_compare(earlier, row))


def _rows_before(model: Any, rows: list[Any]) -> dict[int, Any]:
    """By the key of each row: the version that came before it, in one query."""
    earlier = model.objects.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id"))
    latest = Subquery(earlier.order_by("-history_id").values("history_id")[:1])
    told = model.objects.filter(history_id__in=[row.history_id for row in rows]).order_by()
    before = model.objects.filter(history_id__in=told.values(before=latest))
    versions: dict[int, dict[int, Any]] = defaultdict(dict)
    for row in [*before, *rows]:
        versions[row.id][row.history_id] = row
    return {
        after: found[earlier]
        for found in versions.values()
        for earlier, after in pairwise(sorted(found))
    }


def _compare(earlier: Any, later: Any) -> Iterator[_Difference]:
    """The fields that differ, without those that tell people nothing."""
    model = later.instance_type
    untold = model.untold | {"state"} if later.transition else model.untold
    for field in model._meta.concrete_fields:
        if field.name in untold:
            continue
        before, after = getattr(earlier, field.attname), getattr(later, field.attname)
        if before != after:
            yield _Difference(field, before, after)


def _names(differences: Iterable[_Difference]) -> dict[type[models.Model], dict[Any, Any]]:
    """The records that changed fields point at, one query for each model."""
    keys: dict[type[models.Model], set[Any]] = defaultdict(set)
    for difference in differences:
        if difference.field.is_relation:
            keys[difference.field.related_model] |= {difference.before, difference.after} - {None}
    return {
        model: model._default_manager.select_related().in_bulk(wanted)
        for model, wanted in keys.items()
    }


def _in_words(difference: _Difference, names: dict[type[models.Model], dict[Any, Any]]) -> Change:
    field = difference.field
    label = capfirst(str(field.verbose_name))
    if isinstance(field, models.JSONField):
        return Change(label, "", "", summary=_parts(difference.before, difference.after))
    known = names.get(field.related_model, {}) if field.is_relation else {}
    before = _value(field, difference.before, known)
    after = _value(field, difference.after, known)
    folded = any(len(text) > LONGEST or "\n" in text for text in (before, after))
    return Change(label, before, after, folded=folded)


def _parts(before: Any, after: Any) -> str:
    """Which parts of structured data differ; their values may be secret, and stay out."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return "changed"
    changed = sorted(
        key for key in before.keys() | after.keys() if before.get(key) != after.get(key)
    )
    return f"changed {', '.join(changed)}"


def _value(field: Any, value: Any, known: dict[Any, Any]) -> str:
    if value is None or value == "":
        return NOTHING
    if field.is_relation:
        return str(known.get(value, "something since removed"))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dt.datetime):
        return f"{_day(times.local(value).date())}, {times.local(value):%H:%M}"
    if isinstance(value, dt.date):
        return _day(value)
    return str(dict(field.flatchoices).get(value, value))


def _day(day: dt.date) -> str:
    """The day by its date, which stays true; with the year where it is not this one."""
    return date_format(day, "j F" if day.year == timezone.localdate().year else "j F Y")
