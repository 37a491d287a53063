"""Templates of trains: their list, their pages, and keeping a train as one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Group
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from approvals.models import Signoff
from releasemgr.accounts.models import User
from releasemgr.http import number
from releasemgr.ui.edit_pages import edit_page
from releasemgr.ui.paging import paginate
from trains import checking
from trains.forms.templates import KeepForm, TemplateApprovalForm, TemplateForm
from trains.http import crumbs, steered_train_or_403
from trains.models import ReleaseType, Template
from trains.outline import Outline
from trains.planning import APPROVALS, keep_template, outline_of
from trains.states import STAGES, GateStage
from trains.views.new import demand_steering

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpResponse

    from releasemgr.http import UserRequest
    from trains.outline import LevelOutline

#: The versions that a template's page tells of.
LATEST = 20


def _crumbs(*more: tuple[str, str]) -> list[tuple[str, str]]:
    return [
        ("Trains", reverse("trains:list")),
        ("Templates", reverse("trains:templates") if more else ""),
        *more,
    ]


@login_required
@require_safe
def template_list(request: UserRequest) -> HttpResponse:
    """The templates, offered ones first."""
    templates: Any = Template.objects.visible_to(request.user).with_facts()
    context = {
        "page": paginate(templates.order_by("-is_active", "name"), request.GET.get("page")),
        "crumbs": _crumbs(),
        "may_steer": request.user.has_perm("trains.steer_train"),
    }
    return render(request, "trains/templates.html", context)


@login_required
@require_safe
def template_detail(request: UserRequest, pk: int) -> HttpResponse:
    """What trains that begin with it get, and how it came about."""
    template = _template_or_404(request, pk)
    asked = request.GET.get("version", "")
    latest = template.latest
    shown = next((v for v in template.versions.all() if str(v.number) == asked), latest)
    outline = shown.outline
    days = 0
    stages = []
    for (name, _), length in zip(STAGES, outline.lengths, strict=True):
        days += length
        stages.append((name, length, days))
    keys = [one.owner for one in outline.criteria] + [one.owner for one in outline.milestones]
    owners = User.objects.in_bulk({key for key in keys if key})
    context = {
        "row": template,
        "version": shown,
        "latest": latest,
        "crumbs": _crumbs((str(template), "")),
        "stages": stages,
        "criteria": _criteria(outline, owners),
        "milestones": [(one, owners.get(one.owner)) for one in outline.milestones],
        "approvals": [
            (which, _level_words(outline.levels.get(which, ())))
            for which in APPROVALS
            if outline.needs.get(which) or which in outline.levels
        ],
        "overrides": outline.overrides,
        "versions": list(template.versions.all())[:LATEST],
        "trains": shown.trains.order_by("-pk")[:LATEST],
        "may_steer": request.user.has_perm("trains.steer_train"),
    }
    return render(request, "trains/template.html", context)


def _criteria(
    outline: Outline, owners: Mapping[Any, User]
) -> list[tuple[str, list[tuple[str, str]]]]:
    """The criteria of each gate that has some, each with what is said of it besides."""
    found: dict[str, list[tuple[str, str]]] = {}
    for one in outline.criteria:
        check = checking.get(one.checked_by)
        said = [
            f"checked by itself: {check.name if check else one.checked_by}"
            if one.checked_by
            else "",
            str(owners.get(one.owner, "")),
            "" if one.days is None else f"{one.days} working days after the start",
        ]
        words = ", ".join(filter(None, said))
        found.setdefault(one.stage, []).append((one.title, words))
    return [(stage.label, found[stage]) for stage in GateStage if stage in found]


def _level_words(levels: tuple[LevelOutline, ...]) -> list[str]:
    """Each level in words, with the names of who is still here."""
    people = User.objects.in_bulk([pk for level in levels for pk in level.people])
    groups = Group.objects.in_bulk([pk for level in levels for pk, _ in level.groups])
    said = []
    for level in levels:
        names = [str(people[pk]) for pk in level.people if pk in people]
        names += [f"{needed} of {groups[pk].name}" for pk, needed in level.groups if pk in groups]
        said.append(f"{level.name}: {', '.join(names)}" if level.name else ", ".join(names))
    return said


def _template_or_404(request: UserRequest, pk: int) -> Template:
    rows: Any = Template.objects.visible_to(request.user).with_facts()
    template: Template = get_object_or_404(rows, pk=pk)
    return template


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def template_new(request: UserRequest) -> HttpResponse:
    """A template from nothing; for the release type in the address, if there is one."""
    demand_steering(request)
    template = Template()
    types: Any = ReleaseType.objects.offered()
    if (chosen := types.filter(pk=number(request.GET.get("type"))).first()) is not None:
        template.release_type = chosen
        template.is_standard = not chosen.templates.standard().exists()
    return _template_page(request, template, Outline(), "New template")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def template_edit(request: UserRequest, pk: int) -> HttpResponse:
    """Change a template; what differs becomes its next version."""
    demand_steering(request)
    template = _template_or_404(request, pk)
    return _template_page(request, template, template.latest.outline, f"Edit {template}")


def _template_page(
    request: UserRequest, template: Template, outline: Outline, title: str
) -> HttpResponse:
    def save(form: TemplateForm) -> Template:
        if form.instance._state.adding:
            return keep_template(form.instance, form.new_outline, by=request.user)
        version, changes = form.seen_version, form.changes
        return keep_template(
            template, form.new_outline, by=request.user, version=version, **changes
        )

    return edit_page(
        request,
        TemplateForm,
        template,
        title=title,
        crumbs=_crumbs((title, "")),
        save=save,
        form_kwargs={"outline": outline},
        back=template.get_absolute_url() if template.pk else reverse("trains:templates"),
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def template_approval(request: UserRequest, pk: int, which: str) -> HttpResponse:
    """Who decides upon one approval of the trains to come."""
    demand_steering(request)
    if which not in APPROVALS:
        raise Http404
    template = _template_or_404(request, pk)
    outline = template.latest.outline
    title = f"{which.capitalize()} approval of {template}"

    def save(form: TemplateApprovalForm) -> Template:
        levels = outline.levels | {which: form.new_levels}
        needs = outline.needs | {which: True}
        allowed = {*outline.overrides} - {which}
        if form.cleaned_data.get("allows_override"):
            allowed.add(which)
        overrides = tuple(one for one in APPROVALS if one in allowed)
        new = replace(outline, levels=levels, needs=needs, overrides=overrides)
        return keep_template(template, new, by=request.user, version=form.seen_version)

    sheet = Signoff(version=template.version, allows_override=which in outline.overrides)
    return edit_page(
        request,
        TemplateApprovalForm,
        sheet,
        title=title,
        crumbs=_crumbs((str(template), template.get_absolute_url()), ("Approvers", "")),
        save=save,
        form_kwargs={
            "levels": outline.levels.get(which, ()),
            "policy": template.release_type.approval_policy,
        },
        back=template.get_absolute_url(),
        template="trains/approval.html",
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def template_from_train(request: UserRequest, pk: int) -> HttpResponse:
    """Keep the plan of a train as a template."""
    train = steered_train_or_403(request.user, pk)
    outline = outline_of(train)

    def save(form: KeepForm) -> Template:
        return keep_template(form.instance, outline, by=request.user, made_from=train)

    return edit_page(
        request,
        KeepForm,
        Template(name=f"As {train}"[:100], release_type=train.release_type),
        title="Keep as template",
        crumbs=crumbs(train, ("Keep as template", "")),
        save=save,
        back=train.get_absolute_url(),
        template="trains/keep.html",
        outline=outline,
        train=train,
        said="{row} is kept. New trains can begin with it.",
    )
