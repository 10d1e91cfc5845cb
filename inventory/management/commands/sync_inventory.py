"""manage.py sync_inventory: sync now, with a progress bar and a summary."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from arcadia_cloud.digitalocean.errors import ProviderError
from arcadia_cloud.kernel.errors import DomainError, describe
from inventory.kinds import registry
from inventory.models import SyncRun
from inventory.services import sync_inventory
from inventory.sync.run_records import Progress as RunProgress
from inventory.values import RunMode, RunOutcome

_COUNTS = ("pages", "api_calls", "seen", "discovered", "updated", "restored", "struck", "deleted")
_WIDTH_OF_A_FILE = 160


class Command(BaseCommand):
    help = "Sync the inventory from DigitalOcean: every kind that the mode reads, or those named."

    def add_arguments(self, parser: ArgumentParser) -> None:
        known = ", ".join(str(entry.kind) for entry in registry.SPECS)
        parser.add_argument(
            "--kind", action="append", default=[], metavar="K", help=f"only this kind ({known})"
        )
        parser.add_argument(
            "--mode",
            choices=[str(mode) for mode in RunMode],
            default=str(RunMode.FULL),
            help="which schedule's run to make: fast never strikes, full is the default, slow alone reads "
            "images, droplet backups and buckets",
        )
        parser.add_argument(
            "--confirm-loss", action="store_true", help="strike even when most of a kind is missing"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["confirm_loss"] and not options["kind"]:
            raise CommandError("--confirm-loss needs --kind: name the kind whose loss is real")
        try:
            runs = self._sync(**options)
        except (DomainError, ProviderError, DatabaseError, InterfaceError) as refusal:
            raise CommandError(describe(refusal)) from refusal
        width = None if sys.stdout.isatty() else _WIDTH_OF_A_FILE
        table = Table("kind", "outcome", *(name.replace("_", " ") for name in _COUNTS), "error")
        for run in runs:
            counts = (str(getattr(run, name)) for name in _COUNTS)
            table.add_row(run.kind, str(run.outcome), *counts, run.error)
        Console(file=sys.stdout, width=width).print(table)
        # Skipped is as good as failed here: the schedule has a next time, a command hasn't.
        if undone := [run for run in runs if run.outcome != RunOutcome.COMPLETE]:
            raise CommandError("; ".join(f"{run.kind} {run.outcome}: {run.error}" for run in undone))

    def _sync(self, *, kind: list[str], mode: str, confirm_loss: bool, **_options: Any) -> list[SyncRun]:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(file=sys.stderr)) as bars:
            tasks: dict[str, Any] = {}

            def report(name: str, progress: RunProgress) -> None:
                if name not in tasks:
                    tasks[name] = bars.add_task(name, total=None)
                bars.update(tasks[name], completed=progress.seen, total=progress.expected)

            return sync_inventory(
                mode=RunMode(mode),
                actor="manage.py sync_inventory",
                kinds=kind,
                confirm_loss=confirm_loss,
                report=report,
            )
