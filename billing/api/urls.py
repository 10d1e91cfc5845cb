"""Addresses of the billing API."""

from django.urls import path

from billing.api import views
from billing.api.anomalies import AnomalyDetail, AnomalyDismiss, AnomalyList
from billing.api.audit import AuditFindingList
from billing.api.cost_checks import CostAccuracyView, UnderchargesView
from billing.api.cost_days import CostDaysView
from billing.api.leftovers import LeftoversView
from billing.api.margin import MarginView
from billing.api.simulations import SimulateView, SimulationDetail

urlpatterns = [
    path("billing/balance", views.BalanceView.as_view(), name="billing-balance"),
    path("billing/cost-lines", views.CostLineList.as_view(), name="billing-cost-lines"),
    path("billing/costs", views.CostsView.as_view(), name="billing-costs"),
    path("costs/accuracy", CostAccuracyView.as_view(), name="cost-accuracy"),
    path("costs/undercharges", UnderchargesView.as_view(), name="cost-undercharges"),
    path("costs/audit", AuditFindingList.as_view(), name="cost-audit"),
    path("costs/anomalies", AnomalyList.as_view(), name="cost-anomalies"),
    path("costs/anomalies/<int:pk>", AnomalyDetail.as_view(), name="cost-anomaly"),
    path("costs/anomalies/<int:pk>/dismiss", AnomalyDismiss.as_view(), name="cost-anomaly-dismiss"),
    path("costs/leftovers", LeftoversView.as_view(), name="cost-leftovers"),
    path("costs/days", CostDaysView.as_view(), name="cost-days"),
    path("costs/margin", MarginView.as_view(), name="costs-margin"),
    path("billing/invoices", views.InvoiceList.as_view(), name="billing-invoices"),
    path("billing/invoices/<int:pk>", views.InvoiceDetail.as_view(), name="billing-invoice"),
    path("catalog/plan-versions/<int:pk>/simulate", SimulateView.as_view(), name="catalog-simulate"),
    path("catalog/simulations/<int:pk>", SimulationDetail.as_view(), name="catalog-simulation"),
]
