"""Every address the service answers."""

from django.contrib import admin
from django.urls import include, path

from arcadia_cloud.console.search_page import search_view
from arcadia_cloud.http.metrics import metrics_view

urlpatterns = [
    # Before the console's own, which answers everything below it.
    path("admin/jobs/", include("arcadia_cloud.console.job_urls")),
    # Before the theme's own search, which has this address: it knows neither groups nor owners.
    path("admin/search/", admin.site.admin_view(search_view), name="console_search"),
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
