"""Addresses of the billing API."""

from django.urls import path

from billing.api import views
from billing.api.cost_days import CostDaysView
from billing.api.simulations import SimulateView, SimulationDetail

urlpatterns = [
    path("billing/balance", views.BalanceView.as_view(), name="billing-balance"),
    path("billing/cost-lines", views.CostLineList.as_view(), name="billing-cost-lines"),
    path("billing/costs", views.CostsView.as_view(), name="billing-costs"),
    path("costs/days", CostDaysView.as_view(), name="cost-days"),
    path("billing/invoices", views.InvoiceList.as_view(), name="billing-invoices"),
    path("billing/invoices/<int:pk>", views.InvoiceDetail.as_view(), name="billing-invoice"),
    path("catalog/plan-versions/<int:pk>/simulate", SimulateView.as_view(), name="catalog-simulate"),
    path("catalog/simulations/<int:pk>", SimulationDetail.as_view(), name="catalog-simulation"),
]
