"""What the history says of each change: fields by name, values as people read them."""

import datetime as dt

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from releasemgr.ui.changes import tell
from releasemgr.workflow.edit import edit, remove
from releasemgr.workflow.perform import perform
from tests.factories import (
    CriterionFactory,
    EnvironmentFactory,
    TaskFactory,
    TrainFactory,
    UserFactory,
    WorkItemFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager():
    return UserFactory(first_name="Maya", last_name="Olsen")


def told(row):
    """The changes of the newest entry, as (label, before, after)."""
    newest = tell(row.history.order_by("-history_id")[:1])[0]
    return [(change.label, change.before, change.after) for change in newest.changes]


def page(entries):
    return " ".join(render_to_string("ui/_history.html", {"entries": entries}).split())


def test_dates_are_told_as_days_with_the_year_where_it_is_another(manager):
    year = timezone.localdate().year
    train = TrainFactory(end=dt.date(year, 12, 5))
    edit(train, by=manager, end=dt.date(year, 12, 8))
    assert told(train) == [("End", "5 December", "8 December")]
    edit(train, by=manager, end=dt.date(9999, 12, 31))
    assert told(train) == [("End", "8 December", "31 December 9999")]


def test_people_are_told_by_name_and_nobody_as_nothing(manager):
    train = TrainFactory(manager=None)
    edit(train, by=manager, manager=manager)
    assert told(train) == [("Release manager", "nothing", "Maya Olsen")]


def test_choices_and_switches_are_told_by_their_words(manager):
    train = TrainFactory(needs_train_approval=True)
    edit(train, by=manager, health_override="at_risk", needs_train_approval=False)
    assert told(train) == [
        ("Train approval", "yes", "no"),
        ("Status colour", "nothing", "At risk"),
    ]


def test_every_edit_is_compared_with_the_one_before_it(manager):
    train = TrainFactory(name="One")
    for name in ("Two", "Three"):
        edit(train, by=manager, name=name)
    entries = tell(train.history.order_by("-history_id"))
    assert [[(c.before, c.after) for c in entry.changes] for entry in entries] == [
        [("Two", "Three")],
        [("One", "Two")],
        [],
    ]


def test_an_edit_is_compared_with_what_is_not_on_the_page(manager):
    train, other = TrainFactory(name="One"), TrainFactory(name="Other")
    edit(train, by=manager, name="Two")
    edit(other, by=manager, name="Another")
    edit(train, by=manager, name="Three")
    assert told(train) == [("Name", "Two", "Three")]


def test_a_long_text_is_folded(manager):
    train = TrainFactory(purpose="Short.")
    edit(train, by=manager, purpose="First line.\n<b>Second</b> line.")
    html = page(train.history.all())
    assert "<details><summary>Purpose: changed</summary>" in html
    assert "First line.<br>&lt;b&gt;Second&lt;/b&gt; line." in html


def test_parameters_are_told_by_name_and_their_values_stay_out(manager):
    task = TaskFactory(parameters={"url": "https://example.org", "token": "hush-1"})
    edit(task, by=manager, parameters={"url": "https://example.org", "token": "hush-2"})
    html = page(task.history.all())
    assert "Parameters: changed token" in html
    assert "hush" not in html


def test_what_is_technical_is_not_told(manager):
    item = WorkItemFactory(extra={"colour": "red"})
    edit(item, by=manager, extra={"colour": "blue"}, external_id="X-1")
    assert told(item) == []


def test_a_step_tells_what_else_it_changed_but_says_its_state_once():
    criterion = CriterionFactory(owner=(owner := UserFactory(role="Release engineer")))
    perform(criterion, "meet", by=owner, evidence="Load test of Monday")
    assert told(criterion) == [("Evidence", "nothing", "Load test of Monday")]


def test_a_removal_is_told_without_changes(manager):
    item = WorkItemFactory()
    history, pk = type(item).history, item.pk
    remove(item, by=manager)
    html = page(history.filter(id=pk))
    assert "took the step “remove”" not in html
    assert "removed it" in html
    assert "created it" in html


def test_a_record_that_is_gone_since_is_said_to_be(manager):
    environment = EnvironmentFactory(parent=(parent := EnvironmentFactory()))
    edit(environment, by=manager, parent=None)
    remove(parent, by=manager)
    assert told(environment) == [("Parent", "something since removed", "nothing")]


@pytest.mark.parametrize("times", [1, 3])
def test_more_entries_ask_no_more_questions(manager, times, django_assert_num_queries):
    train = TrainFactory()
    for _ in range(times):
        edit(train, by=manager, manager=UserFactory())
    entries = list(train.history.all())
    with django_assert_num_queries(2):
        tell(entries)
