"""docs/exchange-format.md says what the reader does."""

from pathlib import Path

from releasemgr.exchange.comparison import KEPT_LISTS
from releasemgr.exchange.places import RELEASE_STATUSES, TRAIN_STATUSES
from releasemgr.exchange.shape import SHAPE, kept_names, tables
from releasemgr.exchange.words import RELEASE_STATES, TRAIN_STATES

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "exchange-format.md").read_text()


def test_every_table_of_the_document_is_the_readers_own():
    for kind, table in tables().items():
        assert f"### {kind}\n\n{table}\n" in DOCUMENT


def test_the_document_has_no_table_that_the_reader_does_not_know():
    sections = [line for line in DOCUMENT.splitlines() if line.startswith("### ")]

    assert sections == [f"### {kind}" for kind in SHAPE]


def test_every_status_that_is_read_has_a_state_and_a_line_in_the_document():
    assert TRAIN_STATES.keys() == TRAIN_STATUSES
    assert RELEASE_STATES.keys() == RELEASE_STATUSES
    for word in TRAIN_STATUSES | RELEASE_STATUSES:
        assert word in DOCUMENT


def test_the_lists_without_rows_are_said_to_be_kept():
    assert set(KEPT_LISTS) <= kept_names("dataset")
