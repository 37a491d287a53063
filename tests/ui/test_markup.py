"""What the strict policy forbids never gets into a template, and what tags name exists."""

import re
from pathlib import Path

import pytest

from releasemgr.ui.gallery import vocabularies
from releasemgr.ui.navigation import PLACES
from releasemgr.workflow.states import TONES

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(path for path in ROOT.rglob("templates/**/*.html") if ".venv" not in path.parts)
FORBIDDEN = {
    "a style attribute": r"\sstyle\s*=",
    "a style element": r"<style\b",
    "an inline script": r"<script(?![^>]*\bsrc=)[^>]*>",
    "an event handler": r"<[^>]*\son[a-z]+\s*=",
    "hx-on": r"\bhx-on\b",
    "evaluated htmx values": r"""hx-(?:vals|headers)\s*=\s*["']\s*js""",
    "an htmx trigger filter": r"""hx-trigger\s*=\s*["'][^"']*\[""",
    "morph in object syntax": r"morph:\s*\{",
    "a data: address": r"""["'(]data:""",
    "a javascript: address": r"javascript:",
}


def names(path):
    return str(path.relative_to(ROOT))


def symbols():
    return set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static" / "icons.svg").read_text()))


@pytest.mark.parametrize("path", TEMPLATES, ids=names)
@pytest.mark.parametrize("what", FORBIDDEN)
def test_templates_hold_nothing_that_the_policy_blocks(path, what):
    assert re.findall(FORBIDDEN[what], path.read_text()) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=names)
def test_every_form_that_posts_carries_the_token(path):
    text = re.sub(r"{#.*?#}", "", path.read_text())
    forms = re.findall(r"<form\b[^>]*method=\"post\".*?</form>", text, re.DOTALL | re.IGNORECASE)
    assert [form for form in forms if "csrf_token" not in form] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=names)
def test_every_icon_and_glyph_that_a_template_names_is_in_the_sprite(path):
    text = path.read_text()
    used = {f"i-{name}" for name in re.findall(r'{% icon "([^"]+)"', text)}
    used |= {f"s-{name}" for name in re.findall(r'{% st "([^"]+)"', text)}
    assert used - symbols() == set()


def test_every_place_of_the_navigation_has_its_icon():
    assert {f"i-{place.icon}" for place in PLACES} <= symbols()


def test_every_state_has_a_word_a_meaning_a_known_tone_and_a_drawn_glyph():
    members = [member for _, vocabulary in vocabularies() for member in vocabulary]
    assert members
    for member in members:
        assert member.label
        assert member.meaning
        assert member.tone in TONES
        assert f"s-{member.glyph}" in symbols()
