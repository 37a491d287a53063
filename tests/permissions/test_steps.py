"""Who may take which step: a table of every step and every role. A step without a row fails."""

from http import HTTPStatus

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied

from releasemgr.accounts.models import User
from releasemgr.accounts.roles import ROLES
from releasemgr.workflow.models import Workflow
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.factories import (
    BoardingFactory,
    BookingFactory,
    CadenceFactory,
    ConditionFactory,
    CriterionFactory,
    EnvironmentFactory,
    FreezeExceptionFactory,
    FreezeFactory,
    HoldFactory,
    LevelFactory,
    MilestoneFactory,
    ReleaseFactory,
    RuleFactory,
    RunFactory,
    SignoffFactory,
    TaskRunFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
    WaiverFactory,
)

pytestmark = pytest.mark.django_db

LETTERS = {
    "M": "Release manager",
    "E": "Release engineer",
    "O": "Product owner",
    "D": "Developer",
    "A": "Approver",
    "S": "Stakeholder",
    "N": "Administrator",
    "R": "Robot",
}
FACTORIES = {
    "signoff": SignoffFactory,
    "condition": ConditionFactory,
    "environment": EnvironmentFactory,
    "booking": BookingFactory,
    "train": TrainFactory,
    "cadence": CadenceFactory,
    "criterion": CriterionFactory,
    "waiver": WaiverFactory,
    "milestone": MilestoneFactory,
    "applicationrelease": ReleaseFactory,
    "boarding": BoardingFactory,
    "turnover": TurnoverFactory,
    "run": RunFactory,
    "taskrun": TaskRunFactory,
    "hold": HoldFactory,
    "freeze": FreezeFactory,
    "freezeexception": FreezeExceptionFactory,
}
#: Model -> step -> the roles that may take it on a row that is not their own.
TABLE = {
    "signoff": {
        "request": "M",
        "approve": "",
        "approve_if": "",
        "reject": "",
        "postpone": "",
        "recall": "",
        "override": "M",
        "add_approver": "M",
        "remove_approver": "M",
        "void": "MR",
        "remind": "R",
        "escalate": "R",
        "expire": "R",
    },
    "condition": {"confirm": "", "waive": "M"},
    "environment": {"place_online": "ME", "take_offline": "ME", "decommission": "ME"},
    "booking": {"confirm": "MER", "decline": "MER", "release": "MER"},
    "train": {
        "request_train_approval": "M",
        "start_construction": "MR",
        "request_development_approval": "M",
        "start_verification": "MR",
        "give_consent": "E",
        "request_executive_approval": "M",
        "start_deployment": "MR",
        "hand_back": "MR",
        "close": "ME",
        "cancel": "M",
    },
    "criterion": {
        "meet": "M",
        "reject": "M",
        "waive": "M",
        "reopen": "M",
        "pass_check": "R",
        "fail_check": "R",
        "lapse": "R",
    },
    "waiver": {"grant": "M", "refuse": "M", "withdraw": "M", "revoke": "M", "expire": "R"},
    "cadence": {"pause": "MR", "resume": "M", "end": "M"},
    "milestone": {"complete": "M", "miss": "M", "reopen": "M"},
    "applicationrelease": {
        "begin_work": "M",
        "complete_construction": "M",
        "resume_work": "M",
        "close": "MR",
        "cancel": "M",
    },
    "boarding": {"accept": "M", "reject": "M", "leave": "MR", "postpone": "MR"},
    "turnover": {
        "deliver": "",
        "accept": "E",
        "return_to_author": "E",
        "take_back": "E",
        "start": "ER",
        "start_early": "M",
        "finish": "R",
        "fail": "R",
        "retry": "E",
        "give_up": "E",
        "back_to_draft": "E",
        "verify": "E",
        "send_back": "E",
        "promote": "ME",
        "close": "ER",
        "cancel": "ER",
        "undo": "E",
        "undone": "R",
        "expire": "R",
        "extend": "ME",
    },
    "run": {"succeed": "R", "fail": "R", "abort": "E"},
    "taskrun": {
        "complete": "E",
        "report_problem": "E",
        "skip": "E",
        "cancel": "R",
        "go": "E",
        "no_go": "E",
        "judge": "ME",
        "confirm_happened": "ME",
        "confirm_again": "ME",
        "confirm_failed": "ME",
    },
    "hold": {"lift": "MER"},
    "freeze": {"lift": "MNR"},
    "freezeexception": {"grant": "M", "refuse": "M", "withdraw": "M", "revoke": "M"},
}
CASES = [
    pytest.param(model, step, allowed, id=f"{model}-{step}")
    for model, steps in TABLE.items()
    for step, allowed in steps.items()
]


