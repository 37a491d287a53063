"""Copies count as told what their origin says now; what is being built has its baselines."""

from django.db import migrations
from django.db.models import F, OuterRef, Subquery

from releasemgr.workflow.keeping import forget, keep

KEPT = [
    "trains_historicalevidence",
    "trains_historicallibrarycriterion",
    "trains_historicalwaiver",
]


def copies_were_told(apps, schema_editor):
    milestones = apps.get_model("trains", "Milestone").objects.using(schema_editor.connection.alias)
    origins = milestones.filter(pk=OuterRef("origin_id"))
    milestones.filter(origin__isnull=False).update(
        origin_title=Subquery(origins.values("title")[:1]),
        origin_due=Subquery(origins.values("due")[:1]),
    )
    milestones.exclude(train__state__in=["scoping", "awaiting_train"]).update(baseline=F("due"))


class Migration(migrations.Migration):
    dependencies = [("trains", "0003_checks_waivers_evidence")]
    operations = [
        migrations.RunPython(copies_were_told, migrations.RunPython.noop),
        migrations.RunPython(keep(KEPT), forget(KEPT)),
    ]
