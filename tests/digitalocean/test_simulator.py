"""The client against the simulated DigitalOcean: whole conversations, and its faults."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import (
    ProviderForbidden,
    ProviderMalformed,
    ProviderNotFound,
    ProviderRejected,
    ProviderUnavailable,
)
from arcadia_cloud.digitalocean.rate_limit.budget import UnlimitedBudget
from tests.simulated import Simulated


@pytest.fixture(autouse=True)
def _token() -> None:
    """The simulator's own token stands, not the one of the other tests here."""


@pytest.fixture
def cloud(simulator: Simulated, quick: None) -> Iterator[DigitalOcean]:
    with DigitalOcean("PROVISIONING", budget=UnlimitedBudget(), timeout=5.0) as client:
        yield client


def test_everything_is_listed_and_counted(cloud: DigitalOcean, simulator: Simulated) -> None:
    simulator.reset(fleet="empty", droplets=450)
    assert len({each.id for each in cloud.droplets()}) == 450
    assert cloud.calls == 3
    assert cloud.account().team_uuid
    for listed in (cloud.sizes(), cloud.regions(), cloud.images(), cloud.projects()):
        assert list(listed)
    assert all(each.urn.startswith("do:") for each in cloud.project_resources("default"))


def test_a_droplet_is_made_found_by_its_tag_acted_on_and_deleted(
    cloud: DigitalOcean, simulator: Simulated
) -> None:
    made = cloud.create_droplet(
        name="web-1", region="fra1", size="s-1vcpu-1gb", image="ubuntu-24-04-x64", tags=["saga:1-0"]
    )
    assert made.action_id is not None
    assert cloud.action(made.action_id).type == "create"
    simulator.control("POST", "advance", seconds=600)
    assert cloud.action(made.action_id).status == "completed"
    assert [each.id for each in cloud.droplets(tag="saga:1-0")] == [made.droplet.id]
    assert cloud.droplet(made.droplet.id).status == "active"
    action = cloud.droplet_action(made.droplet.id, "power_off")
    assert (action.type, action.resource_id) == ("power_off", made.droplet.id)
    with pytest.raises(ProviderRejected, match="pending event"):
        cloud.droplet_action(made.droplet.id, "power_on")
    simulator.control("POST", "advance", seconds=600)
    cloud.delete_droplet(made.droplet.id)
    with pytest.raises(ProviderNotFound):
        cloud.delete_droplet(made.droplet.id)


def test_a_snapshot_is_taken_found_by_its_name_and_deleted(cloud: DigitalOcean, simulator: Simulated) -> None:
    droplet = next(cloud.droplets())
    action = cloud.droplet_action(droplet.id, "snapshot", name="before-the-change")
    done = list(cloud.droplet_actions(droplet.id))
    assert (done[0].id, [each.type for each in done]) == (action.id, ["snapshot", "create"])
    simulator.control("POST", "advance", seconds=600)
    taken = next(each for each in cloud.droplet_snapshots(droplet.id) if each.name == "before-the-change")
    assert cloud.snapshot(str(taken.id)).resource_id == str(droplet.id)
    cloud.delete_snapshot(str(taken.id))
    with pytest.raises(ProviderNotFound):
        cloud.delete_snapshot(str(taken.id))


def test_a_record_is_written_with_the_dot_that_its_data_is_read_without(
    cloud: DigitalOcean, simulator: Simulated
) -> None:
    simulator.reset(fleet="default", droplets=0)
    zone = "acme-wiki.example"
    made = cloud.create_dns_record(zone, type="CNAME", name="new", data="static.example", ttl=60)
    assert (made.data, made.ttl) == ("static.example", 60)
    assert [each.id for each in cloud.dns_records(zone, name="new", type="CNAME")] == [made.id]
    changed = cloud.change_dns_record(zone, made, data="other.example.", ttl=None)
    assert (changed.id, changed.data, changed.ttl) == (made.id, "other.example", 60)
    cloud.delete_dns_record(zone, made.id)
    assert not list(cloud.dns_records(zone, name="new"))
    assert {each.type for each in cloud.dns_records(zone, name="@", type="NS")} == {"NS"}


def test_an_empty_project_is_deleted_and_a_full_one_is_not(cloud: DigitalOcean, simulator: Simulated) -> None:
    simulator.reset(fleet="droplets", droplets=0)
    project = cloud.create_project(name="for-a-while", purpose="IoT")
    urn = f"do:droplet:{next(cloud.droplets()).id}"
    cloud.assign_to_project(project.id, [urn])
    with pytest.raises(ProviderRejected, match="412"):
        cloud.delete_project(project.id)
    cloud.assign_to_project("default", [urn])
    cloud.delete_project(project.id)
    assert "for-a-while" not in {each.name for each in cloud.projects()}


def test_who_must_not_write_now_sends_nothing(simulator: Simulated) -> None:
    asked: list[float] = []

    def refuse(seconds: float) -> None:
        asked.append(seconds)
        raise PermissionError

    with DigitalOcean("PROVISIONING", budget=UnlimitedBudget(), timeout=7.0, before_write=refuse) as cloud:
        first = next(cloud.droplets())
        with pytest.raises(PermissionError):
            cloud.delete_droplet(first.id)
        with pytest.raises(PermissionError):
            cloud.droplet_action(first.id, "power_off")
    assert asked == [12.0, 12.0]  # to connect, and to answer
    assert {each["method"] for each in simulator.requests()} == {"GET"}


