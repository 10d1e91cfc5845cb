"""The judgement of a series of days: which of them left what was expected. Pure, over frozen values.

A day is expected to cost the median of the same weekday in the four weeks before, so that a weekly pattern
is none. It deviates where it differs by both floors, dollars and percent of what was expected. Days that
deviate one after the other at one level are an episode. It ends by itself: held, once the level has lasted
seven days, which are expected from then on; fallen back, with the first day as expected; or where another
level begins. A day that isn't judged (a sync failed) neither begins nor ends one, but it counts as the first
day of an episode that the next judged day begins, where it was at that level.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from typing import Final

from billing.values import DECIMAL_PLACES, AnomalyDirection, AnomalyEnd

WEEK: Final = timedelta(days=7)
WEEKS: Final = 4
# Of fewer weekdays the median would be one day's whim: a new account is judged from its fourth week on.
_FEWEST_WEEKDAYS: Final = 3
_UNIT: Final = Decimal(1).scaleb(-DECIMAL_PLACES)


@dataclass(frozen=True, slots=True)
class Floors:
    """The least difference that counts: so many dollars a day and so many percent, both."""

    dollars: Decimal
    percent: int


@dataclass(frozen=True, slots=True)
class JudgedDay:
    """A day's cost by the source that it is judged by, and what was expected of it by the same source.

    `is_known` unless what the source goes by wasn't read completely: then nothing follows from it alone.
    """

    day: date
    source: str
    amount: Decimal
    expected: Decimal
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Episode:
    """Days in a row that deviate at one level, `began_on` to `last` included; `end`: the reason, if over."""

    direction: AnomalyDirection
    began_on: date
    last: JudgedDay
    end: AnomalyEnd = AnomalyEnd.OPEN

    @property
    def shift(self) -> Decimal:
        """The difference to what was expected on its last day."""
        return self.last.amount - self.last.expected


def deviates(amount: Decimal, expected: Decimal, floors: Floors) -> bool:
    """Return whether an amount differs from what was expected by both floors."""
    difference = abs(amount - expected)
    return difference >= floors.dollars and difference * 100 >= floors.percent * abs(expected)


def expect(day: date, amounts: Mapping[date, Decimal], complete: Iterable[date]) -> Decimal | None:
    """Return the median of the same weekday in the four weeks before; None where too few are complete.

    `complete` are the days that the source has; one of them without an amount cost nothing.
    """
    days = {day - WEEK * number for number in range(1, WEEKS + 1)}.intersection(complete)
    if len(days) < _FEWEST_WEEKDAYS:
        return None
    # As it is stored: half a digit more, and the parts of a difference wouldn't sum to it.
    return Decimal(median(amounts.get(each, Decimal(0)) for each in days)).quantize(_UNIT)


def find_episodes(days: Sequence[JudgedDay], floors: Floors) -> list[Episode]:
    """Return the episodes among the days of one subject, oldest first; at most the last one is open."""
    found: list[Episode] = []
    running: Episode | None = None
    week: dict[int, Decimal] = {}  # the amounts, by weekday, of the level that the running episode has
    held: dict[int, Decimal] = {}  # those of the last level that held for seven days
    unknown: list[JudgedDay] = []  # the unjudged days since the last judged one
    for each in days:
        if not each.is_known:
            unknown.append(each)
            continue
        earlier, unknown = unknown, []
        weekday = each.day.weekday()
        is_as_held = weekday in held and not deviates(each.amount, held[weekday], floors)
        if is_as_held or not deviates(each.amount, each.expected, floors):
            if running is not None:
                found.append(replace(running, end=AnomalyEnd.FELL_BACK))
            running = None
            continue
        if running is not None and _is_another_level(running, each, floors):
            found.append(replace(running, end=AnomalyEnd.ANOTHER_LEVEL))
            running = None
        if running is None:
            direction = AnomalyDirection.UP if each.amount > each.expected else AnomalyDirection.DOWN
            running, week = Episode(direction, _first_day(each, earlier, floors), each), {}
        running = replace(running, last=each)
        week[weekday] = each.amount
        if each.day - running.began_on >= WEEK - timedelta(days=1):
            found.append(replace(running, end=AnomalyEnd.HELD))
            # The days that weren't judged have no amount of their own: the level's last one stands for them.
            held = {number: week.get(number, each.amount) for number in range(7)}
            running = None
    return [*found, running] if running else found


def _first_day(day: JudgedDay, earlier: Sequence[JudgedDay], floors: Floors) -> date:
    """Return since when a day's level has been there, as far as the unjudged days before it show."""
    first = day
    for each in reversed(earlier):
        is_at_level = not deviates(each.amount, each.expected + day.amount - day.expected, floors)
        if not is_at_level or not deviates(each.amount, each.expected, floors):
            break
        first = each
    return first.day


def _is_another_level(running: Episode, day: JudgedDay, floors: Floors) -> bool:
    """Return whether a day deviates from the level of the running episode, too.

    The second day sets the level: what changes at noon costs half of it on its first day.
    """
    is_other_direction = (day.amount > day.expected) != (running.direction == AnomalyDirection.UP)
    is_second = running.last.day == running.began_on
    return is_other_direction or (
        not is_second and deviates(day.amount, day.expected + running.shift, floors)
    )
