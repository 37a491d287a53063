"""What every request gets: a reference number, and an answer in words if it cannot be read."""

from __future__ import annotations

import logging
import uuid
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from django.core.exceptions import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from django.http import HttpRequest, HttpResponse, QueryDict

HEADER = "X-Request-ID"
NUL_SENTENCE = "The request contains a NUL character."

_current: ContextVar[str] = ContextVar("request_id", default="-")


class RequestIdFilter(logging.Filter):
    """Puts the reference number of the request at hand on every log line."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = _current.get()
        return True


class RequestIdMiddleware:
    """Gives each request a reference number: in the log, in the answer, on error pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = uuid.uuid4().hex[:12]
        request.request_id = request_id  # type: ignore[attr-defined]
        token = _current.set(request_id)
        try:
            response = self._get_response(request)
        finally:
            _current.reset(token)
        response[HEADER] = request_id
        return response


class ReadableInputMiddleware:
    """Refuses NUL characters with 400: no text of ours holds one, and PostgreSQL stores none.

    It stands after the CSRF middleware, which has read the form already.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _has_nul([request.path]) or _has_nul(_texts(request.GET)):
            raise BadRequest(NUL_SENTENCE)
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> None:
        """Look at what was posted; JSON and files are the business of who reads them."""
        if _has_nul(_texts(request.POST)):
            raise BadRequest(NUL_SENTENCE)


def _texts(values: QueryDict) -> Iterator[str]:
    for name, texts in values.lists():
        yield name
        yield from texts


def _has_nul(texts: Iterable[str]) -> bool:
    return any("\0" in text for text in texts)
