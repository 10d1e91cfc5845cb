from typing import Any

from django.core.management.base import BaseCommand, CommandError

from arcadia_cloud.digitalocean.errors import ProviderError
from arcadia_cloud.kernel.errors import DomainError
from arcadia_cloud.main_job.seeds.demo import seed_demo


class Command(BaseCommand):
    help = "Tie the simulator's default fleet to demo tenants. May be repeated."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            seeded = seed_demo()
        except (DomainError, ProviderError) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(
            f"demo tenants: {seeded.projects} projects given, {seeded.deployments} deployments and "
            f"{seeded.subscriptions} subscriptions made, {seeded.desired_states} droplets adopted"
        )