def workflow_models():
    return {m._meta.model_name: m for m in apps.get_models() if issubclass(m, Workflow)}


#: What a step needs besides the state.
NEEDED = {
    "go": {"task__executor": "go"},
    "no_go": {"task__executor": "go"},
    "confirm_happened": {"verdict": "happened"},
    "confirm_again": {"verdict": "again"},
    "confirm_failed": {"verdict": "failed"},
}


def in_the_state_for(model, step):
    """A row of somebody else's, in the first state from which the step is declared."""
    steps = workflow_models()[model]().get_all_state_transitions()
    source = next(s.source for s in steps if s.name == step)
    needed = NEEDED.get(step, {}) if model == "taskrun" else {}
    if "verdict" in needed:
        needed = needed | {"verdict_by": UserFactory(role="Release manager")}
    return FACTORIES[model](state=source, **needed)


def somebody(letter):
    return User.objects.robot() if letter == "R" else UserFactory(role=LETTERS[letter])


def test_every_step_has_a_row_and_every_row_a_step():
    declared = {
        name: {step.name for step in model().get_all_state_transitions()}
        for name, model in workflow_models().items()
    }

    assert declared == {model: set(steps) for model, steps in TABLE.items()}


def test_every_role_has_a_letter():
    assert set(LETTERS.values()) == set(ROLES)


@pytest.mark.parametrize(("model", "step", "allowed"), CASES)
def test_who_may_take_which_step(client, model, step, allowed):
    row = in_the_state_for(model, step)
    seen = ""
    answers = set()

    for letter in LETTERS:
        person = somebody(letter)
        client.force_login(person)
        answer = client.get(row.step_url(step)).status_code
        if answer != HTTPStatus.FORBIDDEN:
            seen += letter
            answers.add(answer)

    assert seen == allowed
    assert answers <= {HTTPStatus.OK}


@pytest.mark.parametrize(("model", "step", "allowed"), CASES)
def test_a_post_by_whoever_may_not_changes_nothing(client, model, step, allowed):
    row = in_the_state_for(model, step)

    for letter in set(LETTERS) - set(allowed):
        client.force_login(somebody(letter))
        answer = client.post(row.step_url(step), {"reason": "Because"})
        assert answer.status_code == HTTPStatus.FORBIDDEN

    fresh = type(row).objects.get(pk=row.pk)
    assert (fresh.state, fresh.version) == (row.state, row.version)


@pytest.mark.parametrize(("model", "step", "allowed"), CASES)
def test_who_is_not_signed_in_is_asked_to(client, model, step, allowed):
    row = in_the_state_for(model, step)

    for answer in (client.get(row.step_url(step)), client.post(row.step_url(step))):
        assert answer.status_code == HTTPStatus.FOUND
        assert answer.headers["Location"].startswith("/login/")


def test_somebody_without_a_role_is_not_told_that_it_exists(client):
    client.force_login(UserFactory())

    for model, steps in TABLE.items():
        row = FACTORIES[model]()
        answer = client.get(row.step_url(next(iter(steps))))
        assert answer.status_code == HTTPStatus.NOT_FOUND


# --- One's own: what ownership opens, and what it closes whatever the roles ----------------------


@pytest.fixture
def everything(db):
    """Somebody who holds every role."""
    return UserFactory(role=[name for name in LETTERS.values() if name != "Robot"])


def named_on(person, **signoff):
    sheet = SignoffFactory(**signoff)
    RuleFactory(level=LevelFactory(signoff=sheet), person=person)
    return sheet


