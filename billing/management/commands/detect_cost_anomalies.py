"""manage.py detect_cost_anomalies: judge the costs of the last days, with a progress bar."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from arcadia_cloud.kernel.errors import describe
from billing import queries, services
from billing.management.commands.ingest_billing import REFUSALS


class Command(BaseCommand):
    help = "Judge the costs of the last days: open, update and close anomalies, and print the open ones."

    def handle(self, *_args: Any, **_options: Any) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        try:
            with Progress(*columns, console=Console(file=sys.stderr)) as bars:
                bar = bars.add_task("owners and kinds", total=None)

                def report(done: int, of: int) -> None:
                    bars.update(bar, completed=done, total=of)

                counts = services.detect_cost_anomalies(at=timezone.now(), report=report)
        except REFUSALS as refusal:
            raise CommandError(describe(refusal)) from refusal
        self.stdout.write(f"{counts.opened} opened, {counts.closed} closed, {counts.open} open")
        for anomaly in queries.open_anomalies():
            self.stdout.write(anomaly.cause)
