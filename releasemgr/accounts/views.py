"""Signing in and out, and what people set for themselves."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from django.contrib import messages
from django.contrib.auth import login, views
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.shortcuts import get_object_or_404, render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from releasemgr.accounts.forms import DECIDES, DeputyForm, SettingsForm, SignInForm, ThemeForm
from releasemgr.accounts.models import Deputy
from releasemgr.accounts.services import end_deputy, keep_settings, keep_theme
from releasemgr.ui.edit_pages import edit_page, see_other
from releasemgr.ui.paging import paginate
from releasemgr.workflow.refusals import TransitionRefused

if TYPE_CHECKING:
    from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
    from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

    from releasemgr.http import UserRequest


MOST_DEPUTIES = 20


class SignIn(views.LoginView):
    """Sign in; refusals are 422, a locked name 429."""

    form_class = SignInForm
    template_name = "accounts/login.html"
    redirect_authenticated_user = True
    http_method_names = ("get", "head", "post")  # Django's own takes PUT for POST

    def form_valid(self, form: AuthenticationForm) -> HttpResponseRedirect:
        login(self.request, form.get_user())
        return see_other(self.get_success_url())

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        until = cast("SignInForm", form).locked_until
        response = self.render_to_response(self.get_context_data(form=form))
        if until is None:
            response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
            return response
        seconds = max(1, int((until - timezone.now()).total_seconds()))
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        response.headers["Retry-After"] = str(seconds)
        return response

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        """Where to go on; never back to this page, and never to another site."""
        url = super().get_redirect_url()
        return "" if url.partition("?")[0] == self.request.path else url


class ChangePassword(views.PasswordChangeView):
    """Change one's own password; the other sessions of the same person end."""

    template_name = "accounts/password.html"
    http_method_names = ("get", "head", "post")
    success_url = reverse_lazy("accounts:me")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponseRedirect:
        super().form_valid(form)
        messages.success(self.request, "Your password is changed. Other devices are signed out.")
        return see_other(reverse("accounts:me"))

    def form_invalid(self, form: PasswordChangeForm) -> HttpResponse:
        response = super().form_invalid(form)
        response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return response


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def me(request: UserRequest) -> HttpResponse:
    """One's own page: who one is here, and one's settings."""
    form = SettingsForm(request.POST or None, instance=request.user)
    if request.method != "POST":
        return render(request, "accounts/me.html", {"form": form})
    if not form.is_valid():
        request.user.refresh_from_db()  # the form has put its invalid values on the user shown
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return render(request, "accounts/me.html", {"form": form}, status=status)
    keep_settings(request.user, **form.cleaned_data)
    messages.success(request, "Your settings are kept.")
    return see_other(reverse("accounts:me"))


@login_required
@require_POST
def theme(request: UserRequest) -> HttpResponse:
    """Keep light or dark, and go back to where the button was pressed."""
    form = ThemeForm(request.POST)
    if not form.is_valid():
        raise BadRequest("There is no such theme.")
    keep_theme(request.user, form.cleaned_data["theme"])
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        back, {request.get_host()}, require_https=request.is_secure()
    )
    return see_other(back if safe else reverse("accounts:me"))


@login_required
@require_safe
def deputies(request: UserRequest) -> HttpResponse:
    """Who decides for the reader while they are away, and for whom the reader does."""
    context = {
        "page": paginate(Deputy.objects.given_by(request.user), request.GET.get("page")),
        "stands_in": Deputy.objects.given_to(request.user)[:MOST_DEPUTIES],
        "may_name": request.user.has_perm(DECIDES),
    }
    return render(request, "accounts/deputies.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def deputy_new(request: UserRequest) -> HttpResponse:
    """Name somebody who decides for the reader, from then until then."""
    if not request.user.has_perm(DECIDES):
        raise PermissionDenied("Only whoever can see approvals can have a deputy for them.")
    here = "Name a deputy"
    return edit_page(
        request,
        DeputyForm,
        Deputy(person=request.user),
        title=here,
        crumbs=[("While you are away", reverse("accounts:deputies")), (here, "")],
        back=reverse("accounts:deputies"),
        said="{row}: on record.",
        submit="Name the deputy",
        template="accounts/deputy.html",
    )


@login_required
@require_POST
def deputy_end(request: UserRequest, pk: int) -> HttpResponse:
    """The deputy decides no longer, from now on."""
    deputy = get_object_or_404(Deputy.objects.given_by(request.user), pk=pk)
    try:
        end_deputy(deputy, by=request.user)
    except TransitionRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"{deputy.deputy} no longer decides for you.")
    return see_other(reverse("accounts:deputies"))
