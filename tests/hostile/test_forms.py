"""No form makes a page fail, whatever is sent with it; what is typed is kept."""

from collections import defaultdict
from http import HTTPStatus
from itertools import zip_longest

import pytest
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import reverse

from releasemgr.portal.together import YES
from tests.factories import (
    ConditionFactory,
    DecisionFactory,
    LevelFactory,
    RuleFactory,
    SignoffFactory,
    TrainFactory,
    TurnoverFactory,
)
from tests.hostile.values import CHOICES, MOMENTS, NUMBERS, TEXTS, ZONES, fitting, kind
from tests.permissions.test_steps import TABLE as STEPS
from tests.permissions.test_steps import in_the_state_for
from tests.permissions.test_urls import TABLE as PAGES
from tests.world import World, routes
from trains import checking

pytestmark = pytest.mark.django_db

ROUTES = routes()
SENT = sorted(name for name, (_, _, post) in PAGES.items() if post and name in ROUTES)
#: Steps that only the robot takes show nobody a form.
BY_PEOPLE = [
    (model, step) for model, steps in STEPS.items() for step, who in steps.items() if who != "R"
]
#: Pages of buttons alone, pages whose form depends on a choice, and signing in, tried elsewhere.
OTHERS = {
    "login",
    "turnovers:copy-tasks",
    "turnovers:new",
    "exchange:new",
    "trains:check-edit",
    "portal:together",
}
WITH_FORMS = [
    name for name in SENT if PAGES[name][1] and name not in OTHERS and not name.endswith("-remove")
]
URLENCODED = "application/x-www-form-urlencoded"


def own(model, step, person):
    """A row on which the person may take the step."""
    if model == "turnover" and step == "deliver":
        return TurnoverFactory(author=person)
    if model == "signoff" and step in {"approve", "approve_if", "reject", "postpone", "recall"}:
        sheet = SignoffFactory(state="ready", round=1, open_level=1)
        RuleFactory(level=LevelFactory(signoff=sheet), person=person)
        if step == "recall":
            DecisionFactory(signoff=sheet, person=person)
        return sheet
    if (model, step) == ("condition", "confirm"):
        return ConditionFactory(decision__person=person)
    return in_the_state_for(model, step)


def tries(form):
    """The form's own values, with all fields of a kind replaced by something hostile."""
    good = fitting(form)
    named = defaultdict(list)
    for name, field in form.fields.items():
        named[kind(field)].append(name)
    for text in TEXTS:
        yield good | dict.fromkeys(named["text"], text)
    if set(named["number"]) - {"version"} or named["moment"] or named["choice"]:
        # A form looks at every field before it says no, so that one try serves several.
        for number, moment, choice in zip_longest(NUMBERS, MOMENTS, CHOICES, fillvalue="x"):
            yield (
                good
                | dict.fromkeys(named["number"], number)
                | dict.fromkeys(named["moment"], moment)
                | dict.fromkeys(named["choice"], choice)
            )
    for moment in MOMENTS[:4] if named["moment"] else ():
        yield good | dict.fromkeys(named["moment"], moment)
    yield {}
    yield {name: [value, value] for name, value in good.items() if not isinstance(value, list)}
    for version in ("-1", str(2**63), "9" * 400, "x"):
        yield good | {"version": version}


def attempt_all(ask, address):
    """Send every try; the answers that no form may give."""
    page = ask("get", address)
    assert page.status_code == HTTPStatus.OK, (address, page.status_code)
    wrong = []
    for data in tries(page.context["form"]):
        answer = ask("post", address, data)
        if answer.status_code not in {200, 303, 400, 409, 422}:
            error = repr(answer.exc_info[1])[:300] if answer.exc_info else answer.status_code
            wrong.append(({k: str(v)[:30] for k, v in data.items()}, error))
    return wrong


@pytest.mark.parametrize("name", WITH_FORMS)
def test_no_value_makes_the_form_of_a_page_fail(ask, name):
    world = World()
    address = world.addresses(ROUTES[name], PAGES[name][0])[0]
    if name == "trains:new":
        address += f"?type={world.train.release_type_id}"

    wrong = attempt_all(ask, address)

    assert not wrong, "\n".join(map(str, wrong))


def test_no_value_makes_the_form_of_a_new_turnover_fail(ask):
    world = World()
    for item in (f"train={world.train.pk}", f"release={world.release.pk}"):
        wrong = attempt_all(ask, f"/turnovers/new/?{item}")
        assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("executor", ["http", "command", "checkpoint"])
