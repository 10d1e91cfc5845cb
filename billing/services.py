"""What the edges of billing call: the tasks, the commands, the console and the main job."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.finance import Finance
from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.queue.nudge import nudge, publish_now
from billing import balance
from billing.finance_push import NotPushable, PushResult, assert_pushable, push_invoice, to_be_pushed
from billing.history import History, open_invoices, read_history
from billing.ingest import run as ingest_run
from billing.ingest.run import IngestResult, ingest_invoice
from billing.matching import rematch
from billing.models import BalanceSnapshot, ProviderInvoice
from billing.values import IngestStatus, PushStatus

PURPOSE: Final = "BILLING"
QUEUE: Final = "cloud_billing"
INGEST_TASK: Final = "billing.ingest_invoice"
PUSH_TASK: Final = "billing.push_invoice"

_LONGEST_NUDGE: Final = timedelta(minutes=30)

Report = Callable[[int, int], None]  # takes how many are done, and of how many


@dataclass(frozen=True, slots=True)
class SweepCounts:
    """What a sweep found to be done again."""

    ingests: int
    pushes: int
    matched: int


def snapshot_balance(*, at: datetime) -> BalanceSnapshot:
    """Keep what we owe as that of the hour of `at`. Raises ProviderError."""
    with DigitalOcean(PURPOSE) as cloud:
        return balance.snapshot_balance(cloud=cloud, at=at)


def update_history(*, at: datetime, enqueue: bool, since: date | None = None) -> History:
    """Read what is new of the billing history; with `enqueue` the workers are asked for an ingest each.

    Raises ProviderError.
    """
    with DigitalOcean(PURPOSE) as cloud:
        found = read_history(cloud=cloud, at=at, since=since)
    if enqueue:
        for pk in found.open:
            nudge(INGEST_TASK, queue=QUEUE, invoice_pk=pk)
    return found


def ingest_all(
    pks: Sequence[int], *, again: bool = False, report: Report | None = None
) -> Iterator[IngestResult]:
    """Ingest these invoices one by one, and yield how each ended; one that fails doesn't stop the others.

    Nor does a preview that is gone by then: the final invoice's ingest takes it away.
    """
    with DigitalOcean(PURPOSE) as cloud:
        for done, pk in enumerate(pks, start=1):
            with suppress(NotFound):
                yield ingest_invoice(invoice_pk=pk, cloud=cloud, at=timezone.now(), again=again)
            if report:
                report(done, len(pks))


def ingest_file(*, invoice_pk: int, file: Path) -> IngestResult:
    """Ingest an invoice from a file of its CSV. Raises UnreadableInvoice, and then nothing has changed."""
    with DigitalOcean(PURPOSE) as cloud:
        return ingest_invoice(invoice_pk=invoice_pk, cloud=cloud, at=timezone.now(), again=True, file=file)


def ingest_and_push(*, invoice_pk: int, again: bool = False) -> IngestResult | None:
    """What a worker does for one invoice; None where it is gone.

    A push that finance isn't there for is made again later.
    """
    done = next(ingest_all([invoice_pk], again=again), None)
    if done is None:
        return None
    invoice = done.invoice
    is_waiting = invoice.push_status == PushStatus.WAITING and not invoice.is_preview
    if invoice.ingest_status == IngestStatus.INGESTED and is_waiting:
        push(invoice_pk=invoice_pk)
    return done


def push(*, invoice_pk: int, force: bool = False) -> PushResult | None:
    """What a worker does for one invoice whose turn it is; None where there is nothing to do by now.

    After a fault a worker comes back to it, by a nudge where the pause is short. A long one is the sweep's:
    a broker hands out again what it holds for an hour, and each copy would ask for the next. With `force`
    whatever the turn; raises NotToBePushed then.
    """
    try:
        pushed = next(push_all([invoice_pk], force=force, in_turn=True), None)
    except NotPushable:  # it was read again since it was asked for
        if force:
            raise
        return None
    if pushed is not None and pushed.error and (then := pushed.invoice.next_push_at) is not None:
        pause = then - timezone.now()
        if pause <= _LONGEST_NUDGE:
            seconds = max(1.0, pause.total_seconds())
            nudge(PUSH_TASK, queue=QUEUE, countdown_seconds=seconds, invoice_pk=invoice_pk)
    return pushed


def push_all(
    pks: Sequence[int], *, force: bool = False, in_turn: bool = False, report: Report | None = None
) -> Iterator[PushResult]:
    """Push these invoices one by one, and yield what became of each; none where pushing is switched off."""
    if not settings.SKYAI_FINANCE_ENABLED:
        return
    with Finance() as finance:
        for done, pk in enumerate(pks, start=1):
            at = timezone.now()
            yield push_invoice(invoice_pk=pk, finance=finance, at=at, force=force, in_turn=in_turn)
            if report:
                report(done, len(pks))


def waiting_for_push(*, at: datetime, force: bool = False) -> list[int]:
    """The invoices that finance is to be told of now; with `force` all that add up."""
    return list(to_be_pushed(at=at, force=force).values_list("pk", flat=True))


def sweep(*, at: datetime) -> SweepCounts:
    """Ask the workers again for every ingest that isn't done and every push that is due, and match again.

    Finds what failed, what didn't add up, and whose nudge was lost.
    """
    ingests = open_invoices()
    pushes = waiting_for_push(at=at) if settings.SKYAI_FINANCE_ENABLED else []
    for pk in ingests:
        nudge(INGEST_TASK, queue=QUEUE, invoice_pk=pk)
    for pk in pushes:
        nudge(PUSH_TASK, queue=QUEUE, invoice_pk=pk)
    return SweepCounts(len(ingests), len(pushes), rematch())


def accept_mismatch(
    *, invoice_pk: int, difference: str, note: str, actor: str, at: datetime
) -> ProviderInvoice:
    """Take an invoice's difference for right, with the reason, and have it pushed.

    Raises InvalidInput without a note, NotAMismatch and NotFound.
    """
    with transaction.atomic():
        invoice = ingest_run.accept_mismatch(
            invoice_pk=invoice_pk, difference=difference, note=note, actor=actor, at=at
        )
        nudge(PUSH_TASK, queue=QUEUE, invoice_pk=invoice_pk)
    return invoice


def request_ingest(*, invoice_pk: int) -> ProviderInvoice:
    """Ask a worker to fetch an invoice again, now. Raises BrokerAway and NotFound."""
    return _send(INGEST_TASK, _known(invoice_pk), "again")


def request_push(*, invoice_pk: int) -> ProviderInvoice:
    """Ask a worker to push an invoice again, changed or not, refused or not.

    Raises BrokerAway, NotFound and NotToBePushed.
    """
    invoice = _known(invoice_pk)
    assert_pushable(invoice)
    return _send(PUSH_TASK, invoice, "force")


def invoice_of(uuid: str) -> ProviderInvoice:
    """The invoice with the provider's uuid. Raises NotFound."""
    invoice = ProviderInvoice.objects.filter(invoice_uuid=uuid).first()
    if invoice is None:
        raise NotFound(
            f"there is no invoice {uuid}; the billing history tells of them: manage.py ingest_billing"
        )
    return invoice


def _known(invoice_pk: int) -> ProviderInvoice:
    invoice = ProviderInvoice.objects.filter(pk=invoice_pk).first()
    if invoice is None:
        raise NotFound(f"invoice {invoice_pk} is gone")
    return invoice


def _send(task: str, invoice: ProviderInvoice, how: str) -> ProviderInvoice:
    arguments: dict[str, object] = {"invoice_pk": invoice.pk, how: True}
    publish_now(task, queue=QUEUE, countdown_seconds=None, **arguments)
    return invoice
