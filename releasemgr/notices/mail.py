"""What a mail says: plain text and simple HTML, for one notice or for the digest of a day."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from releasemgr.accounts.middleware import zone
from releasemgr.notices.services import one_line
from releasemgr.ui.times import full_day, full_moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from releasemgr.notices.models import Letter, Notice


def absolute(path: str) -> str:
    """A page's address as people outside need it."""
    return f"{settings.BASE_URL}{path}"


def message_id(letter: Letter) -> str:
    """The same for each time that a letter is sent, so that receivers can drop doubles.

    Another installation, such as a restored copy, has others.
    """
    name = hashlib.sha256(f"{settings.INSTANCE_ID}:{letter.pk}".encode()).hexdigest()[:24]
    return f"<notice.{letter.pk}.{name}@{urlsplit(settings.BASE_URL).hostname}>"


def compose(letter: Letter, notices: Sequence[Notice]) -> EmailMultiAlternatives:
    """The mail as it is sent. Times are the person's own."""
    preferences = absolute(reverse("notices:preferences"))
    with timezone.override(zone(letter.person.time_zone)):
        context = {
            "person": letter.person,
            "is_digest": letter.digest_day is not None,
            "day": full_day(letter.digest_day) if letter.digest_day else "",
            "items": [_item(notice) for notice in notices],
            "all": absolute(reverse("notices:list")),
            "preferences": preferences,
        }
    subject = letter.subject
    if letter.digest_day is not None:
        subject = f"Release Manager on {full_day(letter.digest_day)}: {len(notices)} to read"
    mail = EmailMultiAlternatives(
        subject=one_line(subject),
        body=render_to_string("notices/mail.txt", context),
        to=[letter.person.email],
        headers={
            "Message-ID": message_id(letter),
            "List-Unsubscribe": f"<{preferences}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )
    mail.attach_alternative(render_to_string("notices/mail.html", context), "text/html")
    return mail


def _item(notice: Notice) -> dict[str, Any]:
    until = ""
    if notice.until is not None:
        until = full_moment(notice.until)
    elif notice.until_day is not None:
        until = full_day(notice.until_day)
    return {
        "title": one_line(f"{notice.ref} {notice.title}"),
        "words": notice.words,
        "why": notice.what.why if notice.what else "",
        "until": until,
        "url": absolute(notice.url),
    }
