"""Where receivers of automated tasks call back; programs, whom their address lets in."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from turnovers import callbacks

if TYPE_CHECKING:
    from django.http import HttpRequest


@csrf_exempt
@never_cache
@require_POST
def callback(request: HttpRequest, token: str) -> HttpResponse:
    """Take what a receiver says about its end, once."""
    if _length(request) > callbacks.MOST_BODY:
        return _say("Send no more than 256 kB.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    # A form would be read before it is looked at, and is nothing that we ask for.
    if (request.content_type or "").startswith(("multipart/", "application/x-www-form-urlencoded")):
        return _say("Send JSON.", HTTPStatus.BAD_REQUEST)
    try:
        is_first = callbacks.receive(token, request.body, request.headers)
    except callbacks.NoSuchAddress:
        return _say("There is no such address.", HTTPStatus.NOT_FOUND)
    except callbacks.NotSigned as error:
        return _say(str(error), HTTPStatus.UNAUTHORIZED)
    except callbacks.NotUnderstood as error:
        return _say(str(error), HTTPStatus.BAD_REQUEST)
    return _say("taken" if is_first else "already", HTTPStatus.OK)


def _length(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() else 0


def _say(words: str, status: HTTPStatus) -> HttpResponse:
    return HttpResponse(f"{words}\n", content_type="text/plain; charset=utf-8", status=status)
