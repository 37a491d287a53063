"""A field of ours and its words in the file: read from an object, and written back."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from releasemgr.exchange.reader import LONGEST_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from releasemgr.exchange.places import Object


class Unfit(Exception):
    """A value cannot be taken as it is; ``instead`` is what stands here for it."""

    def __init__(self, why: str, instead: Any) -> None:
        super().__init__(why)
        self.instead = instead


@dataclass(frozen=True)
class Held:
    """A field of ours: ``read`` makes its value of the object, ``write`` the other way round."""

    attr: str
    read: Callable[[Object], Any]
    write: Callable[[Any, Object], Object] = lambda value, raw: {}
    #: The kind whose id ``read`` answers with, where the field refers to another row.
    refers_to: str = ""


def fitted(text: str, longest: int) -> str:
    """The text, or as much of it as the field holds."""
    if len(text) > longest:
        raise Unfit(f"longer than {longest} characters: shortened", text[: longest - 1] + "…")
    return text


def text(name: str, longest: int, attr: str = "") -> Held:
    return Held(
        attr or name,
        lambda raw: fitted(raw.get(name, ""), longest),
        lambda value, raw: {name: value} if value else {},
    )


def same(name: str, attr: str = "", empty: Any = None) -> Held:
    """A value that both sides write alike."""
    return Held(
        attr or name,
        lambda raw: raw.get(name, empty),
        lambda value, raw: {name: value} if value not in (None, empty) else {},
    )


def date(name: str, attr: str = "") -> Held:
    return Held(
        attr or name,
        lambda raw: dt.date.fromisoformat(raw[name]) if name in raw else None,
        lambda value, raw: {name: value.isoformat()} if value else {},
    )


def moment_of(raw: Object, name: str) -> dt.datetime | None:
    return dt.datetime.fromisoformat(raw[name]) if name in raw else None


def moment(name: str, attr: str) -> Held:
    return Held(
        attr,
        lambda raw: moment_of(raw, name),
        lambda value, raw: {name: value.isoformat(timespec="seconds")} if value else {},
    )


def reference(name: str, kind: str) -> Held:
    return Held(
        name,
        lambda raw: raw.get(name),
        lambda value, raw: {name: value} if value else {},
        refers_to=kind,
    )


def one_of(name: str, words: Sequence[str], usual: str) -> Held:
    """A word of a list; another one is told, and the usual one stands here."""

    def read(raw: Object) -> str:
        if raw.get(name, usual) not in words:
            raise Unfit(f"not one of {', '.join(words)}: {usual} stands there", usual)
        return str(raw.get(name, usual))

    return Held(name, read, lambda value, raw: {name: value})


def number(name: str, allowed: range, usual: int, attr: str = "") -> Held:
    """A whole number within bounds; beyond them, the usual one stands here."""

    def read(raw: Object) -> int:
        value = int(raw.get(name, usual))
        if value not in allowed:
            bounds = f"{allowed.start} to {allowed.stop - 1:,}"
            raise Unfit(f"not from {bounds}: {usual} stands there", usual)
        return value

    return Held(attr or name, read, lambda value, raw: {name: value} if value != usual else {})


def web_address(url: str, longest: int) -> str:
    """The address, where it is one that a link can lead to."""
    if not url:
        return ""
    if len(url) > longest:
        raise Unfit(f"longer than {longest} characters: no link", "")
    try:
        URLValidator(schemes=["http", "https"])(url)
    except ValidationError:
        raise Unfit("not a web address: no link", "") from None
    return url


def values_of(held: tuple[Held, ...], raw: Object) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What our fields hold of the object, and (field, why) of what could not be taken as it is."""
    values, unfit = {}, []
    for one in held:
        try:
            values[one.attr] = one.read(raw)
        except Unfit as found:
            values[one.attr] = found.instead
            unfit.append((one.attr, str(found)))
    return values, unfit


def with_changes(held: tuple[Held, ...], raw: Object, values: dict[str, Any]) -> Object:
    """What the file said, with our ``values`` where they are not what was made of it."""
    before, _ = values_of(held, raw)
    said = dict(raw)
    for one in held:
        value = values[one.attr]
        if value != before[one.attr] and (value is not None or not one.refers_to):
            for name in one.write(before[one.attr], raw):
                said.pop(name, None)
            said |= one.write(value, raw)
    return said


def known_by(holder: str, own: str) -> str:
    """The id of what is only named within its holder; short enough to be stored."""
    whole = f"{holder}#{own}"
    return whole if len(whole) <= LONGEST_ID else hashlib.sha256(whole.encode()).hexdigest()
