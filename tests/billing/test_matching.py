"""The matching of lines to resources."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.matching import rematch
from billing.models import CostLine
from tests.billing.csv_files import FIRST, LAST, a_line
from tests.billing.rows import a_resource, an_invoice, an_item, matches, store_lines

pytestmark = pytest.mark.django_db
MIDDLE = datetime(2026, 4, 12, 8, 26, 21, tzinfo=UTC)


def test_a_line_finds_the_only_resource_of_its_kind_and_name_in_any_case() -> None:
    a_resource("Web-01", provider_id="1")
    a_resource("web-01", kind="volume", provider_id="2")
    assert store_lines([a_line(1, "WEB-01 (s-1vcpu-1gb)"), a_line(2, "web-02 (s-1vcpu-1gb)")]).matched == 1
    assert matches() == [("unique", "1"), ("none", None)]


def test_a_name_may_have_parentheses_of_its_own() -> None:
    a_resource("api (blue)", provider_id="1")
    store_lines([a_line(1, "api (blue) (s-1vcpu-1gb)")])
    assert matches() == [("unique", "1")]


def test_what_is_gone_counts_since_an_invoice_is_about_the_past() -> None:
    a_resource(provider_id="1", last_seen_at=MIDDLE, deleted_at=LAST)
    store_lines([a_line()])
    assert matches() == [("unique", "1")]


def test_a_namesake_made_after_the_lines_hours_does_not_have_the_line() -> None:
    """The names of a fleet come again: what was billed years ago isn't the tenant's of today."""
    a_resource(provider_id="1", provider_created_at=LAST)
    later = LAST.replace(hour=5)
    store_lines([a_line(1), a_line(2, ended_at=later), a_line(3, started_at=LAST, ended_at=later)])
    assert matches() == [("none", None), ("none", None), ("unique", "1")]


@pytest.mark.parametrize(
    ("born", "gone", "match"),
    [
        ("2026-04-20 09:00", None, "none"),  # of a line that starts on the first
        ("2026-04-01 00:59", None, "unique"),  # hours are billed whole
        ("2026-04-01 01:01", None, "none"),
        ("2025-01-01 00:00", "2026-04-10 09:00", "none"),  # it ends with the month
        ("2025-01-01 00:00", "2026-04-30 22:59", "none"),
        ("2025-01-01 00:00", "2026-04-30 23:01", "unique"),
        ("2025-01-01 00:00", "2026-05-04 00:00", "unique"),
    ],
)
def test_a_resource_lives_from_the_start_of_its_line_to_its_end(
    born: str, gone: str | None, match: str
) -> None:
    deleted_at = datetime.fromisoformat(gone).replace(tzinfo=UTC) if gone else None
    a_resource(
        provider_created_at=datetime.fromisoformat(born).replace(tzinfo=UTC),
        last_seen_at=deleted_at or LAST,
        deleted_at=deleted_at,
    )
    store_lines([a_line()])
    assert [found for found, _ in matches()] == [match]


def test_of_several_with_one_name_the_only_one_whose_life_covers_the_line_has_it() -> None:
    """One was replaced by the next within the month; a third came after them, within the hour of its end."""
    first, second = datetime(2026, 4, 12, 9, tzinfo=UTC), datetime(2026, 4, 12, 9, 0, 30, tzinfo=UTC)
    a_resource(provider_id="1", last_seen_at=first, deleted_at=first)
    a_resource(provider_id="2", provider_created_at=second, last_seen_at=LAST, deleted_at=LAST)
    a_resource(provider_id="3", provider_created_at=LAST)
    lines = [a_line(1, ended_at=first), a_line(2, started_at=second), a_line(3)]
    store_lines([*lines, a_line(4, started_at=LAST, ended_at=LAST.replace(hour=9))])
    assert matches() == [("lifetime", "1"), ("lifetime", "2"), ("ambiguous", None), ("lifetime", "3")]


def test_of_two_within_one_hour_the_one_that_was_seen_then_has_the_line() -> None:
    def at(minute: int) -> datetime:
        return datetime(2026, 4, 12, 10, minute, tzinfo=UTC)

    a_resource(provider_id="1", provider_created_at=at(0), last_seen_at=at(19), deleted_at=at(20))
    a_resource(provider_id="2", provider_created_at=at(30), last_seen_at=at(49), deleted_at=at(50))
    store_lines([a_line(1, started_at=at(0), ended_at=at(20)), a_line(2, started_at=at(30), ended_at=at(50))])
    assert matches() == [("lifetime", "1"), ("lifetime", "2")]


def test_a_namesake_that_was_gone_before_the_lines_hours_does_not_have_the_line() -> None:
    before = datetime(2026, 3, 31, 12, tzinfo=UTC)
    a_resource(provider_id="1", last_seen_at=before, deleted_at=before)
    store_lines([a_line()])
    assert matches() == [("none", None)]
    a_resource(provider_id="2")
    assert rematch() == 1
    assert matches() == [("lifetime", "2")]


def test_where_the_time_of_creation_is_unknown_a_name_is_enough() -> None:
    """That we saw it later proves nothing: most invoices are from before the first sync."""
    a_resource(provider_id="1", provider_created_at=None, first_seen_at=LAST)
    store_lines([a_line()])
    assert matches() == [("unique", "1")]


def test_what_was_found_gone_within_the_lines_hours_has_the_line() -> None:
    """Last seen before them: a daily sync comes late to a deletion."""
    seen = datetime(2026, 3, 31, 0, 40, tzinfo=UTC)
    a_resource(provider_id="1", last_seen_at=seen, deleted_at=datetime(2026, 4, 1, 0, 40, tzinfo=UTC))
    store_lines([a_line(1, ended_at=datetime(2026, 4, 1, 0, 10, tzinfo=UTC))])
    assert matches() == [("unique", "1")]


def test_of_two_with_one_name_the_one_that_lived_then_has_the_line() -> None:
    a_resource(provider_id="1", last_seen_at=MIDDLE, deleted_at=LAST)
    a_resource(provider_id="2", provider_created_at=datetime(2026, 4, 12, 9, tzinfo=UTC))
    store_lines([a_line(1, ended_at=MIDDLE), a_line(2, started_at=datetime(2026, 4, 12, 9, tzinfo=UTC))])
    assert matches() == [("lifetime", "1"), ("lifetime", "2")]


def test_where_two_with_one_name_lived_at_once_the_line_is_ambiguous() -> None:
    a_resource(provider_id="1")
    a_resource(provider_id="2")
    store_lines([a_line()])
    assert matches() == [("ambiguous", None)]


def test_where_none_of_two_with_one_name_lived_then_the_line_is_unmatched() -> None:
    for provider_id in ("1", "2"):
        a_resource(provider_id=provider_id, provider_created_at=LAST)
    store_lines([a_line()])
    assert matches() == [("ambiguous", None)]


def test_an_id_decides_where_a_name_does_not() -> None:
    a_resource("web-01", provider_id="1")
    a_resource("web-01", provider_id="2")
    twins = [a_line(1), a_line(2)]
    store_lines(twins, [an_item(line, resource_id=str(line.number)) for line in twins])
    assert matches() == [("id", "1"), ("id", "2")]


def test_an_id_decides_against_the_name() -> None:
    a_resource("web-01", provider_id="1")
    a_resource("renamed", provider_id="2")
    line = a_line()
    store_lines([line], [an_item(line, resource_id="2")])
    assert matches() == [("id", "2")]


def test_an_unknown_droplet_id_leaves_its_namesake_alone() -> None:
    a_resource("web-01", provider_id="1")
    line = a_line()
    store_lines([line], [an_item(line, resource_id="99")])
    assert matches() == [("none", None)]


def test_of_other_kinds_the_name_decides_where_the_id_does_not() -> None:
    a_resource("203.0.113.7", kind="reserved_ip", provider_id="203.0.113.7")
    line = a_line(1, "Unused Floating IP - 203.0.113.7", product="Floating IPs")
    store_lines([line], [an_item(line, resource_id="3164444")])
    assert matches() == [("unique", "203.0.113.7")]


@pytest.mark.parametrize(
    ("product", "description"),
    [
        ("Droplet Backups", "web-01 (Weekly Backup Services)"),
        ("Droplet Backups", "WEB-01 (Daily Backup Services)"),
        ("Backups", "web-01 (s-1vcpu-1gb)"),
        ("Daily Droplet Backups", "web-01 (s-1vcpu-1gb)"),
        ("Add-ons", "web-01 (4-hourly backup service)"),
        ("GPU Droplets", "web-01 (gpu-h100x1-80gb)"),
        ("Premium Droplets", "web-01 (s-1vcpu-1gb-amd)"),
        ("Bandwidth", "web-01 (12.5 GiB)"),
    ],
)
def test_a_line_that_names_a_droplet_belongs_to_it(product: str, description: str) -> None:
    a_resource("web-01", provider_id="1")
    a_resource("web-01", kind="volume", provider_id="2")
    a_resource("web-01", kind="droplet_backup", provider_id="3")
    line = a_line(1, description, product=product, started_at=FIRST.replace(day=3, hour=12), hours=None)
    once = line._replace(number=2, ended_at=line.started_at)  # a single backup has no length
    assert store_lines([line, once]).matched == 2
    assert matches() == [("unique", "1"), ("unique", "1")]


def test_a_backup_line_may_come_with_the_droplets_id_or_with_another() -> None:
    a_resource("web-01", provider_id="1")
    a_resource("web-01", provider_id="2")
    a_resource("api", provider_id="3")
    lines = [
        a_line(1, "web-01 (Weekly Backup Services)", product="Droplet Backups"),
        a_line(2, "api (Weekly Backup Services)", product="Droplet Backups"),
    ]
    store_lines(lines, [an_item(lines[0], resource_id="2"), an_item(lines[1], resource_id="67539192")])
    assert matches() == [("id", "2"), ("unique", "3")]


@pytest.mark.parametrize(
    ("product", "description"),
    [
        ("Bandwidth", "Droplet transfer overage 37 GiB"),
        ("Database Backups", "web-01 (db-s-1vcpu-1gb)"),
        ("Droplet Snapshots", "web-01-1707700000000 (fra1) 10.15GB Droplet Snapshot"),
        ("Support", "web-01 (Premium)"),
    ],
)
def test_a_line_about_something_else_stays_without_a_droplet(product: str, description: str) -> None:
    a_resource("web-01", provider_id="1")
    assert store_lines([a_line(1, description, product=product)]).matched == 0


def test_a_snapshots_line_names_the_snapshot() -> None:
    a_resource("vault-p01", provider_id="1")
    a_resource("vault-p01-1707700000000", kind="snapshot", provider_id="2")
    line = a_line(1, "vault-p01-1707700000000 (fra1) 10.15GB Droplet Snapshot", product="Droplet Snapshots")
    store_lines([line])
    assert matches() == [("unique", "2")]


def test_backup_lines_are_tried_again_when_a_droplet_is_discovered() -> None:
    store_lines([a_line(1, "web-01 (Weekly Backup Services)", product="Droplet Backups")])
    a_resource("web-01", provider_id="1")
    assert rematch(kinds=["volume"]) == 0
    assert rematch(kinds=["droplet"]) == 1
    assert matches() == [("unique", "1")]


@pytest.mark.parametrize(
    ("product", "group", "description", "kind", "name"),
    [
        ("Kubernetes Nodes", "prod", "pool-a1b2c (s-2vcpu-4gb)", "kubernetes_cluster", "prod"),
        ("Droplet Backups", "", "vault-p01 (Weekly Backup Services)", "droplet_backup", "vault-p01"),
        ("Volumes", "", "volume-sfo2-01 (sfo2) 100GB", "volume", "volume-sfo2-01"),
        ("Kubernetes Clusters", "prod", "3 nodes - 4 GB / 2 vCPU / 80 GB SSD", "kubernetes_cluster", "prod"),
        ("Database Clusters", "orders-db", "orders-db (db-s-1vcpu-1gb)", "database", "orders-db"),
        ("Reserved IPs", "", "Unused Reserved IP - 203.0.113.7", "reserved_ip", "203.0.113.7"),
        ("LOAD_BALANCERS", "", "edge (small)", "load_balancer", "edge"),
        (
            "Spaces Subscription",
            "",
            "Spaces ($5/mo 250GB storage & 1TB bandwidth)",
            "spaces_bucket",
            "Spaces",
        ),
        ("Quantum Annealers", "", "q-1 (large)", "other", "q-1"),
        ("Contract Discount", "", "Contract Discount IaaS", "other", "Contract Discount IaaS"),
    ],
)
def test_kind_and_name_come_from_product_and_description(
    product: str, group: str, description: str, kind: str, name: str
) -> None:
    store_lines([a_line(1, description, product=product, group_description=group)])
    line = CostLine.objects.get()
    assert (line.kind, line.name, line.is_tax) == (kind, name, False)


@pytest.mark.parametrize(
    ("product", "description", "is_tax"),
    [
        ("Taxes", "GST Australia (10.00%)", True),
        ("taxes", "anything", True),
        ("Surcharges", "VAT (20%)", True),
        ("", "State sales tax", True),
        ("", "Local TAXES", True),
        ("", "GSTs and VATs", True),
        ("Droplets", "tax-api (s-1vcpu-1gb)", False),
        ("Services", "tax-api (Weekly Backup Services)", False),
        ("Volumes", "vat (fra1) 100GB", False),
        ("Consulting", "Taxi rides", False),
        ("Consulting", "Private network", False),
        ("Support", "syntax check", False),
    ],
)
def test_a_tax_is_known_by_its_product_or_a_whole_word(product: str, description: str, is_tax: bool) -> None:
    a_resource("tax-api")
    found = store_lines([a_line(1, description, "1.70", product=product, category="iaas")])
    line = CostLine.objects.get()
    assert line.is_tax is is_tax
    assert (line.kind == "tax") is is_tax
    assert (found.taxes, str(found.tax_total)) == ((1, "1.7000000000") if is_tax else (0, "0"))


def test_matching_takes_the_same_queries_for_one_line_and_for_many(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(40):
        a_resource(f"web-{number}")
    invoice = an_invoice()
    for count in (1, 40):
        lines = [a_line(number + 1, f"web-{number} (s-1vcpu-1gb)") for number in range(count)]
        with django_assert_num_queries(16):
            assert store_lines(lines, [an_item(line) for line in lines], invoice=invoice).matched == count


def test_the_same_table_again_gives_the_same_rows() -> None:
    a_resource("web-01")
    invoice = an_invoice()
    lines = [a_line(1), a_line(2, "GST (10%)", "0.60", product="Taxes", hours=None)]

    def rows() -> list[dict[str, object]]:
        shown = list(CostLine.objects.order_by("line_no").values())
        return [{name: value for name, value in row.items() if name != "id"} for row in shown]

    store_lines(lines, invoice=invoice)
    before = rows()
    store_lines(lines, invoice=invoice)
    assert rows() == before
    assert len(before) == 2


# --- Lines and items ----------------------------------------------------------------------------------


def test_lines_and_items_that_say_the_same_agree_in_any_order() -> None:
    lines = [a_line(1), a_line(2), a_line(3, "api (s-1vcpu-1gb)")]
    found = store_lines(lines, [an_item(line) for line in reversed(lines)])
    assert (found.items, found.disagreement) == (3, "")


@pytest.mark.parametrize(
    "change",
    [
        {"amount": a_line(1, amount="6.01").amount},
        {"started_at": FIRST.replace(second=1)},
        {"ended_at": LAST.replace(day=2)},
        {"description": "web-02 (s-1vcpu-1gb)"},
        {"product": "Droplett"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_line_that_differs_from_its_item_is_reported(change: dict[str, Any]) -> None:
    line = a_line()
    other = a_line(2, "api (s-1vcpu-1gb)")
    found = store_lines([line._replace(**change), other], [an_item(line), an_item(other)])
    assert "the CSV and the provider's items differ" in found.disagreement


def test_a_line_too_many_or_too_few_is_reported() -> None:
    line, free = a_line(1), a_line(2, "free (s-1vcpu-1gb)", "0.00")
    invoice = an_invoice()
    doubled = store_lines([line, free, free], [an_item(line), an_item(free)], invoice=invoice)
    assert (
        doubled.disagreement == "the CSV and the provider's items differ: 1 in the CSV alone (first: line 3)"
    )
    lost = store_lines([line], [an_item(line), an_item(free)], invoice=invoice)
    assert "1 among the items alone (first: Droplets free" in lost.disagreement


def test_items_that_leave_a_product_out_contradict_nothing() -> None:
    line, tax = a_line(1), a_line(2, "GST (10%)", "0.60", product="Taxes")
    assert store_lines([line, tax], [an_item(line)]).disagreement == ""


def test_items_without_a_time_are_compared_with_nothing() -> None:
    line, tax = a_line(1), a_line(2, "GST (10%)", "0.60", product="Taxes")
    items = [an_item(line), an_item(tax, start_time=None, end_time=None)]
    assert store_lines([line, tax], items).disagreement == ""


# --- Again, when inventory learns of resources --------------------------------------------------------


def test_lines_that_matched_nothing_are_tried_again() -> None:
    lines = [a_line(1), a_line(2, "api (s-1vcpu-1gb)"), a_line(3, "data (fra1) 10GB", product="Volumes")]
    items = [an_item(lines[0], resource_id="77"), *(an_item(line) for line in lines[1:])]
    store_lines(lines, items)
    a_resource("renamed", provider_id="77")
    a_resource("api", provider_id="78")
    a_resource("data", kind="volume", provider_id="79")

    assert rematch(kinds=["droplet"]) == 2
    assert matches() == [("id", "77"), ("unique", "78"), ("none", None)]
    assert rematch() == 1
    assert rematch() == 0
    assert matches()[2] == ("unique", "79")


def test_what_is_matched_stays_and_taxes_stay_unmatched() -> None:
    a_resource("web-01", provider_id="1")
    store_lines([a_line(1), a_line(2, "web-01 tax", product="Surcharges")])
    a_resource("web-01", provider_id="2")
    assert rematch() == 0
    assert matches() == [("unique", "1"), ("none", None)]


def test_a_name_that_is_shared_by_now_becomes_ambiguous() -> None:
    store_lines([a_line()])
    a_resource(provider_id="1")
    a_resource(provider_id="2")
    assert rematch() == 1
    assert matches() == [("ambiguous", None)]
