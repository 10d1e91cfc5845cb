"""Addresses of the billing API."""

from django.urls import path

from billing.api import views
from billing.api.cost_days import CostDaysView
from billing.api.margin import MarginView

urlpatterns = [
    path("billing/balance", views.BalanceView.as_view(), name="billing-balance"),
    path("billing/cost-lines", views.CostLineList.as_view(), name="billing-cost-lines"),
    path("billing/costs", views.CostsView.as_view(), name="billing-costs"),
    path("costs/days", CostDaysView.as_view(), name="cost-days"),
    path("costs/margin", MarginView.as_view(), name="costs-margin"),
    path("billing/invoices", views.InvoiceList.as_view(), name="billing-invoices"),
    path("billing/invoices/<int:pk>", views.InvoiceDetail.as_view(), name="billing-invoice"),
]
