"""The catalog editor: drafts are edited, compared, tried out and published; what was published stays."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from catalog.hooks import register_subscriber_counter, unregister_subscriber_counter
from catalog.models import Addon, Plan, PlanTenant, PlanVersion, ResourcePrice
from tests.catalog.rows import draft, published, stored_plan
from tests.console.conftest import Login, login
from tests.console.rows import queries_of
from tests.kernel.threads import at_once

__all__ = ["login"]  # the fixture of the console's tests

pytestmark = pytest.mark.django_db
VERSIONS: Final = "/admin/catalog/planversion"
PLANS: Final = "/admin/catalog/plan"
SUBMITTED: Final = {"_form_submitted": "on"}


@pytest.fixture
def pricing(login: Login) -> Client:
    """A member of the billing group, who keeps the catalog."""
    return login("billing")


def page(client: Client, address: str, *, status: int = 200, **query: Any) -> str:
    answer = client.get(address, query)
    assert answer.status_code == status, answer.content[:2000]
    return " ".join(answer.content.decode().split())


def version_form(version: PlanVersion, *items: Mapping[str, object], **fields: object) -> dict[str, object]:
    """The form of a version's page with its items, as a browser sends it."""
    initial = version.items.count()
    form: dict[str, object] = {
        "base_price_cents": 5000,
        "currency": "AUD",
        "billing_interval": "month",
        "proration": "none",
        "items-TOTAL_FORMS": len(items),
        "items-INITIAL_FORMS": initial,
        **fields,
    }
    kept = list(version.items.order_by("pk").values_list("pk", flat=True))
    for number, item in enumerate(items):
        values = {
            "resource_kind": "dns_zones",
            "included_qty": "5",
            "price_model": "per_unit",
            "overage_unit": "1",
            "overage_price_cents": "100",
            "tiers": "[]",
            "hard_cap_qty": "",
            "minimum_cents": "",
            "maximum_cents": "",
            "version": version.pk,
            "id": kept[number] if number < initial else "",
            **item,
        }
        form |= {f"items-{number}-{name}": value for name, value in values.items()}
    return form


def test_a_draft_is_edited_with_its_items_and_the_log_has_old_and_new(pricing: Client) -> None:
    version = draft(stored_plan(), 5000, dns_zones=5)
    form = version_form(
        version,
        {"included_qty": "7"},
        {"resource_kind": "bandwidth_gb", "included_qty": "100"},
        base_price_cents=5500,
    )

    assert pricing.post(f"{VERSIONS}/{version.pk}/change/", form).status_code == 302

    version.refresh_from_db()
    items = {item.resource_kind: int(item.included_qty) for item in version.items.all()}
    assert (version.base_price_cents, items) == (5500, {"dns_zones": 7, "bandwidth_gb": 100})
    message = LogEntry.objects.latest("pk").get_change_message()
    assert "base price cents: 5000 → 5500" in message
    assert "included qty: 5.000000 → 7" in message


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"price_model": "graduated", "overage_price_cents": ""}, "the last tier has no end"),
        ({"price_model": "volume", "tiers": '[{"unit_price_cents": "x"}]'}, "These terms make no price"),
        ({"price_model": "volume", "tiers": '[{"unit_price_cents": 2}]'}, "These terms make no price"),
        ({"price_model": "volume", "tiers": "[1]"}, "These terms make no price"),
        ({"price_model": "volume", "tiers": '[{"a": 1}]'}, "These terms make no price"),
        ({"tiers": '[{"unit_price_cents": "1"}]'}, "A tiered price has tiers and no single price"),
        ({"minimum_cents": "2", "maximum_cents": "1"}, "is over the maximum"),
        ({"tiers": "nonsense"}, "Enter a valid JSON"),
    ],
)
def test_terms_that_make_no_price_are_refused_in_words(
    pricing: Client, item: dict[str, object], words: str
) -> None:
    version = draft(stored_plan(), dns_zones=5)

    answer = pricing.post(f"{VERSIONS}/{version.pk}/change/", version_form(version, item))

    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert version.items.get().included_qty == 5


