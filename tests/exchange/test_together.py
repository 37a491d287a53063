"""Two imports at once: one after the other, or one of them later; nothing twice, nothing broken."""

import threading

import pytest
from django.db import connection

from releasemgr.accounts.models import User
from releasemgr.exchange.services import import_file
from releasemgr.workflow.refusals import TransitionRefused
from tests.exchange.files import small, written
from trains.models import Train

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def test_two_imports_of_one_file_make_its_rows_once(tmp_path):
    path, robot = written(tmp_path, small()), User.objects.robot()
    start, outcomes = threading.Barrier(2), []

    def import_it():
        start.wait()
        try:
            import_file(path, by=robot, max_bytes=10**6, rehearse=False, progress=lambda *_: None)
            outcomes.append("done")
        except TransitionRefused:
            outcomes.append("later")
        finally:
            connection.close()

    both = [threading.Thread(target=import_it) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()

    assert "done" in outcomes
    assert len(outcomes) == 2
    assert Train.objects.count() == Train.history.count() == 2
