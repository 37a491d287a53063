from django.urls import path

from releasemgr.operations import views

app_name = "operations"

urlpatterns = [path("status/", views.status, name="status")]
