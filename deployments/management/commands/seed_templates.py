"""manage.py seed_templates: make the deployment templates that there are at first."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from deployments.services import seed_templates


class Command(BaseCommand):
    help = "Publish the templates of the start whose code isn't there; what is there stays as it is."

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(f"published {seed_templates(at=timezone.now())} deployment templates")
