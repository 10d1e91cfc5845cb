"""The sync on the examples of DigitalOcean's official document: input that none of us wrote."""

import pytest

from inventory.kinds import registry
from inventory.models import CloudAccount, Project, Resource, SyncRun
from inventory.values import RunMode
from tests.digitalocean.official import document
from tests.inventory.conftest import Commands, ended
from tests.inventory.fleet import event_counts
from tests.inventory.openapi_mock import examples_served

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("knows_queries", "droplets"),
    [(True, {"3164412", "3164444", "3164459", "448543583"}), (False, {"3164412", "3164444", "3164459"})],
)
def test_the_sync_completes_and_the_rows_say_what_the_examples_say(
    manage: Commands, knows_queries: bool, droplets: set[str]
) -> None:
    document()
    with examples_served(knows_queries=knows_queries) as url:
        environment = {"DO_API_URL": url, "DO_API_TOKEN": "dop_v1_" + "12" * 32}
        ended(manage("sync_inventory", environment=environment))
        ended(manage("sync_inventory", environment=environment))
    kinds = ["project", *(str(entry.kind) for entry in registry.specs_of_mode(RunMode.FULL))]
    assert set(SyncRun.objects.values_list("kind", "outcome")) == {(kind, "complete") for kind in kinds}
    assert set(Resource.objects.filter(kind="droplet").values_list("provider_id", flat=True)) == droplets
    assert event_counts() == {"discovered": Resource.objects.count()}
    row = Resource.objects.get(provider_id="3164444")
    assert (row.name, row.region, row.status) == ("example.com", "nyc3", "active")
    assert row.tags == ["env:prod", "web"]
    assert row.attrs["size_slug"] == "s-1vcpu-1gb"
    assert (row.attrs["memory_mb"], row.attrs["vcpus"], row.attrs["disk_gb"]) == (1024, 1, 25)
    assert row.monthly_price_cents == 500
    assert row.attrs["ipv4_public"] == ["192.241.165.154"]
    assert row.attrs["next_backup_window"] == {"start": "2020-07-30T00:00:00Z", "end": "2020-07-30T23:00:00Z"}
    projects = {(project.name, project.purpose, project.is_default) for project in Project.objects.all()}
    assert projects == {
        ("my-web-api", "Service or API", False),
        ("Default", "Just trying out DigitalOcean", True),
    }
    assert CloudAccount.objects.get().name == "My Team"


def test_gpu_droplets_of_the_examples_are_known_as_such(manage: Commands) -> None:
    document()
    with examples_served(knows_queries=True) as url:
        ended(
            manage("sync_inventory", environment={"DO_API_URL": url, "DO_API_TOKEN": "dop_v1_" + "12" * 32})
        )
    row = Resource.objects.get(provider_id="448543583")
    assert row.attrs["gpu"] == {"count": 1, "model": "nvidia_h100"}
    assert row.region == "tor1"


FULL = {
    ("kubernetes_cluster", "prod-cluster-01", "nyc1", "provisioning"),
    ("database", "backend", "nyc3", "online"),
    ("volume", "example", "nyc1", "unattached"),
    ("volume", "example", "nyc3", "unattached"),
    ("snapshot", "web-01-1595954862243", "", ""),
    ("snapshot", "pvc-01-1595954862243", "nyc1", ""),
    ("dns_zone", "example.com", "", ""),
    ("reserved_ip", "45.55.96.47", "nyc3", "unassigned"),
    ("load_balancer", "example-lb-01", "nyc3", "new"),
    ("load_balancer", "prod-web-lb-01", "nyc3", "active"),
    ("firewall", "firewall", "", "succeeded"),
    ("vpc", "env.prod-vpc", "nyc1", ""),
    ("vpc", "default-nyc1", "nyc1", ""),
    ("vpc", "default-nyc3", "nyc3", ""),
    ("certificate", "web-cert-01", "", "verified"),
    ("certificate", "web-cert-02", "", "verified"),
    ("cdn_endpoint", "static.example.com", "nyc3", ""),
    ("app", "sample-php", "fra", ""),  # the example of its deployment tells no phase
    ("registry", "example", "fra1", ""),
}
SLOW = {("image", "A custom image", "nyc3", "available")}


def test_every_kind_of_the_document_is_read_from_its_examples(manage: Commands) -> None:
    document()
    slow = [part for entry in registry.specs_of_mode(RunMode.SLOW) for part in ("--kind", str(entry.kind))
            if entry.listings]  # fmt: skip
    with examples_served(knows_queries=True) as url:
        environment = {"DO_API_URL": url, "DO_API_TOKEN": "dop_v1_" + "12" * 32}
        ended(manage("sync_inventory", environment=environment))
        ended(manage("sync_inventory", *slow, environment=environment))
    rows = Resource.objects.exclude(kind="droplet").values_list("kind", "name", "region", "status")
    assert set(rows) == FULL | SLOW
    zone = Resource.objects.get(kind="dns_zone").attrs
    assert [record["data"] for record in zone["records"]] == [
        "1.2.3.4",
        "ns1.digitalocean.com",
        "ns2.digitalocean.com",
        "ns3.digitalocean.com",
    ]
    assert Resource.objects.get(kind="registry").monthly_price_cents == 500
    assert len(Resource.objects.get(kind="kubernetes_cluster").attrs["droplet_ids"]) == 5
