"""The calls that we make to DigitalOcean's API v2, as typed methods."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Self, TypeVar
from urllib.parse import parse_qs, quote, urlsplit

from django.conf import settings

from arcadia_cloud.digitalocean.budget import Budget
from arcadia_cloud.digitalocean.decoding import decode_object, decode_page
from arcadia_cloud.digitalocean.errors import ProviderMalformed, ProviderNotFound
from arcadia_cloud.digitalocean.listing import Listing, Page
from arcadia_cloud.digitalocean.records import (
    AccountRecord,
    ActionRecord,
    BalanceRecord,
    BillingEntryRecord,
    DropletCreated,
    DropletRecord,
    ImageRecord,
    InvoiceItemRecord,
    InvoiceRecord,
    InvoicesAnswer,
    InvoiceSummaryRecord,
    ProjectRecord,
    ProjectResourceRecord,
    RegionRecord,
    SizeRecord,
    TagRecord,
)
from arcadia_cloud.digitalocean.transport import Transport

T = TypeVar("T")

MOST_PAGES: Final = 10_000  # two million items: no account has them, a list without end does
GIVE_UP_AFTER_SECONDS: Final = 120.0
_MOST_DIGITS: Final = 9  # of a page's number; int() refuses thousands with an error of its own
_INVOICES: Final = "/v2/customers/my/invoices"


class DigitalOcean:
    """DigitalOcean, with one purpose's token (SYNC, BILLING, PROVISIONING). Close it; one per thread.

    Every method raises ProviderUnavailable (try again later), ProviderRejected (don't), ProviderMalformed
    or MissingToken. A GET is repeated here, within two minutes; no other call ever is. `timeout` is the
    longest silence in seconds, by default the setting DO_TIMEOUT_SECONDS.
    """

    def __init__(
        self,
        purpose: str = "SYNC",
        *,
        base_url: str | None = None,
        budget: Budget | None = None,
        timeout: float | None = None,
        give_up_after: float = GIVE_UP_AFTER_SECONDS,
        most_pages: int = MOST_PAGES,
    ) -> None:
        base_url = base_url or settings.DO_API_URL
        self.budget = budget or Budget(purpose, base_url=base_url)
        self._most_pages = most_pages
        self._transport = Transport(
            purpose,
            base_url=base_url,
            budget=self.budget,
            read_seconds=timeout or settings.DO_TIMEOUT_SECONDS,
            give_up_after=give_up_after,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    @property
    def calls(self) -> int:
        """HTTP requests made so far, repetitions included."""
        return self._transport.calls

    # --- Any endpoint ----------------------------------------------------------------------------
    def get(self, path: str, record: type[T], *, key: str = "", params: Mapping[str, str] | None = None) -> T:
        """One object, found under `key` (or the whole answer)."""
        answer = self._transport.send("GET", path, params=params)
        return decode_object(answer, record, key, call=f"GET {path}")

    def post(self, path: str, record: type[T], *, key: str = "", body: object = None) -> T:
        """Send once. After an error whose `outcome_unknown` is true, look before sending again."""
        answer = self._transport.send("POST", path, body=body)
        return decode_object(answer, record, key, call=f"POST {path}")

    def put(self, path: str, record: type[T], *, key: str = "", body: object = None) -> T:
        """Replace, once."""
        answer = self._transport.send("PUT", path, body=body)
        return decode_object(answer, record, key, call=f"PUT {path}")

    def delete(self, path: str) -> None:
        """Delete, once. Raises ProviderNotFound where it is gone already."""
        self._transport.send("DELETE", path)

    def pages(self, listing: Listing[T]) -> Iterator[Page[T]]:
        """Every page of a collection. They aren't one snapshot: items may repeat or move between them.

        Of the next page's address only its number or token is used, never its host. An empty page ends the
        list; one past `most_pages` raises ProviderMalformed.
        """
        call = f"GET {listing.path}"
        turn = {"page": "1"} if listing.style == "pages" else {}
        sizes = {} if listing.style == "unpaged" else {"per_page": str(listing.per_page)}
        for number in range(1, self._most_pages + 1):
            try:
                answer = self._transport.send("GET", listing.path, params={**listing.params, **sizes, **turn})
            except ProviderNotFound:
                if listing.missing_is_empty:
                    yield Page([], None, number)
                    return
                raise
            items, envelope = decode_page(answer, listing, call=call)
            yield Page(items, envelope.total, number)
            if not items or not envelope.next or listing.style == "unpaged":
                return
            turn = _next_turn(envelope.next, turn, listing, call)
        raise ProviderMalformed(f"the list has more than {self._most_pages} pages", call=call)

    def items(self, listing: Listing[T]) -> Iterator[T]:
        """Every item of a collection, page by page."""
        for page in self.pages(listing):
            yield from page.items

    # --- Account, projects, tags, sizes ------------------------------------------------------------
    def account(self) -> AccountRecord:
        """The account the token speaks for."""
        return self.get("/v2/account", AccountRecord, key="account")

    def projects(self) -> Iterator[ProjectRecord]:
        return self.items(Listing("/v2/projects", "projects", ProjectRecord))

    def project_resources(self, project_id: str) -> Iterator[ProjectResourceRecord]:
        """What is in a project; only what the token may see. `default` is a valid id."""
        return self.items(
            Listing(f"/v2/projects/{_part(project_id)}/resources", "resources", ProjectResourceRecord)
        )

    def create_project(
        self, *, name: str, purpose: str, description: str = "", environment: str = ""
    ) -> ProjectRecord:
        """Make a project. Names are unique: ProviderRejected where this one is taken."""
        body = _given(name=name, purpose=purpose, description=description, environment=environment)
        return self.post("/v2/projects", ProjectRecord, key="project", body=body)

    def assign_to_project(self, project_id: str, urns: Sequence[str]) -> list[ProjectResourceRecord]:
        """Move resources into a project. See each `status`: a 200 can hold `not_found`, `service_down`."""
        path = f"/v2/projects/{_part(project_id)}/resources"
        return self.post(path, list[ProjectResourceRecord], key="resources", body={"resources": list(urns)})

    def sizes(self) -> Iterator[SizeRecord]:
        return self.items(Listing("/v2/sizes", "sizes", SizeRecord))

    def regions(self) -> Iterator[RegionRecord]:
        return self.items(Listing("/v2/regions", "regions", RegionRecord))

    def images(self, *, private: bool = False) -> Iterator[ImageRecord]:
        """Images; the private ones are snapshots, backups and custom images together."""
        params = {"private": "true"} if private else {}
        return self.items(Listing("/v2/images", "images", ImageRecord, params))

    def tags(self) -> Iterator[TagRecord]:
        return self.items(Listing("/v2/tags", "tags", TagRecord))

    # --- Droplets ------------------------------------------------------------------------------------
    def droplets(self, *, tag: str = "", gpus: bool = False) -> Iterator[DropletRecord]:
        """Every droplet, or those with a tag. GPU droplets are listed apart: ask with `gpus`.

        Source: API reference, `GET /v2/droplets`. The list lags behind a create by seconds.
        """
        params = _given(tag_name=tag, type="gpus" if gpus else "")
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
    ) -> DropletCreated:
        """Ask for one droplet, once. The 202 isn't success, and names aren't unique: tag it to find it."""
        body = _given(
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
        return self.post("/v2/droplets", DropletCreated, body=body)

    def delete_droplet(self, droplet_id: int) -> None:
        """Delete a droplet; volumes, snapshots and reserved IPs stay. ProviderNotFound where it is gone."""
        self.delete(f"/v2/droplets/{int(droplet_id)}")

    def droplet_action(self, droplet_id: int, type: str, **params: object) -> ActionRecord:  # noqa: A002 - the API's word
        """Start an action (`power_off`, `resize`, …). While another runs: ProviderRejected, status 422."""
        path = f"/v2/droplets/{int(droplet_id)}/actions"
        return self.post(path, ActionRecord, key="action", body={**params, "type": type})

    def action(self, action_id: int) -> ActionRecord:
        return self.get(f"/v2/actions/{int(action_id)}", ActionRecord, key="action")

    # --- Billing: with the purpose BILLING --------------------------------------------------------------
    def balance(self) -> BalanceRecord:
        """What the account owes by now."""
        return self.get("/v2/customers/my/balance", BalanceRecord)

    def billing_history(self) -> Iterator[BillingEntryRecord]:
        """Invoices, payments, credits and the like, newest first, back to the account's beginning.

        The reference knows no paging there, yet the answers have links. A reader may stop early.
        """
        path = "/v2/customers/my/billing_history"
        return self.items(Listing(path, "billing_history", BillingEntryRecord))

    def invoices(self) -> Iterator[InvoiceRecord]:
        """The final invoices, newest first; a month may have more than one. The preview isn't among them."""
        return self.items(Listing(_INVOICES, "invoices", InvoiceRecord))

    def invoice_preview(self) -> InvoiceRecord | None:
        """The running month's invoice so far. It changes, and the final one will have another uuid."""
        return self.get(_INVOICES, InvoicesAnswer, params={"per_page": "1"}).invoice_preview

    def invoice_items(self, invoice_uuid: str) -> Iterator[InvoiceItemRecord]:
        """What an invoice charges for, with ids of resources, which its CSV doesn't have."""
        path = f"{_INVOICES}/{_part(invoice_uuid)}"
        return self.items(Listing(path, "invoice_items", InvoiceItemRecord))

    def invoice_summary(self, invoice_uuid: str) -> InvoiceSummaryRecord:
        """An invoice's sums."""
        return self.get(f"{_INVOICES}/{_part(invoice_uuid)}/summary", InvoiceSummaryRecord)

    def invoice_csv(self, invoice_uuid: str) -> AbstractContextManager[Iterator[str]]:
        """An invoice's table, line by line for the block: `with cloud.invoice_csv(uuid) as lines`.

        Opening it and reading it raise what every method raises: a connection that ends too early is
        ProviderUnavailable, a page of HTML is ProviderMalformed. Memory is flat in the table's length.
        """
        return self._transport.stream(f"{_INVOICES}/{_part(invoice_uuid)}/csv", accept="text/csv")


def _part(text: str) -> str:
    return quote(text, safe="")


def _given(**fields: Any) -> dict[str, Any]:
    """The fields that have a value; the API takes absence for its default."""
    return {name: value for name, value in fields.items() if value not in ("", [], False, None)}


def _is_page_number(text: str) -> bool:
    return len(text) <= _MOST_DIGITS and text.isascii() and text.isdigit()


def _next_turn(address: str, turn: Mapping[str, str], listing: Listing[Any], call: str) -> dict[str, str]:
    """The parameter that asks for the next page. One that leads nowhere new would never end."""
    name = "page" if listing.style == "pages" else "page_token"
    told = parse_qs(urlsplit(address).query).get(name, [""])[0]
    if listing.style == "cursor":
        if not told or told == turn.get(name):
            raise ProviderMalformed("links.pages.next has no new page_token", call=call)
    elif not (_is_page_number(told) and int(told) > int(turn["page"])):
        raise ProviderMalformed("links.pages.next has no page number above the current one", call=call)
    return {name: told}
