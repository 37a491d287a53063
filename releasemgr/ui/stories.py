"""The story of a record and all that belongs to it, as one paged list, newest first."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import CharField, Value

from releasemgr.ui.paging import PAGE_SIZE, Page, page_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.db.models import QuerySet


@dataclass(frozen=True)
class Source:
    """History rows of one model, and what one of its records is called in the story.

    ``words`` names the record from its history row; ``related`` is what that reads besides it.
    """

    kind: str
    rows: QuerySet[Any]
    words: Callable[[Any], object] = str
    related: tuple[str, ...] = ()


def story(sources: Sequence[Source], number: str | None) -> Page[Any]:
    """One page over all sources, in a constant number of queries.

    Each entry is a history row with ``about``: what it is about, or nothing for the first source,
    which is the record whose story this is.
    """
    page = page_number(number)
    start = (page - 1) * PAGE_SIZE
    parts = [_keys(index, source) for index, source in enumerate(sources)]
    everything = parts[0].union(*parts[1:], all=True) if parts[1:] else parts[0]
    ordered = everything.order_by("-history_date", "-history_id", "source")
    keys = list(ordered[start : start + PAGE_SIZE + 1])
    entries = _fetch(sources, keys[:PAGE_SIZE])
    return Page(entries, page, has_next=len(keys) > PAGE_SIZE)


def _keys(index: int, source: Source) -> Any:
    rows = source.rows.order_by().annotate(source=Value(str(index), output_field=CharField()))
    return rows.values_list("source", "history_date", "history_id")


def _fetch(sources: Sequence[Source], keys: list[tuple[str, Any, int]]) -> list[Any]:
    """The rows behind the keys, in their order."""
    wanted: dict[int, list[int]] = defaultdict(list)
    for index, _, pk in keys:
        wanted[int(index)].append(pk)
    found = {}
    for place, pks in wanted.items():
        source = sources[place]
        rows = source.rows.model.objects.filter(history_id__in=pks)
        for row in rows.select_related(*source.related) if source.related else rows:
            row.about = f"{source.kind} “{source.words(row)}”" if place else ""
            found[place, row.history_id] = row
    return [found[int(index), pk] for index, _, pk in keys if (int(index), pk) in found]
