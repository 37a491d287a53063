import pytest

from releasemgr.accounts.models import User
from releasemgr.exchange.services import import_file
from tests.exchange.files import written


@pytest.fixture
def take(tmp_path):
    """Take data in as somebody would; answers with the plan."""

    def take_in(data, *, rehearse=False, by=None):
        by = by or User.objects.robot()
        said = []
        plan = import_file(
            written(tmp_path, data),
            by=by,
            max_bytes=10**7,
            rehearse=rehearse,
            progress=lambda percent, words: said.append(percent),
        )
        assert said == sorted(said)
        assert said[-1] == 100
        return plan

    return take_in
