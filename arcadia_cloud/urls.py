"""Every address the service answers."""

from django.contrib import admin
from django.urls import include, path

from arcadia_cloud.http.metrics import metrics_view

urlpatterns = [
    path("admin/", include("arcadia_cloud.console.urls")),  # first: the admin takes what is left
    path("admin/", admin.site.urls),
    path("metrics", metrics_view, name="metrics"),
    path("api/", include("arcadia_cloud.http.api_urls")),
    path("api/v1/", include("catalog.api.urls")),
    path("api/v1/", include("deployments.api.urls")),
    path("api/v1/", include("inventory.api.urls")),
    path("api/v1/", include("metering.api.urls")),
    path("api/v1/", include("billing.api.urls")),
    path("api/v1/", include("provisioning.api.urls")),
    path("api/v1/", include("drift.api.urls")),
]

handler400 = "arcadia_cloud.kernel.api.problems.bad_request"
handler403 = "arcadia_cloud.kernel.api.problems.forbidden"
handler404 = "arcadia_cloud.kernel.api.problems.not_found"
handler500 = "arcadia_cloud.kernel.api.problems.server_error"
