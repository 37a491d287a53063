from django.urls import path

from releasemgr.portal import views

app_name = "portal"

urlpatterns = [
    path("", views.home, name="home"),
    path("work/", views.my_work, name="work"),
    path("search/", views.find, name="search"),
    path("work/decide/RT-<int:pk>/", views.decide_together, name="together"),
]
