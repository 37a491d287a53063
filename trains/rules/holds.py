"""A train that is held does not go on. Who holds it, an upper app knows; here it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from releasemgr.workflow.rules import Blocker, guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from trains.models import Train

#: What upper apps know that holds a train, such as "the line is stopped for it".
hold_questions: list[Callable[[Train], Iterable[Blocker]]] = []


@guard
def it_is_not_held(train: Train) -> Iterator[Blocker]:
    """Asked before every step that takes it on; what sends it back or ends it stays possible."""
    for question in hold_questions:
        yield from question(train)
