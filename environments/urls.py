from django.urls import path

from environments import views
from environments.models import Booking, Environment
from releasemgr.workflow.views import blockers_json, take_step

app_name = "environments"

urlpatterns = [
    path("", views.environments, name="list"),
    path("new/", views.new, name="new"),
    path("board/", views.board, name="board"),
    path("book/", views.book, name="book"),
    path("bookings/", views.bookings, name="bookings"),
    path("bookings/EB-<int:pk>/", views.booking, name="booking"),
    path(
        "bookings/EB-<int:pk>/blockers.json",
        blockers_json,
        {"model": Booking},
        name="booking-blockers",
    ),
    path("bookings/EB-<int:pk>/edit/", views.booking_edit, name="booking-edit"),
    path(
        "bookings/EB-<int:pk>/steps/<slug:name>/",
        take_step,
        {"model": Booking},
        name="booking-step",
    ),
    path("<int:pk>/", views.environment, name="detail"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/steps/<slug:name>/", take_step, {"model": Environment}, name="environment-step"),
]