def test_no_value_makes_the_form_of_an_automated_task_fail(ask, executor):
    turnover = World().turnover

    wrong = attempt_all(ask, f"/turnovers/TO-{turnover.pk}/tasks/new/?executor={executor}")

    assert not wrong, "\n".join(map(str, wrong))


def test_no_value_makes_deciding_together_fail(ask, everybody):
    sheet = own("signoff", "approve", everybody)
    train = TrainFactory(train_signoff=sheet)
    address = reverse("portal:together", args=[train.pk])
    (choice,) = ask("get", address).context["choices"]
    named = {"chosen": choice.key, f"seen-{choice.key}": "x", "verdict": YES, "comment": "Fine."}
    wrong = []

    for name in named:
        for value in (*TEXTS, *CHOICES):
            answer = ask("post", address, named | {name: value})
            if answer.status_code not in {303, 409, 422}:
                wrong.append((name, value[:30], answer.exc_info))

    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("check", [*checking.CHECKS, "people"])
def test_no_value_makes_the_form_of_a_check_fail(ask, check):
    criterion = World().criterion

    wrong = attempt_all(ask, f"{reverse('trains:check-edit', args=[criterion.pk])}?by={check}")

    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize(("model", "step"), BY_PEOPLE)
def test_no_value_makes_a_step_fail(ask, everybody, model, step):
    wrong = attempt_all(ask, own(model, step, everybody).step_url(step))

    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("name", ["environments:book", "trains:reservation-new", "turnovers:edit"])
def test_no_moment_is_out_of_any_zone(ask, everybody, name, zone):
    everybody.time_zone = zone
    everybody.save()
    address = World().addresses(ROUTES[name], PAGES[name][0])[0]
    form = ask("get", address).context["form"]
    names = [field for field in form.fields if kind(form.fields[field]) == "moment"]

    for moment in MOMENTS:
        for data in ({names[0]: moment}, dict.fromkeys(names, moment)):
            answer = ask("post", address, fitting(form) | data)
            assert answer.status_code in {303, 409, 422}, (moment, answer.exc_info)


# --- Requests that no browser sends --------------------------------------------------------------


def raw_bodies():
    whole = encode_multipart(BOUNDARY, {"version": "1", "title": "x"})
    many = "&".join(f"f{n}=1" for n in range(10_000))
    return {
        "10,000 fields": (many, URLENCODED, 400),
        "half a multipart": (whole[: len(whole) // 2], MULTIPART_CONTENT, None),
        "a multipart without a boundary": (whole, "multipart/form-data", 400),
        "json": ('{"version": 1, "reason": "x"}', "application/json", None),
        "not json": ("{", "application/json", None),
        "text": ("version=1", "text/plain", None),
        "no type": ("version=1", "", None),
        "another charset": ("reason=%E4&version=1", f"{URLENCODED}; charset=latin-1", None),
        "an unknown charset": ("reason=x", f"{URLENCODED}; charset=klingon", None),
        "NUL": ("reason=%00&title=%00", URLENCODED, 400),
        "broken bytes": (b"reason=\xff\xfe&title=\xff", URLENCODED, None),
        "three megabytes": ("reason=" + "x" * 3 * 1024 * 1024, URLENCODED, 400),
        "a file for a text": (
            whole.replace(b'name="title"', b'name="title"; filename="x.txt"'),
            MULTIPART_CONTENT,
            None,
        ),
    }


@pytest.mark.parametrize("which", raw_bodies())
def test_no_body_makes_a_page_fail(ask, which):
    body, content_type, expected = raw_bodies()[which]
    world = World()

    for name in SENT:
        for address in world.addresses(ROUTES[name], PAGES[name][0])[:1]:
            answer = ask("generic", "POST", address, body, content_type)
            assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, (name, answer.exc_info)
            if expected:
                assert answer.status_code == expected, name


@pytest.mark.parametrize("which", raw_bodies())
def test_no_body_makes_a_step_fail(ask, everybody, which):
    body, content_type, _ = raw_bodies()[which]
    rows = [
        own(model, step, everybody).step_url(step)
        for model, step in BY_PEOPLE
        if step in {"cancel", "approve", "accept", "confirm", "waive", "leave", "lift", "retry"}
    ]

    for address in rows:
        answer = ask("generic", "POST", address, body, content_type)
        assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, (address, answer.exc_info)
