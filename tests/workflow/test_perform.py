"""What perform() promises, whatever the model."""

import threading
from types import SimpleNamespace

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from environments.models import Environment
from releasemgr.accounts.models import User
from releasemgr.workflow.checks import _problems, check_transitions
from releasemgr.workflow.edit import create, edit, remove
from releasemgr.workflow.perform import UnknownStep, perform, restate
from releasemgr.workflow.refusals import Conflict, TransitionRefused
from tests.factories import (
    EnvironmentFactory,
    TaskFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
)
from trains.models import Train
from turnovers.models import DeploymentTask, Turnover

pytestmark = pytest.mark.django_db


@pytest.fixture
def engineer(db):
    return UserFactory(first_name="Rhea", last_name="Sand", role="Release engineer")


@pytest.fixture
def delivered(db):
    turnover = TurnoverFactory()
    TaskFactory(turnover=turnover)
    return perform(turnover, "deliver", by=turnover.author)


# --- Record ---------------------------------------------------------------------------------------


def test_a_step_is_on_record_with_author_step_and_reason(engineer, delivered):
    perform(delivered, "return_to_author", by=engineer, reason="No restore point")

    entry = delivered.history.latest()
    assert (entry.state, entry.transition, entry.actor) == (
        "draft",
        "return_to_author",
        "Rhea Sand",
    )
    assert (entry.history_user, entry.history_change_reason) == (engineer, "No restore point")


def test_the_name_in_the_history_outlives_the_user(engineer, delivered):
    perform(delivered, "return_to_author", by=engineer, reason="No")
    User.objects.filter(pk=engineer.pk).update(first_name="Somebody", last_name="Else")

    assert delivered.history.latest().actor == "Rhea Sand"


def test_later_edits_are_not_stamped_with_the_step(engineer, delivered):
    turnover = perform(delivered, "return_to_author", by=engineer, reason="No")
    turnover.title = "Renamed"
    turnover.save()

    assert list(turnover.history.values_list("transition", flat=True)) == [
        "",
        "return_to_author",
        "deliver",
        "",
    ]


def test_every_step_and_every_edit_makes_a_new_version(engineer, delivered):
    before = delivered.version

    turnover = perform(delivered, "return_to_author", by=engineer, reason="No")
    turnover = edit(turnover, by=turnover.author, title="Better")

    assert turnover.version == before + 2


# --- Refusals -------------------------------------------------------------------------------------


def test_all_that_is_in_the_way_is_said_at_once():
    environment = EnvironmentFactory(name="stage-2", state=Environment.State.OFFLINE)
    turnover = TurnoverFactory(title="T", environment=environment, earliest=None, latest=None)

    with pytest.raises(TransitionRefused) as refused:
        perform(turnover, "deliver", by=turnover.author)

    assert [blocker.title for blocker in refused.value.blockers] == [
        "T has no deployment tasks",
        "T has no window",
        "stage-2 is offline",
    ]
    assert all(blocker.url and blocker.action for blocker in refused.value.blockers)
    assert Turnover.objects.get(pk=turnover.pk).state == "draft"
    assert turnover.history.count() == 1


@pytest.mark.parametrize("reason", ["", "   "])
def test_some_steps_need_a_reason(engineer, delivered, reason):
    with pytest.raises(TransitionRefused, match="Say why"):
        perform(delivered, "return_to_author", by=engineer, reason=reason)


def test_a_step_from_another_state_is_refused_in_words(engineer):
    turnover = TurnoverFactory(title="T")

    with pytest.raises(TransitionRefused, match="T is “Being defined”"):
        perform(turnover, "accept", by=engineer)


def test_a_step_that_is_not_declared_is_unknown(engineer, delivered):
    with pytest.raises(UnknownStep):
        perform(delivered, "delete", by=engineer)


def test_who_may_not_is_told_who_may(delivered):
    with pytest.raises(PermissionDenied, match="Release engineers accept"):
        perform(delivered, "accept", by=UserFactory(role="Developer"))


def test_being_a_superuser_opens_no_step(delivered):
    root = UserFactory(is_superuser=True, is_staff=True)

    with pytest.raises(PermissionDenied):
        perform(delivered, "accept", by=root)


def test_somebody_who_has_left_may_nothing(engineer, delivered):
    engineer.is_active = False

    with pytest.raises(PermissionDenied):
        perform(delivered, "accept", by=engineer)


