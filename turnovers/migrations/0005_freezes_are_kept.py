"""The history of freezes and of exceptions from them is kept as all other history is."""

from django.db import migrations

from releasemgr.workflow.keeping import forget, keep

KEPT = ["trains_historicalfreeze", "turnovers_historicalfreezeexception"]


class Migration(migrations.Migration):
    dependencies = [("turnovers", "0004_exceptions_from_freezes")]
    operations = [migrations.RunPython(keep(KEPT), forget(KEPT))]
