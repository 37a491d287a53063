"""PostgreSQL's own index of what is within the names of trains; trains/words.py makes SQLite's."""

from django.db import migrations

WORDS = {
    "trains_name_words": "UPPER(name::text)",
    "trains_version_words": "UPPER(version_name::text)",
    "trains_purpose_words": "UPPER(purpose::text)",
}


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
    dependencies = [("trains", "0001_initial")]
    operations = [migrations.RunPython(add_words, drop_words)]
