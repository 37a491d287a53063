"""Sending: claim a letter, ask again whether it is needed, hand it to the mail server, say so.

A claim is committed before the mail server is touched, and lasts for a lease. A worker that dies
before the server has answered has sent nothing, or something of which we cannot know: the letter
is sent again when the lease has ended, under the same Message-ID. In every other case it is sent
once.
"""

from __future__ import annotations

import datetime as dt
import logging
import smtplib
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.message import BadHeaderError
from django.db import transaction

from releasemgr.accounts.models import User
from releasemgr.notices import clock
from releasemgr.notices.events import Way
from releasemgr.notices.mail import compose
from releasemgr.notices.models import Letter, LetterState, Notice, Preferences

if TYPE_CHECKING:
    from releasemgr.accounts.models import User as Person

logger = logging.getLogger(__name__)

#: The pause before the next try doubles from the first to the longest; then it is given up.
FIRST_PAUSE, LONGEST_PAUSE = dt.timedelta(minutes=1), dt.timedelta(hours=1)
MOST_ATTEMPTS = 12
#: From here on a mail server's answer is for good.
PERMANENT = 500
#: What is wrong with our own settings is mended by somebody, so it is tried again.
OURS = (
    smtplib.SMTPAuthenticationError,
    smtplib.SMTPConnectError,
    smtplib.SMTPHeloError,
    smtplib.SMTPSenderRefused,
)
#: As much of a server's answer as is kept.
MOST_PROBLEM = 1000


class Refused(Exception):
    """The mail server will not take this letter, now or later."""


def send(slice_seconds: float | None = None) -> bool:
    """Send what is due, for a part of a lease; True where more is left.

    One connection to the mail server serves all of it.
    """
    until = time.monotonic() + (slice_seconds or settings.LEASE_SECONDS / 4)
    server = get_connection()
    try:
        while (letter := claim()) is not None:
            deliver(letter, server)
            if time.monotonic() >= until:
                return Letter.objects.to_send(clock.now()).exists()
    finally:
        _hang_up(server)
    return False


def claim() -> Letter | None:
    """Take the letter that has been due for longest; None where none is."""
    with transaction.atomic():
        now = clock.now()
        due: Any = Letter.objects.to_send(now).order_by("not_before", "pk")
        letter: Letter | None = due.select_for_update(skip_locked=True, no_key=True).first()
        if letter is None:
            return None
        letter.attempts += 1
        Letter.objects.filter(pk=letter.pk).update(
            state=LetterState.SENDING,
            lease_until=now + dt.timedelta(seconds=settings.LEASE_SECONDS),
            attempts=letter.attempts,
        )
    return letter


def deliver(letter: Letter, server: Any) -> None:
    """Send one claimed letter, or say what became of it."""
    now = clock.now()
    if letter.attempts > MOST_ATTEMPTS:
        # Whoever had it died each time before there was an answer.
        _settle(letter, LetterState.GIVEN_UP, "It was begun too often and never ended.", now)
        return
    letter.person = User.objects.get(pk=letter.person_id)
    chosen = Preferences.of([letter.person])[letter.person_id]
    notices = list(letter.notices.order_by("until", "until_day", "at", "pk"))
    needed = [n for n in notices if is_needed(n, chosen, letter.person)]
    if not needed or not letter.person.email:
        _settle(letter, LetterState.DROPPED, "Nobody needs it any more.", now)
        return
    later = _not_now(letter, needed, chosen, now)
    if later > now:
        _put_off(letter, later, "", attempts=letter.attempts - 1)
        return
    try:
        _hand_over(letter, needed, server)
    except Refused as refused:
        logger.warning("Letter %s is given up: %s", letter.pk, refused)
        _settle(letter, LetterState.GIVEN_UP, str(refused), clock.now())
    except Exception as problem:  # noqa: BLE001 -- one letter must not stop the others
        _try_again(letter, f"{type(problem).__name__}: {problem}", server)
    else:
        _settle(letter, LetterState.SENT, "", clock.now())


def is_needed(notice: Notice, chosen: Preferences, person: Person) -> bool:
    """Whether it is still so, and still to be told, and to this person."""
    event = notice.what
    if event is None or not person.is_active or chosen.way(event, person) in {Way.NONE, Way.APP}:
        return False
    row = apps.get_model(notice.kind)._default_manager.filter(pk=notice.row_id).first()
    return row is not None and bool(event.still(row, [person]))


def _not_now(
    letter: Letter, notices: list[Notice], chosen: Preferences, now: dt.datetime
) -> dt.datetime:
    """When it may come: now, or at the end of the quiet hours; a digest is never urgent."""
    if letter.digest_day is not None:
        return chosen.hours(letter.person).soonest(now)
    return min(chosen.soonest(notice.what, letter.person, now) for notice in notices)


def _hand_over(letter: Letter, notices: list[Notice], server: Any) -> None:
    """Raises ``Refused`` where another try cannot help."""
    try:
        mail = compose(letter, notices)
        server.open()  # once for many letters: what is open stays so
        server.send_messages([mail])
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException) as answer:
        if _is_permanent(answer):
            raise Refused(_words_of(answer)) from answer
        raise
    except (BadHeaderError, UnicodeError, ValueError) as wrong:
        raise Refused(f"It cannot be written as a mail: {wrong}") from wrong


def _is_permanent(answer: Exception) -> bool:
    if isinstance(answer, smtplib.SMTPRecipientsRefused):
        return all(code >= PERMANENT for code, _ in answer.recipients.values())
    return not isinstance(answer, OURS) and getattr(answer, "smtp_code", 0) >= PERMANENT


def _words_of(answer: Exception) -> str:
    if isinstance(answer, smtplib.SMTPRecipientsRefused):
        said = [f"{code} {_text(words)}" for code, words in answer.recipients.values()]
        return "; ".join(said)
    return f"{getattr(answer, 'smtp_code', '')} {_text(getattr(answer, 'smtp_error', ''))}"


def _text(words: Any) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)


def _try_again(letter: Letter, problem: str, server: Any) -> None:
    _hang_up(server)  # what went wrong may be the connection
    now = clock.now()
    if letter.attempts >= MOST_ATTEMPTS:
        logger.warning("Letter %s is given up after %s tries.", letter.pk, letter.attempts)
        _settle(letter, LetterState.GIVEN_UP, problem, now)
        return
    logger.warning("Letter %s was not sent and will be tried again: %s", letter.pk, problem)
    _put_off(letter, now + pause_after(letter.attempts), problem, attempts=letter.attempts)


def pause_after(attempts: int) -> dt.timedelta:
    """How long to wait before the next try."""
    return min(FIRST_PAUSE * (1 << min(attempts - 1, 10)), LONGEST_PAUSE)


def _settle(letter: Letter, state: LetterState, problem: str, now: dt.datetime) -> None:
    """Say how it ended, unless somebody else has it since: the number of tries is the fence."""
    _of_this_try(letter).update(
        state=state, lease_until=None, ended_at=now, problem=problem[:MOST_PROBLEM]
    )


def _put_off(letter: Letter, until: dt.datetime, problem: str, *, attempts: int) -> None:
    _of_this_try(letter).update(
        state=LetterState.WAITING,
        lease_until=None,
        not_before=until,
        hinted_at=None,
        attempts=attempts,
        problem=problem[:MOST_PROBLEM],
    )


def _of_this_try(letter: Letter) -> Any:
    return Letter.objects.filter(pk=letter.pk, state=LetterState.SENDING, attempts=letter.attempts)


def _hang_up(server: Any) -> None:
    with suppress(smtplib.SMTPException, OSError):
        server.close()
