"""Planning a train: calendars, presets, the preview, templates."""

import datetime as dt
from dataclasses import replace

import pytest
from django.urls import reverse
from django.utils import timezone

from releasemgr.accounts.models import User
from releasemgr.workflow.edit import edit
from releasemgr.workflow.perform import perform
from tests.factories import (
    ApplicationFactory,
    BoardingFactory,
    BookingFactory,
    CadenceFactory,
    EnvironmentFactory,
    FreezeFactory,
    GateFactory,
    MilestoneFactory,
    PolicyFactory,
    ReleaseFactory,
    ReleaseTypeFactory,
    TemplateFactory,
    TrainFactory,
    UserFactory,
)
from trains.cadences import make_next
from trains.models import Calendar, LibraryCriterion, Reservation, Template, Train, Waiver, Watch
from trains.outline import (
    CHECK_FIELDS,
    CriterionOutline,
    FreezeOutline,
    LevelOutline,
    MilestoneOutline,
    Outline,
)

pytestmark = pytest.mark.django_db

NEW = "/trains/new/"
FRIDAY, SATURDAY, MONDAY = dt.date(2027, 1, 1), dt.date(2027, 1, 2), dt.date(2027, 1, 4)


@pytest.fixture
def calendar():
    """Monday to Friday; New Year's Day is a holiday."""
    found = Calendar.objects.get(is_default=True)
    found.holidays.create(day=FRIDAY, name="New Year")
    return found


def text(answer):
    return answer.content.decode()


def filled(release_type, manager, **more):
    return {
        "name": "Larch",
        "release_type": release_type.pk,
        "manager": manager.pk,
        "purpose": "Why not",
    } | more


# --- Working days ---------------------------------------------------------------------------------


def test_the_proposed_calendar_is_chosen_for_a_new_train(client, manager, calendar):
    form = client.get(NEW, {"type": ReleaseTypeFactory().pk}).context["form"]

    assert form["calendar"].value() == calendar.pk


@pytest.mark.parametrize(
    ("how", "kept"), [("", SATURDAY), ("forward", MONDAY), ("back", dt.date(2026, 12, 31))]
)
def test_dates_on_days_off_are_kept_or_moved_as_chosen(client, manager, calendar, how, kept):
    answer = client.post(
        NEW,
        filled(ReleaseTypeFactory(), manager, start=SATURDAY, calendar=calendar.pk, days_off=how),
    )

    assert answer.status_code == 303
    assert Train.objects.get().start == kept


def test_dates_that_were_moved_out_of_order_are_refused(client, manager, calendar):
    data = filled(ReleaseTypeFactory(), manager, calendar=calendar.pk, days_off="forward")

    answer = client.post(NEW, data | {"start": SATURDAY, "end": "2026-12-31"})

    assert answer.status_code == 422
    assert not Train.objects.exists()


# --- Buttons that only fill or look ---------------------------------------------------------------


def test_the_preview_button_stores_nothing_and_loses_nothing(client, manager, calendar):
    engineer = UserFactory(role="Release engineer")
    data = filled(ReleaseTypeFactory(), manager, start=SATURDAY, calendar=calendar.pk)

    answer = client.post(
        NEW, data | {"look": "yes", "engineers": [engineer.pk], "criteria_qa": "It works"}
    )

    assert answer.status_code == 200
    assert not Train.objects.exists()
    form = answer.context["form"]
    assert form["name"].value() == "Larch"
    assert form["engineers"].value() == [str(engineer.pk)]
    assert form["criteria_qa"].value() == "It works"
    assert "is a day off. The next working day is Mon 4 January 2027" in text(answer)


def test_a_preset_fills_the_dates_of_a_quarter(client, manager, calendar):
    key = client.get(NEW, {"type": ReleaseTypeFactory().pk}).context["periods"][0].key
    data = filled(ReleaseTypeFactory(), manager, calendar=calendar.pk)

    form = client.post(NEW, data | {"fill": key}).context["form"]

    dates = [form[n].value() for n in ("start", "scoping_end", "construction_end", "qa_end", "end")]
    assert dates == sorted(dates)
    assert form["name"].value() == "Larch"
    assert not Train.objects.exists()


