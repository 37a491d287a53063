"""Signing in under a throttle, and what people set for themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from releasemgr.accounts.models import SignInAttempt
from releasemgr.accounts.querysets import WINDOW
from releasemgr.workflow.edit import edit, remove
from releasemgr.workflow.rules import Blocker

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from releasemgr.accounts.models import Deputy, User

ALLOWED_FAILURES = 5
#: Where failures are counted of those who are signed in and give their password once more.
SIGNING = "signing"


class SignInLocked(Exception):
    """Too many failures for this name from this address. ``until`` says when it opens again."""

    def __init__(self, until: dt.datetime) -> None:
        self.until = until
        super().__init__(f"Locked until {until:%H:%M}.")


def begin_sign_in(name: str, address: str) -> int:
    """Count an attempt before its password is looked at, and return how many are left after it.

    Counting first means that a hundred simultaneous guesses get no more than the five.
    Raises ``SignInLocked``; an attempt under a lock does not prolong it.
    """
    now = timezone.now()
    name, address = _key(name, address)
    SignInAttempt.objects.past(now).delete()
    attempt = SignInAttempt.objects.create(name=name, address=address, at=now)
    counted = SignInAttempt.objects.of(name, address).recent(now).order_by("-at", "-pk")
    others = [at for pk, at in counted.values_list("pk", "at") if pk != attempt.pk]
    if len(others) >= ALLOWED_FAILURES:
        attempt.delete()
        raise SignInLocked(others[ALLOWED_FAILURES - 1] + WINDOW)
    return ALLOWED_FAILURES - 1 - len(others)


def forget_failures(name: str, address: str) -> None:
    """After somebody signed in, their failures count no longer."""
    SignInAttempt.objects.of(*_key(name, address)).delete()


def password_is_right(user: User, password: str) -> bool:
    """Whether it is this person's password; wrong ones count as failures of their own.

    Raises ``SignInLocked`` after too many of them.
    """
    begin_sign_in(user.username, SIGNING)
    if not user.check_password(password):
        return False
    forget_failures(user.username, SIGNING)
    return True


def keep_settings(user: User, *, time_zone: str, theme: str, single_keys: bool) -> None:
    """Store what a person chose for themselves, and nothing else of the row."""
    user.time_zone, user.theme, user.single_keys = time_zone, theme, single_keys
    user.save(update_fields=["time_zone", "theme", "single_keys"])


def keep_theme(user: User, theme: str) -> None:
    """Store light, dark or "as my device"."""
    user.theme = theme
    user.save(update_fields=["theme"])


def end_deputy(deputy: Deputy, *, by: User) -> None:
    """The deputy decides no longer: from now on, or not at all where it has not begun.

    Raises ``TransitionRefused`` where the period is over.
    """
    now = timezone.now()
    if deputy.starts >= now:
        remove(deputy, by=by, reason="Taken back before it began", allowed=_it_has_an_end_ahead)
    else:
        edit(deputy, by=by, reason="Ended early", allowed=_it_has_an_end_ahead, ends=now)


def _it_has_an_end_ahead(deputy: Deputy) -> Iterator[Blocker]:
    if deputy.is_over:
        yield Blocker(f"{deputy} is over", now="It ended by itself, or was ended already.")


def _key(name: str, address: str) -> tuple[str, str]:
    """What failures are counted under; a name differs by more than its capitals."""
    return name.casefold()[:150], address[:45]
