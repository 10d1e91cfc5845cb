"""The time of a scheduled task: as a value, in words, and as django-celery-beat's rows.

Its rows are shared by tasks of equal times, so none is ever changed here: another time is another row.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from arcadia_cloud.kernel.errors import InvalidInput

CRONTAB_FIELDS: Final = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
FIELD_NAMES: Final[Mapping[str, str]] = {name: name.replace("_", " ") for name in CRONTAB_FIELDS}
UNIT_SECONDS: Final[Mapping[str, int]] = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
LONGEST_INTERVAL_SECONDS: Final = 366 * 86400
_UTC: Final = "UTC"
_EVERY: Final = "*"
_HOURS: Final = re.compile(r"(\d+)-(\d+)")
_DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Timing:
    """Instants in cron's notation (minute hour day month weekday), or an interval. One of both."""

    crontab: str = ""
    every_seconds: int = 0
    timezone: str = _UTC

    @property
    def text(self) -> str:
        """As it is stored and compared: `23 2 * * * UTC`, `every 60 s`."""
        return f"{self.crontab} {self.timezone}" if self.crontab else f"every {self.every_seconds} s"

    @property
    def words(self) -> str:
        """As an operator reads it: `every day at 02:23 UTC`, `every 10 seconds`."""
        return self._crontab_words() if self.crontab else f"every {interval_words(self.every_seconds)}"

    def _crontab_words(self) -> str:
        minute, hour, *day_fields = self.crontab.split()
        if minute.isdecimal() and hour.isdecimal() and (days := _describe_days(*day_fields)):
            return f"{days} at {int(hour):02}:{int(minute):02} {self.timezone}"
        if set(day_fields) == {_EVERY} and (hours := _describe_hours(minute, hour, self.timezone)):
            return hours
        words = str(CrontabSchedule(**_crontab_values(self)).human_readable)
        return words[:1].lower() + words[1:]


def interval_words(seconds: int) -> str:
    """Return a number of seconds in its largest whole unit: `2 hours`, `minute`."""
    for unit, size in UNIT_SECONDS.items():
        if seconds % size == 0:
            count = seconds // size
            return unit.removesuffix("s") if count == 1 else f"{count} {unit}"
    raise AssertionError("every number of seconds is a whole number of seconds")


def _describe_days(day: str, month: str, weekday: str) -> str:
    """Return the days of a daily, weekly or monthly time; empty for what the library describes better."""
    if (day, month, weekday) == (_EVERY,) * 3:
        return "every day"
    if (day, month) == (_EVERY, _EVERY) and weekday.isdecimal():
        return f"every {_DAYS[int(weekday)]}"
    return f"on day {day} of every month" if day.isdecimal() and (month, weekday) == (_EVERY,) * 2 else ""


def _describe_hours(minute: str, hour: str, timezone: str) -> str:
    """Return the times of every day, as above."""
    if minute.isdecimal() and (hours := _HOURS.fullmatch(hour)):
        first, last = (f"{int(each):02}:{int(minute):02}" for each in hours.groups())
        return f"every hour from {first} to {last} {timezone}"
    if hour != _EVERY:
        return ""
    if minute.isdecimal():
        return f"every hour at :{int(minute):02}"
    step = minute.removeprefix("*/")
    return f"every {step} minutes" if step.isdecimal() and step != minute else ""


def timing_of(task: PeriodicTask) -> Timing | None:
    """Return a task's time; None for the kinds that only the expert pages know (solar, clocked)."""
    if task.crontab:
        crontab = " ".join(str(getattr(task.crontab, name)).replace(" ", "") for name in CRONTAB_FIELDS)
        return Timing(crontab=crontab, timezone=str(task.crontab.timezone))
    if task.interval:
        return Timing(
            every_seconds=int(timedelta(**{task.interval.period: task.interval.every}).total_seconds()) or 1
        )
    return None


def next_due(task: PeriodicTask, *, after: datetime) -> datetime | None:
    """Return the first instant after `after` at which the task is due; None if that isn't known."""
    if task.crontab:
        schedule = task.crontab.schedule
        # The library asks its own clock; with ours, the answer is of the instant that was asked for.
        schedule.nowfun = lambda: after
        start, delta, _now = schedule.remaining_delta(after)
        due: datetime = start + delta
        return due.astimezone(UTC)
    timing = timing_of(task)
    return after + timedelta(seconds=timing.every_seconds) if timing else None


def validate_timing(timing: Timing) -> None:
    """Refuse a time that never comes or can't be read. Raises InvalidInput, which names the field."""
    if not timing.crontab:
        if not 0 < timing.every_seconds <= LONGEST_INTERVAL_SECONDS:
            raise InvalidInput(
                "An interval is between a second and a year.",
                errors={"every": ["It must be between a second and a year."]},
            )
        return
    row = CrontabSchedule(**_crontab_values(timing))
    try:
        row.clean_fields()
        row.schedule  # noqa: B018 - built to be refused where no month has the day
    except ValidationError as error:
        errors = {
            name: [f"The {FIELD_NAMES.get(name, name)} can't be read: {'; '.join(texts)}"]
            for name, texts in error.message_dict.items()
        }
        raise InvalidInput("; ".join(texts[0] for texts in errors.values()), errors=errors) from error
    except ValueError as error:
        text = "No month that is chosen has this day of month."
        raise InvalidInput(text, errors={"day_of_month": [text]}) from error


def schedule_rows(timing: Timing) -> dict[str, object]:
    """Return the columns of a task with this time and no other kind beside it.

    An equal row is shared, whoever made it; beat's tables have no unique rule, so there may be several.
    """
    none: dict[str, object] = {"crontab": None, "interval": None, "solar": None, "clocked": None}
    if timing.crontab:
        values = _crontab_values(timing)
        crontab = CrontabSchedule.objects.filter(**values).first()
        return {**none, "crontab": crontab or CrontabSchedule.objects.create(**values)}
    every = {"every": timing.every_seconds, "period": IntervalSchedule.SECONDS}
    interval = IntervalSchedule.objects.filter(**every).first()
    return {**none, "interval": interval or IntervalSchedule.objects.create(**every)}


def _crontab_values(timing: Timing) -> dict[str, str]:
    return {**dict(zip(CRONTAB_FIELDS, timing.crontab.split(), strict=True)), "timezone": timing.timezone}