def test_stages_follow_from_the_start_by_the_lengths_of_the_template(client, manager, calendar):
    template = TemplateFactory(outline=Outline(lengths=(1, 1, 1, 1)))
    data = filled(template.release_type, manager, calendar=calendar.pk, start=MONDAY)

    form = client.post(NEW, data | {"fill": "stages", "template": template.latest.pk}).context[
        "form"
    ]

    assert form["end"].value() == MONDAY + dt.timedelta(days=4)


def test_the_button_of_an_edit_stores_nothing_either(client, manager):
    train = TrainFactory(name="Before")
    url = reverse("trains:edit", args=[train.pk])

    answer = client.post(url, {"look": "yes", "name": "After", "version": train.version})

    assert answer.context["form"]["name"].value() == "After"
    train.refresh_from_db()
    assert (train.name, train.version) == ("Before", 1)


def test_while_typing_the_preview_names_trains_that_go_then_too(client, manager):
    other = TrainFactory(name="Birch", qa_end="2027-03-25", end="2027-03-31")
    TrainFactory(name="Later", qa_end="2027-06-25", end="2027-06-30")
    TrainFactory(name="Over", qa_end="2027-03-25", end="2027-03-31", state="cancelled")

    page = text(client.get(reverse("trains:preview"), {"start": "2027-01-04", "end": "2027-03-30"}))

    assert other.get_absolute_url() in page
    assert "Later" not in page
    assert "Over" not in page
    assert "<html" not in page


def test_the_preview_of_a_planned_train_names_reservations_left_outside(client, manager):
    train = TrainFactory()
    booking = BookingFactory(starts=timezone.now() + dt.timedelta(days=90), state="confirmed")
    Reservation.objects.create(train=train, booking=booking)
    asked = {"start": train.start, "end": train.end, "train": train.pk}

    page = text(client.get(reverse("trains:preview"), asked))

    assert f"{booking.environment.name} is reserved outside these dates" in page
    assert train.get_absolute_url() not in page


def looked(client, **asked):
    return text(client.get(reverse("trains:preview"), asked))


def test_while_typing_the_preview_names_trains_with_the_same_applications(client, manager):
    train, other, before = (
        TrainFactory(
            name=name, start=start, scoping_end=None, construction_end=None, qa_end=None, end=end
        )
        for name, start, end in [
            ("Larch", "2027-01-04", "2027-03-30"),
            ("Birch", "2027-03-01", "2027-05-31"),
            ("Before", "2026-11-01", "2026-12-31"),
        ]
    )
    application = ApplicationFactory(name="Payments")
    for one in (train, other, before):
        release = ReleaseFactory(application=application)
        BoardingFactory(train=one, release=release, state="aboard")

    page = looked(client, start="2027-01-04", end="2027-03-30", train=train.pk)

    assert f"Birch ({other.ref}) carries Payments as well: Mon 1 March 2027" in page
    assert "Before" not in page


def test_the_preview_names_who_holds_the_environments_of_the_template_alone(client, manager):
    place, elsewhere = EnvironmentFactory(name="test-1"), EnvironmentFactory(name="test-2")
    outline = Outline(criteria=(CriterionOutline("qa", "Rehearsed", environment=place.pk),))
    template = TemplateFactory(outline=outline)
    period = {
        "starts": dt.datetime(2027, 2, 1, tzinfo=dt.UTC),
        "ends": dt.datetime(2027, 2, 8, tzinfo=dt.UTC),
        "state": "confirmed",
    }
    BookingFactory(environment=place, title="Load test", **period)
    BookingFactory(environment=elsewhere, title="Not here", **period)
    dates = {"start": "2027-01-04", "end": "2027-03-30", "template": template.latest.pk}

    page = looked(client, **dates)

    assert "test-1 is held by Load test alone" in page
    assert "Not here" not in page
    data = filled(template.release_type, manager, **dates, look="yes")
    assert "test-1 is held by Load test alone" in text(client.post(NEW, data))


