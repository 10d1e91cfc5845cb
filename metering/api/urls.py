"""Addresses of the metering API, and what it knows of a deployment."""

from django.urls import path

from metering.api import views

urlpatterns = [
    path("metering/usage", views.UsageList.as_view(), name="usage-list"),
    path("metering/summary", views.UsageSummary.as_view(), name="usage-summary"),
    path("deployments/<int:pk>/usage", views.DeploymentUsage.as_view(), name="deployment-usage"),
    path("deployments/<int:pk>/quote", views.DeploymentQuote.as_view(), name="deployment-quote"),
]
