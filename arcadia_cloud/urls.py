"""Every address the service answers."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("arcadia_cloud.console.api_urls")),
    path("api/v1/", include("inventory.api.urls")),
]