def test_what_was_published_is_read_and_not_written(pricing: Client) -> None:
    version = published(stored_plan(), dns_zones=5)
    text = page(pricing, f"{VERSIONS}/{version.pk}/change/")

    assert "It was published and never changes" in text
    assert [cell in text for cell in ("DNS zones", "<td>5</td>", "<td>Per unit</td>")] == [True, True, True]
    assert 'name="items-0-included_qty"' not in text
    assert 'name="_save"' not in text
    form = version_form(version, {"included_qty": "99"}, base_price_cents=1)
    assert pricing.post(f"{VERSIONS}/{version.pk}/change/", form).status_code == 403
    assert pricing.post(f"{VERSIONS}/{version.pk}/delete/", {"post": "yes"}).status_code == 403
    version.refresh_from_db()
    assert (version.base_price_cents, version.items.get().included_qty) == (5000, 5)


def test_a_draft_that_nobody_wants_is_deleted(pricing: Client) -> None:
    version = draft(stored_plan(), dns_zones=5)
    assert pricing.post(f"{VERSIONS}/{version.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not PlanVersion.objects.exists()


def test_a_new_draft_has_the_terms_of_its_source(pricing: Client) -> None:
    first = published(stored_plan(), 5000, dns_zones=5)

    answer = pricing.post(f"{VERSIONS}/{first.pk}/draft_from_this/", SUBMITTED)

    copy = PlanVersion.objects.get(status="draft")
    assert answer.headers["HX-Redirect"] == f"{VERSIONS}/{copy.pk}/change/"
    assert (copy.number, copy.terms().items) == (2, first.terms().items)


def test_a_plan_without_a_version_gets_its_first_draft(pricing: Client) -> None:
    assert pricing.post(f"{PLANS}/add/", plan_form(code="atelier")).status_code == 302
    plan = Plan.objects.get()

    pricing.post(f"{PLANS}/{plan.pk}/draft_this/", SUBMITTED)

    assert [(version.number, version.status) for version in plan.versions.all()] == [(1, "draft")]


def plan_form(code: str, *tenants: str) -> dict[str, object]:
    return {
        "code": code, "name": code.title(), "description": "", "sort": 1,
        "tenants-TOTAL_FORMS": len(tenants), "tenants-INITIAL_FORMS": 0,
        **{f"tenants-{number}-tenant_id": tenant for number, tenant in enumerate(tenants)},
    }  # fmt: skip


def test_a_plan_is_offered_to_named_tenants(pricing: Client) -> None:
    assert pricing.post(f"{PLANS}/add/", plan_form("special", "acme", "globex")).status_code == 302
    assert list(PlanTenant.objects.order_by("pk").values_list("tenant_id", flat=True)) == ["acme", "globex"]
    assert not Plan.objects.get().public


@pytest.fixture
def counted() -> Iterator[Callable[[Mapping[int, int]], None]]:
    """Count subscriptions as an app above would: those that the test gives."""
    known: dict[int, int] = {}

    def count(version_pks: Sequence[int]) -> Mapping[int, int]:
        return {pk: known[pk] for pk in version_pks if pk in known}

    register_subscriber_counter(count)
    yield known.update
    unregister_subscriber_counter(count)


def test_the_page_before_a_publication_shows_what_changes_and_for_whom_nothing_does(
    pricing: Client, counted: Callable[[Mapping[int, int]], None]
) -> None:
    first = published(stored_plan(), 5000, dns_zones=5, bandwidth_gb=100)
    second = draft(first.plan, 6000, dns_zones=7, droplet_hours=10)
    counted({first.pk: 12})

    text = page(pricing, f"{VERSIONS}/{second.pk}/publish/")

    assert "<del>AUD 50.00</del></td> <td><ins>AUD 60.00</ins>" in text
    assert "<td>DNS zones</td> <td>Included</td> <td><del>5</del></td> <td><ins>7</ins>" in text
    assert "<td>Bandwidth, GB</td> <td>Included</td> <td><del>100</del></td> <td><ins>-</ins>" in text
    assert "<td>Droplet hours</td> <td>Included</td> <td><del>-</del></td> <td><ins>10</ins>" in text
    assert '<strong class="text-important">12</strong> subscriptions of this plan keep the version' in text
    assert second.plan.versions.get(number=1).status == "active"


def test_without_an_app_that_counts_the_number_of_subscriptions_is_unknown(
    pricing: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.hooks._counters", [])
    first = published(stored_plan())
    text = page(pricing, f"{VERSIONS}/{draft(first.plan).pk}/publish/")
    assert "Their number is unknown here." in text


def test_a_draft_is_published_and_logged(pricing: Client) -> None:
    first = published(stored_plan())
    second = draft(first.plan, 6000)

    answer = pricing.post(f"{VERSIONS}/{second.pk}/publish/", {"replaces": first.pk, "note": "of a test"})

    assert (answer.status_code, answer.headers["Location"]) == (302, f"{VERSIONS}/{second.pk}/change/")
    assert list(first.plan.versions.values_list("status", flat=True)) == ["retired", "active"]
    assert LogEntry.objects.latest("pk").get_change_message() == "Published from the console. of a test"


def test_a_publication_over_a_version_that_was_not_shown_is_refused_with_409(pricing: Client) -> None:
    first = published(stored_plan())
    second, third = draft(first.plan, 6000), draft(first.plan, 7000)
    pricing.post(f"{VERSIONS}/{second.pk}/publish/", {"replaces": first.pk, "note": "of a test"})

    answer = pricing.post(f"{VERSIONS}/{third.pk}/publish/", {"replaces": first.pk, "note": "of a test"})

    assert answer.status_code == 409
    assert "Not published: studio/2 is the active version now." in answer.content.decode()
    third.refresh_from_db()
    assert third.status == "draft"


@pytest.mark.django_db(transaction=True)
def test_of_two_publications_at_once_one_wins_and_the_other_gets_409(login: Login) -> None:
    first = published(stored_plan())
    drafts = [draft(first.plan, 6000), draft(first.plan, 7000)]
    client = login("billing")

    def publish() -> int:
        other = Client()
        other.cookies = client.cookies
        return other.post(
            f"{VERSIONS}/{drafts.pop().pk}/publish/", {"replaces": first.pk, "note": "of a test"}
        ).status_code

    assert sorted(at_once(2, publish)) == [302, 409]
    assert PlanVersion.objects.filter(status="active").count() == 1


def test_any_two_versions_are_compared_the_older_first(pricing: Client) -> None:
    first = published(stored_plan(), 5000)
    second, third = published(first.plan, 6000), draft(first.plan, 7000)

    to_active = page(pricing, f"{VERSIONS}/{third.pk}/compare/")
    to_first = page(pricing, f"{VERSIONS}/{third.pk}/compare/", **{"with": first.pk})

    assert "<del>AUD 60.00</del></td> <td><ins>AUD 70.00</ins>" in to_active
    assert "<del>AUD 50.00</del></td> <td><ins>AUD 70.00</ins>" in to_first
    assert "<del>AUD 50.00</del></td> <td><ins>AUD 60.00</ins>" in page(
        pricing, f"{VERSIONS}/{first.pk}/compare/", **{"with": second.pk}
    )
    page(pricing, f"{VERSIONS}/{third.pk}/compare/", status=404, **{"with": published(stored_plan("pro")).pk})


def test_a_quote_is_tried_out_on_a_draft(pricing: Client) -> None:
    version = draft(stored_plan(), 5000, dns_zones=5)
    Addon.objects.create(code="more", name="More zones", resource_kind="dns_zones", qty=2, price_cents=300)

    text = page(
        pricing,
        f"{VERSIONS}/{version.pk}/preview/",
        month="2026-07",
        addons="more",
        dns_zones="9.5",
        llm_tokens="1",
    )

    assert "max(counted - included, 0) = max(9.5 - 7, 0) = 2.5" in text
    assert '<td class="console-number">AUD 2.50</td>' in text
    assert "AUD 55.50" in text
    assert "There is no price for what was used over the allowance" in text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"month": "2026-13"}, "Must be a month"),
        ({"month": "2026-07", "dns_zones": "-1"}, "greater than or equal to 0"),
        ({"month": "2026-07", "addons": "nothing"}, "Select a valid choice"),
    ],
)
def test_a_wrong_question_to_the_preview_is_refused_in_words(
    pricing: Client, query: dict[str, Any], words: str
) -> None:
    version = draft(stored_plan())
    assert words in page(pricing, f"{VERSIONS}/{version.pk}/preview/", **query)


