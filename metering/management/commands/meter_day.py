"""manage.py meter_day: meter days of usage now, with a progress bar."""

import sys
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from arcadia_cloud.kernel.errors import DomainError, describe
from arcadia_cloud.kernel.management.arguments import parse_day_argument
from arcadia_cloud.kernel.periods import Period
from metering import services
from metering.values import DAY, MeteringCounts


class Command(BaseCommand):
    help = (
        "Make the usage of days exactly what the inventory's history says. Without a day: what was missed, "
        "oldest first, and what has changed since it was metered."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        for name, field, words in (
            ("--date", "date", "this day, as 2026-04-30"),
            ("--from", "first", "from this day …"),
            ("--to", "last", "… to this one, which is the last"),
        ):
            parser.add_argument(name, type=parse_day_argument, metavar="DAY", dest=field, help=words)

    def handle(self, *_args: Any, **options: Any) -> None:
        days = self._days(options["date"], options["first"], options["last"])
        try:
            if days is None:
                self._meter_due()
            else:
                self._meter_days(days)
        except (DomainError, DatabaseError, InterfaceError) as refusal:
            raise CommandError(describe(refusal)) from refusal

    def _days(self, day: date | None, first: date | None, last: date | None) -> Period | None:
        if day is not None and (first or last):
            raise CommandError("--date goes with neither --from nor --to")
        if (first is None) != (last is None):
            raise CommandError("--from and --to go together")
        if first is not None and last is not None:
            if last < first:
                raise CommandError(f"--from {first} is after --to {last}")
            return Period(first, last + DAY)
        return None if day is None else Period(day, day + DAY)

    def _meter_days(self, days: Period) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        counts = MeteringCounts()
        with Progress(*columns, console=Console(file=sys.stderr)) as bars:
            bar = bars.add_task("days", total=days.days)
            for day in days:
                bars.update(bar, description=str(day))
                counts += services.meter_day(day, at=timezone.now())
                bars.advance(bar)
        self._write_counts(f"{days.days} days" if days.days > 1 else str(days.start), counts)

    def _meter_due(self) -> None:
        with Progress(
            TextColumn("{task.description}"), TimeElapsedColumn(), console=Console(file=sys.stderr)
        ) as bars:
            bar = bars.add_task("what is due", total=None)
            result = services.meter_due(
                at=timezone.now(), report=lambda period: bars.update(bar, description=period)
            )
        for what, starts in (("missed", result.missed), ("changed since", result.remetered)):
            for start in starts:
                self.stdout.write(f"{start:%Y-%m-%d %H:%M}: {what}")
        self._write_counts(f"{len(result.metered)} periods, {len(result.remetered)} again", result.counts)

    def _write_counts(self, what: str, counts: MeteringCounts) -> None:
        self.stdout.write(
            f"{what}: {counts.inserted} records inserted, {counts.corrected} corrected, "
            f"{counts.removed} removed"
        )
        if counts.unsized:
            self.stdout.write(
                f"{counts.unsized} of them have the quantity 0, as their resource's size is unknown"
            )
