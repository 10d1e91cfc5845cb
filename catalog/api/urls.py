"""Addresses of the catalog API."""

from django.urls import path

from catalog.api import views

urlpatterns = [
    path("catalog/plans", views.PlanList.as_view(), name="catalog-plans"),
    path("catalog/plans/<slug:code>", views.PlanDetail.as_view(), name="catalog-plan"),
    path("catalog/addons", views.AddonList.as_view(), name="catalog-addons"),
    path("catalog/estimate", views.EstimateView.as_view(), name="catalog-estimate"),
]
