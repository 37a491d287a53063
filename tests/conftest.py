"""What every test may rely on."""

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management.sql import emit_post_migrate_signal
from django.db import DEFAULT_DB_ALIAS, connection


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip the tests that need a server which this run does not have."""
    if item.get_closest_marker("postgres") and connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: DATABASE_URL=postgres://…")
    if item.get_closest_marker("redis") and not settings.BROKER_URL.startswith("redis"):
        pytest.skip("needs Redis: BROKER_URL=redis://…")


@pytest.fixture
def as_installed():
    """What every installation begins with; a transactional test before may have emptied all tables.

    This is how ``migrate`` ends; beginning it takes seconds, to find that no migration is left.
    """
    emit_post_migrate_signal(
        verbosity=0, interactive=False, db=DEFAULT_DB_ALIAS, apps=apps, plan=[]
    )
