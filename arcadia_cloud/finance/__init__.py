"""The push of invoices to the finance service."""

from arcadia_cloud.finance.client import Finance
from arcadia_cloud.finance.errors import FinanceError, FinanceRejected, FinanceUnavailable
from arcadia_cloud.finance.invoices import FinanceInvoice, FinanceResponse

__all__ = [
    "Finance",
    "FinanceError",
    "FinanceInvoice",
    "FinanceRejected",
    "FinanceResponse",
    "FinanceUnavailable",
]
