"""What every test may rely on."""

import pytest
from django.conf import settings
from django.db import connection


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip the tests that need a server which this run does not have."""
    if item.get_closest_marker("postgres") and connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: DATABASE_URL=postgres://…")
    if item.get_closest_marker("redis") and not settings.BROKER_URL.startswith("redis"):
        pytest.skip("needs Redis: BROKER_URL=redis://…")
