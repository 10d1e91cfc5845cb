"""manage.py audit_money: judge the whole book by the rules of the audit, or quote a closed month again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from arcadia_cloud.kernel.errors import describe
from arcadia_cloud.kernel.management.arguments import parse_month_argument
from arcadia_cloud.kernel.money import format_money
from arcadia_cloud.kernel.periods import Period, previous_month
from billing import services
from billing.management.commands.ingest_billing import REFUSALS
from billing.services import RuleResult
from billing.values import AuditSeverity
from metering.queries import compare_closed_month


class Command(BaseCommand):
    help = (
        "Judge the whole book by every rule of the money audit; fails where a red rule has findings. With "
        "--quotes, quote the last closed month again and compare with what was kept, byte for byte."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--quotes", action="store_true", help="quote the last closed month again")
        parser.add_argument(
            "--month", type=parse_month_argument, metavar="YYYY-MM", help="another month, with --quotes"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["month"] and not options["quotes"]:
            raise CommandError("--month goes with --quotes")
        try:
            if options["quotes"]:
                self._compare_quotes(options["month"] or previous_month(timezone.now()))
            else:
                self._write_findings(services.run_audit(at=timezone.now(), actor="manage.py audit_money"))
        except REFUSALS as refusal:
            raise CommandError(describe(refusal)) from refusal

    def _write_findings(self, results: list[RuleResult]) -> None:
        table = Table("rule", "severity", "open", "new", "closed", "first finding")
        for each in results:
            first = each.faults[0] if each.faults else None
            table.add_row(
                each.rule.code,
                str(each.rule.severity),
                str(len(each.faults)),
                str(each.opened),
                str(each.closed),
                f"{first.subject}: {first.actual}" if first else "",
            )
        console = Console(width=160)
        # Captured: written past Django's stream, it would be missed where the output is redirected.
        with console.capture() as printed:
            console.print(table)
        self.stdout.write(printed.get())
        red = [each for each in results if each.faults and each.rule.severity == AuditSeverity.RED]
        if red:
            named = ", ".join(f"{len(each.faults)} {each.rule.code}" for each in red)
            raise CommandError(f"red findings: {named}")

    def _compare_quotes(self, month: Period) -> None:
        """Write the differences. Fails where there is any, and where nothing was kept: a gate must look."""
        compared = list(compare_closed_month(month))
        if not compared:
            raise CommandError(f"no quote of {month.start:%Y-%m} was kept: nothing was compared")
        different = [each for each in compared if not each.is_equal]
        for each in different:
            why = "by the code" if each.is_changed_by_code else "by the book: usage, prices or terms"
            now = format_money(each.now.total) if each.now else "no quote"
            self.stdout.write(
                f"{each.deployment}: {format_money(each.kept.total)} was kept, it is {now} now; changed {why}"
            )
        self.stdout.write(f"{len(compared)} quotes of {month.start:%Y-%m} compared, {len(different)} differ")
        if different:
            by_code = sum(each.is_changed_by_code for each in different)
            raise CommandError(f"{len(different)} quotes differ, {by_code} of them for equal inputs")