def test_a_price_in_force_is_only_ended_and_one_to_come_may_go(pricing: Client) -> None:
    today = timezone.now().date()
    present = ResourcePrice.objects.create(
        resource_kind="dns_zones", price_cents=5, effective_from=date(2026, 1, 1), effective_to=today
    )
    coming = ResourcePrice.objects.create(
        resource_kind="dns_zones", price_cents=6, effective_from=today + timedelta(days=9)
    )
    base = "/admin/catalog/resourceprice"
    form = {"price_cents": "1", "effective_to": (today + timedelta(days=5)).isoformat()}

    assert pricing.post(f"{base}/{present.pk}/change/", form).status_code == 302
    assert pricing.post(f"{base}/{present.pk}/delete/", {"post": "yes"}).status_code == 403
    assert pricing.post(f"{base}/{coming.pk}/delete/", {"post": "yes"}).status_code == 302

    present.refresh_from_db()
    assert (int(present.price_cents), present.effective_to) == (5, today + timedelta(days=5))
    assert list(ResourcePrice.objects.all()) == [present]


def test_overlapping_prices_are_refused_in_words(pricing: Client) -> None:
    ResourcePrice.objects.create(resource_kind="dns_zones", price_cents=5, effective_from=date(2026, 1, 1))
    form = {
        "resource_kind": "dns_zones", "currency": "AUD", "unit_qty": "1", "price_cents": "6",
        "effective_from": "2026-05-01", "effective_to": "",
    }  # fmt: skip

    answer = pricing.post("/admin/catalog/resourceprice/add/", form)

    assert "Another price of this kind and currency is in force" in answer.content.decode()


