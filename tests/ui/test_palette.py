"""Every pair of colours that meets on a page is readable, in both themes (WCAG 2.2 AA)."""

import re
from pathlib import Path

import pytest

CSS = Path(__file__).resolve().parents[2] / "static" / "app.css"
TONES = ("run", "wait", "ok", "warn", "bad", "mute")
TEXT = [
    *[("ink", surface) for surface in ("surface", "canvas", "accent-bg")],
    *[("ink-2", surface) for surface in ("surface", "canvas", "sunken", "accent-bg")],
    *[("ink-3", surface) for surface in ("surface", "canvas", "sunken", "hover", "accent-bg")],
    *[("accent", surface) for surface in ("surface", "canvas", "accent-bg")],
    *[("on-accent", fill) for fill in ("accent-fill", "danger-fill")],
    *[
        (tone, surface)
        for tone in TONES
        for surface in ("surface", "canvas", "sunken", "hover", f"{tone}-bg")
    ],
    *[("ink", f"stage-{step}") for step in (1, 2, 3, 4)],
    *[("ink", f"{tone}-line") for tone in ("ok", "run", "warn", "bad", "mute")],
    *[("ink-2", f"{tone}-bg") for tone in TONES],
    *[("ink-3", f"{tone}-bg") for tone in ("warn", "bad", "wait")],
]
MARKS = [
    ("control", "surface"),
    ("control", "sunken"),
    ("accent-fill", "surface"),
    ("accent", "surface"),
    *[(f"{tone}-fill", "surface") for tone in TONES],
    ("stage-4", "surface"),
    ("stage-5", "surface"),
]


def tokens():
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", CSS.read_text())
    return {name: {"light": light, "dark": dark} for name, light, dark in pairs}


def luminance(colour):
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), TEXT)
def test_text_has_a_contrast_of_at_least_four_and_a_half(front, back, theme):
    known = tokens()
    assert contrast(known[front][theme], known[back][theme]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), MARKS)
def test_marks_and_borders_of_fields_have_a_contrast_of_at_least_three(front, back, theme):
    known = tokens()
    assert contrast(known[front][theme], known[back][theme]) >= 3


def test_contrast_is_reckoned_as_wcag_does():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_themes_differ_in_colours_alone():
    """Therefore the tests in the browser ask of the second theme only whether it can be read."""
    css = CSS.read_text()

    named = re.findall(r"[^\n{;]*{?[^\n{;]*(?:color-scheme|data-theme)[^\n;}]*", css)
    chosen = re.findall(r"light-dark\((.{3})", css)

    assert [words.strip() for words in named] == [
        "color-scheme:light dark",
        ":root[data-theme=light]{color-scheme:light",
        ":root[data-theme=dark]{color-scheme:dark",
    ]
    assert {words for words in chosen if words[0] != "#"} == {"rgb"}
