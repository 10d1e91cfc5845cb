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
_SIMULATION: Final = {
    "id": 7,
    "plan_version_id": 12,
    "version_name": "studio/2",
    "terms_digest": "9f2c4a1e6d0b83f57a9c1e4d6b8f0a2c4e6d8b0f1a3c5e7d9b1f3a5c7e9d0b2f",
    "currency": "AUD",
    "first_month": "2026-05",
    "month_count": 1,
    "status": "completed",
    "error": "",
    "requested_by": "user:ops",
    "requested_at": "2026-06-02T09:00:00Z",
    "started_at": "2026-06-02T09:00:00.310000Z",
    "finished_at": "2026-06-02T09:00:01.118000Z",
    "subscribers": 2,
    "subscribers_done": 2,
    "other_currency": 0,
    "months_left_out": 1,
    "months_quoted": 1,
    "pay_more": 0,
    "pay_less": 1,
    "cross_into_overage": 0,
    "revenue_now": "50.00",
    "revenue_then": "45.00",
    "difference": "-5.00",
    "cost": "36.92",
    "margin_now": "13.08",
    "margin_then": "8.08",
    "cost_unknown": "",
    "unpriced": 0,
    "rows_deleted_at": None,
}
_SIMULATION_DETAIL: Final = {
    **_SIMULATION,
    "tenants": [
        {
            "tenant_id": "acme",
            "deployments": 1,
            "revenue_now": "50.00",
            "revenue_then": "45.00",
            "difference": "-5.00",
            "cost": "36.92",
            "unpriced": 0,
            "cross_into_overage": 0,
        },
    ],
    "rows": [
        {
            "month": "2026-05",
            "tenant_id": "acme",
            "deployment_id": 4,
            "subscription_id": 3,
            "revenue_now": "50.00",
            "revenue_then": "45.00",
            "difference": "-5.00",
            "cost": "36.92",
            "unpriced": 0,
            "crosses_into": [],
            "loses_price": [],
        },
    ],
}
_QUEUED: Final = {
    **_SIMULATION,
    "status": "queued",
    "started_at": None,
    "finished_at": None,
    "subscribers": None,
    "subscribers_done": 0,
    "other_currency": None,
    "months_left_out": None,
    "months_quoted": None,
    "pay_more": None,
    "pay_less": None,
    "cross_into_overage": None,
    "revenue_now": None,
    "revenue_then": None,
    "difference": None,
    "cost": None,
    "margin_now": None,
    "margin_then": None,
    "unpriced": None,
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
        {
            "kind": "droplet",
            "billed": "48.00",
            "accrued": "48.10",
            "difference": "0.10",
            "unpriced": 0,
            "prices": 219,
            "unverified": 0,
        },
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
            "since": "2026-03-14T09:30:00Z",
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

_LEFTOVERS: Final = {
    "currency": PROVIDER_CURRENCY,
    "total": {"count": 1, "monthly": "10.00", "unpriced": 0},
    "next": None,
    "previous": None,
    "results": [
        {
            "resource_id": 23,
            "kind": "volume",
            "name": "old-files",
            "provider_id": "7f4d9c1e-2b6a-11f1-8d0c-0a58ac14d0f3",
            "region": "lon1",
            "tenant_id": "initech",
            "deployment_id": None,
            "reasons": ["unattached"],
            "off_since": None,
            "monthly": "10.00",
            "clean_up": "delete_volume",
        },
    ],
}


# Of a list, one row each: the schema lays the page around it.
BALANCE: Final = [answer({**_BALANCE, "history": [_BALANCE]})]
INVOICES: Final = [answer(_INVOICE)]
INVOICE: Final = [answer(_INVOICE)]
COST_LINES: Final = [answer(_COST_LINE)]
_FINDING: Final = {
    "id": 12,
    "rule": "resource_without_subscription",
    "severity": "red",
    "title": "A live resource is paid for by nobody",
    "subject": "resource:311",
    "expected": "a live subscription of acme/shop",
    "actual": "none; the deployment is cancelled",
    "first_seen_at": "2026-05-02T03:55:00.204000Z",
    "last_seen_at": "2026-05-10T03:55:00.197000Z",
    "closed_at": None,
}
COSTS: Final = [answer(_COSTS)]
COST_DAYS: Final = [answer(_COST_DAYS)]
COST_ACCURACY: Final = [answer(_COST_ACCURACY)]
UNDERCHARGES: Final = [answer(_UNDERCHARGES)]
AUDIT_FINDINGS: Final = [answer(_FINDING)]
SIMULATE: Final = [
    OpenApiExample("The last month", value={"months": 1}, request_only=True),
    answer(_QUEUED, name="Asked for", status=202),
]
SIMULATION: Final = [answer(_SIMULATION_DETAIL)]
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
MARGIN: Final = [answer(_MARGIN)]
LEFTOVERS: Final = [answer(_LEFTOVERS)]
