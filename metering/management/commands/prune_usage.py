"""manage.py prune_usage: delete usage that is older than its kind's retention now, with progress."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from arcadia_cloud.kernel.errors import describe
from metering import services


class Command(BaseCommand):
    help = "Delete usage that is older than its kind's retention; the current and the last month always stay."

    def handle(self, *_args: Any, **_options: Any) -> None:
        columns = (TextColumn("{task.description}"), TimeElapsedColumn())
        try:
            with Progress(*columns, console=Console(file=sys.stderr)) as bars:
                bar = bars.add_task("0 records", total=None)
                pruned = services.prune_usage(
                    at=timezone.now(), report=lambda rows: bars.update(bar, description=f"{rows} records")
                )
        except (DatabaseError, InterfaceError) as refusal:
            raise CommandError(describe(refusal)) from refusal
        for kind, rows in sorted(pruned.items()):
            self.stdout.write(f"{kind}: {rows} records pruned")
        if not pruned:
            self.stdout.write("nothing to prune")
