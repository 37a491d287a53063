"""The words, shapes and tones of every state: one source, on the enum that declares the state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from typing import Self

#: What a tone says, from quiet to loud. Colour is never alone: each state has a word and a glyph.
TONES = {
    "mute": "not started, or over",
    "run": "in progress or scheduled",
    "wait": "waits for a person who is not you",
    "you": "waits for you",
    "ok": "done, good",
    "warn": "at risk, waived, undone",
    "bad": "failed, refused, blocked",
}


class Status(models.TextChoices):
    """A state that people read: value, tone, glyph, meaning and, last, its word.

    ``DRAFT = "draft", "mute", "draft", "Editable; nobody waits", "Being defined"``
    """

    tone: str
    glyph: str
    meaning: str

    if not TYPE_CHECKING:  # mypy takes the arguments of an enum's __new__ for those of a look-up

        def __new__(cls, value: str, tone: str, glyph: str, meaning: str) -> Self:
            member = str.__new__(cls, value)
            member._value_ = value
            member.tone = tone
            member.glyph = glyph
            member.meaning = meaning
            return member
