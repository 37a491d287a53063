"""What checks of criteria find out from the outside, and about turnovers."""

import json

import pytest
from django.urls import reverse

from tests.factories import (
    BoardingFactory,
    CriterionFactory,
    EnvironmentFactory,
    ReleaseFactory,
    TurnoverFactory,
    UserFactory,
)
from tests.turnovers.executors.receiver import receiving
from tests.turnovers.executors.vaults import make_secret
from trains import checking, rounds
from trains.models import Criterion
from turnovers.engine import scheduler
from turnovers.evidence import answer, ci
from turnovers.executors.outbound import Answer

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver(settings):
    with receiving() as receiver:
        settings.OUTBOUND_ALLOW = [receiver.name]
        yield receiver


def look(key, criterion=None, **parameters):
    criterion = criterion or CriterionFactory()
    return checking.get(key).look(criterion, criterion.gate.train, parameters)


def says(body, status=200):
    return Answer(status, "", json.dumps(body).encode())


# --- A condition on an answer --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("compare", "value", "outcome"),
    [
        ("is", "7", "passed"),
        ("is", "8", "failed"),
        ("is_not", "8", "passed"),
        ("at_least", "7", "passed"),
        ("at_least", "7.5", "failed"),
        ("at_most", "6", "failed"),
        ("contains", "7", "passed"),
    ],
)
def test_a_value_is_compared_as_was_asked(compare, value, outcome):
    asked = {"field": "a.0.b", "compare": compare, "value": value}
    assert answer.judge(says({"a": [{"b": 7}]}), asked).outcome == outcome


@pytest.mark.parametrize(
    "given",
    [says({"b": 7}), says([]), Answer(200, "", b"no json"), says({"a": 7}, 503)],
)
def test_an_answer_without_the_value_says_nothing(given):
    asked = {"field": "a", "compare": "is", "value": "7"}
    assert answer.judge(given, asked).outcome == "unknown"


def test_what_is_no_number_is_not_compared_as_one():
    asked = {"field": "a", "compare": "at_least", "value": "7"}
    assert answer.judge(says({"a": "NaN"}), asked).outcome == "unknown"


def test_without_a_field_the_status_says_it_all(receiver):
    assert look("answer", url=f"{receiver.url}/health").outcome == "passed"
    receiver.answers["/health"] = (503, {}, b"")
    assert look("answer", url=f"{receiver.url}/health").outcome == "failed"


def test_only_allowed_hosts_are_asked(receiver, settings):
    settings.OUTBOUND_ALLOW = []

    found = look("answer", url=f"{receiver.url}/health")

    assert found.outcome == "unknown"
    assert "OUTBOUND_ALLOW" in found.detail
    assert receiver.calls == []


def test_a_redirect_is_not_followed(receiver):
    receiver.answers["/go"] = (302, {"Location": "/health"}, b"")

    assert look("answer", url=f"{receiver.url}/go").outcome == "failed"
    assert [call["path"] for call in receiver.calls] == ["/go"]


def test_a_secret_goes_to_its_target_and_shows_nowhere(receiver):
    make_secret("ci", "very-secret-token", targets=[receiver.name])
    receiver.answers["/x"] = (200, {}, b'{"echo": "very-secret-token"}')

    found = look(
        "answer",
        url=f"{receiver.url}/x",
        field="echo",
        value="other",
        headers="Authorization: Bearer {secret:ci}",
    )

    assert receiver.calls[0]["headers"]["Authorization"] == "Bearer very-secret-token"
    assert found.outcome == "failed"
    assert "very-secret" not in found.detail


def test_a_secret_that_is_not_for_that_host_stays_here(receiver):
    make_secret("ci", "very-secret-token", targets=["other.example:443"])

    found = look("answer", url=f"{receiver.url}/x", headers="X: {secret:ci}")

    assert found.outcome == "unknown"
    assert receiver.calls == []


def test_its_form_names_what_an_administrator_has_to_allow(settings):
    settings.OUTBOUND_ALLOW = []
    form = answer.ConditionForm({"url": "https://ci.example/x", "field": "a"})

    assert not form.is_valid()
    assert "OUTBOUND_ALLOW" in str(form.errors["url"])
    assert "value" in form.errors


