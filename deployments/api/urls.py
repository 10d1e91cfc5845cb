"""Addresses of the deployments API."""

from django.urls import path

from deployments.api import views

urlpatterns = [
    path("deployments", views.DeploymentList.as_view(), name="deployment-list"),
    path("deployments/<int:pk>", views.DeploymentDetail.as_view(), name="deployment-detail"),
    path(
        "deployments/<int:pk>/transition", views.DeploymentTransition.as_view(), name="deployment-transition"
    ),
    path("deployments/<int:pk>/subscribe", views.DeploymentSubscribe.as_view(), name="deployment-subscribe"),
    path("deployments/<int:pk>/addons", views.DeploymentAddons.as_view(), name="deployment-addons"),
    path("deployments/<int:pk>/addons/<slug:code>", views.DeploymentAddon.as_view(), name="deployment-addon"),
    path(
        "deployments/<int:pk>/change-plan",
        views.DeploymentChangePlan.as_view(),
        name="deployment-change-plan",
    ),
]
