from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from arcadia_cloud.kernel.errors import DomainError, describe
from drift.queries import summarize_drift
from drift.services import detect_all


class Command(BaseCommand):
    help = "Compare every desired state with its resource; print what was found and how much is covered."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            counts = detect_all(at=timezone.now())
            summary = summarize_drift()
        except (DomainError, DatabaseError, InterfaceError) as refusal:
            raise CommandError(describe(refusal)) from refusal
        self.stdout.write(", ".join(f"{count} {name}" for name, count in asdict(counts).items()))
        self.stdout.write(f"open by now: {summary.open}, ignored: {summary.ignored}")
        for coverage in summary.coverage:
            self.stdout.write(
                f"  {coverage.kind}: {coverage.covered} of {coverage.live} have a desired state"
                f" ({coverage.percent} %)"
            )
