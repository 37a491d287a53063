from django.urls import path

from approvals import views
from approvals.models import Condition, Signoff
from releasemgr.workflow.views import blockers_json, take_step

app_name = "approvals"

urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/blockers.json", blockers_json, {"model": Signoff}, name="signoff-blockers"),
    path("<int:pk>/steps/<slug:name>/", take_step, {"model": Signoff}, name="signoff-step"),
    path(
        "conditions/<int:pk>/steps/<slug:name>/",
        take_step,
        {"model": Condition},
        name="condition-step",
    ),
]