def test_from_the_page_to_the_gate_and_back(client, receiver):
    criterion = CriterionFactory()
    client.force_login(UserFactory(role="Release manager"))
    sent = {
        "url": f"{receiver.url}/coverage",
        "field": "total",
        "compare": "at_least",
        "value": "80",
        "check_every": 15,
        "good_for": 60,
        "green_for": 0,
        "version": criterion.version,
    }
    receiver.answers["/coverage"] = (200, {}, b'{"total": 81}')

    page = client.post(f"{reverse('trains:check-edit', args=[criterion.pk])}?by=answer", sent)
    rounds.look(criterion.pk)

    assert page.status_code == 303
    criterion = Criterion.objects.get(pk=criterion.pk)
    assert criterion.is_settled
    assert "total is “81”" in client.get(criterion.check_url).content.decode()
    receiver.answers["/coverage"] = (200, {}, b'{"total": 79}')
    rounds.ask(criterion)
    rounds.look(criterion.pk)
    assert not Criterion.objects.get(pk=criterion.pk).is_settled


def test_the_scheduler_runs_the_rounds():
    assert rounds.remind_workers in scheduler.errands


# --- CI ------------------------------------------------------------------------------------------

TOOLS = [
    (
        "github",
        "/repos/owner/name/actions/runs?branch=main&status=completed&per_page=1",
        lambda word: {"workflow_runs": [{"conclusion": word, "html_url": "https://x/1"}]},
        "success",
    ),
    (
        "gitlab",
        "/projects/owner%2Fname/pipelines?ref=main&scope=finished&per_page=1",
        lambda word: [{"status": word, "web_url": "https://x/1"}],
        "success",
    ),
    (
        "jenkins",
        "/job/owner/job/name/lastCompletedBuild/api/json?tree=result,number,url",
        lambda word: {"result": word, "number": 1, "url": "https://x/1"},
        "SUCCESS",
    ),
]


@pytest.mark.parametrize(("tool", "path", "body", "success"), TOOLS)
def test_the_last_finished_pipeline_counts(receiver, tool, path, body, success):
    asked = {"tool": tool, "url": receiver.url, "project": "owner/name", "branch": "main"}

    receiver.answers[path] = (200, {}, json.dumps(body(success)).encode())
    assert look("pipeline", **asked).outcome == "passed"

    receiver.answers[path] = (200, {}, json.dumps(body("failure")).encode())
    found = look("pipeline", **asked)
    assert found.outcome == "failed"
    assert "https://x/1" in found.detail

    receiver.answers[path] = (404, {}, b"{}")
    assert look("pipeline", **asked).outcome == "unknown"


@pytest.mark.parametrize("body", [{}, {"workflow_runs": [7]}, {"workflow_runs": [{}]}, "x"])
def test_an_answer_that_no_api_gives_says_nothing(body):
    assert ci.judge(says(body), "github").outcome == "unknown"


def test_without_a_pipeline_nothing_shows_that_it_succeeded():
    assert ci.judge(says({"workflow_runs": []}), "github").outcome == "failed"


# --- Verified somewhere --------------------------------------------------------------------------


def test_everything_aboard_must_be_verified_there_by_its_last_turnover():
    criterion, environment = CriterionFactory(), EnvironmentFactory(name="stage")
    train = criterion.gate.train

    def verdict():
        return look("verified", criterion, environment=str(environment.pk))

    def deployed(release, state, where=environment):
        turnover = TurnoverFactory(release=release, environment=where, state=state)
        turnover.contents.create(release=release, version_name="1.0")

    assert verdict().outcome == "failed"
    first, second = ReleaseFactory(), ReleaseFactory()
    for release in (first, second):
        BoardingFactory(train=train, release=release)
    deployed(first, "verified")
    deployed(second, "verified", EnvironmentFactory())
    assert "1 of 2 in stage" in verdict().detail
    assert "no turnover" in verdict().detail

    deployed(second, "closed")
    assert verdict().outcome == "passed"

    deployed(second, "draft")
    assert verdict().outcome == "passed"

    deployed(second, "failed")
    assert verdict().outcome == "failed"


def test_an_environment_that_is_gone_is_no_answer():
    assert look("verified", environment="0").outcome == "unknown"
