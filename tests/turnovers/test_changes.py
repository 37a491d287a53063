"""What differs between two versions of a plan, in words."""

from turnovers.changes import changes


def task(pk, order, title, **facts):
    return {
        "id": pk,
        "order": order,
        "section": "",
        "title": title,
        "instructions": "",
        "executor": "",
        "parameters": {},
        "owner": "Dana",
        "estimate": 5,
        "timeout": 300,
        "attempts": 1,
        "undo": "",
    } | facts


def plan(*tasks, contents=(), environment="stg-eu", window=()):
    return {
        "Environment": environment,
        "Window": list(window),
        "Item": "Nova",
        "Contents": list(contents),
        "Tasks": list(tasks),
    }


def told(before, after):
    return [
        " ".join(filter(None, [c.kind, c.name, c.before and f"{c.before} → {c.after}", c.detail]))
        for c in changes(before, after)
    ]


def test_equal_plans_do_not_differ():
    one = plan(task(1, 1, "Drain"), task(2, 2, "Deploy"))
    assert told(one, one) == []


def test_added_and_removed_tasks_do_not_make_their_neighbours_moved():
    before = plan(task(1, 1, "Drain"), task(2, 2, "Restart"), task(3, 3, "Deploy"))
    after = plan(
        task(1, 1, "Drain"), task(4, 2, "Confirm"), task(5, 3, "Check"), task(3, 4, "Deploy")
    )
    assert told(before, after) == [
        "added Confirm task 2",
        "added Check task 3",
        "removed Restart was task 2",
    ]


def test_only_the_task_that_moved_is_said_to_have_moved():
    before = plan(*[task(n, n, f"T{n}") for n in range(1, 6)])
    after = plan(*[task(n, place, f"T{n}") for place, n in enumerate([5, 1, 2, 3, 4], start=1)])
    assert told(before, after) == ["moved T5 moved from 5 to 1"]


def test_fields_are_told_with_both_values_and_long_ones_by_name():
    before = plan(task(1, 1, "Migrate", estimate=10))
    after = plan(task(1, 1, "Migrate", estimate=30, instructions="Slowly", owner=""))
    assert told(before, after) == [
        "edited Migrate Dana → nothing owner",
        "edited Migrate 10 min → 30 min estimate",
        "edited Migrate instructions changed",
    ]


def test_going_parallel_is_a_change_of_both():
    before = plan(task(1, 1, "A"), task(2, 2, "B"))
    after = plan(task(1, 1, "A"), task(2, 1, "B"))
    assert told(before, after) == ["edited A now in parallel", "edited B now in parallel"]
    assert told(after, before) == [
        "edited A now a step of its own",
        "edited B now a step of its own",
    ]


def test_contents_environment_and_window():
    nova = {"id": 1, "name": "Nova", "version": "34.0.0rc2"}
    glance = {"id": 2, "name": "Glance", "version": "32"}
    window = ["2026-12-05T22:00:00+00:00", "2026-12-06T03:00:00+00:00"]
    before = plan(contents=[nova, glance], window=window)
    after = plan(
        contents=[nova | {"version": "34.0.0"}, {"id": 3, "name": "Cinder", "version": "29"}],
        environment="prod-eu",
        window=[window[0], "2026-12-06T04:00:00+00:00"],
    )
    assert told(before, after)[:4] == [
        "edited Nova 34.0.0rc2 → 34.0.0",
        "added Cinder 29 contents",
        "removed Glance 32 contents",
        "edited Environment stg-eu → prod-eu",
    ]
    assert "edited Latest start" in told(before, after)[4]
    assert "03:00" in told(before, after)[4]
