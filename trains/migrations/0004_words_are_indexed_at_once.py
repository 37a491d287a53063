"""Searches no longer read a list of words that are yet to be sorted into PostgreSQL's index.

After an import that list is long: the planner sees it and looks at every open train instead.
"""

from django.db import migrations

INDEXES = ("trains_name_words", "trains_version_words", "trains_purpose_words")


def sort_in_at_once(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in INDEXES:
            schema_editor.execute(f"ALTER INDEX {name} SET (fastupdate = off)")
            schema_editor.execute(f"SELECT gin_clean_pending_list('{name}')")


def sort_in_later(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in INDEXES:
            schema_editor.execute(f"ALTER INDEX {name} RESET (fastupdate)")


class Migration(migrations.Migration):
    dependencies = [("trains", "0003_freezes")]
    operations = [migrations.RunPython(sort_in_at_once, sort_in_later)]