def test_the_preview_names_freezes_in_which_it_would_deploy(client, manager):
    begins, ends = dt.datetime(2027, 3, 25, tzinfo=dt.UTC), dt.datetime(2027, 4, 1, tzinfo=dt.UTC)
    FreezeFactory(name="Easter", begins=begins, ends=ends)
    FreezeFactory(name="Test only", scope="kind", kind="test", begins=begins, ends=ends)
    FreezeFactory(name="Long ago", begins=begins.replace(year=2020), ends=ends.replace(year=2020))
    place = EnvironmentFactory(kind="prod", is_production=True)
    FreezeFactory(
        name="Weekends",
        scope="environment",
        environment=place,
        begins=dt.datetime(2026, 12, 5, tzinfo=dt.UTC),
        ends=dt.datetime(2026, 12, 7, tzinfo=dt.UTC),
        recurrence="weekly",
    )

    page = looked(client, start="2027-01-04", qa_end="2027-03-15", end="2027-03-30")

    assert "Deployment lies in the freeze “Easter” (Everything): 25 March 2027" in page
    assert page.count("the freeze “Weekends”") == 1
    assert " and again." in page
    assert "Test only" not in page
    assert "Long ago" not in page


def test_the_preview_names_what_of_the_plan_the_dates_leave_outside(client, manager, calendar):
    train = TrainFactory(calendar=calendar)
    MilestoneFactory(train=train, title="Early", due="2026-12-01")
    MilestoneFactory(train=train, title="On a holiday", due=FRIDAY)
    MilestoneFactory(train=train, title="Fine", due=MONDAY)
    GateFactory(train=train, stage="qa", date="2027-06-01")

    page = looked(
        client, start="2026-12-28", end="2027-03-30", train=train.pk, calendar=calendar.pk
    )

    assert "The milestone “Early”, Tue 1 December 2026, lies outside these dates." in page
    assert "The milestone “On a holiday”, Fri 1 January 2027, is on a day off." in page
    assert "The QA gate, Tue 1 June 2027, lies outside these dates." in page
    assert "Fine" not in page


def test_the_preview_says_which_milestones_of_the_template_come_after_the_end(client, manager):
    outline = Outline(milestones=(MilestoneOutline("Too late", 90), MilestoneOutline("Soon", 1)))
    template = TemplateFactory(outline=outline)

    page = looked(client, start=MONDAY, end="2027-01-29", template=template.latest.pk)

    assert "The milestone “Too late”, Sun 4 April 2027, lies outside these dates." in page
    assert "The milestone “Soon”" not in page


@pytest.mark.parametrize("start", ["yesterday", "9999-12-31", "0001-01-01", ""])
def test_a_preview_of_what_is_no_date_is_empty(client, manager, start):
    answer = client.get(
        reverse("trains:preview"), {"start": start, "end": "x", "train": "", "calendar": "99999999"}
    )

    assert answer.status_code == 200
    assert "Give dates" in text(answer)


# --- Templates ------------------------------------------------------------------------------------


def whole_outline(owner):
    return Outline(
        lengths=(5, 5, 5, 5),
        needs={"train": True, "development": False, "executive": False},
        levels={"train": (LevelOutline("Board", (owner.pk,)),)},
        gates={"qa": 14},
        criteria=(
            CriterionOutline("scoping", "Scope agreed", "By all", owner.pk, 3),
            CriterionOutline("qa", "Rehearsed"),
        ),
        milestones=(
            MilestoneOutline(
                "Freeze",
                8,
                owner.pk,
                for_all=True,
                freezes=(FreezeOutline("Content", "scope", "Only what is tested"),),
            ),
        ),
    )


def test_the_standard_template_of_a_type_is_what_its_trains_begin_with(client, manager, calendar):
    owner = UserFactory(role="Approver")
    template = TemplateFactory(outline=whole_outline(owner), is_standard=True)
    page = client.get(NEW, {"type": template.release_type.pk})
    form = page.context["form"]
    assert form["criteria_scoping"].value() == "Scope agreed"
    assert form["needs_train_approval"].value() is True
    assert form["needs_development_approval"].value() is False

    client.post(
        NEW,
        filled(
            template.release_type,
            manager,
            calendar=calendar.pk,
            start=MONDAY,
            needs_train_approval="on",
            template=template.latest.pk,
            criteria_scoping="Scope agreed\nBudget there",
            criteria_qa="",
        ),
    )

    train = Train.objects.get()
    assert train.template == template.latest
    first, second = train.gates.get(stage="scoping").criteria.all()
    assert (first.description, first.owner, first.own_due) == ("By all", owner, dt.date(2027, 1, 7))
    assert (second.title, second.owner) == ("Budget there", None)
    assert not train.gates.get(stage="qa").criteria.exists()
    assert train.gates.get(stage="qa").date == dt.date(2027, 1, 22)
    freeze = train.milestones.get()
    assert (freeze.due, freeze.owner, freeze.for_all) == (dt.date(2027, 1, 14), owner, True)
    assert train.train_signoff.levels.get().rules.get().person == owner
    content = train.freezes.get()
    assert (content.milestone, content.ends, content.stops) == (freeze, None, "scope")
    assert content.begins == dt.datetime(2027, 1, 14, tzinfo=dt.UTC)


