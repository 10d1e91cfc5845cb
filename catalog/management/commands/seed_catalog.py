"""manage.py seed_catalog: make the plans and add-ons that are sold at first."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from catalog.services import seed_catalog


class Command(BaseCommand):
    help = "Make the plans, add-ons and taxes of the start that aren't there; what is there stays as it is."

    def handle(self, *_args: Any, **_options: Any) -> None:
        made = seed_catalog(at=timezone.now())
        self.stdout.write(f"made {made.plans} plans, {made.addons} add-ons, {made.tax_rates} tax rates")
