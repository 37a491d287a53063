"""Pages that belong to no app: what went wrong, and the gallery of components."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import Http404
from django.shortcuts import render
from django.views.decorators.csrf import requires_csrf_token
from django.views.decorators.http import require_safe

from releasemgr.ui import gallery
from releasemgr.ui.context import Shell

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

#: Django's own texts for a 403, which say nothing a reader could use.
MUTE = frozenset({"", "Forbidden"})


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: the request itself cannot be read."""
    return render(request, "400.html", status=HTTPStatus.BAD_REQUEST)


@requires_csrf_token
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: who may, in the words of the permission that said no."""
    said = str(exception)
    context = {"reason": "" if said in MUTE else said}
    return render(request, "403.html", context, status=HTTPStatus.FORBIDDEN)


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: nothing here, or nothing that this person may see."""
    return render(request, "404.html", status=HTTPStatus.NOT_FOUND)


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault. Drawn without the shell: what it asks may be what has failed."""
    return render(request, "500.html", status=HTTPStatus.INTERNAL_SERVER_ERROR)


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form without its token, mostly one that was open while somebody signed in or out."""
    return render(request, "403_csrf.html", status=HTTPStatus.FORBIDDEN)


@require_safe
def components(request: HttpRequest) -> HttpResponse:
    """Every state and every component on one page, for those who build or check pages."""
    user = Shell(request).user
    if not (settings.DEBUG or (user and user.is_staff)):
        raise Http404
    return render(request, "ui/gallery.html", gallery.context())