def test_who_has_left_owns_and_approves_nothing(client, manager, calendar):
    owner = UserFactory(role="Approver", is_active=False)
    template = TemplateFactory(outline=whole_outline(owner))
    data = filled(template.release_type, manager, start=MONDAY, template=template.latest.pk)

    client.post(NEW, data | {"criteria_scoping": "Scope agreed"})

    train = Train.objects.get()
    assert train.gates.get(stage="scoping").criteria.get().owner is None
    assert train.train_signoff is None


def template_form(template, **more):
    return {
        "name": template.name,
        "release_type": template.release_type.pk,
        "is_active": "on",
        "version": template.version,
        "scoping_days": 5,
        "construction_days": 5,
        "verification_days": 5,
        "deployment_days": 5,
    } | more


def test_a_change_makes_the_next_version_and_leaves_the_used_one(client, manager):
    owner = UserFactory(role="Approver")
    template = TemplateFactory(outline=whole_outline(owner))
    used = template.latest
    train = TrainFactory(template=used)

    answer = client.post(
        reverse("trains:template-edit", args=[template.pk]),
        template_form(template, criteria_scoping="Scope agreed", milestones="9* Freeze\n-2 Invite"),
    )

    assert answer.status_code == 303
    template = Template.objects.get()
    new = template.latest.outline
    assert template.latest.number == 2
    assert [(m.title, m.days, m.for_all, m.owner) for m in new.milestones] == [
        ("Freeze", 9, True, owner.pk),
        ("Invite", -2, False, None),
    ]
    assert [len(milestone.freezes) for milestone in new.milestones] == [1, 0]
    assert new.criteria == (CriterionOutline("scoping", "Scope agreed", "By all", owner.pk, 3),)
    assert new.levels == used.outline.levels
    train.refresh_from_db()
    assert train.template.outline == whole_outline(owner)
    assert template.version == 2


def test_a_template_that_is_stored_unchanged_gets_no_new_version(client, manager):
    template = TemplateFactory(
        outline=Outline(
            lengths=(5, 5, 5, 5), needs=dict.fromkeys(("train", "development", "executive"), False)
        )
    )

    client.post(reverse("trains:template-edit", args=[template.pk]), template_form(template))

    assert template.versions.count() == 1


def test_a_change_from_an_old_page_is_a_conflict(client, manager):
    template = TemplateFactory()
    stale = template_form(template)
    edit(template, by=manager, description="Changed meanwhile")

    answer = client.post(
        reverse("trains:template-edit", args=[template.pk]), stale | {"milestones": "3 New"}
    )

    assert answer.status_code == 409
    assert template.versions.count() == 1


@pytest.mark.parametrize("line", ["Freeze", "x Freeze", "99999 Freeze", "5*"])
def test_a_milestone_without_its_days_is_refused_beside_the_field(client, manager, line):
    template = TemplateFactory()

    answer = client.post(
        reverse("trains:template-edit", args=[template.pk]),
        template_form(template, milestones=line),
    )

    assert answer.status_code == 422
    assert "milestones" in answer.context["form"].errors


def test_a_type_has_one_standard_template(client, manager):
    first = TemplateFactory(is_standard=True)
    second = TemplateFactory(release_type=first.release_type)

    answer = client.post(
        reverse("trains:template-edit", args=[second.pk]), template_form(second, is_standard="on")
    )

    assert answer.status_code == 422
    assert "This release type has a standard template already." in text(answer)


