"""The document of states says what the models say."""

from pathlib import Path

from releasemgr.workflow.describe import document


def test_the_document_is_up_to_date():
    written = Path(__file__).resolve().parents[2] / "docs" / "states.md"

    assert written.read_text(encoding="utf-8") == document(), (
        "Run: python manage.py describe_states > docs/states.md"
    )
