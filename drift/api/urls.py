"""Addresses of the drift API."""

from django.urls import path

from drift.api import views

urlpatterns = [
    path("drift", views.DriftList.as_view(), name="drift-list"),
    path("drift/bulk", views.DriftBulk.as_view(), name="drift-bulk"),
    path("drift/summary", views.DriftSummaryView.as_view(), name="drift-summary"),
    path("drift/<int:pk>", views.DriftDetail.as_view(), name="drift-detail"),
    path("drift/<int:pk>/accept", views.DriftAccept.as_view(), name="drift-accept"),
    path("drift/<int:pk>/revert", views.DriftRevert.as_view(), name="drift-revert"),
    path("drift/<int:pk>/ignore", views.DriftIgnore.as_view(), name="drift-ignore"),
]
