"""What a run still has to do, order by order."""

from __future__ import annotations

from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from turnovers.models import DeploymentTask, Turnover

if TYPE_CHECKING:
    from collections.abc import Sequence

    from turnovers.engine.standing import RunFacts

#: How many tasks are read ahead; the plan is frozen while it is carried out.
AHEAD = 20
#: Undoing goes backwards: the task with the highest order comes first.
BACKWARDS_FROM = 1_000_000

#: What stands in the statement for the turnover, and for the order behind which it looks: numbers
#: that their columns can hold, or Django would leave the condition out.
TURNOVER, LAST = 1_000_001, 1_000_002

#: A task and the order at which this run carries it out.
Placed = tuple[int, DeploymentTask]


class Plan:
    """The tasks of one run that lie ahead, read a few at a time."""

    def __init__(self, run: RunFacts) -> None:
        self.run = run
        self._ahead: list[Placed] = []
        self._is_whole = False
        self._last = 0

    def after(self, last: int) -> list[Placed]:
        """The tasks of the lowest order above ``last``; [] at the end of the plan."""
        if last < self._last:  # what was opened went back with its transaction
            self._ahead, self._is_whole = [], False
        self._last = last
        self._ahead = [placed for placed in self._ahead if placed[0] > last]
        if not self._is_whole and not self._holds_a_whole_order():
            self._read(last)
        return self._first_order()

    def _first_order(self) -> list[Placed]:
        for _, members in groupby(self._ahead, key=lambda placed: placed[0]):
            return list(members)
        return []

    def _holds_a_whole_order(self) -> bool:
        """Whether something of a later order is known, too."""
        return bool(self._ahead) and self._ahead[0][0] != self._ahead[-1][0]

    def _read(self, last: int) -> None:
        if self.run.is_undo:
            self._ahead = [placed for placed in self._to_undo() if placed[0] > last]
            self._is_whole = True
            return
        sql, names = _next_tasks()
        given = {TURNOVER: self.run.turnover, LAST: last}
        found = list(DeploymentTask.objects.raw(sql, [given[name] for name in names]))
        if len(found) > AHEAD and found[0].order == found[-1].order:
            tasks: Any = DeploymentTask.objects.filter(turnover=self.run.turnover)
            found = list(tasks.filter(order=found[0].order).in_order())
            self._ahead = [(task.order, task) for task in found]
            # Something of a later order may follow: the end of this one is known all the same.
            return
        self._is_whole = len(found) <= AHEAD
        self._ahead = [(task.order, task) for task in found]

    def _to_undo(self) -> list[Placed]:
        tasks = Turnover.objects.get(pk=self.run.turnover).tasks_to_undo()
        return [(BACKWARDS_FROM - task.undone_order, task) for task in tasks]


@cache
def _next_tasks() -> tuple[str, Sequence[Any]]:
    """The statement that reads ahead: to make it anew costs more than to have it answered."""
    tasks: Any = DeploymentTask.objects.filter(turnover=TURNOVER, order__gt=LAST).in_order()
    sql, values = tasks[: AHEAD + 1].query.sql_with_params()
    return sql, values
