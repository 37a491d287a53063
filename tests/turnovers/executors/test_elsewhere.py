"""What other tools do for a task: started once, followed to the end, and never guessed at.

The tools are played by ``tools.py``, which keeps to their documents; none of them was asked itself.
"""

import itertools

import pytest

from tests.turnovers.executors.following import to_its_end
from tests.turnovers.executors.tools import TOKEN, tools_at_work
from turnovers import executors
from turnovers.executors import SecretRefused, TaskContext
from turnovers.executors.elsewhere import Elsewhere

VENDORS = ("jenkins", "github", "gitlab", "awx")
OF_VENDOR = {
    "jenkins": {"job": "shop/deploy", "user": "rm"},
    "github": {"repository": "shop/api", "workflow": "deploy.yml", "ref": "main"},
    "gitlab": {"project": "shop/api", "ref": "release-{version}"},
    "awx": {"template": 7},
}
LINKS = {
    "jenkins": "/job/shop/job/deploy/1/",
    "github": "/shop/api/actions/runs/1",
    "gitlab": "/shop/api/-/pipelines/1",
    "awx": "/#/jobs/playbook/1",
}


@pytest.fixture
def tools(settings, monkeypatch):
    monkeypatch.setattr(Elsewhere, "poll_seconds", 0.02)
    with tools_at_work() as server:
        settings.OUTBOUND_ALLOW = [server.name]
        yield server


def parameters(tools, vendor, **more):
    given = {
        "url": tools.url,
        "variables": "VERSION={version}",
        "secret": "ci",
        "key_name": "rm_key",
    }
    return given | OF_VENDOR[vendor] | more


def context(tools, vendor, more=None, **facts):
    def secret(name, target):
        assert (name, target) == ("ci", tools.name)
        return TOKEN

    given = {
        "parameters": parameters(tools, vendor, **(more or {})),
        "key": "12:34:1",
        "attempt": 1,
        "fence": 1,
        "timeout": 20,
        "variables": {"version": "8.4.0"},
        "secrets": secret,
    }
    return TaskContext(**given | facts)


def carry_out(tools, vendor, more=None, **facts):
    return to_its_end(executors.get(vendor), context(tools, vendor, more, **facts))


@pytest.fixture(params=VENDORS)
def vendor(request):
    return request.param


def test_it_is_started_with_its_variables_and_our_key_and_followed(tools, vendor):
    told = []

    outcome = carry_out(tools, vendor, write=told.append)

    assert outcome.succeeded, outcome
    assert not outcome.unknown
    assert outcome.detail.endswith(f"{tools.url}{LINKS[vendor]}")
    assert [b["variables"] for b in tools.builds] == [{"VERSION": "8.4.0", "rm_key": "12:34:1"}]
    assert "Done" in outcome.output
    assert "".join(told) == outcome.output
    assert TOKEN not in outcome.output + outcome.detail


@pytest.mark.parametrize("ending", ["failure", "cancelled"])
def test_any_other_ending_is_a_failure_that_is_known(tools, vendor, ending):
    tools.ending = ending

    outcome = carry_out(tools, vendor)

    assert (outcome.succeeded, outcome.unknown) == (False, False)
    assert LINKS[vendor] in outcome.detail


def test_what_hangs_until_the_deadline_is_unknown_and_says_where_to_look(tools, vendor):
    tools.ending = "hang"

    outcome = carry_out(tools, vendor, timeout=1)

    assert (outcome.succeeded, outcome.unknown) == (False, True)
    assert "running" in outcome.detail or "in_progress" in outcome.detail
    assert LINKS[vendor] in outcome.detail


def test_a_stop_ends_the_waiting_and_says_what_is_known(tools, vendor):
    tools.ending = "hang"
    asked = itertools.count()

    outcome = carry_out(tools, vendor, is_stopped=lambda: next(asked) > 8)

    assert outcome.unknown
    assert "stopped" in outcome.detail
    assert len(tools.builds) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_to_start_is_a_plain_failure(tools, vendor, status):
    tools.refusals = [(status, {})] * 3

    outcome = carry_out(tools, vendor)

    assert (outcome.succeeded, outcome.unknown) == (False, False)
    assert "Nothing was started." in outcome.detail
    assert tools.builds == []


def test_a_wrong_token_starts_nothing(tools, vendor):
    outcome = carry_out(tools, vendor, secrets=lambda name, target: "wrong")

    assert "401" in outcome.detail
    assert not outcome.unknown
    assert tools.builds == []


def test_a_secret_that_may_not_be_used_starts_nothing(tools, vendor):
    def refuse(name, target):
        raise SecretRefused("The secret ci may not be sent there.")

    outcome = carry_out(tools, vendor, secrets=refuse)

    assert outcome.detail == "The secret ci may not be sent there. Nothing was started."
    assert tools.posts == []


def test_who_is_asked_too_often_is_asked_again_when_it_says(tools, vendor):
    tools.refusals = [(429, {"Retry-After": "1"})]

    outcome = carry_out(tools, vendor)

    assert outcome.succeeded, outcome
    assert len(tools.builds) == 1


