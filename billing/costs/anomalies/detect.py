"""The detection of cost anomalies: judges the last weeks' days, and makes the rows what the episodes are.

The episodes follow from the days alone, so that a second run finds the same ones and changes nothing; what
an operator dismissed stays so. The first eight days of the window only teach the levels: an episode ends
within seven days, and one that was running when they began is over by then.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Final, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.periods import Period
from arcadia_cloud.kernel.sql import fetch_all, load
from arcadia_cloud.kernel.states import advance
from billing.costs.anomalies.causes import LEAST_NAMED, CostSubject, find_parts
from billing.costs.anomalies.judgement import (
    WEEK,
    WEEKS,
    Episode,
    Floors,
    JudgedDay,
    deviates,
    expect,
    find_episodes,
)
from billing.costs.anomalies.sentence import describe_anomaly, describe_revenue
from billing.models import CostAnomaly, CostDay, DailyCost
from billing.states import ANOMALY_LIFECYCLE, AnomalyStatus
from billing.values import AnomalyDirection, AnomalyEnd, CostSource
from inventory.queries import kinds_read_by_day
from inventory.values import Kind
from metering.queries import compare_usage

ANOMALY_ALERT: Final = "cost_anomaly"
_READ_SERIES: Final = load(__package__, "read_series.sql")
_JUDGED_DAYS: Final = 35
_LEARNING_DAYS: Final = 8
_ACTOR: Final = "cost anomalies"
_DAY: Final = timedelta(days=1)

ReportProgress = Callable[[int, int], None]  # takes how many owners' kinds are judged, and of how many
SeriesOfDays = Mapping[str, Mapping[date, Decimal]]  # amounts by source and day


@dataclass(frozen=True, slots=True)
class AnomalyCounts:
    """The number of anomalies that a run opened and closed, and of those that are open by now."""

    opened: int
    closed: int
    open: int


@dataclass(slots=True)
class _Tally:
    opened: int = 0
    closed: int = 0


@dataclass(frozen=True, slots=True)
class _Window:
    """The days of a run: which are judged, which each source has, and which kinds were read on which."""

    days: Period
    complete: Mapping[str, frozenset[date]]
    read: frozenset[tuple[date, str]]
    floors: Floors


class _CostRow(NamedTuple):
    tenant_id: str | None
    deployment_id: int | None
    kind: str
    source: str
    day: date
    amount: Decimal


def current_floors() -> Floors:
    """Return the floors of the settings."""
    return Floors(Decimal(settings.COST_ANOMALY_MIN_DOLLARS), settings.COST_ANOMALY_MIN_PERCENT)


def detect(*, at: datetime, report: ReportProgress | None = None) -> AnomalyCounts:
    """Judge the days before `at`; open, update and close anomalies, each owner's kind in a transaction."""
    today = at.astimezone(UTC).date()
    days = Period(today - timedelta(days=_JUDGED_DAYS), today)
    history = Period(days.start - WEEK * WEEKS, days.end)
    # Read once for all subjects: the same days are complete for each.
    window = _Window(days, complete_days(history), frozenset(kinds_read_by_day(days)), current_floors())
    tally, seen = _Tally(), set[CostSubject]()
    moved = list(_read_series(window))
    for number, (subject, series) in enumerate(moved, start=1):
        seen.add(subject)
        episodes = find_episodes(list(judge_days(subject, series, window)), window.floors)
        taught = window.days.start + timedelta(days=_LEARNING_DAYS)
        fresh = [each for each in episodes if each.began_on >= taught]
        # One subject a transaction: its rows are held for moments only.
        with transaction.atomic():
            _store(subject, fresh, series, window, at=at, tally=tally)
        if report:
            report(number, len(moved))
    _close_unmoved(seen, at=at, tally=tally)
    open_by_now = CostAnomaly.objects.filter(status=AnomalyStatus.OPEN).count()
    return AnomalyCounts(tally.opened, tally.closed, open_by_now)


