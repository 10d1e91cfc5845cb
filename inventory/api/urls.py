"""Addresses of the inventory API."""

from django.urls import path

from inventory.api import views

urlpatterns = [
    path("inventory", views.ResourceList.as_view(), name="inventory-list"),
    path("inventory/export", views.ResourceExport.as_view(), name="inventory-export"),
    path("inventory/summary", views.InventorySummary.as_view(), name="inventory-summary"),
    path("inventory/<int:pk>", views.ResourceDetail.as_view(), name="inventory-detail"),
    path("inventory/<int:pk>/events", views.ResourceEvents.as_view(), name="inventory-events"),
]
