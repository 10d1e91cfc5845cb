from django.core.management.base import BaseCommand

from arcadia_cloud.main_job.seeds.groups import SEEDED, seed_groups


class Command(BaseCommand):
    help = "Make the console's groups and give them exactly their permissions. May be repeated."

    def handle(self, *_arguments: object, **_options: object) -> None:
        made = seed_groups()
        self.stdout.write(f"groups: {', '.join(SEEDED)} ({made} made)")