def test_a_storm_has_the_seconds_to_wait(cloud: DigitalOcean, simulator: Simulated) -> None:
    simulator.fault(kind="rate_limited", count=1, retry_after=9, method="DELETE")
    with pytest.raises(ProviderUnavailable) as caught:
        cloud.delete_droplet(1)
    assert caught.value.retry_after == 9


def test_a_project_is_made_once_and_takes_what_exists(cloud: DigitalOcean) -> None:
    project = cloud.create_project(name="skyai-internal", purpose="Operational / Developer tooling")
    first = next(cloud.droplets())
    statuses = cloud.assign_to_project(project.id, [f"do:droplet:{first.id}", "do:droplet:1"])
    assert [each.status for each in statuses if each.urn == "do:droplet:1"] == ["not_found"]
    assert [each.urn for each in cloud.project_resources(project.id)] == [f"do:droplet:{first.id}"]
    with pytest.raises(ProviderRejected):
        cloud.create_project(name="skyai-internal", purpose="again")


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "rate_limited", "retry_after": 0},
        {"kind": "rate_limited", "retry_after": None, "reset_in": -60},
        {"kind": "server_error"},
        {"kind": "server_error", "status": 502, "html": True},
        {"kind": "drop_before"},
        {"kind": "drop_before", "reset": True},
        {"kind": "drop_after"},
        {"kind": "truncated", "cut": "connection"},
    ],
    ids=lambda fault: "-".join(str(part) for part in fault.values()),
)
def test_a_list_is_whole_after_a_passing_fault_in_its_middle(
    cloud: DigitalOcean, simulator: Simulated, fault: dict[str, object]
) -> None:
    simulator.reset(fleet="empty", droplets=450)
    simulator.fault(**fault, count=3, path="/v2/droplets", after=1)
    assert len({each.id for each in cloud.droplets()}) == 450
    assert cloud.calls == 6


def test_a_list_that_is_cut_off_fails_and_is_not_taken_for_whole(
    cloud: DigitalOcean, simulator: Simulated
) -> None:
    simulator.fault(kind="truncated", cut="body", count=1, path="/v2/droplets")
    with pytest.raises(ProviderMalformed, match="cut off"):
        list(cloud.droplets())


@pytest.mark.parametrize("fault", [{"kind": "drop_after"}, {"kind": "server_error", "after_change": True}])
def test_a_create_with_a_lost_response_made_one_droplet_and_is_outcome_unknown(
    cloud: DigitalOcean, simulator: Simulated, fault: dict[str, object]
) -> None:
    simulator.fault(**fault, count=1, method="POST")
    with pytest.raises(ProviderUnavailable) as caught:
        cloud.create_droplet(
            name="a", region="fra1", size="s-1vcpu-1gb", image="ubuntu-24-04-x64", tags=["saga:9"]
        )
    assert caught.value.outcome_unknown
    assert len(list(cloud.droplets(tag="saga:9"))) == 1


def test_a_token_without_the_scope_and_one_that_is_unknown_are_forbidden(
    cloud: DigitalOcean, simulator: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.fault(kind="forbidden", count=1)
    with pytest.raises(ProviderForbidden, match="403 forbidden"):
        cloud.account()
    monkeypatch.setenv("DO_API_TOKEN", "dop_v1_" + "f" * 64)
    with pytest.raises(ProviderForbidden, match="401"):
        cloud.account()


def test_billing_is_read_from_the_balance_to_the_last_line(cloud: DigitalOcean, simulator: Simulated) -> None:
    simulator.reset(fleet="reference", today="2026-05-10")
    assert cloud.balance().account_balance == 0
    assert sum(entry.type == "Invoice" for entry in cloud.billing_history()) == 137
    invoices, preview = list(cloud.invoices()), cloud.invoice_preview()
    assert preview is not None
    assert preview.invoice_uuid not in {invoice.invoice_uuid for invoice in invoices}
    april = invoices[0]
    assert (len(invoices), april.amount, april.period) == (137, Decimal("86.92"), date(2026, 4, 1))
    items = list(cloud.invoice_items(april.invoice_uuid))
    assert (len(items), sum(item.amount for item in items)) == (33, Decimal("86.92"))
    assert cloud.invoice_summary(april.invoice_uuid).taxes.amount == Decimal("7.90")
    with cloud.invoice_csv(april.invoice_uuid) as lines:
        assert len(list(lines)) == 34
    with pytest.raises(ProviderNotFound), cloud.invoice_csv("none"):
        pass


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "truncated", "cut": "connection"}, ProviderUnavailable),
        ({"kind": "html_answer"}, ProviderMalformed),
        ({"kind": "forbidden"}, ProviderForbidden),
    ],
)
def test_an_invoices_table_that_does_not_come_whole_is_noticed(
    cloud: DigitalOcean, simulator: Simulated, fault: dict[str, object], error: type[Exception]
) -> None:
    simulator.reset(fleet="reference", today="2026-05-10")
    april = next(cloud.invoices()).invoice_uuid
    simulator.fault(**fault, path="/csv$")
    with pytest.raises(error), cloud.invoice_csv(april) as lines:
        list(lines)


def test_a_table_that_is_sent_in_chunks_comes_whole_or_not_at_all(
    cloud: DigitalOcean, simulator: Simulated
) -> None:
    simulator.reset(fleet="reference", today="2026-05-10", invoice_lines=20_000)
    huge = next(each for each in cloud.invoices() if each.amount > 10_000)
    with cloud.invoice_csv(huge.invoice_uuid) as lines:
        assert sum(1 for _line in lines) == 20_001
