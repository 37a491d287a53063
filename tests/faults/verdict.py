"""What the receiver's book says about a storm: nothing lost, doubled, out of order, at once, stuck.

It compares what people asked for with what happened outside, and believes no row of the engine.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.faults.receiver import Call

    #: The number of the turnover, the order and the number of the step in the turnover.
    Task = tuple[int, int, int]


@dataclass
class Verdict:
    """Each list names the tasks (turnover, order, step) that broke the promise."""

    #: Never done, though all of its turnover was to be carried out.
    lost: list[Task] = field(default_factory=list)
    #: Done more than once.
    doubled: list[Task] = field(default_factory=list)
    #: Called more often under new keys than two people had asked for.
    unasked: list[Task] = field(default_factory=list)
    #: A once-only task whose key was sent twice.
    resent: list[Task] = field(default_factory=list)
    #: Begun before a lower order was done, or called again after a higher one had begun.
    out_of_order: list[Task] = field(default_factory=list)
    #: Worked on while another order of the same turnover was.
    overlapping: list[Task] = field(default_factory=list)
    #: Called with a fence that is not higher than that of an earlier call.
    fences: list[Task] = field(default_factory=list)

    @property
    def flaws(self) -> dict[str, list[Task]]:
        return {name: tasks for name, tasks in vars(self).items() if tasks}


def judge(
    expected: Mapping[Task, bool], calls: Iterable[Call], authorised: Mapping[Task, int]
) -> Verdict:
    """Hold the book against what was asked for.

    ``expected`` maps each task to whether it may be repeated; ``authorised`` counts how often two
    people said "run it again".
    """
    verdict = Verdict()
    by_task: dict[Task, list[Call]] = defaultdict(list)
    by_turnover: dict[int, list[Call]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: call.began):
        by_task[call.task].append(call)
        by_turnover[call.turnover].append(call)
    for task, repeat_safe in expected.items():
        made = by_task[task]
        _judge_task(verdict, task, made, repeat_safe, authorised.get(task, 0))
    for made in by_turnover.values():
        _judge_sequence(verdict, made)
    return verdict


def _judge_task(
    verdict: Verdict, task: Task, made: list[Call], repeat_safe: bool, authorised: int
) -> None:
    done = sum(call.did_it for call in made)
    keys = {call.key for call in made}
    if done == 0:
        verdict.lost.append(task)
    if done > 1:
        verdict.doubled.append(task)
    if len(keys) > 1 + authorised:
        verdict.unasked.append(task)
    if not repeat_safe and len(made) > len(keys):
        verdict.resent.append(task)
    fences = [call.fence for call in made]
    if any(later <= earlier for earlier, later in itertools.pairwise(fences)):
        verdict.fences.append(task)


def _judge_sequence(verdict: Verdict, made: list[Call]) -> None:
    """The calls of one turnover, by the time at which they came in."""
    worked = [call for call in made if call.did_it]
    for call in made:
        below = [other for other in worked if other.order < call.order]
        above = [other for other in made if other.order > call.order]
        unfinished = any(other.done > call.began for other in below)
        behind = any(other.began < call.began for other in above)
        if unfinished or behind:
            verdict.out_of_order.append(call.task)
        if call.did_it and any(
            other.order != call.order and other.worked < call.done and call.worked < other.done
            for other in worked
        ):
            verdict.overlapping.append(call.task)
