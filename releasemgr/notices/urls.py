from django.urls import path

from releasemgr.notices import views

app_name = "notices"

urlpatterns = [
    path("notices/", views.notices, name="list"),
    path("notices/read/", views.read, name="read"),
    path("notices/<int:pk>/", views.open_notice, name="open"),
    path("me/notices/", views.preferences, name="preferences"),
]
