"""A broken file gets one sentence with the place, whatever is wrong with it."""

import pytest

from releasemgr.exchange.places import find_cycle
from releasemgr.exchange.reader import FileRefused, parse, read
from tests.exchange.files import small, written

LIMIT = 1_000_000


def edited(change):
    data = small()
    change(data)
    return data


def first_release(data):
    return data["trains"][0]["application_releases"][0]


def circle(data):
    first_release(data)["depends_on"] = [{"release": "t1/label", "kind": "build"}]


def needs_itself(data):
    first_release(data)["depends_on"] = [{"release": "t1/press", "kind": "build"}]


def unknown_release(data):
    first_release(data)["depends_on"] = [{"release": "x", "kind": "build"}]


def set_in(path, value):
    def change(data):
        *holders, name = path
        for step in holders:
            data = data[step]
        data[name] = value

    return change


TASKS = ("trains", 1, "turnovers", 0, "tasks")
BROKEN = {
    "another version": (set_in(["format"], "release-data/2"), "format: this must be"),
    "no train name": (lambda d: d["trains"][0].pop("name"), "trains[0].name: this is missing."),
    "an empty name": (set_in(["teams", 0, "name"], " "), "teams[0].name: this is empty."),
    "a null": (set_in(["teams", 0, "name"], None), "teams[0].name: this must be a text, not null."),
    "an unknown field": (set_in(["teams", 0, "nme"], "x"), "teams[0].nme: the format has no such"),
    "a list for an object": (set_in(["teams", 0], []), "teams[0]: this must be an object"),
    "an object for a list": (set_in(["teams"], {}), "teams: this must be a list"),
    "a flag for a number": (set_in(["environments", 1, "order"], True), "environments[1].order"),
    "a giant number": (set_in(["environments", 1, "order"], 10**12), "environments[1].order"),
    "a word for a flag": (set_in(["environments", 0, "active"], "no"), "environments[0].active"),
    "an id twice": (set_in(["trains", 1, "id"], "t1"), "trains[1].id: trains[0] has the id “t1”"),
    "an endless id": (set_in(["teams", 0, "id"], "x" * 301), "teams[0].id: an id must have 1 to"),
    "an unknown team": (set_in(["applications", 0, "team"], "x"), "applications[0].team: no team"),
    "an unknown release": (
        unknown_release,
        "trains[0].application_releases[0].depends_on[0].release: no application release “x”",
    ),
    "an unknown content": (
        set_in(["trains", 0, "turnovers", 0, "application_releases"], ["t1/press", "x"]),
        "trains[0].turnovers[0].application_releases[1]: no application release “x”",
    ),
    "a dependency on nothing": (
        set_in(["trains", 0, "application_releases", 1, "depends_on", 0], {"kind": "build"}),
        "trains[0].application_releases[1].depends_on[0]: this says neither",
    ),
    "a cycle": (
        circle,
        "trains[0].application_releases[0].depends_on[0].release: the dependencies form a cycle",
    ),
    "a release that needs itself": (needs_itself, "form a cycle: t1/press → t1/press."),
    "an environment in itself": (
        set_in(["environments", 1, "parent"], "barn/west"),
        "the environments are part of each other",
    ),
    "a day that is none": (set_in(["trains", 0, "end"], "2026-02-30"), "is not in the calendar"),
    "the year 1": (set_in(["trains", 0, "start"], "0001-01-01"), "trains[0].start: the year must"),
    "the year 9999": (set_in(["snapshot"], "9999-12-31T23:59:59-12:00"), "snapshot: the year"),
    "a day for a moment": (set_in(["snapshot"], "2026-01-01"), "snapshot: this must be a moment"),
    "other digits": (
        set_in(["trains", 0, "end"], "\u0662\u0660\u0662\u0666-\u0660\u0661-\u0660\u0661"),
        "this must be a date",
    ),
    "an end before the start": (
        set_in(["trains", 0, "end"], "2025-01-01"),
        "trains[0].end: the train ends before it starts.",
    ),
    "a block before itself": (
        set_in(["reservations", 1, "end"], "2026-01-01T00:00:00+00:00"),
        "reservations[1].end: this ends before it starts.",
    ),
    "an unknown status": (set_in(["trains", 0, "status"], "odd"), "a train has no status “odd”"),
    "a gap between tasks": (set_in([*TASKS, 2, "order"], 4), "tasks[2].order: this must be 3."),
    "a task under a later one": (set_in([*TASKS, 1, "parent"], 3), "tasks[1].parent: this must be"),
    "a task after itself": (set_in([*TASKS, 1, "depends"], [2]), "tasks[1].depends: this must be"),
    "a NUL": (set_in(["teams", 0, "name"], "a\0b"), "teams[0].name: this contains a NUL"),
    "half a character": (set_in(["teams", 0, "name"], "\ud800"), "half a character"),
    "an abyss": (
        set_in(["trains", 0, "metrics"], [[[[[[[[[[[[[[1]]]]]]]]]]]]]]),
        "nested more than 12 levels deep",
    ),
    "a text without end": (set_in(["title"], "x" * 100_001), "title: this has more than 100,000"),
    "an endless data set": (set_in(["dataset"], "x" * 101), "dataset: this must have 1 to 100"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_with_its_place(tmp_path, name):
    change, said = BROKEN[name]

    with pytest.raises(FileRefused) as refused:
        read(written(tmp_path, edited(change)), max_bytes=LIMIT)

    assert said in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1, column 1: this is not JSON"),
        (b"<html>", "line 1, column 1: this is not JSON"),
        (b'{"a": 1,\n"b" 2}', "line 2, column 5: this is not JSON"),
        (b'{"a": "\x00"}', "this is not JSON"),
        (b"\xff\xfe{\x00}\x00", "This is not UTF-8: see byte 1."),
        (b'{"a": 1, "a": 2}', "the key “a” twice"),
        (b'{"a": NaN}', "NaN is not a number"),
        (b'{"a": -Infinity}', "-Infinity is not a number"),
        (b'{"a": 1e999}', "is too large"),
        (b'{"a": 1' + b"0" * 5000 + b"}", "is too large"),
        (b"[" * 200_000, "nested too deeply"),
    ],
)
def test_what_is_not_plain_json_is_refused(content, said):
    with pytest.raises(FileRefused) as refused:
        parse(content)

    assert said in str(refused.value)


@pytest.mark.parametrize("data", ["[]", "1", "null", '"release-data/1"', "{}"])
def test_json_of_another_shape_is_refused(tmp_path, data):
    with pytest.raises(FileRefused):
        read(written(tmp_path, data), max_bytes=LIMIT)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(2 * 1024**3)  # sparse: it takes no room

    with pytest.raises(FileRefused, match=r"2,147,483,648 bytes; at most 1,000,000"):
        read(path, max_bytes=LIMIT)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FileRefused, match="cannot be read"):
        read(tmp_path / "none.json", max_bytes=LIMIT)


def test_a_byte_order_mark_is_read_over(tmp_path):
    path = written(tmp_path, small())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    assert read(path, max_bytes=LIMIT)["dataset"] == "orchard"


def test_the_first_mistake_does_not_echo_what_would_break_a_page(tmp_path):
    data = small(format="x\r\n\x1b[31m\u202e" + "y" * 10_000)

    with pytest.raises(FileRefused) as refused:
        read(written(tmp_path, data), max_bytes=LIMIT)

    assert str(refused.value).isprintable()


def test_long_chains_are_no_cycle():
    chain = {str(n): [str(n + 1)] for n in range(50_000)}

    assert find_cycle(chain) == []
    assert find_cycle(chain | {"49999": ["7"]})[0] == "7"
