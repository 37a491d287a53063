"""What a request is to a view: its type behind a guard, and the numbers in it."""

from django.http import HttpRequest

from releasemgr.accounts.models import User


class UserRequest(HttpRequest):
    """A request behind ``login_required``."""

    user: User


LARGEST_KEY = 2**63 - 1


def number(text: str | None) -> int | None:
    """The number, such as a key, that an address or a form holds; what is not one is none."""
    digits = text or ""
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(LARGEST_KEY))):
        return None
    value = int(digits)
    return value if value <= LARGEST_KEY else None
