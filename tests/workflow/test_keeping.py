"""PostgreSQL itself refuses to change or delete what was recorded."""

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from approvals.models import Decision
from releasemgr.workflow.edit import edit
from tests.factories import SignoffFactory, TaskRunFactory, TrainFactory, UserFactory
from trains.models import PlanContent, PlanVersion, TemplateVersion
from turnovers.models import Attempt, LateWord, Note

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


def refused(change):
    with pytest.raises(IntegrityError, match="never rewritten"), transaction.atomic():
        change()


def test_every_history_table_has_both_triggers():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgname LIKE 'rows_%%'"
        )
        found = set(cursor.fetchall())
    kept = [model for model in apps.get_models() if hasattr(model, "instance_type")]
    kept += [Decision, Attempt, LateWord, Note, TemplateVersion, PlanContent, PlanVersion]
    tables = [model._meta.db_table for model in kept]
    triggers = ("rows_are_kept", "rows_stay_as_they_are")
    assert found == {(table, name) for table in tables for name in triggers}


def test_history_is_written_but_never_rewritten():
    train = TrainFactory()
    edit(train, by=UserFactory(), name="Renamed")
    entry = train.history.latest()
    entry.history_change_reason = "Another"
    refused(entry.save)
    refused(entry.delete)
    assert train.history.count() == 2


def test_a_decision_stands():
    person, signoff = UserFactory(), SignoffFactory()
    decision = Decision.objects.create(
        signoff=signoff, round=1, level_number=1, person=person, verdict="approve", digest="d"
    )
    decision.verdict = "reject"
    refused(decision.save)
    refused(decision.delete)


def test_an_attempt_is_ended_once():
    attempt = Attempt.objects.create(
        task_run=TaskRunFactory(), fence=1, key="k", worker="w", claimed_at=timezone.now()
    )
    attempt.ended_at, attempt.outcome = timezone.now(), "succeeded"
    attempt.save()
    attempt.outcome = "failed"
    refused(attempt.save)
    refused(attempt.delete)
