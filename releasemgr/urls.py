"""Where everything is."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("releasemgr.accounts.urls")),
    path("", include("releasemgr.portal.urls")),
    path("", include("releasemgr.ui.urls")),
    path("", include("releasemgr.notices.urls")),
    path("approvals/", include("approvals.urls")),
    path("environments/", include("environments.urls")),
    path("", include("trains.urls")),
    path("", include("turnovers.urls")),
    path("import/", include("releasemgr.exchange.urls")),
    path("", include("releasemgr.operations.urls")),
]

handler400 = "releasemgr.ui.views.bad_request"
handler403 = "releasemgr.ui.views.forbidden"
handler404 = "releasemgr.ui.views.not_found"
handler500 = "releasemgr.ui.views.server_error"
