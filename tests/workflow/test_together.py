"""Tables that a migration makes together."""

import pytest
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState

from releasemgr.workflow.together import Together


def model(name, other):
    to_other = models.ForeignKey(f"trains.{other}", models.PROTECT, null=True)
    fields = [("id", models.BigAutoField(primary_key=True)), ("other", to_other)]
    return migrations.CreateModel(name=name, fields=fields)


@pytest.mark.django_db(transaction=True)
def test_tables_in_a_circle_are_made_and_taken_away():
    circle = Together([model("Hen", "Egg"), model("Egg", "Hen")])
    before = ProjectState()
    assert not before.apps.get_models()
    after = before.clone()
    circle.state_forwards("trains", after)
    assert {each.__name__ for each in after.apps.get_models()} == {"Hen", "Egg"}
    tables = {"trains_hen", "trains_egg"}
    with connection.schema_editor() as editor:
        circle.database_forwards("trains", editor, before, after)
    try:
        assert tables <= set(connection.introspection.table_names())
    finally:
        with connection.schema_editor() as editor:
            circle.database_backwards("trains", editor, after, before)
    assert not tables & set(connection.introspection.table_names())
    assert circle.describe() == "Create models Hen, Egg"


def test_it_is_written_down_as_it_was_given():
    circle = Together([model("Hen", "Egg")])
    name, arguments, named = circle.deconstruct()
    assert (name, named) == ("Together", {})
    assert arguments == [circle.operations]