OPENED = {
    "a developer delivers their own turnover": lambda p: (
        TurnoverFactory(author=p),
        ["deliver", "cancel"],
        "Developer",
    ),
    "an owner decides their criterion": lambda p: (
        CriterionFactory(owner=p),
        ["meet", "reject"],
        "Stakeholder",
    ),
    "who asked for a waiver withdraws it": lambda p: (
        WaiverFactory(asked_by=p),
        ["withdraw"],
        "Stakeholder",
    ),
    "an owner completes their milestone": lambda p: (
        MilestoneFactory(owner=p),
        ["complete", "miss"],
        "Stakeholder",
    ),
    "a product owner moves their release": lambda p: (
        ReleaseFactory(owner=p),
        ["begin_work", "cancel"],
        "Product owner",
    ),
    "a product owner takes their release off": lambda p: (
        BoardingFactory(release=ReleaseFactory(owner=p)),
        ["leave", "postpone"],
        "Product owner",
    ),
    "whoever booked gives it back": lambda p: (
        BookingFactory(requested_by=p),
        ["release"],
        "Stakeholder",
    ),
    "the task's owner says how it went": lambda p: (
        TaskRunFactory(task__owner=p),
        ["complete", "report_problem"],
        "Stakeholder",
    ),
    "who is named decides": lambda p: (
        named_on(p, state="ready", open_level=1, round=1),
        ["approve", "reject"],
        "Approver",
    ),
}


@pytest.mark.parametrize("case", OPENED)
def test_what_is_ones_own_opens(case):
    make, role = OPENED[case], OPENED[case](UserFactory())[2]
    person = UserFactory(role=role)
    row, steps, _ = make(person)

    offered = {view.name for view in row.steps(person)}

    assert set(steps) <= offered


CLOSED = {
    "accepting one's own turnover": (
        lambda p: TurnoverFactory(author=p, state="delivered"),
        ["accept", "return_to_author"],
    ),
    "verifying one's own turnover": (
        lambda p: TurnoverFactory(author=p, state="deployed"),
        ["verify", "send_back"],
    ),
    "granting a waiver that one asked for": (
        lambda p: WaiverFactory(asked_by=p),
        ["grant", "refuse"],
    ),
    "granting the waiver of one's own criterion": (
        lambda p: WaiverFactory(criterion__owner=p),
        ["grant", "refuse"],
    ),
    "granting an exception that one asked for": (
        lambda p: FreezeExceptionFactory(asked_by=p),
        ["grant", "refuse"],
    ),
    "granting an exception for one's own turnover": (
        lambda p: FreezeExceptionFactory(turnover__author=p),
        ["grant", "refuse"],
    ),
    "lifting a freeze that stops one's own turnover": (
        lambda p: FreezeExceptionFactory(turnover__author=p, turnover__state="ready").freeze,
        ["lift"],
    ),
    "waiving one's own criterion": (lambda p: CriterionFactory(owner=p), ["waive"]),
    "consenting to a train that one manages": (
        lambda p: TrainFactory(manager=p, state="verification"),
        ["give_consent"],
    ),
    "confirming one's own booking": (
        lambda p: BookingFactory(requested_by=p),
        ["confirm", "decline"],
    ),
    "taking one's own request aboard": (
        lambda p: BoardingFactory(requested_by=p, state="requested"),
        ["accept", "reject"],
    ),
}


@pytest.mark.parametrize("case", CLOSED)
def test_nobody_judges_their_own_work_whatever_their_roles(everything, case):
    make, steps = CLOSED[case]
    row = make(everything)

    for step in steps:
        with pytest.raises(PermissionDenied):
            perform(row, step, by=everything, reason="Because I can")


def test_nobody_approves_what_they_asked_for_though_they_are_named(everything):
    sheet = named_on(everything, state="ready", open_level=1, round=1)
    sheet.barred.add(everything)

    for verdict in ("approve", "reject"):
        with pytest.raises(PermissionDenied):
            perform(sheet, verdict, by=everything, reason="Mine")


def test_nobody_approves_twice(everything):
    sheet = named_on(everything, state="ready", open_level=1, round=1)
    RuleFactory(level=sheet.levels.get())
    perform(sheet, "approve", by=everything)

    with pytest.raises(TransitionRefused, match="decided already"):
        perform(sheet, "approve", by=everything)
