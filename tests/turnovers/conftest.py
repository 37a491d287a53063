import pytest

from releasemgr.accounts.roles import (
    DEVELOPER,
    PRODUCT_OWNER,
    RELEASE_ENGINEER,
    RELEASE_MANAGER,
)
from tests.factories import EnvironmentFactory, TurnoverFactory, UserFactory


@pytest.fixture
def developer():
    return UserFactory(username="dev", first_name="Dana", role=DEVELOPER)


@pytest.fixture
def engineer():
    return UserFactory(username="eng", first_name="Edo", role=RELEASE_ENGINEER)


@pytest.fixture
def manager():
    return UserFactory(username="man", first_name="Mona", role=RELEASE_MANAGER)


@pytest.fixture
def as_developer(client, developer):
    client.force_login(developer)
    return client


@pytest.fixture
def as_engineer(client, engineer):
    client.force_login(engineer)
    return client


@pytest.fixture
def as_manager(client, manager):
    client.force_login(manager)
    return client


@pytest.fixture
def turnover(developer):
    return TurnoverFactory(
        title="Nova to staging", author=developer, environment=EnvironmentFactory(name="stg-eu")
    )


@pytest.fixture
def as_owner(client):
    """Somebody who looks at turnovers and writes none."""
    client.force_login(UserFactory(role=PRODUCT_OWNER))
    return client