def test_a_step_upon_an_old_version_is_a_conflict_that_names_the_other(engineer, delivered):
    seen = delivered.version
    edit(delivered, by=UserFactory(first_name="Ana", last_name="Reis"), description="More")

    with pytest.raises(Conflict, match="Ana Reis changed"):
        perform(delivered, "accept", by=engineer, version=seen)


def test_a_row_that_is_gone_is_refused(engineer):
    task = TaskFactory()
    DeploymentTask.objects.filter(pk=task.pk).delete()

    with pytest.raises(TransitionRefused, match="no longer exists"):
        edit(task, by=engineer, title="New")


def test_a_row_that_has_moved_to_other_parents_is_refused(engineer, delivered):
    seen = delivered.environment
    Turnover.objects.filter(pk=delivered.pk).update(environment=EnvironmentFactory())

    with pytest.raises(TransitionRefused, match="Look again"):
        perform(delivered, "accept", by=engineer)

    assert seen.bookings.count() == 0


# --- One door -------------------------------------------------------------------------------------


def test_the_method_alone_is_refused(delivered):
    with pytest.raises(RuntimeError, match="Use perform"):
        delivered.accept()


def test_assigning_a_state_is_refused(delivered):
    with pytest.raises(AttributeError):
        delivered.state = "ready"


def test_update_is_no_back_door(delivered):
    with pytest.raises(RuntimeError, match="perform"):
        Turnover.objects.update(state="ready")


def test_the_database_knows_the_states():
    turnover = Turnover(
        title="T",
        environment=EnvironmentFactory(),
        train=TrainFactory(),
        state="somewhere",
    )

    with pytest.raises(Exception, match="state_is_known"), transaction.atomic():
        turnover.save()


def test_every_step_is_fully_declared():
    assert check_transitions(None) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"source": "nowhere"}, "is not a state"),
        ({"permission": lambda row, user: True}, "names no @permission"),
        ({"conditions": [lambda row: True]}, "not a @guard"),
        ({"custom": {}}, "has no label"),
        ({"custom": {"label": "X", "then": ["turnovers.tasks.gone"]}}, "no turnovers.tasks.gone"),
        ({"custom": {"label": "X", "also": ["trains.services.free_releases"]}}, "another app"),
    ],
    ids=["source", "permission", "guard", "label", "task", "other-app"],
)
def test_a_half_declared_step_stops_the_start(changes, problem):
    step = next(iter(Turnover().get_all_state_transitions()))
    known = {n: getattr(step, n) for n in ("name", "source", "permission", "conditions", "custom")}

    problems = _problems(Turnover, SimpleNamespace(**known | changes))

    assert any(problem in text for text in problems)


# --- Effects --------------------------------------------------------------------------------------


def test_a_dead_broker_does_not_undo_a_step(
    engineer, delivered, settings, django_capture_on_commit_callbacks
):
    settings.CELERY_TASK_ALWAYS_EAGER = False
    turnover = perform(delivered, "accept", by=engineer)

    with django_capture_on_commit_callbacks(execute=False) as callbacks:
        turnover = perform(turnover, "start", by=engineer)

    assert turnover.state == "deploying"
    assert len(callbacks) == 1


def test_what_belongs_to_a_step_happens_with_it_or_not_at_all(engineer, delivered):
    """The slot cannot be booked, so the turnover is not accepted either."""
    other = TurnoverFactory(environment=delivered.environment)
    TaskFactory(turnover=other)
    perform(perform(other, "deliver", by=other.author), "accept", by=engineer)

    with pytest.raises(TransitionRefused, match="is booked by"):
        perform(delivered, "accept", by=engineer)

    assert Turnover.objects.get(pk=delivered.pk).state == "delivered"
    assert delivered.environment.bookings.count() == 1


# --- Edits ----------------------------------------------------------------------------------------


def test_an_edit_is_on_record_with_its_author(engineer):
    environment = EnvironmentFactory()

    edit(environment, by=engineer, reason="Moved", description="In the new hall")

    entry = environment.history.latest()
    assert (entry.description, entry.actor) == ("In the new hall", "Rhea Sand")
    assert (entry.history_change_reason, entry.transition) == ("Moved", "")


def test_an_edit_that_changes_nothing_leaves_no_trace(engineer):
    environment = EnvironmentFactory(description="Same")

    edit(environment, by=engineer, description="Same")

    assert environment.history.count() == 1


