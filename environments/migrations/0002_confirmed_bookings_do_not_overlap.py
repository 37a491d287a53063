"""PostgreSQL's own word that an environment is not held twice.

Shared bookings all have share_key 0; every exclusive one has a number of its own. Two confirmed
bookings of an environment that overlap must have equal keys, so both must be shared. SQLite has no
such constraint: there the guard under the immediate transaction is what refuses.
"""

from django.db import migrations

ADD = """
CREATE EXTENSION IF NOT EXISTS btree_gist;
ALTER TABLE environments_booking ADD CONSTRAINT booking_is_held_once EXCLUDE USING gist (
    environment_id WITH =,
    tstzrange(starts, ends, '[)') WITH &&,
    share_key WITH <>
) WHERE (state = 'confirmed')
"""
DROP = "ALTER TABLE environments_booking DROP CONSTRAINT booking_is_held_once"


def add(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(ADD)


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP)


class Migration(migrations.Migration):
    dependencies = [("environments", "0001_initial")]
    operations = [migrations.RunPython(add, drop)]
