"""What the exchange format says of a single field."""

from __future__ import annotations

from dataclasses import dataclass

#: What becomes of a value that has no field here.
KEPT = "kept"


@dataclass(frozen=True)
class Field:
    """A field of an object: ``type`` is a plain type, another object's name, or a list: ``x[]``."""

    name: str
    type: str
    use: str
    required: bool = False


def must(name: str, type_: str, use: str) -> Field:
    return Field(name, type_, use, required=True)


def may(name: str, type_: str, use: str = KEPT) -> Field:
    return Field(name, type_, use)