def test_an_edit_of_an_old_version_is_a_conflict(engineer):
    environment = EnvironmentFactory()
    edit(environment, by=engineer, description="First")

    with pytest.raises(Conflict):
        edit(environment, by=engineer, version=1, description="Second")

    assert Environment.objects.get(pk=environment.pk).description == "First"


def test_what_is_removed_stays_in_the_history_with_its_remover(engineer):
    task = TaskFactory(title="Drain")

    remove(task, by=engineer, reason="Not needed")

    entry = DeploymentTask.history.filter(title="Drain").latest()
    assert (entry.history_type, entry.actor) == ("-", "Rhea Sand")
    assert entry.history_change_reason == "Not needed"


def test_a_new_row_has_its_author_in_the_history(engineer):
    environment = create(Environment(name="e", kind="test"), by=engineer, reason="Needed")

    assert (environment.version, environment.history.get().actor) == (1, "Rhea Sand")


def test_a_file_restates_only_what_nobody_steered_here(engineer):
    imported = EnvironmentFactory(state="commissioned")
    robot = User.objects.robot()

    restate(imported, "offline", by=robot, reason="Imported")
    perform(Environment.objects.get(pk=imported.pk), "place_online", by=engineer)
    with pytest.raises(TransitionRefused, match="steered here"):
        restate(imported, "offline", by=robot, reason="Imported")

    assert Environment.objects.get(pk=imported.pk).state == "online"


# --- Several at once (PostgreSQL) -----------------------------------------------------------------


@pytest.mark.postgres
def test_parents_are_locked_before_the_row(engineer, delivered):
    with CaptureQueriesContext(connection) as queries:
        perform(delivered, "return_to_author", by=engineer, reason="No")

    locks = [q["sql"] for q in queries if "FOR NO KEY UPDATE" in q["sql"]]
    tables = [sql.split('FROM "')[1].split('"')[0] for sql in locks]
    assert tables == [
        "environments_environment",
        "trains_applicationrelease",
        "turnovers_turnover",
    ]


def together(*works):
    """Run each work in a thread of its own, all at once; return what they returned or raised."""
    outcomes, start = [], threading.Barrier(len(works))

    def run(work):
        start.wait()
        try:
            outcomes.append(work())
        except Exception as error:  # noqa: BLE001 -- the outcome is what is tested
            outcomes.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_who_accept_at_once_one_wins():
    turnover = TurnoverFactory()
    TaskFactory(turnover=turnover)
    turnover = perform(turnover, "deliver", by=turnover.author)
    people = [UserFactory(role="Release engineer") for _ in range(2)]

    outcomes = together(*[lambda p=p: perform(turnover, "accept", by=p) for p in people])

    assert sorted(type(o).__name__ for o in outcomes) == ["TransitionRefused", "Turnover"]
    assert turnover.history.filter(transition="accept").count() == 1
    assert turnover.environment.bookings.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_an_edit_and_an_accept_at_once_no_unseen_plan_is_accepted():
    engineer = UserFactory(role="Release engineer")
    for _ in range(5):
        turnover = TurnoverFactory()
        task = TaskFactory(turnover=turnover)
        turnover = perform(turnover, "deliver", by=turnover.author)

        def change(task=task):
            def editable(row):
                return [] if row.turnover.is_editable else ["It is delivered."]

            return edit(task, by=engineer, allowed=editable, title="Changed")

        together(lambda t=turnover: perform(t, "accept", by=engineer), change)

        task.refresh_from_db()
        assert task.title != "Changed"
        assert Turnover.objects.get(pk=turnover.pk).state == "ready"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_guards_answer_stays_true_until_the_step_is_stored():
    """perform() holds the parents, so nobody changes under it what its guards have read."""
    manager = UserFactory(role="Release manager")
    train = TrainFactory(manager=manager)
    seen = []

    def cancel_elsewhere():
        connection.cursor().execute("SET lock_timeout = '200ms'")
        try:
            Train.objects.filter(pk=train.pk).update(purpose="Other")
            seen.append("changed")
        except OperationalError:
            seen.append("waited")
        finally:
            connection.close()

    with transaction.atomic():
        perform(train, "start_construction", by=manager)
        thread = threading.Thread(target=cancel_elsewhere)
        thread.start()
        thread.join()

    assert seen == ["waited"]
