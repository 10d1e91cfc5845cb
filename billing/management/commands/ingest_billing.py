"""manage.py ingest_billing: read the billing history and ingest invoices now, with a progress bar."""

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from arcadia_cloud.digitalocean.errors import ProviderError
from arcadia_cloud.kernel.errors import DomainError, describe
from arcadia_cloud.kernel.management.arguments import parse_month_argument
from arcadia_cloud.kernel.money import exact_text
from arcadia_cloud.kernel.periods import Period
from billing import queries, services
from billing.services import IngestResult
from billing.states import IngestStatus

REFUSALS: Final = (DomainError, ProviderError, DatabaseError, InterfaceError)
_NAMED: Final = 5


class Command(BaseCommand):
    help = "Read what DigitalOcean charged: what is new of the history, and every invoice not ingested yet."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--since",
            type=parse_month_argument,
            metavar="YYYY-MM",
            help="everything from this month on, known or not, again",
        )
        parser.add_argument("--invoice", metavar="UUID", help="only this invoice, again")
        parser.add_argument(
            "--file",
            type=Path,
            metavar="invoice.csv",
            help="the invoice's CSV from a file; without --invoice it is found by month and total",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["since"] and (options["invoice"] or options["file"]):
            raise CommandError("--since goes with neither --invoice nor --file")
        try:
            results = list(self._ingest(**options))
        except REFUSALS as refusal:
            raise CommandError(describe(refusal)) from refusal
        self._write_summary(results)
        undone = [each.invoice for each in results if each.invoice.ingest_status != IngestStatus.INGESTED]
        if undone:
            reasons = [
                f"{invoice}: {invoice.ingest_status}: {invoice.ingest_error}" for invoice in undone[:_NAMED]
            ]
            more = [f"and {len(undone) - _NAMED} more"] if len(undone) > _NAMED else []
            raise CommandError("\n".join([*reasons, *more]))

    def _ingest(
        self, *, since: Period | None, invoice: str | None, file: Path | None, **_options: Any
    ) -> Iterable[IngestResult]:
        if file is not None:
            known = queries.find_invoice(invoice) if invoice else queries.find_invoice_of_csv(file)
            return [services.ingest_file(invoice_pk=known.pk, file=file)]
        if invoice is not None:
            return self._ingest_with_bar([queries.find_invoice(invoice).pk], again=True)
        first = since.start if since else None
        history = services.update_history(at=timezone.now(), enqueue=False, since=first)
        self.stdout.write(f"{history.invoices} new invoices, {history.entries} new entries of the history")
        pks = queries.invoices_since(first) if first else history.to_ingest
        return self._ingest_with_bar(pks, again=since is not None)

    def _ingest_with_bar(self, pks: list[int], *, again: bool) -> list[IngestResult]:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(file=sys.stderr)) as bars:
            bar = bars.add_task("invoices", total=len(pks))

            def report(done: int, _of: int) -> None:
                bars.update(bar, completed=done)

            return list(services.ingest_invoices(pks, again=again, report=report))

    def _write_summary(self, results: list[IngestResult]) -> None:
        statuses = Counter(str(each.invoice.ingest_status) for each in results)
        totals = [each.totals for each in results if each.totals]
        lines, matched, taxes = (
            sum(getattr(each, name) for each in totals) for name in ("count", "matched", "taxes")
        )
        counts = (
            ", ".join(f"{count} {status}" for status, count in sorted(statuses.items())) or "none to ingest"
        )
        self.stdout.write(f"invoices: {counts}")
        self.stdout.write(
            f"lines: {lines}, of which {matched} matched, {lines - matched - taxes} unmatched, {taxes} tax; "
            f"{exact_text(sum((each.total for each in totals), Decimal(0)))} in all"
        )
        if any(each.items is None for each in totals):
            self.stdout.write("some were compared by their sums only: the provider gave no items for them")
