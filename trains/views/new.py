"""Planning a train: from nothing, from a template, as a copy; and how its dates would look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from releasemgr.http import number
from releasemgr.ui.edit_pages import edit_page, see_other
from trains import rules
from trains.forms.schedule import ScheduleForm
from trains.forms.trains import NewTrainForm, TrainForm
from trains.http import crumbs, steered_train_or_403
from trains.models import Calendar, ReleaseType, Template, TemplateVersion, Train
from trains.outline import Outline
from trains.planning import APPROVALS, SCHEDULE, create_planned, dates_of
from trains.preview import preview_of
from trains.schedule import period_of, periods, spread
from trains.services import change_train
from trains.states import GateStage

if TYPE_CHECKING:
    from django.http import HttpResponse

    from releasemgr.http import UserRequest

#: The trains that can be chosen to be copied.
MOST_TO_COPY = 50


def demand_steering(request: UserRequest) -> None:
    """Answer 403 to whoever does not plan trains."""
    if not request.user.has_perm("trains.steer_train"):
        raise PermissionDenied(rules.may_steer.sentence)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def train_new(request: UserRequest) -> HttpResponse:
    """Choose what to begin with, which then fills the form of a new train."""
    demand_steering(request)
    if origin := number(request.GET.get("copy")):
        return see_other(reverse("trains:copy", args=[origin]))
    asked = request.POST or request.GET
    version = _version(number(asked.get("template")))
    types: Any = ReleaseType.objects.offered()
    chosen = version.template.release_type if version else None
    chosen = (
        chosen or types.filter(pk=number(asked.get("release_type") or asked.get("type"))).first()
    )
    where = [("Trains", reverse("trains:list")), ("New train", "")]
    if request.method != "POST" and chosen is None:
        return render(
            request, "trains/types.html", _ways_to_begin(request, types) | {"crumbs": where}
        )
    if version is None and chosen is not None and request.method != "POST":
        version = _standard_of(chosen)
    outline = version.outline if version else Outline()
    train = _proposed(request, chosen, version, outline)

    def save(form: NewTrainForm) -> Train:
        return create_planned(
            form.instance,
            version.outline if version else None,
            by=request.user,
            engineers=form.engineers_chosen,
            criteria=form.criteria,
        )

    initial = {f"criteria_{stage}": "\n".join(outline.titles(stage)) for stage in GateStage.values}
    return plan_page(
        request,
        NewTrainForm,
        train,
        outline,
        initial=initial,
        title="New train",
        crumbs=where,
        save=save,
        back=reverse("trains:list"),
        said="{row} is planned. Look at its approvals, criteria and reservations next.",
        submit="Create train",
        version=version,
    )


def _ways_to_begin(request: UserRequest, types: Any) -> dict[str, Any]:
    templates: Any = Template.objects.visible_to(request.user).offered().with_facts()
    trains: Any = Train.objects.visible_to(request.user).order_by("-pk")
    standard = Template.objects.standard().filter(is_active=True)
    types = types.prefetch_related(Prefetch("templates", standard))
    bare = [kind for kind in types if not kind.templates.all()]
    return {
        "types": types,
        "bare_types": bare,
        "templates": templates,
        "trains": trains[:MOST_TO_COPY],
    }


def _version(pk: int | None) -> TemplateVersion | None:
    rows = TemplateVersion.objects.select_related("template__release_type")
    return rows.filter(pk=pk, template__is_active=True).first() if pk else None


def _standard_of(release_type: ReleaseType) -> TemplateVersion | None:
    rows = TemplateVersion.objects.select_related("template__release_type")
    standard = rows.filter(
        template__release_type=release_type, template__is_standard=True, template__is_active=True
    )
    return standard.order_by("-number").first()


def _proposed(
    request: UserRequest,
    chosen: ReleaseType | None,
    version: TemplateVersion | None,
    outline: Outline,
) -> Train:
    train = Train(manager=request.user, template=version)
    train.calendar = Calendar.objects.filter(is_default=True).first()
    if chosen is not None:
        train.release_type = chosen
        for which in APPROVALS:
            needs = f"needs_{which}_approval"
            setattr(train, needs, outline.needs.get(which, getattr(chosen, needs)))
    return train


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def train_edit(request: UserRequest, pk: int) -> HttpResponse:
    """A train's plan: what, when, who, and which approvals."""
    train = steered_train_or_403(request.user, pk)

    def save(form: TrainForm) -> Train:
        return change_train(
            train,
            by=request.user,
            version=form.seen_version,
            engineers=form.engineers_chosen,
            **form.changes,
        )

    return plan_page(
        request,
        TrainForm,
        train,
        Outline(),
        title=f"Edit {train}",
        crumbs=crumbs(train, ("Edit", "")),
        save=save,
        allowed=rules.train_is_open,
    )


def plan_page(
    request: UserRequest,
    form_class: type[TrainForm],
    train: Train,
    outline: Outline,
    *,
    initial: dict[str, Any] | None = None,
    **page: Any,
) -> HttpResponse:
    """The form of a plan with a preview of its dates, or what a button of it other than Save asks.

    Those buttons fill dates or only look: nothing is stored, and all that was typed stays.
    """
    today = timezone.localdate()
    page |= {
        "template": "trains/plan.html",
        "periods": periods(today),
        "train": train if train.pk else None,
    }
    typed = ScheduleForm(request.POST) if request.method == "POST" else None
    if typed is not None and ("fill" in request.POST or "look" in request.POST):
        form = form_class(request.POST, instance=train)
        values = {name: form[name].value() for name in form.fields if name != "version"}
        filled = _filled(request.POST.get("fill", ""), typed, outline)
        dates: Any = {**typed.dates, **filled}
        form = form_class(instance=train, initial=values | filled)
        page |= {"form": form, "back_url": page.get("back") or train.get_absolute_url()}
        page["preview"] = _preview(request, dates, typed.chosen_calendar, train, page)
        return render(request, page["template"], page)
    dates = typed.dates if typed else {name: getattr(train, name) for name in SCHEDULE}
    calendar = typed.chosen_calendar if typed else train.calendar
    page["preview"] = _preview(request, dates, calendar, train, page)
    return edit_page(request, form_class, train, form_kwargs={"initial": initial or {}}, **page)


def _preview(
    request: UserRequest, dates: Any, calendar: Calendar | None, train: Train, page: dict[str, Any]
) -> Any:
    version: TemplateVersion | None = page.get("version")
    outline = version.outline if version else None
    return preview_of(dates, calendar, request.user, train=train, outline=outline)


def _filled(how: str, typed: ScheduleForm, outline: Outline) -> dict[str, Any]:
    """The dates that a preset sets; none where it lacks the start."""
    calendar = typed.chosen_calendar
    workdays = calendar.workdays if calendar else Train().workdays
    if period := period_of(how, timezone.localdate()):
        return spread(period, outline, workdays)
    start = typed.dates["start"]
    return dict(dates_of(outline, start, workdays)) if how == "stages" and start else {}


@login_required
@require_safe
def train_preview(request: UserRequest) -> HttpResponse:
    """How dates that are being typed would look; only a part of a page."""
    demand_steering(request)
    typed = ScheduleForm(request.GET)
    trains: Any = Train.objects.visible_to(request.user)
    pk = number(request.GET.get("train"))
    train = get_object_or_404(trains, pk=pk) if pk else None
    version = _version(number(request.GET.get("template")))
    outline = version.outline if version else None
    preview = preview_of(
        typed.dates, typed.chosen_calendar, request.user, train=train, outline=outline
    )
    return render(request, "trains/_preview.html", {"preview": preview})
