"""The form of a job's time: instants in cron's notation, or an interval."""

from typing import Any, Final

from django import forms
from django.http import QueryDict
from django_celery_beat.models import PeriodicTask

from arcadia_cloud.kernel.console.theme import OneLineInput, ThemedSelect
from arcadia_cloud.kernel.errors import InvalidInput
from arcadia_cloud.kernel.queue.schedule.times import (
    CRONTAB_FIELDS,
    UNIT_SECONDS,
    Timing,
    timing_of,
    validate_timing,
)

_AT: Final = "at"
_EVERY: Final = "every"
_LONGEST_FIELD: Final = 60
_MOST: Final = 10**6


class JobTimeForm(forms.Form):
    """The time of one job. Of both kinds only the chosen one is read."""

    kind = forms.ChoiceField(
        label="When",
        choices=((_AT, "at times of the clock"), (_EVERY, "at an interval")),
        widget=ThemedSelect,
    )
    minute = forms.CharField(max_length=_LONGEST_FIELD, required=False, widget=OneLineInput)
    hour = forms.CharField(max_length=_LONGEST_FIELD, required=False, widget=OneLineInput)
    day_of_month = forms.CharField(max_length=_LONGEST_FIELD, required=False, widget=OneLineInput)
    month_of_year = forms.CharField(
        label="Month", max_length=_LONGEST_FIELD, required=False, widget=OneLineInput
    )
    day_of_week = forms.CharField(max_length=_LONGEST_FIELD, required=False, widget=OneLineInput)
    every = forms.IntegerField(
        min_value=1, max_value=_MOST, required=False, widget=OneLineInput(attrs={"inputmode": "numeric"})
    )
    unit = forms.ChoiceField(
        choices=[(unit, unit) for unit in reversed(list(UNIT_SECONDS))], required=False, widget=ThemedSelect
    )

    def __init__(self, task: PeriodicTask, data: QueryDict | None = None) -> None:
        super().__init__(data, initial=_initial(timing_of(task)), prefix=f"job{task.pk}")
        timing = timing_of(task)
        self.timezone = timing.timezone if timing and timing.crontab else "UTC"

    @property
    def clock_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in CRONTAB_FIELDS]

    @property
    def interval_fields(self) -> list[forms.BoundField]:
        return [self["every"], self["unit"]]

    def clean(self) -> dict[str, Any]:
        """Read the time. What is wrong stands at its field."""
        values = self.cleaned_data
        if self.errors:
            return values
        timing = self._read(values)
        if timing:
            try:
                validate_timing(timing)
            except InvalidInput as refusal:
                for name, texts in refusal.errors.items():
                    self.add_error(name if name in self.fields else None, texts)
            values["timing"] = timing
        return values

    def _read(self, values: dict[str, Any]) -> Timing | None:
        is_clock = values["kind"] == _AT
        for name in CRONTAB_FIELDS if is_clock else ("every", "unit"):
            if not values[name]:
                self.add_error(name, f"It must be given{'; * stands for every' if is_clock else ''}.")
        if self.errors:
            return None
        if is_clock:
            parts = ["".join(str(values[name]).split()) for name in CRONTAB_FIELDS]
            return Timing(crontab=" ".join(parts), timezone=self.timezone)
        return Timing(every_seconds=values["every"] * UNIT_SECONDS[values["unit"]])


def _initial(timing: Timing | None) -> dict[str, Any]:
    """Return the fields of a time; those of the other kind as a start for who changes the kind."""
    every: dict[str, Any] = {"every": 1, "unit": "hours"}
    crontab = dict(zip(CRONTAB_FIELDS, ("0", "3", "*", "*", "*"), strict=True))
    if timing is None or timing.crontab:
        parts = timing.crontab.split() if timing else crontab.values()
        return {"kind": _AT, **dict(zip(CRONTAB_FIELDS, parts, strict=True)), **every}
    unit = next(unit for unit, size in UNIT_SECONDS.items() if timing.every_seconds % size == 0)
    return {"kind": _EVERY, "every": timing.every_seconds // UNIT_SECONDS[unit], "unit": unit, **crontab}
