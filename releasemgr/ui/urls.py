from django.urls import path

from releasemgr.ui import views

app_name = "ui"

urlpatterns = [path("design/components/", views.components, name="gallery")]
