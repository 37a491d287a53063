"""The counters as Prometheus reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from releasemgr.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from releasemgr.operations.counters import Counter

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "releasemgr"


def exposition(counters: Iterable[Counter]) -> str:
    """Text exposition format 0.0.4; a number that is not known has no line."""
    return "\n".join(line for part in (_build(), *map(_lines, counters)) for line in part) + "\n"


def metric(counter: Counter) -> str:
    """The name by which monitoring knows it."""
    parts = (PREFIX, counter.name, counter.unit, "total" if counter.grows else "")
    return "_".join(filter(None, parts))


def _build() -> Iterator[str]:
    yield f"# HELP {PREFIX}_info Which version answers."
    yield f"# TYPE {PREFIX}_info gauge"
    yield f'{PREFIX}_info{{version="{VERSION}"}} 1'


def _lines(counter: Counter) -> Iterator[str]:
    name = metric(counter)
    yield f"# HELP {name} {counter.says}"
    yield f"# TYPE {name} {'counter' if counter.grows else 'gauge'}"
    if counter.value is not None:
        yield f"{name} {counter.value}"
