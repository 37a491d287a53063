import datetime as dt

import pytest
from django import forms
from django.template import Context, Template
from django.test import RequestFactory

from releasemgr.accounts.models import User
from releasemgr.accounts.roles import RELEASE_ENGINEER, RELEASE_MANAGER
from releasemgr.workflow.rules import Blocker
from releasemgr.workflow.states import Status
from tests.factories import UserFactory


class Light(Status):
    """Two states to draw."""

    RED = "red", "bad", "fail", "Traffic stops", "Stop <now>"
    TURNING = "turning", "run", "run", "The light changes", "Turning"


class Crossing:
    status = Light.RED


def draw(source, **context):
    return Template("{% load ui %}" + source).render(Context(context))


@pytest.mark.parametrize("subject", [Light.RED, Crossing()])
def test_a_state_is_a_glyph_and_its_word_in_its_tone(subject):
    html = draw("{% state it %}", it=subject)
    assert 'class="state tone-bad"' in html
    assert "icons.svg#s-fail" in html
    assert "Stop &lt;now&gt;" in html


def test_a_glyph_alone_carries_its_word_for_those_who_cannot_see_it():
    assert 'role="img" aria-label="Stop &lt;now&gt;"' in draw("{% glyph it %}", it=Light.RED)


def test_a_running_state_turns_its_outer_svg():
    assert 'class="st spin"' in draw("{% pill it %}", it=Light.TURNING)


def test_a_person_shows_the_full_name_and_initials():
    user = User(username="mlz", first_name="Mei-Ling", last_name="Zhao")
    html = draw("{% person who %}", who=user)
    assert ">ML<" in html
    assert "Mei-Ling Zhao" in html
    assert "Mei-Ling Z." in draw("{% person who short=True %}", who=user)


def test_nobody_is_said_in_words():
    assert "nobody" in draw("{% person who %}", who=None)


def test_a_blocker_links_to_a_step_only_for_those_who_can_take_it(db):
    request = RequestFactory().get("/")
    consent = Blocker("No consent", owner=RELEASE_ENGINEER, url="/trains/RT-1/steps/give-consent/")
    for role, links in ((RELEASE_ENGINEER, 1), (RELEASE_MANAGER, 0)):
        request.user = UserFactory(role=role)
        html = draw("{% include 'ui/_blockers.html' %}", request=request, blockers=[consent])
        assert html.count("give-consent") == links


def test_names_are_escaped():
    assert "<b>" not in draw("{% person who %}{% av who %}", who="<b>x <i>y")


@pytest.mark.parametrize(("percent", "width"), [(-5, "0%"), (33.4, "33%"), (140, "100%")])
def test_a_meter_stays_between_nothing_and_all(percent, width):
    assert f'class="fg" width="{width}"' in draw("{% meter it %}", it=percent)


def test_a_cell_says_which_version_is_where_and_how():
    assert "not deployed" in draw('{% cell "" %}')
    assert "not by this train" in draw('{% cell "1.0" %}')
    assert "Turning" in draw('{% cell "1.0" it %}', it=Light.TURNING)


def test_a_query_keeps_the_rest_of_the_address():
    request = RequestFactory().get("/?q=a%26b&page=2&mine=1")
    html = draw("{% query page=3 mine=None %}", request=request)
    assert html == "?q=a%26b&amp;page=3"


@pytest.mark.parametrize(
    ("text", "whole"), [("8 of 9 do", "8 of 9 do."), ("Who?", "Who?"), ("", ""), ("a.", "a.")]
)
def test_a_sentence_ends_as_one(text, whole):
    assert draw("{{ it|sentence }}", it=text) == whole


def test_a_missing_date_is_a_dash():
    assert draw("{{ it|when }}{{ it|day }}{{ it|exactly }}{{ it|span }}", it=None) == "––––"


def test_a_moment_carries_its_machine_form_and_its_full_form():
    moment = dt.datetime(2020, 12, 5, 22, 0, tzinfo=dt.UTC)
    assert draw("{{ it|when }}", it=moment) == (
        '<time datetime="2020-12-05T22:00:00+00:00" '
        'title="Saturday 5 December 2020, 22:00 UTC">5 December 2020, 22:00</time>'
    )


class TripForm(forms.Form):
    name = forms.CharField(help_text="Shown in lists")
    day = forms.DateField(required=False)
    start = forms.DateTimeField(required=False)
    kind = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    agreed = forms.BooleanField(required=False)


def test_a_field_ties_its_hint_and_its_error_to_the_control():
    html = draw("{% field form.name %}", form=TripForm({}))
    assert 'aria-describedby="id_name_hint id_name_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="id_name_hint"' in html
    assert 'id="id_name_error"' in html


def test_a_field_without_error_or_hint_is_plain():
    html = draw("{% field form.day %}", form=TripForm())
    assert "aria-" not in html.replace('aria-hidden="true"', "")
    assert "optional" in html


def test_dates_get_the_browsers_picker_in_its_format():
    moment = dt.datetime(2026, 12, 5, 22, 0, tzinfo=dt.UTC)
    form = TripForm(initial={"day": dt.date(2026, 12, 5), "start": moment})
    html = draw("{% field form.day %}{% field form.start %}", form=form)
    assert 'type="date" name="day" value="2026-12-05"' in html
    assert 'type="datetime-local" name="start" value="2026-12-05T22:00"' in html


def test_what_was_typed_as_a_date_and_is_none_is_kept_in_a_plain_field():
    html = draw("{% field form.day %}", form=TripForm({"day": "next winter"}))
    assert 'type="text" name="day" value="next winter"' in html


def test_choices_are_a_named_group():
    html = draw("{% field form.kind %}", form=TripForm({}))
    assert "<fieldset" in html
    assert '<legend class="label">Kind</legend>' in html
    assert 'aria-describedby="id_kind_error"' in html
    assert html.count('type="radio"') == 2


def test_a_checkbox_stands_inside_its_label():
    html = draw("{% field form.agreed %}", form=TripForm())
    assert '<label class="check" for="id_agreed"><input type="checkbox"' in html
