"""The judge itself: it acquits what is right, and sees each kind of flaw."""

from tests.faults.receiver import Call
from tests.faults.verdict import judge

FIRST, SECOND, THIRD = (1, 1, 1), (1, 2, 2), (1, 2, 3)
ONCE_ONLY = {FIRST: False, SECOND: False, THIRD: False}


def call(task, began, *, key="", fence=1, seconds=1.0):
    """A call that did its work within so many seconds; none where that is 0."""
    done = began + seconds if seconds else 0.0
    key = key or f"{task}:1"
    return Call(*task, key, fence, fence, began, worked=began, done=done, over=began + seconds)


def flaws(calls, *, expected=ONCE_ONLY, authorised=()):
    return judge(expected, calls, dict(authorised)).flaws


RIGHT = [call(FIRST, 1.0), call(SECOND, 2.0), call(THIRD, 2.5)]


def test_orders_after_each_other_and_equal_ones_at_once_are_right():
    assert flaws(RIGHT) == {}


def test_what_was_never_done_is_lost():
    assert flaws(RIGHT[:2]) == {"lost": [THIRD]}
    assert flaws([*RIGHT[:2], call(THIRD, 2.5, seconds=0)]) == {"lost": [THIRD]}


def test_a_second_time_without_two_people_is_unasked_and_doubled():
    again = call(THIRD, 4.0, key="another", fence=2)

    assert flaws([*RIGHT, again]) == {"doubled": [THIRD], "unasked": [THIRD]}


def test_a_second_time_that_two_people_asked_for_is_right():
    nothing = call(THIRD, 2.5, seconds=0)
    again = call(THIRD, 4.0, key="another", fence=2)

    assert flaws([*RIGHT[:2], nothing, again], authorised={THIRD: 1}) == {}


def test_the_same_key_may_come_again_only_where_the_task_may_be_repeated():
    again = call(THIRD, 4.0, fence=2, seconds=0)

    assert flaws([*RIGHT, again]) == {"resent": [THIRD]}
    assert flaws([*RIGHT, again], expected={**ONCE_ONLY, THIRD: True}) == {}


def test_a_call_before_the_lower_order_is_done_is_out_of_order():
    early = [call(FIRST, 1.0), call(SECOND, 1.5), call(THIRD, 2.5)]

    assert flaws(early) == {"out_of_order": [SECOND], "overlapping": [FIRST, SECOND]}


def test_a_call_after_a_higher_order_began_is_out_of_order():
    late = call(FIRST, 4.0, fence=2, seconds=0)

    assert flaws([*RIGHT, late], expected={**ONCE_ONLY, FIRST: True}) == {"out_of_order": [FIRST]}


def test_a_fence_that_does_not_grow_is_a_worker_that_lost_its_claim():
    again = call(THIRD, 4.0, fence=1, seconds=0)

    assert flaws([*RIGHT, again], expected={**ONCE_ONLY, THIRD: True}) == {"fences": [THIRD]}
