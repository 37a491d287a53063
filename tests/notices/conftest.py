import datetime as dt

import pytest
import time_machine

from releasemgr.accounts.roles import (
    DEVELOPER,
    PRODUCT_OWNER,
    RELEASE_ENGINEER,
    RELEASE_MANAGER,
)
from tests.factories import UserFactory
from tests.notices.sink import listening
from tests.turnovers.engine.clock import DatabaseClock


@pytest.fixture(scope="session")
def server():
    with listening() as sink:
        yield sink


@pytest.fixture
def sink(server, settings):
    """A mail server that has taken nothing yet."""
    server.taken, server.refuses, server.answer, server.drops = [], {}, None, 0
    server.connections = 0
    server.has_come.clear()
    server.may_answer.set()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    return server


@pytest.fixture
def clock(db):
    """The database's clock and the machine's, in the hands of a test."""
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as machine:
        clock = DatabaseClock()
        both = clock.set

        def go_to(moment):
            both(moment)
            machine.move_to(moment)

        clock.set = go_to
        yield clock
        clock.release()


@pytest.fixture
def manager():
    return UserFactory(username="man", first_name="Mona", role=RELEASE_MANAGER)


@pytest.fixture
def engineer():
    return UserFactory(username="eng", first_name="Edo", role=RELEASE_ENGINEER)


@pytest.fixture
def owner():
    return UserFactory(username="own", first_name="Olga", role=PRODUCT_OWNER)


@pytest.fixture
def developer():
    return UserFactory(username="dev", first_name="Dana", role=DEVELOPER)
