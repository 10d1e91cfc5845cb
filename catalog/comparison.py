"""The differences between two versions of a plan, field by field, as an operator reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from arcadia_cloud.kernel.money import Money, exact_text, format_money
from catalog.models import TIERED, PlanItem, PlanVersion
from catalog.values.kinds import BillingKind, PriceModelName

ABSENT: Final = "-"
ITEM_COLUMNS: Final = ("Included", "Price model", "Price", "Hard cap", "Minimum spend", "Maximum spend")
_PLAN: Final = "Plan"


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that two versions have differently; what one of them lacks is ABSENT there."""

    subject: str
    field: str
    before: str
    after: str


def compare_versions(before: PlanVersion | None, after: PlanVersion) -> list[Difference]:
    """Return what differs, the plan's own terms first, then its items by kind; all of it where nothing was.

    Both come with their items at hand. Nothing differs in number, status or date: those are no terms.
    """
    old, new = {} if before is None else describe_terms(before), describe_terms(after)
    kinds = sorted({subject for subject in (*old, *new) if subject != _PLAN})
    found = []
    for subject in (_PLAN, *kinds):
        one, other = old.get(subject, {}), new.get(subject, {})
        for field in dict.fromkeys((*one, *other)):
            pair = one.get(field, ABSENT), other.get(field, ABSENT)
            if pair[0] != pair[1]:
                found.append(Difference(subject, field, *pair))
    return found


def item_rows(version: PlanVersion) -> list[tuple[str, list[str]]]:
    """Return a row for each kind that a version has terms for: its name, and the cells of ITEM_COLUMNS."""
    return [
        (kind, [fields.get(column, ABSENT) for column in ITEM_COLUMNS])
        for kind, fields in describe_terms(version).items()
        if kind != _PLAN
    ]


def describe_terms(version: PlanVersion) -> Mapping[str, Mapping[str, str]]:
    """Return a version's terms in words: by subject (the plan itself, or a kind's name), by field."""
    plan = {
        "Base price": format_money(Money.from_cents(version.base_price_cents, version.currency)),
        "Currency": version.currency,
        "Billed": version.get_billing_interval_display(),
        "Proration": version.get_proration_display(),
    }
    items = {
        str(BillingKind(item.resource_kind).label): _describe_item(item, version.currency)
        for item in version.items.all()
    }
    return {_PLAN: plan, **items}


def _describe_item(item: PlanItem, currency: str) -> dict[str, str]:
    fields = {
        "Included": exact_text(item.included_qty, places=0),
        "Price model": str(PriceModelName(item.price_model).label),
        "Price": describe_price(item, currency),
    }
    if item.hard_cap_qty is not None:
        fields["Hard cap"] = exact_text(item.hard_cap_qty, places=0)
    for name, cents in (("Minimum spend", item.minimum_cents), ("Maximum spend", item.maximum_cents)):
        if cents is not None:
            fields[name] = format_money(Money.from_cents(cents, currency))
    return fields


def describe_price(item: PlanItem, currency: str) -> str:
    """Return the price of an overage in words; a draft's tiers may still be anything."""
    if item.price_model in TIERED:
        return "; ".join(_describe_tier(row) for row in item.tiers) if isinstance(item.tiers, list) else "?"
    if item.overage_price_cents is None:
        return "by the resource prices"
    price = format_money(Money.from_cents(item.overage_price_cents, currency))
    return f"{price} per {exact_text(Decimal(item.overage_unit), places=0)}"


def _describe_tier(row: object) -> str:
    """Return a tier in words, in cents as it is kept: the unit price may be a part of one."""
    if not isinstance(row, Mapping):
        return str(row)
    end = row.get("up_to")
    reach = "beyond" if end is None else f"up to {end}"
    flat = row.get("flat_fee_cents", "0")
    fee = f" and {flat} once" if flat != "0" else ""
    return f"{reach}: {row.get('unit_price_cents')} cents each{fee}"
