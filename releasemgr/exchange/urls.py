from django.urls import path

from releasemgr.exchange import views

app_name = "exchange"

urlpatterns = [
    path("", views.new, name="new"),
    path("<int:pk>/", views.upload, name="upload"),
    path("<int:pk>/take/", views.take, name="take"),
    path("<int:pk>/again/", views.again, name="again"),
    path("export/", views.exports, name="exports"),
    path("export/<int:pk>/", views.download, name="download"),
]
