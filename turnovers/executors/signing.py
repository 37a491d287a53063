"""Standard Webhooks: how a request says that it comes from us, and how we check a call back."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "whsec_"
VERSION = "v1"
#: A signature is believed so long before and after the moment that it names.
TOLERANCE_SECONDS = 5 * 60


def signed(body: bytes, *, key: str, secret: str, at: float | None = None) -> dict[str, str]:
    """The three headers of Standard Webhooks; raises ``ValueError`` for a key that is none."""
    moment = str(int(time.time() if at is None else at))
    return {
        "Webhook-Id": key,
        "Webhook-Timestamp": moment,
        "Webhook-Signature": f"{VERSION},{_signature(body, key, moment, secret)}",
    }


def is_signed(body: bytes, headers: Mapping[str, str], *, secret: str) -> bool:
    """Whether these headers sign that body, and did so just now."""
    key, moment = headers.get("Webhook-Id", ""), headers.get("Webhook-Timestamp", "")
    if not (key and moment.isascii() and moment.isdigit() and len(moment) < len("1" * 13)):
        return False
    if abs(time.time() - int(moment)) > TOLERANCE_SECONDS:
        return False
    wanted = f"{VERSION},{_signature(body, key, moment, secret)}".encode()
    given = headers.get("Webhook-Signature", "").split()
    return any(hmac.compare_digest(wanted, one.encode()) for one in given)


def _signature(body: bytes, key: str, moment: str, secret: str) -> str:
    message = f"{key}.{moment}.".encode() + body
    return base64.b64encode(hmac.digest(_key(secret), message, hashlib.sha256)).decode()


def _key(secret: str) -> bytes:
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"the signing secret begins with {PREFIX} and is not Base64") from error
