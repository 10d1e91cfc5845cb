"""Lists that need more than one call, or that two kinds share, read over HTTP."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from arcadia_cloud.digitalocean.account_check import account_checks
from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderError, ProviderMalformed
from arcadia_cloud.digitalocean.rate_limit.budget import UnlimitedBudget
from arcadia_cloud.digitalocean.records import DomainRecord
from inventory.kinds import registry
from inventory.kinds.container_registry import REGISTRY
from inventory.kinds.dns_zone import DNS_ZONE
from inventory.kinds.image import DROPLET_BACKUP
from inventory.kinds.spec import Source
from inventory.kinds.volume import VOLUME
from inventory.sync.paging import read_pages, record_key
from inventory.sync.reader import map_record, read_lists
from inventory.sync.run_records import Progress
from inventory.values import Kind, RunMode
from tests.digitalocean.provider import Reply, Script, Seen, provider
from tests.inventory.kinds.mapped import MADE, records
from tests.inventory.kinds.test_storage import A_REGISTRY, A_VOLUME, VOLUME_ID

DOMAIN = DomainRecord("example.com", 1800)
SUBSCRIPTION = {"tier": {"slug": "professional", "monthly_price_in_cents": 2000}}


@pytest.fixture(autouse=True)
def _no_account_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripted providers here name no account."""
    monkeypatch.setattr(account_checks, "check", None)


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def cloud(opened: ExitStack, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of a provider that answers by a script."""
    monkeypatch.setenv("DO_API_TOKEN", "dop_v1_" + "ab" * 32)

    def make(script: Script) -> DigitalOcean:
        server = opened.enter_context(provider(script))
        return opened.enter_context(DigitalOcean(base_url=server.url, budget=UnlimitedBudget(), timeout=5.0))

    return make


def _page(key: str, items: list[dict[str, Any]], seen: Seen, *, per_page: int = 2) -> Reply:
    """The page that was asked for, of so many items each."""
    page = int(seen.query.get("page", "1"))
    last = page * per_page >= len(items)
    links = {} if last else {"pages": {"next": f"https://elsewhere.example{seen.path}?page={page + 1}"}}
    cut = items[(page - 1) * per_page : page * per_page]
    return Reply(body={key: cut, "links": links, "meta": {"total": len(items)}})


def test_a_zone_is_read_with_all_pages_of_its_records(cloud: Any) -> None:
    written = [{"id": n, "type": "A", "name": f"h{n}", "data": f"192.0.2.{n}", "ttl": 60} for n in range(5)]

    def answer(seen: Seen) -> Reply:
        assert seen.path == "/v2/domains/example.com/records"
        return _page("domain_records", written, seen)

    found = map_record(DNS_ZONE, cloud(answer), DOMAIN)
    assert found is not None
    assert [record["name"] for record in found.attrs["records"]] == ["h0", "h1", "h2", "h3", "h4"]


def test_a_zone_that_vanished_since_it_was_listed_was_not_seen(cloud: Any) -> None:
    gone = cloud(lambda _seen: Reply(status=404, body={"id": "not_found", "message": "gone"}))
    assert map_record(DNS_ZONE, gone, DOMAIN) is None


def test_a_zone_whose_records_may_not_be_read_fails_the_kind(cloud: Any) -> None:
    refusing = cloud(lambda _seen: Reply(status=403, body={"id": "forbidden", "message": "no scope"}))
    with pytest.raises(ProviderError, match="403 forbidden"):
        map_record(DNS_ZONE, refusing, DOMAIN)


def test_records_that_do_not_add_up_fail_the_kind(cloud: Any) -> None:
    short = {"domain_records": [], "links": {}, "meta": {"total": 3}}
    with pytest.raises(ProviderMalformed, match="gave 0 distinct items, but counts 3"):
        map_record(DNS_ZONE, cloud(lambda _seen: Reply(body=short)), DOMAIN)


IMAGES = [{"id": n, "name": f"i{n}", "type": t, "created_at": MADE} for n, t in
          enumerate(["backup", "custom", "snapshot", "backup", "backup"])]  # fmt: skip


def test_a_shared_list_must_add_up_though_only_a_part_is_wanted(cloud: Any) -> None:
    progress = Progress()
    client = cloud(lambda seen: _page("images", IMAGES, seen))
    pages = read_pages(client, DROPLET_BACKUP.listings[0], progress=progress, wanted=DROPLET_BACKUP.wanted)
    assert [[image.id for image in page.items] for page in pages] == [[0], [3], [4]]
    assert (progress.seen, progress.expected, progress.pages) == (3, None, 3)


def test_a_shared_list_that_lacks_an_item_of_another_kind_is_not_complete(cloud: Any) -> None:
    body = {"images": IMAGES[:1], "links": {}, "meta": {"total": 2}}
    pages = read_pages(
        cloud(lambda _seen: Reply(body=body)),
        DROPLET_BACKUP.listings[0],
        progress=Progress(),
        wanted=DROPLET_BACKUP.wanted,
    )
    with pytest.raises(ProviderMalformed, match="gave 1 distinct items, but counts 2"):
        list(pages)


def test_every_kind_is_in_the_registry_once() -> None:
    kinds = [entry.kind for entry in registry.SPECS]
    assert len(kinds) == len(set(kinds))
    assert set(kinds) == set(Kind)


def test_every_kind_has_an_address_to_ask_before_a_tombstone() -> None:
    without = {str(spec.kind) for spec in registry.SPECS if spec.detail is None and spec.source is Source.API}
    assert without == set()


@pytest.mark.parametrize(
    ("mode", "kinds"),
    [
        (RunMode.FAST, {"droplet", "database"}),
        (RunMode.SLOW, {"image", "droplet_backup", "spaces_bucket"}),
        (
            RunMode.FULL,
            {"droplet", "volume", "snapshot", "dns_zone", "reserved_ip", "load_balancer", "database",
             "kubernetes_cluster", "firewall", "vpc", "certificate", "cdn_endpoint", "app", "registry"},
        ),
    ],
)  # fmt: skip
def test_each_schedule_has_its_kinds(mode: RunMode, kinds: set[str]) -> None:
    assert {str(entry.kind) for entry in registry.specs_of_mode(mode)} == kinds


def test_the_kinds_that_projects_take() -> None:
    """Source: the provider's own Terraform plugin, `digitalocean_project`."""
    assert {str(entry.kind) for entry in registry.SPECS if entry.in_projects} == {
        "spaces_bucket",
        "droplet",
        "volume",
        "dns_zone",
        "reserved_ip",
        "load_balancer",
        "database",
        "kubernetes_cluster",
        "app",
    }


@pytest.mark.parametrize("entry", registry.SPECS, ids=[str(entry.kind) for entry in registry.SPECS])
def test_every_record_is_known_by_something(entry: Any) -> None:
    for listing in entry.listings:
        fields = listing.record.__struct_fields__
        required = next(name for name in ("id", "urn", "slug", "name", "ip") if name in fields)

        class Known:
            pass

        setattr(Known, required, "x")
        assert record_key(Known()) == "x"


@pytest.mark.parametrize("blank", [" ", ""])
def test_a_record_without_an_id_fails_its_kind(blank: str) -> None:
    (volume,) = records(VOLUME, {**A_VOLUME, "id": blank})
    with DigitalOcean(budget=UnlimitedBudget()) as cloud, pytest.raises(ProviderMalformed, match="has no id"):
        map_record(VOLUME, cloud, volume)


def test_a_value_that_nobody_expected_fails_its_kind_and_names_the_resource() -> None:
    (volume,) = records(VOLUME, {**A_VOLUME, "size_gigabytes": 1e40})
    with DigitalOcean(budget=UnlimitedBudget()) as cloud, pytest.raises(ProviderMalformed, match=VOLUME_ID):
        map_record(VOLUME, cloud, volume)


def test_registries_share_the_price_of_the_account(cloud: Any) -> None:
    """Each comes with all of the subscription's price: two of 20 dollars are 20 dollars together."""
    items = [{**A_REGISTRY, "name": name, "subscription": SUBSCRIPTION} for name in ("builds", "analysis")]
    client = cloud(lambda _seen: Reply(body={"registries": items}))
    (pages,) = read_lists(REGISTRY, client, Progress())
    found = [map_record(REGISTRY, client, record) for page in pages for record in page.items]
    assert [(each.name, each.monthly_price_cents) for each in found if each] == [
        ("builds", 1000), ("analysis", 1000),
    ]  # fmt: skip
