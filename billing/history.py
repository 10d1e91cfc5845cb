"""The billing history: a header per invoice, and a row for everything else that moved money.

It goes back ten years and more, so a run reads only until it meets what it knows. All of a run is written in
one transaction: what is known then always reaches back to the beginning, also after a run that was killed.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Final, TypeVar

from django.conf import settings
from django.db import transaction

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.records import BillingEntryRecord, InvoiceRecord
from arcadia_cloud.kernel.leases import lease
from billing.finance_push import refresh_push_status
from billing.models import BillingEntry, ProviderInvoice
from billing.values import IngestStatus
from inventory.values import PROVIDER

T = TypeVar("T")
Key = tuple[object, ...]

_LEASE: Final = "billing history"
_WAIT_SECONDS: Final = 300
_CHUNK: Final = 200  # a page of the provider's, so that a page more is asked for only when it is needed
_INVOICE: Final = "Invoice"


@dataclass(frozen=True, slots=True)
class History:
    """What a run found new. `open` are the invoices whose lines aren't in place, oldest first."""

    invoices: int
    entries: int
    open: list[int]


@dataclass(frozen=True, slots=True)
class _Head:
    invoice_uuid: str
    invoice_id: str
    amount: object
    period: date
    issued_on: date | None
    is_preview: bool = False


def read_history(*, cloud: DigitalOcean, at: datetime, since: date | None = None) -> History:
    """Read what is new of the history and of the invoices, and the running month's preview.

    With `since`, the first of a month, everything back to it is read, known or not. May be repeated; two at
    once: one waits. Raises ProviderError, and then nothing is written.
    """
    seconds = settings.ARCADIA_BILLING_LEASE_SECONDS
    with lease(_LEASE, seconds=seconds, wait_seconds=_WAIT_SECONDS) as held:
        listed = _until_known(cloud.invoices(), _unknown_invoices, lambda head: head.period, since)
        history = _until_known(cloud.billing_history(), _unknown_entries(), lambda entry: entry.date, since)
        preview = cloud.invoice_preview()
        with transaction.atomic():
            found = _keep_heads(_heads(listed, history), at)
            entries = _keep_entries(history)
            if preview is not None:
                _keep_preview(preview, at)
            held.assert_held()
    return History(found, entries, open_invoices())


def open_invoices() -> list[int]:
    """The invoices that aren't ingested, and previews, which always are to be again; oldest first."""
    waiting = ProviderInvoice.objects.exclude(ingest_status=IngestStatus.INGESTED, is_preview=False)
    return list(waiting.order_by("period", "pk").values_list("pk", flat=True))


def invoices_since(period: date) -> list[int]:
    """Every invoice of this month and the later ones, oldest first."""
    found = ProviderInvoice.objects.filter(period__gte=period)
    return list(found.order_by("period", "pk").values_list("pk", flat=True))


def _until_known(
    items: Iterator[T],
    unknown: Callable[[Sequence[T]], int],
    at_of: Callable[[T], date],
    since: date | None,
) -> list[T]:
    """Items, newest first, up to and with the first page on which nothing is new.

    A page all of one instant decides nothing: the rest of that instant may stand on the next.
    """
    read: list[T] = []
    while chunk := list(islice(items, _CHUNK)):
        read += chunk
        newest, oldest = at_of(chunk[0]), at_of(chunk[-1])
        reaches_back = since is None or oldest.isoformat() < since.isoformat()
        if unknown(chunk) == 0 and reaches_back and oldest < newest:
            break
    return read


def _unknown_invoices(chunk: Sequence[InvoiceRecord]) -> int:
    known = dict(
        ProviderInvoice.objects.filter(
            provider=PROVIDER, is_preview=False, invoice_uuid__in=[head.invoice_uuid for head in chunk]
        ).values_list("invoice_uuid", "amount")
    )
    return sum(known.get(head.invoice_uuid) != head.amount for head in chunk)


def _unknown_entries() -> Callable[[Sequence[BillingEntryRecord]], int]:
    """Counts what is new on each page, one after the other: equal entries differ by their number alone."""
    seen: Counter[Key] = Counter()

    def unknown(chunk: Sequence[BillingEntryRecord]) -> int:
        others = [entry for entry in chunk if not _is_head(entry)]
        uuids = {entry.invoice_uuid for entry in chunk if _is_head(entry)}
        known = ProviderInvoice.objects.filter(provider=PROVIDER, invoice_uuid__in=uuids)
        new = len(uuids) - known.exclude(issued_on=None).count()
        kept = _kept_keys(others)
        for entry in others:
            key = _key(entry)
            seen[key] += 1
            new += seen[key] > kept[key]
        return new

    return unknown


