import sys
import time
from argparse import ArgumentParser

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from billing.refresh import request_refresh
from inventory.services import request_sync
from inventory.values import RunMode
from provisioning.services import request_offer


class Command(BaseCommand):
    help = "Bring the database up to date: migrations, catalog, schedule, login, with --demo its tenants."
    requires_system_checks = []  # a start is quick; bin/test runs them, and bin/run checks the server itself

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="seed the tenants of the simulator's fleet")
        parser.add_argument(
            "--sync", action="store_true", help="ask the workers for a sync of every kind, and for billing"
        )

    def handle(self, *_arguments: object, **options: bool) -> None:
        """Every step may be repeated."""
        started = time.monotonic()
        try:
            self.stdout.write("migrations")
            call_command("migrate", interactive=False, verbosity=0, stdout=self.stdout)
            call_command("seed_catalog", stdout=self.stdout)
            call_command("seed_schedule", stdout=self.stdout)
            call_command("seed_templates", stdout=self.stdout)
            call_command("seed_groups", stdout=self.stdout)
            call_command("seed_operator", stdout=self.stdout)
            if options["demo"]:
                call_command("seed_demo", stdout=self.stdout)
            if options["sync"]:
                for mode in (RunMode.FULL, RunMode.SLOW):
                    request_sync(mode=mode, actor="bin/run")
                request_refresh(actor="bin/run")
                request_offer()
                self.stdout.write("a sync of every kind and billing are asked for; the workers do them")
        except DatabaseError as error:
            raise CommandError(f"the database refused: {error}") from error
        except KeyboardInterrupt:
            sys.exit(130)
        self.stdout.write(f"the database is ready after {time.monotonic() - started:.1f} s")
