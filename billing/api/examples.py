"""Examples of the billing API's answers, for the schema and its page."""

from typing import Final

from arcadia_cloud.kernel.api.examples import answer
from inventory.values import PROVIDER, PROVIDER_CURRENCY

_BALANCE: Final = {
    "month_to_date_balance": "23.44",
    "account_balance": "12.23",
    "month_to_date_usage": "11.21",
    "currency": PROVIDER_CURRENCY,
    "generated_at": "2026-05-10T02:06:59Z",
    "captured_at": "2026-05-10T02:07:01.118000Z",
}
_INVOICE: Final = {
    "id": 136,
    "provider": PROVIDER,
    "invoice_uuid": "22737513-0ea7-4206-8ceb-98a575af7681",
    "invoice_id": "529784185",
    "period": "2026-04-01",
    "issued_on": "2026-05-01",
    "is_preview": False,
    "amount": "86.92",
    "currency": PROVIDER_CURRENCY,
    "amount_gross_minor": 8692,
    "amount_tax_minor": 790,
    "amount_net_minor": 7902,
    "discovered_at": "2026-05-02T02:23:04.651930Z",
    "ingest_status": "ingested",
    "ingested_at": "2026-05-02T02:23:07.118000Z",
    "ingest_error": "",
    "line_count": 33,
    "lines_total": "86.92",
    "adjustments_total": "0.00",
    "accepted_at": None,
    "accepted_by": "",
    "accepted_note": "",
    "push_status": "pushed",
    "pushed_to_finance_at": "2026-05-02T02:23:07.420000Z",
    "finance_invoice_id": "inv_000136",
    "finance_action": "created",
    "push_error": "",
}
_COST_LINE: Final = {
    "id": 4711,
    "invoice_id": 136,
    "period": "2026-04-01",
    "is_preview": False,
    "line_no": 1,
    "product": "Droplets",
    "group_description": "",
    "description": "web-01 (s-2vcpu-4gb)",
    "hours": "720",
    "started_at": "2026-04-01T00:00:00Z",
    "ended_at": "2026-05-01T00:00:00Z",
    "amount": "24.00",
    "currency": PROVIDER_CURRENCY,
    "project_name": "acme",
    "category": "iaas",
    "kind": "droplet",
    "name": "web-01",
    "is_tax": False,
    "match": "id",
    "resource_id": 13,
    "resource_name": "web-01",
    "tenant_id": "acme",
    "deployment_id": 4,
}
_COSTS: Final = {
    "period": "2026-04-01",
    "by": "tenant",
    "total": "86.92",
    "currency": PROVIDER_CURRENCY,
    "has_preview": False,
    "rows": [
        {"group": "matched", "key": "acme", "name": "acme", "amount": "48.00", "line_count": 6},
        {"group": "tax", "key": None, "name": "", "amount": "7.90", "line_count": 1},
        {"group": "unmatched", "key": None, "name": "", "amount": "31.02", "line_count": 26},
    ],
}
_COST_DAYS: Final = {
    "from": "2026-04-01",
    "to": "2026-04-02",
    "by": "tenant",
    "currency": PROVIDER_CURRENCY,
    "rows": [
        {
            "day": "2026-04-01",
            "source": "billed",
            "group": "matched",
            "key": "acme",
            "amount": "1.60",
            "resources": 6,
            "unpriced": 0,
        },
    ],
}
_MARGIN_ROW: Final = {
    "key": "4",
    "name": "acme/shop",
    "revenue": "32.50",
    "cost": "24.00",
    "shared": "0.00",
    "margin": "8.50",
    "percent": "26.2",
    "unpriced": 0,
    "revenues": [{"currency": "AUD", "amount_minor": 5000}],
}
_MARGIN: Final = {
    "period": "2026-04-01",
    "by": "deployment",
    "spread": "none",
    "currency": PROVIDER_CURRENCY,
    "is_to_date": False,
    "costs_until": "2026-04-30",
    "computed_at": "2026-05-02T03:11:20Z",
    "sources": ["billed"],
    "total": {
        "revenue": "32.50",
        "cost": "24.00",
        "shared": "7.90",
        "margin": "0.60",
        "percent": "1.8",
        "unpriced": 0,
        "revenues": [{"currency": "AUD", "amount_minor": 5000}],
    },
    "apart": [{"part": "tax", "amount": "7.90"}],
    "rows": [_MARGIN_ROW],
}


# Of a list, one row each: the schema lays the page around it.
BALANCE: Final = [answer({**_BALANCE, "history": [_BALANCE]})]
INVOICES: Final = [answer(_INVOICE)]
INVOICE: Final = [answer(_INVOICE)]
COST_LINES: Final = [answer(_COST_LINE)]
COSTS: Final = [answer(_COSTS)]
COST_DAYS: Final = [answer(_COST_DAYS)]
MARGIN: Final = [answer(_MARGIN)]
