"""manage.py simulate_plan: quote past months again under a version of a plan, with a progress bar."""

import sys
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from arcadia_cloud.kernel.console.formatting import at_most
from arcadia_cloud.kernel.errors import DomainError
from arcadia_cloud.kernel.money import Money, format_money
from billing import queries, services
from billing.models import PlanSimulation
from billing.states import SimulationStatus
from catalog.models import PlanVersion

_SHOWN: Final = 20


class Command(BaseCommand):
    help = "Quote every subscriber's last complete months again under a version of its plan, and compare."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("plan", help="the plan's code")
        parser.add_argument("--number", type=int, help="of the version; the plan's last one by default")
        parser.add_argument("--months", type=int, default=1, help="how many of the last complete months")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            simulation = services.request_plan_simulation(
                version_pk=_find_version(options["plan"], options["number"]),
                months=options["months"],
                actor="manage.py",
                at=timezone.now(),
                enqueue=False,
            )
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
            )
            with Progress(*columns, console=Console(file=sys.stderr)) as bars:
                bar = bars.add_task("subscribers", total=None)

                def report(done: int, of: int) -> None:
                    bars.update(bar, completed=done, total=of)

                simulation = services.run_simulation(simulation_pk=simulation.pk, report=report)
        except DomainError as refusal:
            raise CommandError(refusal.detail) from refusal
        if simulation.status != SimulationStatus.COMPLETED:
            raise CommandError(f"{simulation} {simulation.status}: {simulation.error}")
        self._print(simulation)

    def _print(self, simulation: PlanSimulation) -> None:
        def money(amount: Any) -> str:
            return format_money(None if amount is None else Money(amount, simulation.currency))

        self.stdout.write(
            f"{simulation}: {simulation.months_quoted} months of {simulation.subscribers} subscribers, "
            f"{simulation.months_left_out} incomplete ones left out"
        )
        if not simulation.months_quoted:
            self.stdout.write("no subscriber had a complete month: who would pay more isn't known")
            return
        unpriced = simulation.unpriced or 0
        margins = [
            at_most(money(margin), unpriced) for margin in (simulation.margin_now, simulation.margin_then)
        ]
        self.stdout.write(
            f"revenue {money(simulation.revenue_now)} -> {money(simulation.revenue_then)}, "
            f"margin {' -> '.join(margins)}"
        )
        if unpriced:
            self.stdout.write(f"cost without {unpriced} days of resources that have no list price")
        if simulation.cost_unknown:
            self.stdout.write(f"cost unknown: {simulation.cost_unknown}")
        self.stdout.write(
            f"{simulation.pay_more} pay more, {simulation.pay_less} pay less, "
            f"{simulation.cross_into_overage} cross into overage"
        )
        for row in queries.differences_by_tenant(simulation.pk, most=_SHOWN):
            self.stdout.write(
                f"{row.tenant}: {money(row.now)} -> {money(row.later)} ({money(row.difference)})"
            )


def _find_version(plan: str, number: int | None) -> int:
    """Return the key of a plan's version. Raises CommandError."""
    versions = PlanVersion.objects.filter(plan__code=plan).order_by("-number")
    if number is not None:
        versions = versions.filter(number=number)
    pk = versions.values_list("pk", flat=True).first()
    if pk is None:
        raise CommandError(f"there is no such version of a plan {plan}")
    return pk
