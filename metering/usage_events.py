"""Usage events as a sender gives them, and the rules that each must keep by itself.

The errors of a batch are by place and field, as `{"events.3.quantity": [rule]}`, and name every bad event.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from arcadia_cloud.kernel.periods import month_of, previous_month
from metering.values import INTAKE_KINDS, LONGEST_NAME

NO_SUCH_FIELD: Final = "There is no such field."
CLOCK_SKEW: Final = timedelta(seconds=30)  # as for tokens: a sender's clock may be ahead by so much

Errors = dict[str, list[str]]
_LARGEST_ID: Final = 2**63 - 1
_LARGEST_EXPONENT: Final = 18
# As the columns hold it: 18 digits, and six decimal places.
_QUANTITY: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,6}0*)?")
_QUANTITY_RULE: Final = "Must be a decimal of at most 18 digits and 6 decimal places."


class IntakeEvent(msgspec.Struct, frozen=True, gc=False):
    """One event, right in itself. A quantity, or a meter's `reading` with its `sequence`; numbers as text.

    `place` is its index in the batch, `month` the first day of its month, UTC.
    """

    place: int
    event_id: str
    deployment_id: int
    kind: str
    sub_account: str
    occurred_at: datetime
    month: date
    quantity: str | None
    reading: str | None
    sequence: int | None
    reset: bool

    @property
    def day(self) -> date:
        """The day that it counts for, UTC."""
        return self.occurred_at.date()


def accepted_months(at: datetime) -> tuple[date, date]:
    """Return the first days of the months that events may be of: the last one and the running one."""
    return previous_month(at).start, month_of(at).start


def read_events(batch: Sequence[object], *, at: datetime) -> tuple[list[IntakeEvent], Errors]:
    """Return the events that keep the rules, and what is wrong with the others; `at`: of receipt."""
    first, until = previous_month(at).starts_at, at + CLOCK_SKEW
    events: list[IntakeEvent] = []
    errors: Errors = {}
    for place, given in enumerate(batch):
        found = _read_fields(given)
        if isinstance(found, str):
            errors[f"events.{place}"] = [found]
            continue
        # The bounds once for the batch, and here: a field's own rule doesn't know the time of receipt.
        values, refused = found
        occurred_at = values.get("at")
        if occurred_at is not None and not first <= occurred_at <= until:
            refused["at"] = (
                "Must not be in the future."
                if occurred_at > until
                else f"Must not be before {first:%Y-%m-%d}: older usage is no longer taken."
            )
        if refused:
            errors |= {f"events.{place}.{name}": [rule] for name, rule in refused.items()}
            continue
        events.append(
            IntakeEvent(
                place=place,
                event_id=values["event_id"],
                deployment_id=values["deployment"],
                kind=values["kind"],
                sub_account=values.get("sub_account", ""),
                occurred_at=values["at"],
                month=values["at"].date().replace(day=1),
                quantity=values.get("quantity"),
                reading=values.get("reading"),
                sequence=values.get("sequence"),
                reset=values.get("reset", False),
            )
        )
    return events, errors


def _read_fields(given: object) -> tuple[dict[str, Any], dict[str, str]] | str:
    """Return an event's values and the rules that its fields break, by name; or what it is instead of one."""
    if not isinstance(given, Mapping):
        return "Must be an object."
    values: dict[str, Any] = {}
    refused: dict[str, str] = {}
    for name, value in given.items():
        read = _FIELDS.get(name)
        if read is None:
            refused[name[:80]] = NO_SUCH_FIELD
            continue
        try:
            values[name] = read(value)
        except ValueError as error:
            refused[name] = str(error)
    refused |= {name: "Is required." for name in _REQUIRED if name not in given}
    if "reading" not in given:
        if "quantity" not in given:
            refused["quantity"] = "Is required, or a reading with its sequence."
        refused |= {name: "Belongs to a reading." for name in ("sequence", "reset") if name in given}
    elif "quantity" in given:
        refused["reading"] = "May not stand beside a quantity."
    elif "sequence" not in given:
        refused["sequence"] = "Is required with a reading."
    return values, refused


def _read_name(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME or not value.isprintable():
        raise ValueError(f"Must be a text of 1 to {LONGEST_NAME} printable characters.")
    return value


def _read_number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST_ID:
        raise ValueError("Must be a whole number, not below 0.")
    return value


def _read_kind(value: object) -> str:
    if value not in INTAKE_KINDS:
        raise ValueError(f"Must be one of {', '.join(INTAKE_KINDS)}; the other kinds are metered here.")
    return str(value)


def _read_quantity(value: object) -> str:
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= _LARGEST_EXPONENT:
        value = format(value, "f")
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST_ID:
        value = str(value)
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise ValueError(_QUANTITY_RULE)
    if value.startswith("-"):
        raise ValueError("May not be negative.")
    return value


def _read_time(value: object) -> datetime:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        # A time near the ends of the calendar has no place in UTC.
        if found is not None and found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("Must be a time with its zone, as 2026-04-05T06:07:08Z.")


def _read_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("Must be true or false.")  # noqa: TRY004 - a rule of the field, not a fault of ours
    return value


_FIELDS: Final[Mapping[str, Callable[[object], Any]]] = {
    "event_id": _read_name,
    "deployment": _read_number,
    "kind": _read_kind,
    "at": _read_time,
    "quantity": _read_quantity,
    "reading": _read_quantity,
    "sequence": _read_number,
    "reset": _read_flag,
    "sub_account": _read_name,
}
_REQUIRED: Final = ("event_id", "deployment", "kind", "at")
