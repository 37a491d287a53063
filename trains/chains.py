"""The longest chain of application releases that need each other: the train waits for its end."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def longest_chain(days: Mapping[int, int], needs: Mapping[int, list[int]]) -> list[int]:
    """The way along ``needs`` with the most days in all, from what comes first; [] without one.

    ``days`` says how long each takes. What leads out of them is left aside. Of ways of the same
    length it is the one through the lower keys, so that a page says the same every time.
    """
    inside = {
        one: sorted(other for other in needs.get(one, ()) if other in days) for one in sorted(days)
    }
    try:
        order = list(TopologicalSorter(inside).static_order())
    except CycleError:  # two edges at the same moment; the next page will know better
        return []
    best: dict[int, tuple[int, int | None]] = {}
    for one in order:
        behind = max(inside[one], key=lambda other: best[other][0], default=None)
        best[one] = (days[one] + (best[behind][0] if behind is not None else 0), behind)
    ends = [one for one in sorted(days) if best[one][1] is not None]
    step: int | None = max(ends, key=lambda one: best[one][0], default=None)
    chain: list[int] = []
    while step is not None:
        chain.insert(0, step)
        step = best[step][1]
    return chain