def judge_days(subject: CostSubject, series: SeriesOfDays, window: _Window) -> Iterator[JudgedDay]:
    """Yield the days with an expectation, oldest first, each by the source that it is judged by."""
    for day in window.days:
        source = judged_source(day, window.complete, series)
        if source is None:
            continue
        # Invoices are complete whatever was read; what accrued is what the syncs saw.
        is_synced = source == CostSource.ACCRUED and subject.kind in Kind
        is_known = not is_synced or (day, subject.kind) in window.read
        amounts = series.get(source, {})
        expected = expect(day, amounts, window.complete[source])
        if expected is not None:
            yield JudgedDay(day, source, amounts.get(day, Decimal(0)), expected, is_known)


def judged_source(day: date, complete: Mapping[str, frozenset[date]], series: SeriesOfDays) -> str | None:
    """Return the source that a day is judged by: billed, accrued where a price is known, reported; or None.

    What accrued follows from our own history, which has the cause of a change; what the provider reports is
    of no resource, so it is taken only where nothing accrues.
    """
    order = (CostSource.BILLED, CostSource.ACCRUED, CostSource.REPORTED)
    if not any(series.get(CostSource.ACCRUED, {}).values()):
        order = (CostSource.BILLED, CostSource.REPORTED, CostSource.ACCRUED)
    return next((str(source) for source in order if day in complete.get(source, ())), None)


def complete_days(days: Period) -> Mapping[str, frozenset[date]]:
    """Return the days that each source has: computed, and with costs. A fleet may have cost nothing."""
    rows = DailyCost.objects.filter(source=OuterRef("source"), day=OuterRef("day"))
    computed = CostDay.objects.filter(day__gte=days.start, day__lt=days.end, computed_at__isnull=False)
    found = computed.filter(Q(source=CostSource.ACCRUED) | Exists(rows)).values_list("source", "day")
    ordered = sorted(found)
    return {
        source: frozenset(day for _, day in group)
        for source, group in groupby(ordered, key=lambda row: row[0])
    }


def _read_series(window: _Window) -> Iterator[tuple[CostSubject, SeriesOfDays]]:
    parameters = {
        "first": window.days.start - WEEK * WEEKS,
        "until": window.days.end,
        "floor": window.floors.dollars,
    }
    rows = fetch_all(_READ_SERIES, parameters, into=_CostRow)
    for (tenant, deployment, kind), group in groupby(rows, key=lambda row: row[:3]):
        series: dict[str, dict[date, Decimal]] = {}
        for row in group:
            series.setdefault(row.source, {})[row.day] = row.amount
        yield CostSubject(tenant, deployment, kind), series


def _store(
    subject: CostSubject,
    episodes: Sequence[Episode],
    series: SeriesOfDays,
    window: _Window,
    *,
    at: datetime,
    tally: _Tally,
) -> None:
    """Make the subject's rows what its episodes are."""
    # Locked in one order: an operator dismisses a row between two runs, not within one.
    rows = list(
        CostAnomaly.objects.select_for_update()
        .filter(
            tenant_id=subject.tenant_id, deployment=subject.deployment_id, kind=subject.kind,
            last_day__gte=window.days.start,
        )
        .order_by("pk")
    )  # fmt: skip
    left = {row.pk: row for row in rows}
    new: list[Episode] = []
    for episode in episodes:
        # Days that were computed again may move an episode's first one: it is the row that it overlaps.
        row = next(
            (
                each
                for each in left.values()
                if each.direction == episode.direction
                and each.began_on <= episode.last.day
                and episode.began_on <= each.last_day
            ),
            None,
        )
        if row is None:
            new.append(episode)
            continue
        del left[row.pk]
        _update(row, subject, episode, series, window, at=at, tally=tally)
    # Before the new ones open: one of a subject and direction is open at a time.
    for row in left.values():
        if row.status == AnomalyStatus.OPEN:
            _close(row, AnomalyEnd.FELL_BACK, at=at, tally=tally)
    dismissed = [row for row in rows if row.status == AnomalyStatus.DISMISSED]
    for episode in new:
        # What an operator has dismissed stays so, as long as the cost stays at that level.
        if not any(
            row.direction == episode.direction
            and not deviates(episode.last.amount, row.amount, window.floors)
            for row in dismissed
        ):
            _open(subject, episode, series, window, at=at, tally=tally)


