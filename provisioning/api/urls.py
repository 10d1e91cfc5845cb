"""Addresses of the sagas API, and of the feed of events."""

from django.urls import path

from provisioning.api import views
from provisioning.api.events import EventFeed

urlpatterns = [
    path("events", EventFeed.as_view(), name="event-feed"),
    path("sagas", views.SagaList.as_view(), name="saga-list"),
    path("sagas/kinds", views.SagaKinds.as_view(), name="saga-kinds"),
    path("sagas/plan", views.SagaPlan.as_view(), name="saga-plan"),
    path("sagas/<int:pk>", views.SagaDetail.as_view(), name="saga-detail"),
    path("sagas/<int:pk>/begin", views.SagaBegin.as_view(), name="saga-begin"),
    path("sagas/<int:pk>/cancel", views.SagaCancel.as_view(), name="saga-cancel"),
    path("sagas/<int:pk>/requeue", views.SagaRequeue.as_view(), name="saga-requeue"),
    path("sagas/<int:pk>/retry", views.SagaRetry.as_view(), name="saga-retry"),
]
