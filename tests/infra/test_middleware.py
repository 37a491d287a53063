import json
from types import SimpleNamespace
from unittest.mock import ANY

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from releasemgr.middleware import HealthMiddleware, PolicyMiddleware, TrustedProxyMiddleware


def echo(request):
    return HttpResponse(f"{request.META['REMOTE_ADDR']} {request.scheme}")


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        ("10.0.0.7", "203.0.113.9", "203.0.113.9 https"),
        ("10.0.0.7", "1.1.1.1, 203.0.113.9, 10.0.0.8", "203.0.113.9 https"),
        ("10.0.0.7", "10.0.0.8", "10.0.0.8 https"),
        ("10.0.0.7", "", "10.0.0.7 https"),
        ("10.0.0.7", "not an address\x00", "10.0.0.7 https"),
        ("203.0.113.5", "198.51.100.1", "203.0.113.5 http"),
        ("", "198.51.100.1", " http"),
    ],
)
def test_only_a_known_proxy_can_say_who_asks(settings, peer, forwarded_for, expected):
    settings.TRUSTED_PROXIES = ["10.0.0.0/24"]
    request = RequestFactory().get(
        "/",
        REMOTE_ADDR=peer,
        headers={"X-Forwarded-For": forwarded_for, "X-Forwarded-Proto": "https"},
    )

    assert TrustedProxyMiddleware(echo)(request).content.decode() == expected


def test_a_live_process_says_so_without_looking_further():
    response = HealthMiddleware(echo)(RequestFactory().get("/healthz"))

    assert (response.status_code, response.content) == (200, b"ok")


@pytest.mark.django_db
def test_a_ready_process_names_what_answers():
    response = HealthMiddleware(echo)(RequestFactory().get("/readyz"))

    assert response.status_code == 200
    assert json.loads(response.content) == {
        "database": "ok",
        "broker": "ok",
        "scheduler": "not seen",
        "worker": "not seen",
        "disk": "ok",
        "detail": {"disk": {"free_mb": ANY}},
    }


@pytest.mark.parametrize(
    ("app_name", "style"), [("trains", "'self'"), ("admin", "'self' 'unsafe-inline'")]
)
def test_only_the_administration_has_a_looser_policy(app_name, style):
    request = RequestFactory().get("/")
    request.resolver_match = SimpleNamespace(app_name=app_name)

    response = PolicyMiddleware(echo)(request)

    directives = response["Content-Security-Policy"].split("; ")
    assert f"style-src {style}" in directives
    assert "script-src 'self'" in directives
    assert "camera=()" in response["Permissions-Policy"]
