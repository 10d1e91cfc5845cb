"""The client: the endpoints of DigitalOcean's API v2 that we use, as typed methods."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import quote

from arcadia_cloud.digitalocean.account_check import ACCOUNT_PATH
from arcadia_cloud.digitalocean.errors import ProviderMalformed
from arcadia_cloud.digitalocean.listing import Listing, Page
from arcadia_cloud.digitalocean.records import (
    AccountRecord,
    ActionRecord,
    BalanceRecord,
    BillingEntryRecord,
    CostPointRecord,
    DnsRecord,
    DropletCreateResponse,
    DropletRecord,
    ImageRecord,
    InvoiceItemRecord,
    InvoiceRecord,
    InvoicesResponse,
    InvoiceSummaryRecord,
    MetricSeries,
    MetricsRecord,
    ProjectRecord,
    ProjectResourceRecord,
    RegionRecord,
    ReservedIpRecord,
    SizeRecord,
    SnapshotRecord,
    TagRecord,
    VolumeRecord,
)
from arcadia_cloud.digitalocean.rest import RestClient

_HOST_TYPES: Final = frozenset({"CNAME", "MX", "NS", "SRV"})  # records whose data is a host's name
_INVOICES: Final = "/v2/customers/my/invoices"
_BANDWIDTH: Final = "/v2/monitoring/metrics/droplet/bandwidth"


class DigitalOcean(RestClient):
    """DigitalOcean's endpoints, one method each; see `RestClient` for what they raise."""

    # --- Account, projects, tags, sizes ------------------------------------------------------------
    def account(self) -> AccountRecord:
        """Get the account the token speaks for."""
        return self.get(ACCOUNT_PATH, AccountRecord, key="account")

    def projects(self) -> Iterator[ProjectRecord]:
        return self.items(Listing("/v2/projects", "projects", ProjectRecord))

    def project_resources(self, project_id: str) -> Iterator[ProjectResourceRecord]:
        """List a project's resources; only what the token may see. `default` is a valid id."""
        return self.items(
            Listing(f"/v2/projects/{_quote(project_id)}/resources", "resources", ProjectResourceRecord)
        )

    def create_project(
        self, *, name: str, purpose: str, description: str = "", environment: str = ""
    ) -> ProjectRecord:
        """Make a project. Names are unique: ProviderRejected where this one is taken."""
        body = _drop_empty(name=name, purpose=purpose, description=description, environment=environment)
        return self.post("/v2/projects", ProjectRecord, key="project", body=body)

    def delete_project(self, project_id: str) -> None:
        """Delete an empty project; ProviderRejected, status 412, while something is in it."""
        self.delete(f"/v2/projects/{_quote(project_id)}")

    def assign_to_project(self, project_id: str, urns: Sequence[str]) -> list[ProjectResourceRecord]:
        """Move resources into a project. See each `status`: a 200 can hold `not_found`, `service_down`."""
        path = f"/v2/projects/{_quote(project_id)}/resources"
        return self.post(path, list[ProjectResourceRecord], key="resources", body={"resources": list(urns)})

    def sizes(self) -> Iterator[SizeRecord]:
        return self.items(Listing("/v2/sizes", "sizes", SizeRecord))

    def regions(self) -> Iterator[RegionRecord]:
        return self.items(Listing("/v2/regions", "regions", RegionRecord))

    def images(self, *, private: bool = False) -> Iterator[ImageRecord]:
        """List images; the private ones are snapshots, backups and custom images together."""
        params = {"private": "true"} if private else {}
        return self.items(Listing("/v2/images", "images", ImageRecord, params))

    def image(self, image: int | str) -> ImageRecord:
        """Return the image of that id, or the public one of that slug."""
        return self.get(f"/v2/images/{_quote(str(image))}", ImageRecord, key="image")

    def tags(self) -> Iterator[TagRecord]:
        return self.items(Listing("/v2/tags", "tags", TagRecord))

    def tag_resource(self, tag: str, *, resource_id: str, resource_type: str) -> None:
        """Put a tag on a resource. The tag is made first, which changes nothing where there is one."""
        self.post("/v2/tags", TagRecord, key="tag", body={"name": tag})
        self._transport.send("POST", _tagged_path(tag), body=_tag_body(resource_id, resource_type))

    def untag_resource(self, tag: str, *, resource_id: str, resource_type: str) -> None:
        """Take a tag off a resource. Raises ProviderNotFound where there is no such tag."""
        self._transport.send("DELETE", _tagged_path(tag), body=_tag_body(resource_id, resource_type))

    # --- Droplets ------------------------------------------------------------------------------------
    def droplets(self, *, tag: str = "", gpus: bool = False) -> Iterator[DropletRecord]:
        """List every droplet, or those with a tag. GPU droplets are listed apart: ask with `gpus`.

        Source: API reference, `GET /v2/droplets`. The list lags behind a create by seconds.
        """
        params = _drop_empty(tag_name=tag, type="gpus" if gpus else "")
        return self.items(Listing("/v2/droplets", "droplets", DropletRecord, params))

    def droplet(self, droplet_id: int) -> DropletRecord:
        return self.get(f"/v2/droplets/{int(droplet_id)}", DropletRecord, key="droplet")

    def create_droplet(
        self,
        *,
        name: str,
        region: str,
        size: str,
        image: str | int,
        tags: Sequence[str] = (),
        ssh_keys: Sequence[str | int] = (),
        user_data: str = "",
        vpc_uuid: str = "",
        volumes: Sequence[str] = (),
        backups: bool = False,
        ipv6: bool = False,
        monitoring: bool = False,
    ) -> DropletCreateResponse:
        """Ask for one droplet, once. The 202 isn't success, and names aren't unique: tag it to find it."""
        body = _drop_empty(
            name=name,
            region=region,
            size=size,
            image=image,
            tags=list(tags),
            ssh_keys=list(ssh_keys),
            user_data=user_data,
            vpc_uuid=vpc_uuid,
            volumes=list(volumes),
            backups=backups,
            ipv6=ipv6,
            monitoring=monitoring,
        )
        return self.post("/v2/droplets", DropletCreateResponse, body=body)

    def delete_droplet(self, droplet_id: int) -> None:
        """Delete a droplet; volumes, snapshots and reserved IPs stay. ProviderNotFound where it is gone."""
        self.delete(f"/v2/droplets/{int(droplet_id)}")

    def droplet_action(self, droplet_id: int, type: str, **params: object) -> ActionRecord:  # noqa: A002 - the API's word
        """Start an action (`power_off`, `resize`, …). While another runs: ProviderRejected, status 422."""
        path = f"/v2/droplets/{int(droplet_id)}/actions"
        return self.post(path, ActionRecord, key="action", body={**params, "type": type})

    def droplet_actions(self, droplet_id: int) -> Iterator[ActionRecord]:
        """List what was done to a droplet, newest first."""
        return self.items(Listing(f"/v2/droplets/{int(droplet_id)}/actions", "actions", ActionRecord))

    def droplet_snapshots(self, droplet_id: int) -> Iterator[ImageRecord]:
        """List a droplet's snapshots; an action that takes one doesn't name it."""
        return self.items(Listing(f"/v2/droplets/{int(droplet_id)}/snapshots", "snapshots", ImageRecord))

    def action(self, action_id: int) -> ActionRecord:
        return self.get(f"/v2/actions/{int(action_id)}", ActionRecord, key="action")

    # --- Snapshots -----------------------------------------------------------------------------------
    def snapshot(self, snapshot_id: str) -> SnapshotRecord:
        return self.get(f"/v2/snapshots/{_quote(snapshot_id)}", SnapshotRecord, key="snapshot")

    def delete_snapshot(self, snapshot_id: str) -> None:
        """Delete a snapshot for good, of a droplet or of a volume. ProviderNotFound where it is gone."""
        self.delete(f"/v2/snapshots/{_quote(snapshot_id)}")

    # --- Volumes ---------------------------------------------------------------------------------------
    def volumes(self, *, name: str = "") -> Iterator[VolumeRecord]:
        """List every volume, or those of a name: it is unique within a region."""
        return self.items(Listing("/v2/volumes", "volumes", VolumeRecord, _drop_empty(name=name)))

    def volume(self, volume_id: str) -> VolumeRecord:
        return self.get(f"/v2/volumes/{_quote(volume_id)}", VolumeRecord, key="volume")

    def create_volume(
        self, *, name: str, region: str, size_gigabytes: int, tags: Sequence[str] = ()
    ) -> VolumeRecord:
        """Make a volume. ProviderRejected where the region has one of this name."""
        body = _drop_empty(name=name, region=region, size_gigabytes=size_gigabytes, tags=list(tags))
        return self.post("/v2/volumes", VolumeRecord, key="volume", body=body)

    def delete_volume(self, volume_id: str) -> None:
        """Delete a volume for good; ProviderRejected while it is attached."""
        self.delete(f"/v2/volumes/{_quote(volume_id)}")

    def volume_action(self, volume_id: str, type: str, **params: object) -> ActionRecord:  # noqa: A002 - the API's word
        """Start an action (`attach`, `detach`) on a volume."""
        path = f"/v2/volumes/{_quote(volume_id)}/actions"
        return self.post(path, ActionRecord, key="action", body={**params, "type": type})

    # --- Reserved IPs ----------------------------------------------------------------------------------
    def reserved_ip(self, address: str) -> ReservedIpRecord:
        return self.get(f"/v2/reserved_ips/{_quote(address)}", ReservedIpRecord, key="reserved_ip")

    def release_reserved_ip(self, address: str) -> None:
        """Give a reserved IP back for good: the same one can't be reserved again."""
        self.delete(f"/v2/reserved_ips/{_quote(address)}")

    def reserved_ip_action(self, address: str, type: str, **params: object) -> ActionRecord:  # noqa: A002 - the API's word
        """Start an action (`assign`, `unassign`) on a reserved IP."""
        path = f"/v2/reserved_ips/{_quote(address)}/actions"
        return self.post(path, ActionRecord, key="action", body={**params, "type": type})

    # --- DNS -------------------------------------------------------------------------------------------
    def dns_records(self, domain: str, *, name: str = "", type: str = "") -> Iterator[DnsRecord]:  # noqa: A002 - the API's word
        """List a zone's records, or those of a name and type. `name` is relative, `@` for the zone itself."""
        whole = domain if name == "@" else f"{name}.{domain}"  # what the filter wants
        params = _drop_empty(name=whole if name else "", type=type)
        return self.items(Listing(_records_path(domain), "domain_records", DnsRecord, params))

    def create_dns_record(
        self,
        domain: str,
        *,
        type: str,  # noqa: A002 - the API's word
        name: str,
        data: str,
        ttl: int | None = None,
        priority: int | None = None,
    ) -> DnsRecord:
        """Write a record, once. An equal one may be there already: look before."""
        body = _drop_empty(type=type, name=name, data=dns_data(type, data), ttl=ttl, priority=priority)
        return self.post(_records_path(domain), DnsRecord, key="domain_record", body=body)

    def change_dns_record(self, domain: str, record: DnsRecord, *, data: str, ttl: int | None) -> DnsRecord:
        """Give a record other data and another ttl (None: as it is)."""
        body = _drop_empty(type=record.type, name=record.name, data=dns_data(record.type, data), ttl=ttl)
        return self.put(f"{_records_path(domain)}/{record.id}", DnsRecord, key="domain_record", body=body)

    def write_dns_record(
        self, domain: str, fields: Mapping[str, Any], *, record_id: int | None = None
    ) -> DnsRecord:
        """Write a record of these fields: a new one, or with `record_id` that one, whatever it was."""
        body = {**fields, "data": dns_data(fields["type"], fields["data"])}
        if record_id is None:
            return self.post(_records_path(domain), DnsRecord, key="domain_record", body=body)
        path = f"{_records_path(domain)}/{int(record_id)}"
        return self.put(path, DnsRecord, key="domain_record", body=body)

    def delete_dns_record(self, domain: str, record_id: int) -> None:
        """Delete a record. Raises ProviderNotFound where it, or its zone, is gone."""
        self.delete(f"{_records_path(domain)}/{int(record_id)}")

    # --- Monitoring: with the purpose METERING ----------------------------------------------------------
    def droplet_bandwidth(self, droplet_id: int, *, start: datetime, end: datetime) -> list[MetricSeries]:
        """Get the rates, in megabits a second, at which a droplet sent to the internet; no series for none.

        Source: API reference, `GET /v2/monitoring/metrics/droplet/bandwidth`. The spacing of the samples is
        the provider's choice, and grows with the window.
        """
        params = {
            "host_id": str(int(droplet_id)),
            "interface": "public",
            "direction": "outbound",
            "start": str(int(start.timestamp())),
            "end": str(int(end.timestamp())),
        }
        metrics = self.get(_BANDWIDTH, MetricsRecord, params=params)
        # With status 200 the body can still have no answer, which isn't a droplet without traffic.
        if metrics.status != "success":
            raise ProviderMalformed(f"the metrics' status is {metrics.status}", call=f"GET {_BANDWIDTH}")
        return metrics.data.result

    # --- Billing: with the purpose BILLING --------------------------------------------------------------
    def balance(self) -> BalanceRecord:
        """Get what the account owes by now."""
        return self.get("/v2/customers/my/balance", BalanceRecord)

    def billing_history_pages(self) -> Iterator[Page[BillingEntryRecord]]:
        """Yield the pages of invoices, payments, credits and the like, newest first, to the very first.

        The reference has no paging there, yet the responses have links. A reader may stop early.
        """
        path = "/v2/customers/my/billing_history"
        return self.pages(Listing(path, "billing_history", BillingEntryRecord))

    def billing_history(self) -> Iterator[BillingEntryRecord]:
        """Yield the entries of all pages. Where the list grows meanwhile, some come twice; none has an id."""
        for page in self.billing_history_pages():
            yield from page.items

    def invoice_pages(self) -> Iterator[Page[InvoiceRecord]]:
        """Yield the pages of final invoices, newest first; a month may have more than one."""
        return self.pages(Listing(_INVOICES, "invoices", InvoiceRecord))

    def invoices(self) -> Iterator[InvoiceRecord]:
        """Yield the final invoices of all pages. The preview isn't among them."""
        for page in self.invoice_pages():
            yield from page.items

    def invoice_preview(self) -> InvoiceRecord | None:
        """Get the running month's invoice so far. It changes, and the final one will have another uuid."""
        return self.get(_INVOICES, InvoicesResponse, params={"per_page": "1"}).invoice_preview

    def invoice_items(self, invoice_uuid: str) -> Iterator[InvoiceItemRecord]:
        """List an invoice's items, with ids of resources, which its CSV doesn't have."""
        for page in self.invoice_item_pages(invoice_uuid):
            yield from page.items

    def invoice_item_pages(self, invoice_uuid: str, *, offset: int = 0) -> Iterator[Page[InvoiceItemRecord]]:
        """Yield the pages of an invoice's items, from the one on that holds the item behind `offset`."""
        path = f"{_INVOICES}/{_quote(invoice_uuid)}"
        return self.pages(Listing(path, "invoice_items", InvoiceItemRecord), offset=offset)

    def invoice_summary(self, invoice_uuid: str) -> InvoiceSummaryRecord:
        """Get an invoice's sums."""
        return self.get(f"{_INVOICES}/{_quote(invoice_uuid)}/summary", InvoiceSummaryRecord)

    def invoice_csv(self, invoice_uuid: str) -> AbstractContextManager[Iterator[str]]:
        """Open an invoice's table, line by line: `with cloud.invoice_csv(uuid) as lines`.

        Opening it and reading it raise what every method raises: a connection that ends too early is
        ProviderUnavailable, a page of HTML is ProviderMalformed. Memory is flat in the table's length.
        """
        return self._transport.stream(f"{_INVOICES}/{_quote(invoice_uuid)}/csv", accept="text/csv")

    def cost_point_pages(
        self, account_urn: str, *, first: date, last: date
    ) -> Iterator[Page[CostPointRecord]]:
        """Yield the pages of what each day from `first` to `last` cost, item by item; 31 days at most.

        Source: API reference, "List Billing Insights": changes from day to day of nightly estimates, which
        need not add up to the invoice. ProviderForbidden where the token may not read them.
        """
        path = f"/v2/billing/{_quote(account_urn)}/insights/{first}/{last}"
        return self.pages(Listing(path, "data_points", CostPointRecord, style="numbered"))


def dns_data(type: str, data: str) -> str:  # noqa: A002 - the API's word
    """Return data as it has to be written: a host's name ends with a dot, though it is read without one."""
    return f"{data}." if type in _HOST_TYPES and data != "@" and not data.endswith(".") else data


def _tagged_path(tag: str) -> str:
    return f"/v2/tags/{_quote(tag)}/resources"


def _tag_body(resource_id: str, resource_type: str) -> dict[str, list[dict[str, str]]]:
    return {"resources": [{"resource_id": resource_id, "resource_type": resource_type}]}


def _records_path(domain: str) -> str:
    return f"/v2/domains/{_quote(domain)}/records"


def _quote(text: str) -> str:
    return quote(text, safe="")


def _drop_empty(**fields: Any) -> dict[str, Any]:
    """Drop the fields without a value; the API takes absence for its default."""
    return {name: value for name, value in fields.items() if value not in ("", [], False, None)}