def _kept_keys(entries: Sequence[BillingEntryRecord]) -> Counter[Key]:
    """How many equal ones we have of each, within the time of these."""
    if not entries:
        return Counter()
    dates = [entry.date for entry in entries]
    rows = BillingEntry.objects.filter(provider=PROVIDER, date__range=(min(dates), max(dates)))
    return Counter(rows.values_list("type", "date", "amount", "description", "invoice_uuid"))


def _is_head(entry: BillingEntryRecord) -> bool:
    return entry.type == _INVOICE and entry.invoice_uuid != ""


def _key(entry: BillingEntryRecord) -> Key:
    return (entry.type, entry.date, entry.amount, entry.description, entry.invoice_uuid or None)


def _heads(listed: Iterable[InvoiceRecord], history: Iterable[BillingEntryRecord]) -> list[_Head]:
    """A header per invoice of either list. The list of invoices tells the month, the history the day."""
    issued = {entry.invoice_uuid: entry for entry in history if _is_head(entry)}
    heads = []
    for head in listed:
        entry = issued.pop(head.invoice_uuid, None)
        day = entry.date.date() if entry else None
        heads.append(_Head(head.invoice_uuid, head.invoice_id, head.amount, head.period, day))
    for uuid, entry in issued.items():
        day = entry.date.date()
        # Issued on the first for the month before, or within a month at a usage threshold.
        period = (day - timedelta(days=1)).replace(day=1)
        heads.append(_Head(uuid, entry.invoice_id, entry.amount, period, day))
    return heads


def _keep_heads(heads: Sequence[_Head], at: datetime) -> int:
    """Write new headers and changed ones; an invoice whose amount changed is to be ingested again."""
    known = {
        invoice.invoice_uuid: invoice
        for invoice in ProviderInvoice.objects.filter(
            provider=PROVIDER, invoice_uuid__in=[head.invoice_uuid for head in heads]
        )
    }
    for head in heads:
        if head.invoice_uuid in known:
            _change(known[head.invoice_uuid], head)
    new = {head.invoice_uuid: head for head in heads if head.invoice_uuid not in known}
    ProviderInvoice.objects.bulk_create(
        [
            ProviderInvoice(
                provider=PROVIDER,
                invoice_uuid=head.invoice_uuid,
                invoice_id=head.invoice_id,
                period=head.period,
                issued_on=head.issued_on,
                is_preview=head.is_preview,
                amount=head.amount,
                discovered_at=at,
            )
            for head in sorted(new.values(), key=lambda head: head.period)
        ]
    )
    return len(new)


def _change(invoice: ProviderInvoice, head: _Head) -> None:
    changes: dict[str, object] = {}
    if head.issued_on is not None and invoice.issued_on is None:
        changes["issued_on"] = head.issued_on
    if (invoice.amount, invoice.is_preview) != (head.amount, head.is_preview):
        changes |= {
            "amount": head.amount,
            "is_preview": head.is_preview,
            "period": head.period,
            "ingest_status": IngestStatus.PENDING,
        }
    if not changes:
        return
    for name, value in changes.items():
        setattr(invoice, name, value)
    was = invoice.push_status
    refresh_push_status(invoice)
    if invoice.push_status != was:
        changes["push_status"] = invoice.push_status
    ProviderInvoice.objects.filter(pk=invoice.pk).update(**changes)


def _keep_entries(history: Iterable[BillingEntryRecord]) -> int:
    others = [entry for entry in history if not _is_head(entry)]
    kept = _kept_keys(others)
    seen: Counter[Key] = Counter()
    new = []
    for entry in others:
        key = _key(entry)
        seen[key] += 1
        if seen[key] > kept[key]:
            new.append(
                BillingEntry(
                    provider=PROVIDER,
                    type=entry.type,
                    date=entry.date,
                    amount=entry.amount,
                    description=entry.description,
                    invoice_uuid=entry.invoice_uuid or None,
                    number=seen[key],
                )
            )
    BillingEntry.objects.bulk_create(reversed(new), ignore_conflicts=True)
    return len(new)


def _keep_preview(preview: InvoiceRecord, at: datetime) -> None:
    """The running month's, in the place of what was its preview before under another uuid."""
    ProviderInvoice.objects.filter(provider=PROVIDER, period=preview.period, is_preview=True).exclude(
        invoice_uuid=preview.invoice_uuid
    ).delete()
    if ProviderInvoice.objects.filter(
        provider=PROVIDER, invoice_uuid=preview.invoice_uuid, is_preview=False
    ).exists():
        return  # the list of final invoices has it by now
    ProviderInvoice.objects.update_or_create(
        provider=PROVIDER,
        invoice_uuid=preview.invoice_uuid,
        defaults={"amount": preview.amount, "period": preview.period},
        create_defaults={
            "amount": preview.amount,
            "period": preview.period,
            "invoice_id": preview.invoice_id,
            "is_preview": True,
            "discovered_at": at,
        },
    )