@pytest.mark.parametrize("group", ["viewer", "operator"])
def test_who_does_not_keep_the_catalog_looks_and_changes_nothing(login: Login, group: str) -> None:
    client = login(group)
    first = published(stored_plan(), dns_zones=5)
    second = draft(first.plan, 6000, dns_zones=5)
    base = f"{VERSIONS}/{second.pk}"

    assert "dns" in page(client, f"{base}/preview/", month="2026-07").lower()
    page(client, f"{base}/compare/")
    assert f"{base}/publish/" not in page(client, f"{base}/change/")
    page(client, f"{base}/publish/", status=403)
    assert client.post(f"{base}/publish/", {"replaces": first.pk, "note": "of a test"}).status_code == 403
    assert client.post(f"{base}/change/", version_form(second)).status_code == 403
    assert client.post(f"{base}/draft_from_this/", SUBMITTED).status_code == 403
    assert client.post(f"{PLANS}/add/", plan_form("mine")).status_code == 403
    assert PlanVersion.objects.count() == 2


def test_a_login_without_a_group_sees_no_page_of_a_version(login: Login) -> None:
    version = draft(stored_plan())
    client = login("")
    for name in ("change", "publish", "compare", "preview"):
        page(client, f"{VERSIONS}/{version.pk}/{name}/", status=403)


def test_a_version_that_is_not_there_is_404(pricing: Client) -> None:
    for name in ("publish", "compare", "preview"):
        page(pricing, f"{VERSIONS}/4711/{name}/", status=404)


@pytest.mark.parametrize("name", ["publish", "compare", "preview", "change"])
def test_a_versions_page_asks_as_many_queries_among_many_versions_and_items_as_among_few(
    pricing: Client, name: str, counted: Callable[[Mapping[int, int]], None]
) -> None:
    first = published(stored_plan(), dns_zones=5)
    second = draft(first.plan, dns_zones=6)
    at_few = queries_of(pricing, f"{VERSIONS}/{second.pk}/{name}/")
    for _ in range(10):
        published(first.plan, dns_zones=5, bandwidth_gb=5, droplet_hours=5, llm_tokens=5)
    third = draft(first.plan, dns_zones=5, bandwidth_gb=5, droplet_hours=5, llm_tokens=5)

    at_many = queries_of(pricing, f"{VERSIONS}/{third.pk}/{name}/")

    assert len(at_many) == len(at_few), "\n".join(at_many)
