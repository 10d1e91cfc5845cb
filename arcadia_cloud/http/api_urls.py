"""Addresses of the API that belong to no app: health, the schema, its documentation."""

from django.urls import path

from arcadia_cloud.http.health import HealthView, ReadinessView
from arcadia_cloud.http.schema import DocumentationView, SchemaView

urlpatterns = [
    path("health", HealthView.as_view(), name="health"),
    path("health/ready", ReadinessView.as_view(), name="health-ready"),
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", DocumentationView.as_view(), name="docs"),
]