def test_approvers_of_a_template_are_named_on_a_page(client, manager):
    template = TemplateFactory()
    voter = UserFactory(role="Approver")

    answer = client.post(
        reverse("trains:template-approval", args=[template.pk, "executive"]),
        {"version": template.version, "level1_name": "Board", "level1_people": [voter.pk]},
    )

    assert answer.status_code == 303
    latest = Template.objects.get().latest
    assert latest.number == 2
    assert latest.outline.levels["executive"] == (LevelOutline("Board", (voter.pk,)),)
    assert str(voter) in text(client.get(template.get_absolute_url()))


def test_a_train_is_kept_as_a_template(client, manager, calendar):
    train = TrainFactory(
        calendar=calendar,
        start=MONDAY,
        scoping_end=dt.date(2027, 1, 11),
        needs_train_approval=True,
        construction_end=None,
        qa_end=None,
        end=dt.date(2027, 1, 18),
    )
    gate = GateFactory(train=train)
    gate.criteria.create(title="Agreed", own_due=dt.date(2027, 1, 6))
    MilestoneFactory(train=train, title="Invite", due=dt.date(2026, 12, 31))

    client.post(reverse("trains:keep", args=[train.pk]), {"name": "As Larch"})

    outline = Template.objects.get(name="As Larch").latest.outline
    assert outline.lengths == (5, 0, 0, 5)
    assert outline.needs["train"] is True
    assert outline.criteria == (CriterionOutline("scoping", "Agreed", days=2),)
    assert [(one.title, one.days) for one in outline.milestones] == [("Invite", -1)]


def of_plan(train):
    """What a train begins with, without its dates: what templates have to carry."""
    criteria = [
        (
            gate.stage,
            *(getattr(row, name) for name in ("title", "description", "owner", "environment")),
            *(getattr(row, name) for name in CHECK_FIELDS),
        )
        for gate in train.gates.order_by("pk")
        for row in gate.criteria.order_by("pk")
    ]
    facts = ("title", "owner", "same_role", "for_all")
    milestones = [tuple(getattr(row, name) for name in facts) for row in train.milestones.all()]
    sheets = [
        (which, sheet.allows_override, [str(level) for level in sheet.levels.all()])
        for which, sheet in train.signoffs
        if sheet
    ]
    return criteria, milestones, sheets


def test_a_train_of_a_template_of_a_train_of_a_template_has_the_same_checks(
    client, manager, calendar
):
    owner = UserFactory(role="Approver")
    outline = replace(
        whole_outline(owner),
        overrides=("train",),
        criteria=(
            CriterionOutline("scoping", "Scope agreed", "By all", owner.pk, 3),
            CriterionOutline(
                "qa",
                "It answers",
                owner=owner.pk,
                environment=EnvironmentFactory().pk,
                checked_by="answer",
                parameters={"url": "https://status.example/health"},
                check_every=5,
                good_for=30,
                green_for=20,
            ),
            CriterionOutline("qa", "Work done", checked_by="work"),
        ),
    )
    cadence = CadenceFactory(
        template=TemplateFactory(outline=outline), first_start=MONDAY, calendar=calendar
    )
    first = make_next(cadence, MONDAY)
    checked = first.gates.get(stage="qa").criteria.get(title="It answers")
    perform(checked, "pass_check", by=User.objects.robot(), evidence="It does")
    Waiver.objects.create(
        criterion=checked, reason="x", scope="x", until=MONDAY, asked_by=owner, state="refused"
    )
    checked.filed.create(note="Seen", added_by=owner)

    client.post(reverse("trains:keep", args=[first.pk]), {"name": "As the first"})
    template = Template.objects.get(name="As the first")
    second = make_next(CadenceFactory(template=template, first_start=MONDAY), MONDAY)

    assert replace(template.latest.outline, gates=outline.gates) == outline
    assert of_plan(second) == of_plan(first)
    again = second.gates.get(stage="qa").criteria.get(title="It answers")
    assert (again.state, again.evidence, again.filed.count()) == ("open", "", 0)
    assert (again.waivers.count(), again.results.count()) == (0, 0)
    assert again.watch.next_at is not None
    assert not Watch.objects.filter(criterion__gate__train=second, criterion__checked_by="")


