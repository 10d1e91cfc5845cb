"""manage.py restored_from_backup: to be run after a restore, before any worker starts."""

from typing import Any

from django.core.management.base import BaseCommand

from provisioning.services import pause, skip_saga_numbers


class Command(BaseCommand):
    help = (
        "Pause provisioning, and skip sagas' numbers: an old database must not act on a world that went on "
        "without it, nor take for its own what was made since."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        pause(actor="manage.py restored_from_backup", reason="restored from a backup")
        skip_saga_numbers()
        self.stdout.write("Provisioning is paused. Sync, look at the live sagas, then run saga unpause")
