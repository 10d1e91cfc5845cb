"""Examples of the catalog API's questions and answers, for the schema and its page."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

from arcadia_cloud.kernel.api.examples import NOT_FOUND, UNKNOWN_PARAMETER, answer, refusal


def _item(kind: str, included: str, price_cents: int) -> dict[str, Any]:
    return {
        "resource_kind": kind,
        "included_qty": included,
        "price_model": "per_unit",
        "overage_unit": "1",
        "overage_price_cents": price_cents,
        "tiers": [],
        "hard_cap_qty": None,
        "minimum_cents": None,
        "maximum_cents": None,
    }


_STUDIO: Final = {
    "code": "studio",
    "name": "Studio",
    "description": "Two droplets, storage and language models for a team.",
    "public": True,
    "version": {
        "number": 1,
        "base_price_cents": 5000,
        "currency": "AUD",
        "billing_interval": "month",
        "proration": "none",
        "published_at": "2026-06-01T00:00:00Z",
        "items": [_item("droplet_hours", "1488", 2), _item("spaces_gb_month", "250", 5)],
    },
}
_STORAGE: Final = {
    "code": "storage_50gb",
    "name": "50 GB of storage",
    "resource_kind": "spaces_gb_month",
    "qty": "50",
    "price_cents": 750,
    "currency": "AUD",
}
_JULY: Final = {"start": "2026-07-01", "end": "2026-08-01"}
_ASKED: Final = {
    "plan": "studio",
    "addons": ["storage_50gb"],
    "usage": {"droplet_hours": "1500", "spaces_gb_month": "280.5"},
    "period": "2026-07",
}


def _step(rule: str, formula: str, result: str, text: str, source: str = "", **inputs: str) -> dict[str, Any]:
    return {
        "rule": rule, "formula": formula, "inputs": inputs, "result": result, "source": source, "text": text,
    }  # fmt: skip


_LINE: Final = {
    "days": [_JULY],
    "versions": ["studio/1"],
    "used": None,
    "included": None,
    "overage": None,
    "unit": None,
    "price_cents": None,
    "basis": [],
    "charges": [],
    "warnings": [],
}
QUOTE: Final = {
    "period": _JULY,
    "currency": "AUD",
    "lines": [
        {
            **_LINE,
            "type": "base_fee",
            "code": "studio",
            "amount_cents": 5000,
            "price_cents": "5000",
            "charges": [_step("in_full", "price", "50", "price = 50 = 50", price="50")],
        },
        {
            **_LINE,
            "type": "addon",
            "code": "storage_50gb",
            "amount_cents": 750,
            "price_cents": "750",
            "charges": [_step("in_full", "price", "7.5", "price = 7.5 = 7.5", price="7.5")],
        },
        {
            **_LINE,
            "type": "usage",
            "code": "droplet_hours",
            "amount_cents": 24,
            "used": "1500",
            "included": "1488",
            "overage": "12",
            "unit": "1",
            "price_cents": "2",
            "basis": [
                _step("in_full", "quantity", "1488", "quantity = 1488 = 1488", "studio/1", quantity="1488"),
                _step(
                    "overage",
                    "max(counted - included, 0)",
                    "12",
                    "max(counted - included, 0) = max(1500 - 1488, 0) = 12",
                    counted="1500",
                    included="1488",
                ),
            ],
            "charges": [
                _step(
                    "per_unit",
                    "quantity * price / unit",
                    "0.24",
                    "quantity * price / unit = 12 * 0.02 / 1 = 0.24",
                    quantity="12",
                    price="0.02",
                    unit="1",
                )
            ],
        },
        {
            **_LINE,
            "type": "tax",
            "code": "GST",
            "amount_cents": 577,
            "days": [],
            "versions": [],
            "charges": [
                _step(
                    "tax",
                    "subtotal * percent / 100",
                    "5.774",
                    "subtotal * percent / 100 = 57.74 * 10 / 100 = 5.774",
                    subtotal="57.74",
                    percent="10",
                )
            ],
        },
    ],
    "subtotal_cents": 5774,
    "tax_cents": 577,
    "total_cents": 6351,
    "warnings": [],
}
_UNKNOWN_ADDON: Final = refusal(
    "Unknown add-on",
    400,
    code="invalid_input",
    detail="There is no add-on storage_60gb on sale.",
    addons="There is no add-on storage_60gb on sale.",
)
_UNKNOWN_PLAN: Final = refusal(
    "Unknown plan",
    404,
    code="plan_not_on_sale",
    detail="there is no plan atelier on sale",
    plan="There is no plan atelier on sale.",
)

# Of a list, one row each: the schema lays the page around it.
PLANS: Final = [answer(_STUDIO), UNKNOWN_PARAMETER]
PLAN: Final = [answer(_STUDIO), UNKNOWN_PARAMETER, NOT_FOUND]
ADDONS: Final = [answer(_STORAGE), UNKNOWN_PARAMETER]
ESTIMATE: Final = [
    OpenApiExample("Question", value=_ASKED, request_only=True),
    answer({"plan": "studio", "version": 1, **QUOTE}, status=200),
    _UNKNOWN_ADDON,
    _UNKNOWN_PLAN,
]
