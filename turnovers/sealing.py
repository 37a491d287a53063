"""Sealing: what is stored of a secret, and can be read only with a key of the environment.

AES-GCM with keys that are derived from ``SECRETS_KEYS``. Each text names its key, so that keys can
be replaced in peace, and is bound to its row, so that no row can be given the text of another.

The ciphers are imported when they are needed: they take 7 MB of memory, and most processes never
open a secret.
"""

from __future__ import annotations

import base64
import os
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FORMAT = "1"
NONCE_BYTES = 12


class CannotUnseal(Exception):
    """No key here opens it; the message says so in a sentence."""


def seal(text: str, *, row: str) -> str:
    """Seal with the first key, for that row alone."""
    name, key = _keys()[0]
    nonce = os.urandom(NONCE_BYTES)
    closed = _cipher(key).encrypt(nonce, text.encode(), _bound_to(name, row))
    return f"{FORMAT}.{name}.{base64.b64encode(nonce + closed).decode()}"


def unseal(sealed: str, *, row: str) -> str:
    """Open what ``seal`` made for that row; raises ``CannotUnseal``."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 -- see above

    kind, _, rest = sealed.partition(".")
    name, _, text = rest.partition(".")
    key = dict(_keys()).get(name)
    if kind != FORMAT or key is None:
        raise CannotUnseal("It was sealed with a key that is not in SECRETS_KEYS.")
    try:
        raw = base64.b64decode(text, validate=True)
        opened = _cipher(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound_to(name, row))
    except (InvalidTag, ValueError) as error:
        raise CannotUnseal("What is stored of it was changed, or belongs elsewhere.") from error
    return opened.decode()


def is_newest(sealed: str) -> bool:
    """Whether the first key has sealed it."""
    return sealed.startswith(f"{FORMAT}.{_keys()[0][0]}.")


def _cipher(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 -- see above

    return AESGCM(key)


def _keys() -> tuple[tuple[str, bytes], ...]:
    return _derived(tuple(settings.SECRETS_KEYS))


@lru_cache(maxsize=8)
def _derived(texts: tuple[str, ...]) -> tuple[tuple[str, bytes], ...]:
    """A name and a key for each text."""
    return tuple((_derive(text, "name", 4).hex(), _derive(text, "seal", 32)) for text in texts)


def _derive(text: str, purpose: str, length: int) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 -- see above
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415 -- see above

    info = f"releasemgr secrets {FORMAT} {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(text.encode())


def _bound_to(name: str, row: str) -> bytes:
    return f"{FORMAT} {name} {row}".encode()
