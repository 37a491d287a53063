"""Signing in and out has names of its own, as Django expects; the rest is under ``accounts:``."""

from django.contrib.auth.views import LogoutView
from django.urls import include, path

from releasemgr.accounts import views

own = [
    path("", views.me, name="me"),
    path("theme/", views.theme, name="theme"),
    path("password/", views.ChangePassword.as_view(), name="password"),
    path("deputies/", views.deputies, name="deputies"),
    path("deputies/new/", views.deputy_new, name="deputy-new"),
    path("deputies/<int:pk>/end/", views.deputy_end, name="deputy-end"),
]

urlpatterns = [
    path("login/", views.SignIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("me/", include((own, "accounts"))),
]
