from django.apps import AppConfig

from arcadia_cloud.kernel.queue.schedule.registry import ScheduleEntry, register_schedule

_QUEUE = "metering"


class MeteringConfig(AppConfig):
    name = "metering"
    verbose_name = "Metering"

    def ready(self) -> None:
        """Register the schedule."""
        register_schedule(
            ScheduleEntry(
                name="metering: usage of the day before",
                task="metering.meter_days",
                queue=_QUEUE,
                crontab="10 1 * * *",
                expires_seconds=24 * 3600,
            ),
            ScheduleEntry(
                name="metering: usage of the hour before",
                task="metering.meter_hours",
                queue=_QUEUE,
                crontab="10 * * * *",
                expires_seconds=3600,
            ),
            ScheduleEntry(
                name="metering: events' partitions, and their recount",
                task="metering.maintain_events",
                queue=_QUEUE,
                crontab="30 0 * * *",
                expires_seconds=24 * 3600,
            ),
            ScheduleEntry(
                name="metering: bandwidth of the day before",
                task="metering.measure_bandwidth",
                queue=_QUEUE,
                crontab="40 1 * * *",
                expires_seconds=24 * 3600,
            ),
            ScheduleEntry(
                name="metering: bandwidth that is missing",
                task="metering.measure_bandwidth",
                queue=_QUEUE,
                crontab="50 2-23 * * *",
                expires_seconds=3600,
            ),
            ScheduleEntry(
                name="metering: fingerprints of last month's quotes",
                task="metering.record_closed_month",
                queue=_QUEUE,
                crontab="35 3 * * *",
                expires_seconds=24 * 3600,
            ),
            ScheduleEntry(
                name="metering: prune old usage",
                task="metering.prune_usage",
                queue=_QUEUE,
                crontab="40 3 * * *",
                expires_seconds=24 * 3600,
            ),
        )