def _open(
    subject: CostSubject,
    episode: Episode,
    series: SeriesOfDays,
    window: _Window,
    *,
    at: datetime,
    tally: _Tally,
) -> None:
    row = CostAnomaly(
        tenant_id=subject.tenant_id, deployment_id=subject.deployment_id, kind=subject.kind,
        direction=episode.direction, detected_at=at,
    )  # fmt: skip
    _describe(row, subject, episode, series, window)
    # The unique constraint decides, should another run have opened it.
    row.save(force_insert=True)
    tally.opened += 1
    if episode.end:
        _close(row, episode.end, at=at, tally=tally)
        return
    raise_alert(
        code=ANOMALY_ALERT,
        subject=row.alert_subject,
        message=row.cause,
        details={
            "anomaly": row.pk,
            "kind": row.kind,
            "tenant": row.tenant_id,
            "deployment": row.deployment_id,
        },
    )


def _update(
    row: CostAnomaly,
    subject: CostSubject,
    episode: Episode,
    series: SeriesOfDays,
    window: _Window,
    *,
    at: datetime,
    tally: _Tally,
) -> None:
    """Write what has become of an episode. Of a dismissed or closed row only its last day moves on."""
    stored = (row.began_on, row.last_day, row.amount, row.expected, row.source)
    last = episode.last
    if row.status != AnomalyStatus.OPEN:
        if last.day > row.last_day:
            CostAnomaly.objects.filter(pk=row.pk).update(last_day=last.day)
        return
    if stored != (episode.began_on, last.day, last.amount, last.expected, last.source):
        _describe(row, subject, episode, series, window)
        row.save()
    if episode.end:
        _close(row, episode.end, at=at, tally=tally)


def _describe(
    row: CostAnomaly, subject: CostSubject, episode: Episode, series: SeriesOfDays, window: _Window
) -> None:
    """Set the row's figures, its cause with the parts, and what the days did to revenue."""
    last = episode.last
    row.source, row.began_on, row.last_day = last.source, episode.began_on, last.day
    row.amount, row.expected = last.amount, last.expected
    parts = find_parts(subject, episode, _day_before(episode, series.get(last.source, {})))
    row.parts = [part.as_json() for part in parts]
    sentence = describe_anomaly(
        subject=row.subject,
        amount=last.amount,
        expected=last.expected,
        since=episode.began_on,
        parts=[(part.text, part.amount) for part in parts if abs(part.amount) >= LEAST_NAMED],
    )
    row.revenue_percent = None
    if subject.deployment_id is not None:
        change = compare_usage(subject.deployment_id, Period(episode.began_on, last.day + _DAY))
        if change is not None:
            row.revenue_percent = change.percent
            rose = episode.direction == AnomalyDirection.UP
            least = window.floors.percent
            sentence += f" {describe_revenue(change.percent, cost_rose=rose, least=least)}"
    row.cause = sentence


def _day_before(episode: Episode, amounts: Mapping[date, Decimal]) -> date:
    """Return the day that an episode is compared with: the one before it, or before that one.

    What began at noon of the day before may cost too little then to deviate, and is on its way already.
    """
    days = (episode.began_on - _DAY, episode.began_on - 2 * _DAY)
    return min(days, key=lambda day: abs(amounts.get(day, Decimal(0)) - episode.last.expected))


def _close(row: CostAnomaly, reason: AnomalyEnd, *, at: datetime, tally: _Tally) -> None:
    advance(row, AnomalyStatus.CLOSED, ANOMALY_LIFECYCLE, ended_at=at, end_reason=reason)
    resolve_alert(code=ANOMALY_ALERT, subject=row.alert_subject, actor=_ACTOR)
    tally.closed += 1


def _close_unmoved(seen: set[CostSubject], *, at: datetime, tally: _Tally) -> None:
    """Close the open rows of subjects whose cost, computed again, didn't move at all."""
    for row in CostAnomaly.objects.filter(status=AnomalyStatus.OPEN).order_by("pk"):
        if CostSubject(row.tenant_id, row.deployment_id, row.kind) not in seen:
            with transaction.atomic():
                _close(row, AnomalyEnd.FELL_BACK, at=at, tally=tally)
