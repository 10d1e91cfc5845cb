"""The reference cases of the catalog, by name, as far as they need no rows."""

from datetime import date
from decimal import Decimal
from typing import Final

from arcadia_cloud.kernel.periods import month_of
from catalog.values.lines import LineType
from tests.catalog.build import addon, amounts, aud, gst, item, line_of, per_unit, plan, quote_of, segment

JULY: Final = month_of(date(2026, 7, 1))  # 31 days
STUDIO: Final = plan(
    "50",
    item("bandwidth_gb", "2000", per_unit("0.02")),
    item("dns_zones", "5", per_unit("1")),
    item("droplet_hours", "1488", per_unit("0.02")),
    item("snapshot_gb_month", "50", per_unit("0.08")),
    item("spaces_gb_month", "250", per_unit("0.04")),
)
STORAGE: Final = addon("storage_50gb", "spaces_gb_month", "50", "7.50")


def test_the_studio_reference_case_is_inside_every_allowance() -> None:
    """Two droplets, two DNS zones and 48 GB of snapshots, for 10 days of a 31-day month."""
    found = quote_of(
        segment(JULY, STUDIO, droplet_hours="480", dns_zones="0.645161", snapshot_gb_month="15.483871"),
        period=JULY,
    )
    assert found.lines[0].amount == aud("50.00")
    assert [line.overage for line in found.lines[1:]] == [Decimal(0)] * 5
    assert (found.total, found.warnings) == (aud("50.00"), ())


def test_the_storage_addon_reference_case_gives_50_gb_for_750_cents() -> None:
    found = quote_of(segment(JULY, STUDIO, STORAGE, spaces_gb_month="300"), period=JULY)
    assert amounts(found)[:2] == [("base_fee", "studio", "50.00"), ("addon", "storage_50gb", "7.50")]
    assert line_of(found, LineType.USAGE, "spaces_gb_month").overage == Decimal(0)
    assert found.total == aud("57.50")


def test_doubling_an_addons_catalog_price_changes_nothing_for_a_subscriber() -> None:
    """A quote takes the snapshot of the subscription; the catalog's price isn't among its inputs."""
    doubled = addon("storage_50gb", "spaces_gb_month", "50", "15.00")
    assert quote_of(segment(JULY, STUDIO, STORAGE), period=JULY).total == aud("57.50")
    assert quote_of(segment(JULY, STUDIO, doubled), period=JULY).total == aud("65.00")


def test_goods_and_services_tax_is_ten_percent_of_the_total() -> None:
    found = quote_of(segment(JULY, STUDIO, STORAGE), period=JULY, taxes=[gst()])
    assert (found.subtotal, found.tax, found.total) == (aud("57.50"), aud("5.75"), aud("63.25"))


def test_studio_allows_two_droplets_for_a_month_of_31_days() -> None:
    hours = str(2 * 24 * JULY.days)
    assert line_of(
        quote_of(segment(JULY, STUDIO, droplet_hours=hours), period=JULY), LineType.USAGE, "droplet_hours"
    ).overage == Decimal(0)