def test_a_version_from_before_checks_and_overrides_can_still_be_used(client, manager, calendar):
    old = whole_outline(manager).to_json()
    del old["overrides"]
    old["criteria"] = [
        {name: value for name, value in one.items() if name not in CHECK_FIELDS}
        for one in old["criteria"]
    ]

    assert Outline.from_json(old) == whole_outline(manager)


def test_an_edit_of_a_template_keeps_the_checks_of_its_criteria(client, manager):
    checked = CriterionOutline("qa", "Work done", checked_by="work", green_for=10)
    template = TemplateFactory(outline=Outline(criteria=(checked,), overrides=("executive",)))

    client.post(
        reverse("trains:template-edit", args=[template.pk]),
        template_form(template, criteria_qa="Work done\nRehearsed"),
    )

    latest = Template.objects.get().latest
    assert latest.number == 2
    assert latest.outline.criteria == (checked, CriterionOutline("qa", "Rehearsed"))
    assert latest.outline.overrides == ("executive",)
    assert "checked by itself: All work items done" in text(client.get(template.get_absolute_url()))


def test_a_criterion_of_the_library_brings_its_check_into_a_template(client, manager):
    asked = {"description": "Ask", "checked_by": "work", "green_for": 5}
    LibraryCriterion.objects.create(title="Work done", stage="qa", **asked)
    LibraryCriterion.objects.create(title="Gone", stage="qa", checked_by="work", is_active=False)
    template = TemplateFactory()

    client.post(
        reverse("trains:template-edit", args=[template.pk]),
        template_form(template, criteria_qa="Work done\nGone", criteria_scoping="Work done"),
    )

    assert Template.objects.get().latest.outline.criteria == (
        CriterionOutline("scoping", "Work done"),
        CriterionOutline("qa", "Work done", **asked),
        CriterionOutline("qa", "Gone"),
    )


def test_overrides_are_allowed_by_the_template_and_by_the_policy_of_its_type(client, manager):
    template, voter = TemplateFactory(), UserFactory(role="Approver")
    url = reverse("trains:template-approval", args=[template.pk, "executive"])
    data = {"version": template.version, "level1_people": [voter.pk], "allows_override": "on"}

    client.post(url, data)

    assert Template.objects.get().latest.outline.overrides == ("executive",)
    assert "allows_override" in client.get(url).context["form"].fields
    edit(
        template.release_type,
        by=manager,
        approval_policy=PolicyFactory(overrides=False, most_levels=2),
    )
    form = client.get(url).context["form"]
    assert "allows_override" not in form.fields
    assert form.most_levels == 2


def test_the_template_of_a_type_is_one_click_from_it(client, manager):
    kind = ReleaseTypeFactory()
    new = f"{reverse('trains:template-new')}?type={kind.pk}"
    assert f'href="{new}"' in text(client.get(NEW))
    form = client.get(new).context["form"]
    assert (form["release_type"].value(), form["is_standard"].value()) == (kind.pk, True)

    template = TemplateFactory(release_type=kind, is_standard=True)

    assert client.get(new).context["form"]["is_standard"].value() is False
    page = text(client.get(NEW))
    assert f'href="{new}"' not in page
    assert f"as “{template}” says" in page


def test_the_administration_leads_from_a_type_to_its_template(client):
    kind = ReleaseTypeFactory()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    page = reverse("admin:trains_releasetype_change", args=[kind.pk])
    assert f'href="{reverse("trains:templates")}"' in text(client.get(page))

    template = TemplateFactory(release_type=kind, is_standard=True)

    assert f'href="{template.get_absolute_url()}"' in text(client.get(page))
    assert client.get(reverse("admin:trains_releasetype_add")).status_code == 200


def test_the_ways_to_begin_are_a_type_a_template_and_a_copy(client, manager):
    template = TemplateFactory()
    hidden = TemplateFactory(is_active=False)
    train = TrainFactory()

    page = text(client.get(NEW))

    assert f"?template={template.latest.pk}" in page
    assert f"?template={hidden.latest.pk}" not in page
    assert f'<option value="{train.pk}"' in page
    assert client.get(NEW, {"copy": train.pk}).headers["Location"] == reverse(
        "trains:copy", args=[train.pk]
    )