def test_a_limit_that_outlasts_the_task_is_a_plain_failure(tools, vendor):
    tools.refusals = [(429, {"Retry-After": "3600"})] * 5

    outcome = carry_out(tools, vendor)

    assert (outcome.succeeded, outcome.unknown) == (False, False)
    assert "429" in outcome.detail
    assert tools.builds == []


def test_a_connection_that_drops_after_the_start_leaves_it_unknown(tools, vendor):
    tools.drops_after_start = True

    outcome = carry_out(tools, vendor)

    assert outcome.unknown
    assert "Whether it was started is not known." in outcome.detail
    assert len(tools.builds) == 1


def test_a_repeat_finds_what_the_first_attempt_started(tools, vendor):
    tools.drops_after_start = True
    carry_out(tools, vendor)
    tools.drops_after_start = False

    outcome = carry_out(tools, vendor, attempt=2, fence=2)

    assert outcome.succeeded, outcome
    assert len(tools.builds) == 1


def test_a_repeat_after_a_failure_that_is_known_starts_another(tools, vendor):
    tools.ending = "failure"
    tools.patience = 0
    carry_out(tools, vendor)
    tools.ending = "success"

    outcome = carry_out(tools, vendor, attempt=2, fence=2)

    assert outcome.succeeded, outcome
    assert len(tools.builds) == 2


def test_what_carries_another_key_is_not_ours(tools, vendor):
    carry_out(tools, vendor, key="12:34:11")

    carry_out(tools, vendor, attempt=2, fence=2)

    assert [b["variables"]["rm_key"] for b in tools.builds] == ["12:34:11", "12:34:1"]


def test_a_repeat_that_cannot_look_starts_nothing(tools, vendor):
    tools.refusals = [(500, {})]

    outcome = carry_out(tools, vendor, attempt=2, fence=2)

    assert outcome.unknown
    assert "could not be looked up" in outcome.detail
    assert tools.builds == []


def test_an_error_of_the_tool_at_the_start_leaves_it_unknown(tools, vendor):
    tools.refuses_only_posts = True
    tools.refusals = [(503, {})]

    outcome = carry_out(tools, vendor)

    assert outcome.unknown
    assert "Whether it was started is not known." in outcome.detail


def test_a_question_that_fails_meanwhile_is_asked_again(tools, vendor):
    tools.failing_reads = 3

    assert carry_out(tools, vendor).succeeded


def test_nothing_is_started_for_who_has_lost_the_task(tools, vendor):
    outcome = carry_out(tools, vendor, still_ours=lambda: False)

    assert "Nothing was started." in outcome.detail
    assert not outcome.unknown
    assert tools.builds == []


def test_a_target_that_is_not_allowed_is_not_called(tools, vendor, settings):
    settings.OUTBOUND_ALLOW = []

    outcome = carry_out(tools, vendor)

    assert "OUTBOUND_ALLOW" in outcome.detail
    assert tools.posts == []
    assert "OUTBOUND_ALLOW" in executors.get(vendor).problems(parameters(tools, vendor))[0]


def test_what_is_complete_has_no_problems_and_what_is_not_says_so(tools, vendor):
    executor = executors.get(vendor)

    assert executor.problems(parameters(tools, vendor)) == []
    assert executor.problems(parameters(tools, vendor, secret="")) == [
        "Secret: This field is required."
    ]
    assert "as NAME=value" in " ".join(
        executor.problems(parameters(tools, vendor, variables="a b=1"))
    )
    assert executor.problems(parameters(tools, vendor, variables="A={nothing}"))
    assert executor.problems(parameters(tools, vendor, url=f"{tools.url}/?a=b"))
    assert executor.summary(parameters(tools, vendor))


def test_jenkins_is_given_the_crumb_that_it_asks_for(tools):
    tools.wants_crumb = True

    assert carry_out(tools, "jenkins").succeeded
    assert tools.posts[-1][1]["Jenkins-Crumb"] == "c0"


def test_a_build_cancelled_in_the_queue_of_jenkins_is_a_failure(tools):
    tools.cancels_in_queue = True

    outcome = carry_out(tools, "jenkins")

    assert (outcome.succeeded, outcome.unknown) == (False, False)
    assert "cancelled in the queue" in outcome.detail


def test_an_older_github_is_asked_for_the_run_that_shows_our_key(tools):
    tools.knows_return_run_details = False

    outcome = carry_out(tools, "github")

    assert outcome.succeeded, outcome
    assert len(tools.builds) == 1
    assert LINKS["github"] in outcome.detail


def test_without_an_input_for_the_key_the_run_of_an_older_github_is_not_known(tools):
    tools.knows_return_run_details = False

    outcome = carry_out(tools, "github", {"key_name": ""})

    assert outcome.unknown
    assert "name an input for the key" in outcome.detail
    assert len(tools.builds) == 1


def test_awx_is_not_launched_where_it_would_leave_out_the_variables(tools):
    tools.prompts_for_variables = False

    refused = carry_out(tools, "awx")
    plain = carry_out(tools, "awx", {"variables": ""})

    assert "does not prompt for variables" in refused.detail
    assert plain.succeeded
    assert [b["variables"] for b in tools.builds] == [{}]
