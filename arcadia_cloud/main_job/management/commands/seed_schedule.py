from django.core.management.base import BaseCommand

from arcadia_cloud.kernel.queue.schedule.seed import seed_schedule


class Command(BaseCommand):
    help = "Write the scheduled tasks that this database hasn't seen; what an operator changed stays."

    def handle(self, *_arguments: object, **_options: object) -> None:
        self.stdout.write(f"schedule: {seed_schedule()} entries written")
