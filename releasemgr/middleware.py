"""What every request meets before it reaches a view: health, proxies, policy headers."""

from __future__ import annotations

from http import HTTPStatus
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare

from releasemgr.operations import counters, health, metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    Answer = Callable[[HttpRequest], HttpResponseBase]


class HealthMiddleware:
    """Answer ``/healthz`` (the process lives), ``/readyz`` (all can do its work) and ``/metrics``.

    First in the row, so that a probe needs no host name, no session and no TLS.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info == "/healthz":
            return HttpResponse("ok", content_type="text/plain")
        if request.path_info == "/readyz":
            return self.readiness(request)
        if request.path_info == "/metrics" and shows(request, settings.METRICS_TOKEN):
            text = metrics.exposition(counters.counters())
            return HttpResponse(text, content_type=metrics.CONTENT_TYPE)
        return self.get_response(request)

    def readiness(self, request: HttpRequest) -> HttpResponse:
        """Say how each of the parts is; 503 while one is missing that we cannot do without."""
        parts = health.parts()
        answer: dict[str, Any] = {part.name: part.word for part in parts}
        if shows(request, settings.HEALTH_TOKEN) or is_from_here(request):
            answer["detail"] = {part.name: part.detail for part in parts if part.detail}
        status = HTTPStatus.OK if health.is_ready(parts) else HTTPStatus.SERVICE_UNAVAILABLE
        return JsonResponse(answer, status=status)


def shows(request: HttpRequest, token: str) -> bool:
    """Whether the request carries the token; nobody does where none is set."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    return bool(token) and constant_time_compare(given, token)


def is_from_here(request: HttpRequest) -> bool:
    """Whether somebody on this machine asks, and not through a proxy on it."""
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


class TrustedProxyMiddleware:
    """Believe ``X-Forwarded-*`` from the proxies we know, and from nobody else.

    Django's ``SECURE_PROXY_SSL_HEADER`` believes everyone who can reach the port.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        self.trusted = [ip_network(text, strict=False) for text in settings.TRUSTED_PROXIES]

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        forwarded_for = request.META.pop("HTTP_X_FORWARDED_FOR", "")
        scheme = request.META.pop("HTTP_X_FORWARDED_PROTO", "")
        peer = request.META.get("REMOTE_ADDR", "")
        if self.is_trusted(peer):
            request.META["REMOTE_ADDR"] = self.client(peer, forwarded_for)
            if scheme in {"http", "https"}:
                request.META["wsgi.url_scheme"] = scheme
        return self.get_response(request)

    def is_trusted(self, text: str) -> bool:
        try:
            address = ip_address(text)
        except ValueError:
            return False
        return any(address in network for network in self.trusted)

    def client(self, peer: str, forwarded_for: str) -> str:
        """Return the nearest address that is not one of our proxies, reading from the right."""
        for hop in reversed([hop.strip() for hop in forwarded_for.split(",")]):
            try:
                ip_address(hop)
            except ValueError:
                return peer
            peer = hop
            if not self.is_trusted(hop):
                break
        return peer


class PolicyMiddleware(CSPMiddleware):
    """Add ``Content-Security-Policy`` and ``Permissions-Policy``.

    Django's administration pages get a policy of their own, a little looser than ours.
    """

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.resolver_match and request.resolver_match.app_name == "admin":
            parts.replace = settings.ADMIN_CSP_CHANGES
        return parts

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        return super().process_response(request, response)
