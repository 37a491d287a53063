"""Lists of trains cost the same after ten years: what is over is told apart by its own column.

PostgreSQL finds words within names by their trigrams; SQLite reads the names.
"""

from django.conf import settings
from django.db import migrations, models

WORDS = {
    "trains_name_words": "UPPER(name::text)",
    "trains_version_words": "UPPER(version_name::text)",
    "trains_purpose_words": "UPPER(purpose::text)",
}


def fill(apps, schema_editor):
    trains = apps.get_model("trains", "Train")
    trains.objects.filter(state__in=["closed", "cancelled"]).update(is_past=True)


def add_words(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        for name, words in WORDS.items():
            schema_editor.execute(
                f"CREATE INDEX {name} ON trains_train USING gin (({words}) gin_trgm_ops)"
            )


def drop_words(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in WORDS:
            schema_editor.execute(f"DROP INDEX {name}")


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0001_initial"),
        ("trains", "0006_plan_versions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="historicaltrain",
            name="is_past",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name="train",
            name="is_past",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="train",
            index=models.Index(fields=["is_past", "end", "id"], name="trains_by_end"),
        ),
        migrations.AddIndex(
            model_name="train",
            index=models.Index(fields=["is_past", "name", "id"], name="trains_by_name"),
        ),
        migrations.AddIndex(
            model_name="train",
            index=models.Index(fields=["is_past", "state", "end", "id"], name="trains_by_stage"),
        ),
        migrations.AddIndex(
            model_name="train",
            index=models.Index(
                fields=["manager", "is_past", "end", "id"], name="trains_of_manager"
            ),
        ),
        migrations.AddIndex(
            model_name="train",
            index=models.Index(
                fields=["release_type", "is_past", "end", "id"], name="trains_of_type"
            ),
        ),
        migrations.RunPython(add_words, drop_words),
    ]
