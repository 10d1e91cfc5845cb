"""manage.py restored_from_backup: to be run after a restore, before any worker starts."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from provisioning.services import prepare_restored


class Command(BaseCommand):
    help = (
        "Pause provisioning, and skip sagas' numbers: an old database must not act on a world that went on "
        "without it, nor take for its own what was made since."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--copy",
            dest="is_copy",
            action="store_true",
            help="this is a copy beside an installation that runs: end the sagas here that are its own",
        )

    def handle(self, *_args: Any, is_copy: bool, **_options: Any) -> None:
        ended = prepare_restored(actor="manage.py restored_from_backup", is_copy=is_copy)
        left = f" {ended} sagas are left to the original." if is_copy else ""
        self.stdout.write(
            f"Provisioning is paused.{left} Sync, look at the live sagas, then run saga unpause"
        )
