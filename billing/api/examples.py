"""Examples of the billing API's answers, for the schema and its page."""

from typing import Final

from drf_spectacular.utils import OpenApiExample

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
_ANOMALY: Final = {
    "id": 7,
    "tenant_id": "acme",
    "deployment_id": 4,
    "kind": "droplet",
    "direction": "up",
    "status": "open",
    "source": "accrued",
    "began_on": "2026-06-12",
    "last_day": "2026-06-14",
    "amount": "17.74",
    "expected": "12.58",
    "difference": "5.16",
    "currency": PROVIDER_CURRENCY,
    "cause": "Cost of acme/shop +41 % (+$5.16 a day) since 12 June: droplet web-2 resized s-1vcpu-2gb → "
    "s-4vcpu-8gb by ops in saga 812 (+$5.16). Revenue +0 %.",
    "parts": [
        {
            "cause": "resized",
            "text": "droplet web-2 resized s-1vcpu-2gb → s-4vcpu-8gb by ops in saga 812",
            "amount": "5.16",
            "resource_id": 13,
            "saga_id": 812,
            "run_id": None,
            "actor": "user:ops",
        }
    ],
    "revenue_percent": 0,
    "detected_at": "2026-06-13T03:30:02Z",
    "ended_at": None,
    "end_reason": "",
    "dismissed_by": "",
    "dismissed_reason": "",
}

_COST_ACCURACY: Final = {
    "period": "2026-04-01",
    "currency": PROVIDER_CURRENCY,
    "rows": [
        {"kind": "droplet", "billed": "48.00", "accrued": "48.10", "difference": "0.10", "unpriced": 0},
    ],
}
_UNDERCHARGES: Final = {
    "period": "2026-04-01",
    "currency": PROVIDER_CURRENCY,
    "rows": [
        {
            "resource_id": 17,
            "kind": "droplet",
            "name": "web-02",
            "sku": "s-1vcpu-1gb",
            "tenant_id": "acme",
            "deployment_id": 3,
            "hours": "720",
            "expected": "6.00",
        },
    ],
}


# Of a list, one row each: the schema lays the page around it.
BALANCE: Final = [answer({**_BALANCE, "history": [_BALANCE]})]
INVOICES: Final = [answer(_INVOICE)]
INVOICE: Final = [answer(_INVOICE)]
COST_LINES: Final = [answer(_COST_LINE)]
COSTS: Final = [answer(_COSTS)]
COST_DAYS: Final = [answer(_COST_DAYS)]
COST_ACCURACY: Final = [answer(_COST_ACCURACY)]
UNDERCHARGES: Final = [answer(_UNDERCHARGES)]
ANOMALIES: Final = [answer(_ANOMALY)]
ANOMALY: Final = [answer(_ANOMALY)]
DISMISS_ANOMALY: Final = [
    OpenApiExample("A reason", value={"reason": "the shop's sale, as planned"}, request_only=True),
    answer(
        {
            **_ANOMALY,
            "status": "dismissed",
            "ended_at": "2026-06-15T09:12:44Z",
            "dismissed_by": "ops",
            "dismissed_reason": "the shop's sale, as planned",
        }
    ),
]
