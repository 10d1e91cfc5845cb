"""manage.py compute_daily_costs: compute the costs of the days that are due, with a progress bar."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from arcadia_cloud.kernel.errors import describe
from billing import queries, services
from billing.management.commands.ingest_billing import REFUSALS


class Command(BaseCommand):
    help = (
        "Compute the costs of the days that are due, newest first; fourteen months of them at the first run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--read-prices", action="store_true", help="read the prices of droplet sizes before"
        )

        parser.add_argument(
            "--read-reported", action="store_true", help="read what DigitalOcean reports of the days before"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        at = timezone.now()
        try:
            if options["read_prices"]:
                counts = services.read_provider_prices(day=at.date())
                self.stdout.write(f"{counts.begun} prices begun, {counts.ended} ended")
            if options["read_reported"]:
                read = services.read_reported_costs(at=at)
                refused = f"; refused: {read.refusal}" if read.refusal else ""
                self.stdout.write(f"{read.days} reported days read, {read.items} items{refused}")
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
            )
            with Progress(*columns, console=Console(file=sys.stderr)) as bars:
                bar = bars.add_task("days", total=None)

                def report(done: int, of: int) -> None:
                    bars.update(bar, completed=done, total=of)

                result = services.compute_daily_costs(at=at, report=report)
        except REFUSALS as refusal:
            raise CommandError(describe(refusal)) from refusal
        self.stdout.write(f"{result.days} days computed, {result.rows} rows")
        for each in queries.unpriced_resources(day=at.date()):
            subject = " ".join(part for part in (each.kind, each.sku, each.region) if part)
            self.stdout.write(f"unpriced: {each.count} of {subject} (as {each.name or each.resource_id})")
