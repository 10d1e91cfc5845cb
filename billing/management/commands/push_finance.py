"""manage.py push_finance: push the invoices that finance hasn't got, with a progress bar."""

import sys
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from arcadia_cloud.kernel.errors import describe
from billing import queries, services
from billing.management.commands.ingest_billing import REFUSALS
from billing.services import PushResult


class Command(BaseCommand):
    help = "Push invoices to finance: those that it hasn't got as they are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--invoice", metavar="UUID", help="only this one")
        parser.add_argument(
            "--force",
            action="store_true",
            help="those too that finance has, or refused; it has one row still",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if not settings.SKYAI_FINANCE_ENABLED:
            self.stdout.write("pushing is switched off (SKYAI_FINANCE_ENABLED): nothing was done")
            return
        try:
            results = self._push(options["invoice"], force=options["force"])
        except REFUSALS as refusal:
            raise CommandError(describe(refusal)) from refusal
        actions = Counter(each.action or "failed" for each in results if each.action or each.error)
        counts = ", ".join(f"{count} {action}" for action, count in sorted(actions.items()))
        # What has failed is tried again after a pause, and not by this: to say "nothing" would be wrong.
        waiting = [
            f"{each.count} after a failed attempt, later by itself or with --force: {each.reason}"
            for each in queries.list_unpushed()
        ]
        self.stdout.write(
            counts or (f"nothing is due; {'; '.join(waiting)}" if waiting else "nothing to push")
        )
        if errors := Counter(each.error for each in results if each.error):
            raise CommandError("\n".join(f"{error} ({count} times)" for error, count in errors.most_common()))

    def _push(self, uuid: str | None, *, force: bool) -> list[PushResult]:
        if uuid is None:
            pks = queries.invoices_to_push(at=timezone.now(), force=force)
        else:
            pks = [queries.find_invoice(uuid).pk]
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(file=sys.stderr)) as bars:
            bar = bars.add_task("invoices", total=len(pks))

            def report(done: int, _of: int) -> None:
                bars.update(bar, completed=done)

            return list(services.push_invoices(pks, force=force, report=report))
